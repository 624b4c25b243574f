/* Sorting, for each element type from one template.
 *
 * Introsort (Musser 1997): quicksort on the median of three until a part is small, which is
 * left to insertion sort, or until the depth says that the pivots are bad, when the part is
 * heapsorted: O(n log n) at worst, in place. NaNs are moved to the end first, as NumPy places
 * them, so that the rest compares with `<`. When it is cancelled all elements are still there. */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

enum {
    SMALL_PART = 16,
    LARGE_PART = 1 << 15, /* takes a millisecond: the cancel flag is looked at so often */
};

/* The run that sorts, and what became of it. */
typedef struct Sorter {
    JrRt *rt;
    const JrWhere *where;
    int32_t status;
} Sorter;

static bool is_stopped(Sorter *s, int64_t n) {
    if (n > LARGE_PART && !s->status) s->status = jr_rt_poll(s->rt, s->where);
    return s->status != 0;
}

#define SORT(T, name)                                                     \
    static void insertion_##name(T *a, int64_t n) {                       \
        for (int64_t i = 1; i < n; i++) {                                 \
            T item = a[i];                                                \
            int64_t j = i;                                                \
            for (; j > 0 && item < a[j - 1]; j--)                         \
                a[j] = a[j - 1];                                          \
            a[j] = item;                                                  \
        }                                                                 \
    }                                                                     \
    static void sift_##name(T *a, int64_t root, int64_t n) {              \
        T item = a[root];                                                 \
        for (int64_t child; (child = 2 * root + 1) < n; root = child) {   \
            child += child + 1 < n && a[child] < a[child + 1];            \
            if (!(item < a[child])) break;                                \
            a[root] = a[child];                                           \
        }                                                                 \
        a[root] = item;                                                   \
    }                                                                     \
    static void heapsort_##name(Sorter *s, T *a, int64_t n) {             \
        for (int64_t i = n / 2; i-- > 0;) {                               \
            if (i % LARGE_PART == 0 && is_stopped(s, n)) return;          \
            sift_##name(a, i, n);                                         \
        }                                                                 \
        for (int64_t end = n - 1; end > 0; end--) {                       \
            if (end % LARGE_PART == 0 && is_stopped(s, n)) return;        \
            T item = a[end];                                              \
            a[end] = a[0];                                                \
            a[0] = item;                                                  \
            sift_##name(a, 0, end);                                       \
        }                                                                 \
    }                                                                     \
    static T median_##name(T x, T y, T z) {                               \
        T low = x < y ? x : y, high = x < y ? y : x;                      \
        return z < low ? low : high < z ? high : z;                       \
    }                                                                     \
    /* Recurses into the smaller part: the stack stays logarithmic. */    \
    static void introsort_##name(Sorter *s, T *a, int64_t n, int depth) { \
        while (n > SMALL_PART) {                                          \
            if (is_stopped(s, n)) return;                                 \
            if (depth-- == 0) {                                           \
                heapsort_##name(s, a, n);                                 \
                return;                                                   \
            }                                                             \
            T pivot = median_##name(a[0], a[n / 2], a[n - 1]);            \
            int64_t i = 0, j = n - 1, look_at = n - LARGE_PART;           \
            for (;; i++, j--) {                                           \
                while (a[i] < pivot)                                      \
                    i++;                                                  \
                while (pivot < a[j])                                      \
                    j--;                                                  \
                if (i >= j) break;                                        \
                T item = a[i];                                            \
                a[i] = a[j];                                              \
                a[j] = item;                                              \
                if (j - i >= look_at) continue;                           \
                look_at -= LARGE_PART;                                    \
                if (is_stopped(s, n)) return;                             \
            }                                                             \
            int64_t left = i, right = i + (i == j);                       \
            if (left < n - right) {                                       \
                introsort_##name(s, a, left, depth);                      \
                a += right;                                               \
                n -= right;                                               \
            } else {                                                      \
                introsort_##name(s, a + right, n - right, depth);         \
                n = left;                                                 \
            }                                                             \
        }                                                                 \
        insertion_##name(a, n);                                           \
    }                                                                     \
    static void sort_##name(Sorter *s, void *data, int64_t n) {           \
        T *a = data;                                                      \
        int64_t numbers = 0;                                              \
        for (int64_t i = 0; i < n; i++) {                                 \
            T item = a[i];                                                \
            if (!(item == item)) continue; /* NaN */                      \
            a[i] = a[numbers];                                            \
            a[numbers++] = item;                                          \
            if (i % LARGE_PART == 0 && is_stopped(s, n)) return;          \
        }                                                                 \
        int depth = 2;                                                    \
        for (int64_t rest = numbers; rest; rest >>= 1)                    \
            depth += 2;                                                   \
        introsort_##name(s, a, numbers, depth);                           \
    }

#define JR_TYPE(ID, name, ctype, bytes, cls) SORT(ctype, ID)
#include "ir/types.def"
#undef JR_TYPE

static void sort_items(Sorter *s, IrScalar scalar, void *data, int64_t n) {
    switch (scalar) {
#define JR_TYPE(ID, name, ctype, bytes, cls) \
    case TY_##ID:                            \
        sort_##ID(s, data, n);               \
        break;
#include "ir/types.def"
#undef JR_TYPE
    default: break;
    }
}

/* A strided array is sorted in a contiguous copy. */
static int32_t sort_copy(JrRt *rt, const JrWhere *where, IrType type, JrArray *array) {
    JrArrayRoom copy;
    copy.array.dims[0] = array->dims[0];
    int32_t status = jr_rt_array_new(rt, where, ir_type_bits(type), &copy.array, 0);
    if (status) return status;
    Sorter sorter = {.rt = rt, .where = where};
    sorter.status = jr_array_copy_elements(rt, where, type, &copy.array, array);
    if (!sorter.status) {
        sort_items(&sorter, (IrScalar)type.scalar, copy.array.data, array->dims[0]);
        jr_array_copy_elements(NULL, NULL, type, array,
                               &copy.array); /* all, or some are lost */
    }
    jr_rt_release(copy.array.owner);
    return sorter.status;
}

JR_RT_FN(array_sort) {
    IrType type = ir_type_of_bits((uint32_t)args[0].u);
    JrArray *array = args[1].p;
    if (array->dims[0] < 2) return 0;
    if (jr_array_strides(array, 1)[0] != 1) return sort_copy(rt, where, type, array);
    Sorter sorter = {.rt = rt, .where = where};
    sort_items(&sorter, (IrScalar)type.scalar, array->data, array->dims[0]);
    return sorter.status;
}
