/* The random generators of one thread: Python's, NumPy's, and counter-based streams.
 *
 * Outside a prange loop there are two Mersenne Twisters, one behind random.* and one behind
 * np.random.*, each bit for bit what CPython and NumPy draw from the same seed.
 *
 * Inside a prange loop each iteration draws from its own stream, so that the numbers depend
 * neither on the order of the iterations nor on the thread that runs them. The generator is
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
 * SC11): a keyed bijection of a 128-bit counter, here iteration and block number. The key is
 * drawn from the generator itself, once, where the loop begins:
 *
 *     jr_random_loop(r)             on the thread that starts the loop: draws the keys, which
 *                                   moves the generators on, so that the next loop differs
 *     jr_random_share(worker, r)    on each other thread of a parallel loop
 *     for each iteration i, anywhere:
 *         jr_random_enter(r, i) ... jr_random_leave(r)
 *
 * It nests: a loop inside an iteration draws its keys from that iteration's stream. After
 * leave the outer stream goes on where it was. An error skips the leaves: jr_random_unwind
 * makes up for it. */
#ifndef JR_RUNTIME_RANDOM_H
#define JR_RUNTIME_RANDOM_H

#include "ir/base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

enum { JR_MT_WORDS = 624 };

typedef struct JrTwister {
    uint32_t words[JR_MT_WORDS];
    uint32_t next; /* index of the next word; JR_MT_WORDS: make new ones */
    bool seeded;
} JrTwister;

typedef struct JrPhilox {
    uint64_t key, stream, block;
    uint32_t words[4];
    uint32_t left; /* of words */
} JrPhilox;

/* A source of 32-bit words with what the distributions keep between calls. */
typedef struct JrRandomSource {
    JrTwister *twister; /* NULL: the words come from philox */
    JrPhilox philox;
    double gauss; /* the second value of a pair, for the next call */
    bool has_gauss;
} JrRandomSource;

/* random.* and np.random.*, in this order everywhere. */
enum { JR_RANDOM_PY, JR_RANDOM_NP, JR_RANDOM_KINDS };

typedef struct JrRandomFrame {
    JrRandomSource sources[JR_RANDOM_KINDS];
    uint64_t keys[JR_RANDOM_KINDS];
    bool has_keys;
} JrRandomFrame;

typedef struct JrRandom {
    const JrAlloc *alloc;
    JrTwister twisters[JR_RANDOM_KINDS];
    JrRandomFrame now;
    JrRandomFrame *outer; /* what enter put aside, `depth` of them */
    uint32_t depth, cap;
    uint32_t lost; /* enters without memory: their iterations draw from the outer stream */
} JrRandom;

/* Unseeded: the first draw seeds from the system's entropy. The struct may not be moved. */
void jr_random_init(JrRandom *random, const JrAlloc *alloc);
void jr_random_clear(JrRandom *random);

/* random.seed(n) and np.random.seed(n). In an iteration they reseed its stream alone. */
void jr_random_seed_py(JrRandom *random, int64_t seed);
void jr_random_seed_np(JrRandom *random, uint32_t seed);

void jr_random_loop(JrRandom *random);
void jr_random_share(JrRandom *worker, const JrRandom *caller);
void jr_random_enter(JrRandom *random, int64_t iteration);
void jr_random_leave(JrRandom *random);
/* How many iterations are entered now; and leaving until so many are. */
static inline uint32_t jr_random_depth(const JrRandom *random) {
    return random->depth + random->lost;
}
void jr_random_unwind(JrRandom *random, uint32_t depth);

/* The next word, and a double in [0, 1) of 53 random bits. */
uint32_t jr_random_word(JrRandom *random, int kind);
double jr_random_double(JrRandom *random, int kind);

/* One block of Philox4x32-10. */
void jr_philox_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
