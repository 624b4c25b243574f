/* Accumulating in elements of arrays on threads (par_copies.c): when copies are worth it. The runtime
 * (runtime/threads/copies.c) and C text that stands alone (backend/tcc/text/standalone.c) have to agree. */
#ifndef JR_IR_PAR_COPIES_H
#define JR_IR_PAR_COPIES_H

/* Statements of the loop for each element of a copy, so that filling and joining it, and the room it
 * takes in the caches, is a tenth of them: 2 to 3 ns for an element, 0.12 ns for a statement, and more
 * where the array is larger than the first caches. */
enum {
    COPIES_COST = 200,
    COPIES_LARGE_COST = 80,
    COPIES_LARGE = 64 << 10, /* bytes */
};

enum {
    COPIES_BYTES = 32 << 20, /* of all copies: what a cache may hold */
    COPIES_MOST = 127,
    COPIES_LEAST = 100000, /* statements: a loop below is over before it would gain */
};

#endif
