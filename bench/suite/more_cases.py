"""What more.src's kernels are called with, as cases.py has it for kernels.src. All sides must agree; there are
no answers from elsewhere."""
import numpy as np
from cases import mix64, returned, uniform, weighted


def out(*indices):
    return lambda args, result: float(sum(weighted(args[i]) for i in indices))


def both(*indices):
    return lambda args, result: out(*indices)(args, result) + float(result)


def as_uint64(args, result):
    return float(int(result) & (2**64 - 1))


def picture(n=256, m=300):
    return uniform(1, n * m).reshape(n, m)


def ints(count, top, stream=1):
    index = np.arange(count, dtype=np.uint64) + np.uint64(stream << 40)
    return (mix64(index) % np.uint64(top)).astype(np.int64)


def octets(count, top=256, stream=1):
    return ints(count, top, stream).astype(np.uint8)


def sparse():
    n = 5000
    starts = np.zeros(n + 1, np.int64)
    starts[1:] = np.cumsum(ints(n, 20, 3))
    k = int(starts[-1])
    return (starts, ints(k, n, 4), uniform(2, k), uniform(3, n), np.zeros(n))


def numbers_as_text():
    numbers = ints(30000, 100000, 7) - 50000
    return np.frombuffer((",".join(map(str, numbers)) + "\n").encode(), np.uint8).copy()


def permutation():
    table = np.argsort(mix64(np.arange(256))).astype(np.int64)
    return np.concatenate([table, table, table[:2]])


def tridiagonal():
    n = 20000
    return (-uniform(1, n), 3 + uniform(2, n), -uniform(3, n), uniform(4, n), np.zeros(n), np.zeros(n))


def waves():
    n = 4096
    k = np.arange(n // 2)
    return (uniform(1, n), uniform(2, n), np.cos(-2 * np.pi * k / n), np.sin(-2 * np.pi * k / n))


def symmetric(n):
    a = uniform(1, n * n).reshape(n, n)
    return a + a.T


def tree(n):
    """Points in the order that kd_nearest wants."""
    points = uniform(1, 3 * n).reshape(n, 3).copy()

    def build(lo, hi, axis):
        if hi - lo < 2:
            return
        order = np.argsort(points[lo:hi, axis], kind="stable")
        points[lo:hi] = points[lo:hi][order]
        mid = (lo + hi) // 2
        build(lo, mid, (axis + 1) % 3)
        build(mid + 1, hi, (axis + 1) % 3)

    build(0, n, 0)
    return points


def graph():
    starts, neighbours = sparse()[:2]
    return (starts, neighbours, np.zeros(5000, np.int64), np.zeros(5000, np.int64))


def to_transpose():
    starts, columns, values = sparse()[:3]
    return (starts, columns, values, np.zeros(5001, np.int64), np.zeros_like(columns), np.zeros_like(values))


def hidden_states():
    return (ints(1000, 16, 1), np.log(uniform(1, 400).reshape(20, 20) + 1e-9),
            np.log(uniform(2, 320).reshape(20, 16) + 1e-9),
            np.zeros((1000, 20)), np.zeros((1000, 20), np.int64), np.zeros(1000, np.int64))


def line_ends():
    return np.stack([ints(500, top, stream) for stream, top in enumerate((400, 300, 400, 300))], 1).copy()


def frequencies(n=4096):
    return (1 + ints(n, 10000), np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64), np.zeros(n, np.int64),
            np.zeros(n, np.int64))


def limbs(first, count):
    return mix64(np.arange(first, first + count, dtype=np.uint64)) >> np.uint64(32)


def blobs():
    return (octets(200 * 300, 5).reshape(200, 300) < 3).astype(np.uint8)


