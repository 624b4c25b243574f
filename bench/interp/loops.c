/* As loops.src. */
#include "native.h"

KERNEL static int64_t loops(int64_t n) {
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < 20; k++)
                total = total + (i ^ j) - k;
    return total;
}

int main(void) {
    printf("%" PRId64 "\n", loops(1400));
}
