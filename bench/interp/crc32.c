/* As crc32.src. */
#include "native.h"

static void make_table(int64_t *table) {
    for (int64_t n = 0; n < 256; n++) {
        int64_t c = n;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
        table[n] = c;
    }
}

KERNEL static int64_t crc32(const uint8_t *data, int64_t len, const int64_t *table) {
    int64_t crc = 0xFFFFFFFF;
    for (int64_t i = 0; i < len; i++)
        crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFF;
}

int main(void) {
    const int64_t n = 500000;
    uint8_t *data = zeros((size_t)n, sizeof *data);
    int64_t table[256], total = 0;
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)((i * 7 + (i >> 3)) & 255);
    make_table(table);
    for (int k = 0; k < 30; k++)
        total += crc32(data, n, table);
    printf("%" PRId64 "\n", total);
    free(data);
}