CASES = {
    "convolve": ("convolve", lambda: (picture(), uniform(2, 9).reshape(3, 3), np.zeros((256, 300))), out(2), None),
    "box_filter": ("box_filter", lambda: (picture(), np.zeros((257, 301)), np.zeros((256, 300)), 4), out(2), None),
    "median3": ("median3", lambda: (octets(100 * 120).reshape(100, 120), np.zeros((100, 120), np.uint8)),
        out(1), None),
    "sobel": ("sobel", lambda: (picture(), np.zeros((256, 300))), out(1), None),
    "resize": ("resize", lambda: (picture(), np.zeros((300, 350))), out(1), None),
    "equalise": ("equalise", lambda: (octets(200 * 300).reshape(200, 300), np.zeros((200, 300), np.uint8)),
        out(1), None),
    "levenshtein": ("levenshtein", lambda: (octets(1000, 4, 1), octets(900, 4, 2), np.zeros(901, np.int64)),
        returned, None),
    "dtw": ("dtw", lambda: (uniform(1, 400), uniform(2, 450), np.zeros((401, 451))), returned, None),
    "align": ("align", lambda: (octets(400, 4, 1), octets(450, 4, 2), np.zeros((401, 451), np.int64)), both(2), None),
    "find_all": ("find_all", lambda: (octets(100000, 3, 1), octets(6, 3, 2)), returned, None),
    "run_lengths": ("run_lengths", lambda: (
        octets(100000, 2, 1), np.zeros(100000, np.uint8), np.zeros(100000, np.int64)),
        both(1, 2), None),
    "base64": ("base64", lambda: (octets(99999), octets(64, 250, 3), np.zeros(140000, np.uint8)), both(2), None),
    "parse_numbers": ("parse_numbers", lambda: (numbers_as_text(), np.zeros(30000, np.int64)), both(1), None),
    "kmeans_step": ("kmeans_step", lambda: (
        uniform(1, 5000 * 4).reshape(5000, 4), uniform(2, 32).reshape(8, 4), np.zeros(5000, np.int64), np.zeros((8, 4)), np.zeros(8, np.int64)),
        out(2, 3, 4), None),
    "pairwise": ("pairwise", lambda: (uniform(1, 400 * 3).reshape(400, 3), np.zeros((400, 400))), out(1), None),
    "union_find": ("union_find", lambda: (np.zeros(20000, np.int64), ints(30000, 20000).reshape(15000, 2)),
        both(0), None),
    "csr_matvec": ("csr_matvec", sparse, out(4), None),
    "running_sum": ("running_sum", lambda: (uniform(1, 60000), np.zeros(60000)), out(1), None),
    "thomas": ("thomas", tridiagonal, out(4), None),
    "fft": ("fft", lambda: (uniform(1, 4096), uniform(2, 4096)), out(0, 1), None),
    "fft_blocks": ("fft_blocks", waves, out(0, 1), None),
    "lu": ("lu", lambda: (uniform(1, 40000).reshape(200, 200), np.zeros(200, np.int64)), out(0, 1), None),
    "jacobi_eigen": ("jacobi_eigen", lambda: (symmetric(40), 3), out(0), None),
    "transpose": ("transpose", lambda: (picture(400, 500), np.zeros((500, 400))), out(1), None),
    "moving_average": ("moving_average", lambda: (uniform(1, 60000), np.zeros(60000), 10), out(1), None),
    "rolling_min": ("rolling_min", lambda: (uniform(1, 60000), np.zeros(60000), 20, np.zeros(60000, np.int64)),
        out(1), None),
    "smooth_exp": ("smooth_exp", lambda: (uniform(1, 60000), np.zeros(60000), 0.1), out(1), None),
    "lorenz": ("lorenz", lambda: (30000, 0.001), returned, None),
    "ising": ("ising", lambda: (
        2 * ints(100 * 100, 2).reshape(100, 100) - 1, np.exp(-0.4 * np.arange(9)), 4, np.uint64(88172645463325252)),
        both(0), None),
    "perlin": ("perlin", lambda: (permutation(), 0.05, np.zeros((200, 250))), out(2), None),
    "ray_spheres": ("ray_spheres", lambda: (
        uniform(1, 80).reshape(20, 4) * 3 + np.array([-1.5, -1.5, 3, -2.5]), np.zeros((80, 100))),
        out(1), None),
    "mandelbrot32": ("mandelbrot32", lambda: (np.zeros((100, 150), np.int64), 100), out(0), None),
    "diffuse": ("diffuse", lambda: (picture(100, 120), np.zeros((100, 120)), 10, 0.1), out(0), None),
    "search_all": ("search_all", lambda: (
        np.sort(ints(100000, 10**9)), ints(10000, 10**9, 5), np.zeros(10000, np.int64)),
        out(2), None),
    "insertion_sort": ("insertion_sort", lambda: (uniform(1, 2000),), out(0), None),
    "heap_sort": ("heap_sort", lambda: (uniform(1, 20000),), out(0), None),
    "factor_sum": ("factor_sum", lambda: (1000000, 300), returned, None),
    "coprimes": ("coprimes", lambda: (300,), returned, None),
    "hash_words": ("hash_words", lambda: (mix64(np.arange(100000)),), as_uint64, None),
    "fnv1a": ("fnv1a", lambda: (octets(100000),), as_uint64, None),
    "queens": ("queens", lambda: (9, 0, 0, 0, 0), returned, None),
    "collatz": ("collatz", lambda: (10000,), returned, None),
    "life_inside": ("life_inside", lambda: (
        octets(200 * 300, 2).reshape(200, 300).astype(np.int8), np.zeros((200, 300), np.int8)),
        out(1), None),
    "count_sort": ("count_sort", lambda: (octets(100000), np.zeros(100000, np.uint8)), out(1), None),
    "subset_sums": ("subset_sums", lambda: (1 + ints(50, 100), np.zeros(5001, np.int64)), both(1), None),
    "coin_ways": ("coin_ways", lambda: (1 + ints(50, 100), np.zeros(5001, np.int64)), both(1), None),
    "mod_power_sum": ("mod_power_sum", lambda: (10000, 1000003), returned, None),
    "merge_sorted": ("merge_sorted", lambda: (
        np.sort(ints(50000, 10**6, 1)), np.sort(ints(60000, 10**6, 2)), np.zeros(110000, np.int64)),
        out(2), None),
    "bitonic_sort": ("bitonic_sort", lambda: (uniform(1, 4096),), out(0), None),
    "blur_bytes": ("blur_bytes", lambda: (
        octets(300 * 400).reshape(300, 400), np.zeros((300, 400), np.int64), np.zeros((300, 400), np.uint8)),
        out(2), None),
    "red_black": ("red_black", lambda: (picture(120, 150), picture(120, 150), 5), out(0), None),
    "lz_match": ("lz_match", lambda: (
        octets(20000, 5), np.zeros(4096, np.int64), np.zeros(20000, np.int64), np.zeros(20000, np.int64)),
        both(3), None),
    "compact": ("compact", lambda: (uniform(1, 100000), 0.3, 0.7, np.zeros(100000)), both(3), None),
    "csr_transpose": ("csr_transpose", to_transpose, out(3, 4, 5), None),
    "big_multiply": ("big_multiply", lambda: (limbs(0, 300), limbs(400, 400), np.zeros(700, np.uint64)), out(2), None),
    "viterbi": ("viterbi", hidden_states, both(3, 4, 5), None),
    "draw_lines": ("draw_lines", lambda: (line_ends(), np.zeros((300, 400), np.int64)), out(1), None),
    "huffman": ("huffman", frequencies, both(4), None),
    "components": ("components", lambda: (blobs(), np.zeros((200, 300), np.int64), np.zeros(60000, np.int64)),
        both(1), None),
    "kd_nearest": ("kd_nearest", lambda: (
        tree(5000), uniform(7, 900).reshape(300, 3), np.zeros(300, np.int64), np.zeros((64, 3), np.int64)),
        both(2), None),
    "grey": ("grey", lambda: (octets(300 * 400 * 3).reshape(300, 400, 3), np.zeros((300, 400), np.uint8)), out(1), None),
    "count_in_2d": ("count_in_2d", lambda: (uniform(1, 100000), uniform(2, 100000), np.zeros((20, 30), np.int64)),
        out(2), None),
    "bfs": ("bfs", graph, both(2, 3), None),
    "matrix_chain": ("matrix_chain", lambda: (
        1 + ints(101, 50), np.zeros((100, 100), np.int64), np.zeros((100, 100), np.int64)),
        both(1, 2), None),
    "three_sum": ("three_sum", lambda: (np.sort(ints(600, 5000)), 7500), returned, None),
}
# Contraction changes what is chaotic.
TOLERANCE = {"lorenz": 1e-3, "mandelbrot32": 1e-2}
