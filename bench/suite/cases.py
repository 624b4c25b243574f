"""What the suite's kernels are called with, what their results must be, and where that is from.

CASES maps a kernel's name to (function, make, digest, answer): make() gives fresh arguments, and
digest(args, result) the number that all sides must agree on, and that must be the answer.

PolyBench/C 4.2.1's kernels have its own inputs at size MEDIUM and the sum over the output; the sums
were made with its C code in long double. The official inputs of seidel-2d and heat-3d do not notice a
kernel that does nothing, so these get pseudorandom ones.
"""
import zlib

import numpy as np

F8 = np.float64


def grid(f, *shape):
    return np.fromfunction(f, shape, dtype=np.int64)


def mix64(i):
    z = np.asarray(i, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(stream, count):
    index = np.arange(count, dtype=np.uint64) + np.uint64(stream << 48)
    return (mix64(index) >> np.uint64(11)).astype(F8) * 2.0**-53


def weighted(a):
    flat = np.ravel(a).astype(F8)
    i = np.arange(flat.size, dtype=np.int64)
    return float(np.sum(flat * (0.5 + ((i * 40503) & 65535) / 65536)))


def output(*indices):
    """The sum over the arguments that the kernel wrote."""
    return lambda args, result: float(sum(np.sum(args[i], dtype=np.longdouble) for i in indices))


def returned(args, result):
    return float(result)


def gemm():
    n, m, p = 200, 220, 240
    return (grid(lambda i, j: (i * j + 1) % n / n, n, m), grid(lambda i, j: i * (j + 1) % p / p, n, p),
            grid(lambda i, j: i * (j + 2) % m / m, p, m), 1.5, 1.2)


def two_mm():
    ni, nj, nk, nl = 180, 190, 210, 220
    return (np.zeros((ni, nj)), grid(lambda i, j: (i * j + 1) % ni / ni, ni, nk),
            grid(lambda i, j: i * (j + 1) % nj / nj, nk, nj),
            grid(lambda i, j: (i * (j + 3) + 1) % nl / nl, nj, nl),
            grid(lambda i, j: i * (j + 2) % nk / nk, ni, nl), 1.5, 1.2)


def atax():
    m, n = 390, 410
    return (grid(lambda i, j: (i + j) % n / (5 * m), m, n), 1 + np.arange(n) / n, np.zeros(n), np.zeros(m))


def bicg():
    m, n = 390, 410
    return (grid(lambda i, j: i * (j + 1) % n / n, n, m), np.zeros(m), np.zeros(n),
            np.arange(m) % m / m, np.arange(n) % n / n)


def mvt():
    n = 400
    i = np.arange(n)
    return (grid(lambda i, j: i * j % n / n, n, n), i % n / n, (i + 1) % n / n, (i + 3) % n / n,
            (i + 4) % n / n)


def cholesky():
    n = 400
    lower = np.tril(grid(lambda i, j: 1 - j / n, n, n), -1) + np.eye(n)
    return (lower @ lower.T,)


def trisolv():
    n = 400
    return (np.tril(grid(lambda i, j: (i + n - j + 1) * 2 / n, n, n)), np.zeros(n), np.arange(n) * 1.0)


def durbin():
    n = 400
    return (n + 1.0 - np.arange(n), np.zeros(n), np.zeros(n))


def jacobi_2d():
    n = 250
    return (grid(lambda i, j: (i * (j + 2) + 2) / n, n, n), grid(lambda i, j: (i * (j + 3) + 3) / n, n, n), 100)


def floyd_warshall():
    n = 500
    i, j = np.indices((n, n))
    far = ((i + j) % 13 == 0) | ((i + j) % 7 == 0) | ((i + j) % 11 == 0)
    return (np.where(far, 999, i * j % 7 + 1).astype(np.int32),)


def heat_3d():
    a = uniform(1, 40**3).reshape(40, 40, 40)
    return (a, a.copy(), 40)


def black_scholes():
    n = 16384
    return (5 + 25 * uniform(1, n), 1 + 99 * uniform(2, n), 0.25 + 9.75 * uniform(3, n), np.zeros(n),
            np.zeros(n))


CRC_TABLE = np.arange(256, dtype=np.int64)
for _ in range(8):
    CRC_TABLE = np.where(CRC_TABLE & 1, 0xEDB88320 ^ (CRC_TABLE >> 1), CRC_TABLE >> 1)
BYTES = (mix64(np.arange(1 << 20)) & np.uint64(255)).astype(np.uint8)


def knapsack():
    r = mix64(np.arange(400)).astype(np.int64) & 0xFFFF
    return (np.zeros(5001, np.int64), 1 + r[:200] % 100, 1 + r[200:] % 1000)


def knapsack_answer():
    """The same by another way: whole arrays over the capacities."""
    best, weights, values = knapsack()
    for w, v in zip(weights, values):
        best[w:] = np.maximum(best[w:], best[:-w] + v)
    return float(best[-1])


def life():
    cells = (mix64(np.arange(300 * 200)) & np.uint64(1)).astype(np.int8).reshape(300, 200)
    return (cells, np.zeros_like(cells), 100)


def grouped_sum():
    n = 200000
    labels = (mix64(np.arange(n, dtype=np.uint64) + np.uint64(3 << 48)) % np.uint64(20)).astype(np.int64)
    return (labels, uniform(1, n), np.zeros(20))


def quicksort():
    return (uniform(1, 10**6), 0, 10**6 - 1)


# The Benchmarks Game's Sun, Jupiter, Saturn, Uranus and Neptune, in its units.
SOLAR, DAYS = 4 * np.pi**2, 365.24
BODIES = [
    (0, 0, 0, 0, 0, 0, 1),
    (4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694,
     0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609),
    (8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411577,
     0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812),
    (12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618,
     0.00237847173959480950, -0.0000296589568540237556, 0.0000436624404335156298),
    (15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322,
     0.00162824170038242295, -0.0000951592254519715870, 0.0000515138902046611451),
]


def nbody():
    body = np.array(BODIES, F8)
    x, v, mass = body[:, :3].copy(), body[:, 3:6] * DAYS, body[:, 6] * SOLAR
    v[0] = -(v * mass[:, None]).sum(0) / SOLAR
    return (x, v, mass, 100_000, 0.01)


def energy(args, result):
    x, v, mass = args[:3]
    e = 0.5 * np.sum(mass * np.sum(v * v, axis=1))
    for i in range(5):
        for j in range(i + 1, 5):
            e -= mass[i] * mass[j] / np.sqrt(np.sum((x[i] - x[j]) ** 2))
    return float(e)


def big(n=1 << 16):
    return uniform(1, n), uniform(2, n)


CASES = {
    "gemm": ("gemm", gemm, output(0), 3701093.65),
    "2mm": ("two_mm", two_mm, output(4), 269209261.10244364),
    "atax": ("atax", atax, output(2), 1075396.6866239316),
    "bicg": ("bicg", bicg, output(1, 2), 79086.979455909939),
    "mvt": ("mvt", mvt, output(1, 2), 78817.7),
    "cholesky": ("cholesky", cholesky, lambda a, r: float(np.sum(np.tril(a[0]))), 53733),
    "trisolv": ("trisolv", trisolv, output(1), 126.14806818174139),
    "durbin": ("durbin", durbin, output(1), -0.998205807),
    "jacobi-2d": ("jacobi_2d", jacobi_2d, output(0), 3939450.4496519663),
    "seidel-2d": ("seidel_2d", lambda: (uniform(1, 120 * 120).reshape(120, 120), 40),
                  lambda a, r: weighted(a[0]), 7100.8388505955545),
    "heat-3d": ("heat_3d", heat_3d, lambda a, r: weighted(a[0]), 31919.49606374494),
    "dot": ("dot", big, returned, float(np.dot(*big()))),
    "axpy": ("axpy", lambda: (0.5, *big()), output(2), float(np.sum(big()[1] + 0.5 * big()[0]))),
    "norm": ("norm", lambda: big()[:1], returned, float(np.linalg.norm(big()[0]))),
    "softmax": ("softmax", lambda: (8 * uniform(1, 65536).reshape(64, 1024), np.zeros((64, 1024))),
                lambda a, r: weighted(a[1]), None),
    "black-scholes": ("black_scholes", black_scholes, lambda a, r: weighted(a[3]) + weighted(a[4]),
                      48657.861626932667 + 513574.45082385594),
    "pi-sum": ("pi_sum", lambda: (50, 10000), returned, 1.644834071848065),
    "sieve": ("sieve", lambda: (np.zeros(10**6, np.uint8),), returned, 78498),
    "crc-32": ("crc32", lambda: (CRC_TABLE.copy(), BYTES.copy()), returned, float(zlib.crc32(BYTES.tobytes()))),
    "knapsack": ("knapsack", knapsack, returned, knapsack_answer()),
    "quicksort": ("quicksort", quicksort, lambda a, r: weighted(a[0]), 499614.23983197607),
    "life": ("life", life, output(0), 5675),
    "grouped sum": ("grouped_sum", grouped_sum, lambda a, r: weighted(a[2]), 96968.991125885674),
    "fib": ("fib", lambda: (27,), returned, 196418),
    "n-body": ("nbody", nbody, energy, None),
    "mandelbrot": ("mandelbrot", lambda: (np.zeros((100, 150), np.int64), 300), output(0), None),
    "spring-mass": ("spring", lambda: (0.1, 10.0, 1e-4), returned, 4767.83302172401),
    "monte-carlo pi": ("monte_carlo", lambda: (10**6, np.uint64(88172645463325252)), returned, 785276),
    "floyd-warshall": ("floyd_warshall", floyd_warshall, output(0), 458092),
}
# Against the answer; the sides among themselves must agree to 1e-9.
TOLERANCE = {"durbin": 1e-6}
