/* As sieve.src. */
#include "native.h"

KERNEL static int64_t sieve(int64_t n) {
    bool *flags = zeros((size_t)n + 1, sizeof *flags);
    int64_t count = 0;
    for (int64_t i = 0; i <= n; i++)
        flags[i] = true;
    for (int64_t i = 2; i <= n; i++)
        if (flags[i]) {
            count++;
            for (int64_t j = i * i; j <= n; j += i)
                flags[j] = false;
        }
    free(flags);
    return count;
}

int main(void) {
    int64_t total = 0;
    for (int k = 0; k < 24; k++)
        total += sieve(1000000);
    printf("%" PRId64 "\n", total);
}
