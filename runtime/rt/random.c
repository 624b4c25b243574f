/* The generators: Mersenne Twister (Matsumoto and Nishimura 1998, with the initialisation of
 * 2002) and Philox. The distributions are in random_py.c and random_np.c. */
#include "runtime/rt/random.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- Mersenne Twister ---- */

enum { SHIFT_SIZE = 397 };

static void twister_seed_word(JrTwister *t, uint32_t seed) {
    t->words[0] = seed;
    for (uint32_t i = 1; i < JR_MT_WORDS; i++)
        t->words[i] = 1812433253u * (t->words[i - 1] ^ (t->words[i - 1] >> 30)) + i;
    t->next = JR_MT_WORDS;
    t->seeded = true;
}

/* Moves i on through words 1..623, carrying the last word into word 0 at the wrap. */
static uint32_t twister_step(JrTwister *t, uint32_t i) {
    if (++i < JR_MT_WORDS) return i;
    t->words[0] = t->words[JR_MT_WORDS - 1];
    return 1;
}

static uint32_t twister_mix(const JrTwister *t, uint32_t i, uint32_t factor) {
    uint32_t before = t->words[i - 1];
    return t->words[i] ^ ((before ^ (before >> 30)) * factor);
}

static void twister_seed_array(JrTwister *t, const uint32_t *key, uint32_t len) {
    twister_seed_word(t, 19650218u);
    uint32_t i = 1, rounds = len > JR_MT_WORDS ? len : JR_MT_WORDS;
    for (uint32_t k = 0; k < rounds; k++) {
        t->words[i] = twister_mix(t, i, 1664525u) + key[k % len] + k % len;
        i = twister_step(t, i);
    }
    for (uint32_t k = 1; k < JR_MT_WORDS; k++) {
        t->words[i] = twister_mix(t, i, 1566083941u) - i;
        i = twister_step(t, i);
    }
    t->words[0] = 0x80000000u;
}

static void twister_seed_entropy(JrTwister *t) {
    uint32_t key[8];
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t mix[4] = {(uint64_t)now.tv_nsec, (uint64_t)now.tv_sec, (uintptr_t)t, 0};
        memcpy(key, mix, sizeof key);
    }
    twister_seed_array(t, key, 8);
}

static uint32_t twist(uint32_t high, uint32_t low) {
    uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return (y >> 1) ^ (0x9908b0dfu & (0 - (y & 1)));
}

/* In two loops and a last step, so that no index wraps and compilers vectorise them. */
static void twister_refill(JrTwister *t) {
    enum { REST = JR_MT_WORDS - SHIFT_SIZE };
    uint32_t *w = t->words;
    for (uint32_t i = 0; i < REST; i++)
        w[i] = w[i + SHIFT_SIZE] ^ twist(w[i], w[i + 1]);
    for (uint32_t i = REST; i < JR_MT_WORDS - 1; i++)
        w[i] = w[i - REST] ^ twist(w[i], w[i + 1]);
    w[JR_MT_WORDS - 1] = w[SHIFT_SIZE - 1] ^ twist(w[JR_MT_WORDS - 1], w[0]);
    t->next = 0;
}

static uint32_t twister_word(JrTwister *t) {
    if (!t->seeded) twister_seed_entropy(t);
    if (t->next == JR_MT_WORDS) twister_refill(t);
    uint32_t y = t->words[t->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* ---- Philox ---- */

void jr_philox_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static uint32_t philox_word(JrPhilox *p) {
    if (p->left == 0) {
        uint32_t key[2] = {(uint32_t)p->key, (uint32_t)(p->key >> 32)};
        uint32_t counter[4] = {(uint32_t)p->block, (uint32_t)(p->block >> 32),
                               (uint32_t)p->stream, (uint32_t)(p->stream >> 32)};
        jr_philox_block(counter, key, p->words);
        p->block++;
        p->left = 4;
    }
    return p->words[4 - p->left--];
}

/* ---- Sources ---- */

static inline uint32_t source_word(JrRandomSource *source) {
    return source->twister ? twister_word(source->twister) : philox_word(&source->philox);
}

uint32_t jr_random_word(JrRandom *random, int kind) {
    return source_word(&random->now.sources[kind]);
}

double jr_random_double(JrRandom *random, int kind) {
    JrRandomSource *source = &random->now.sources[kind];
    uint32_t a = source_word(source) >> 5, b = source_word(source) >> 6;
    return (a * 67108864.0 + b) * (1.0 / 9007199254740992.0);
}

static void source_start(JrRandomSource *source, uint64_t key, uint64_t stream) {
    *source = (JrRandomSource){.philox = {.key = key, .stream = stream}};
}

void jr_random_init(JrRandom *random, const JrAlloc *alloc) {
    memset(random, 0, sizeof *random);
    random->alloc = alloc;
    for (int kind = 0; kind < JR_RANDOM_KINDS; kind++)
        random->now.sources[kind].twister = &random->twisters[kind];
}

void jr_random_clear(JrRandom *random) {
    jr_alloc_free(random->alloc, random->outer);
    jr_random_init(random, random->alloc);
}

/* Within an iteration: a stream of its own for each seed, the same in every iteration, as the
 * caller of seed() asked. ~0 sets the two kinds of key apart from the drawn ones' use. */
static void source_reseed(JrRandomSource *source, uint64_t seed) {
    source_start(source, seed, ~(uint64_t)0);
}

void jr_random_seed_py(JrRandom *random, int64_t seed) {
    JrRandomSource *source = &random->now.sources[JR_RANDOM_PY];
    uint64_t size = seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
    source->has_gauss = false;
    if (!source->twister) {
        source_reseed(source, size);
        return;
    }
    uint32_t key[2] = {(uint32_t)size, (uint32_t)(size >> 32)};
    twister_seed_array(source->twister, key, key[1] ? 2 : 1);
}

void jr_random_seed_np(JrRandom *random, uint32_t seed) {
    JrRandomSource *source = &random->now.sources[JR_RANDOM_NP];
    source->has_gauss = false;
    if (source->twister)
        twister_seed_word(source->twister, seed);
    else
        source_reseed(source, seed);
}

/* ---- Streams of iterations ---- */

void jr_random_loop(JrRandom *random) {
    for (int kind = 0; kind < JR_RANDOM_KINDS; kind++) {
        uint64_t low = jr_random_word(random, kind);
        random->now.keys[kind] = (uint64_t)jr_random_word(random, kind) << 32 | low;
    }
    random->now.has_keys = true;
}

void jr_random_share(JrRandom *worker, const JrRandom *caller) {
    memcpy(worker->now.keys, caller->now.keys, sizeof worker->now.keys);
    worker->now.has_keys = caller->now.has_keys;
}

static bool frame_push(JrRandom *random) {
    if (random->depth == random->cap) {
        uint32_t cap = random->cap ? random->cap * 2 : 4;
        void *outer =
            jr_alloc_resize(random->alloc, random->outer, cap * sizeof *random->outer);
        if (!outer) return false;
        random->outer = outer;
        random->cap = cap;
    }
    random->outer[random->depth++] = random->now;
    return true;
}

void jr_random_enter(JrRandom *random, int64_t iteration) {
    if (!random->now.has_keys) jr_random_loop(random);
    if (random->lost || !frame_push(random)) {
        random->lost++;
        return;
    }
    for (int kind = 0; kind < JR_RANDOM_KINDS; kind++)
        source_start(&random->now.sources[kind], random->now.keys[kind], (uint64_t)iteration);
    random->now.has_keys = false;
}

void jr_random_leave(JrRandom *random) {
    if (random->lost)
        random->lost--;
    else if (random->depth)
        random->now = random->outer[--random->depth];
}

void jr_random_unwind(JrRandom *random, uint32_t depth) {
    while (jr_random_depth(random) > depth)
        jr_random_leave(random);
}
