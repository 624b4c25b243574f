"""Programs as users of numba write them, with the import changed; in idioms.py are those of a few lines. Each
case is a kernel and the arguments of one call; test_programs.py compares the kernel with the function it was made
of."""

import math
import random

import numpy as np

from jitrun import jit, njit, prange

CASES = []


def case(*args):
    """Adds a case. Arguments are made anew for each call: a kernel may change its arrays."""

    def add(kernel):
        CASES.append((kernel, args))
        return kernel

    return add


RNG = np.random.RandomState(7)


@case(np.arange(100).reshape(10, 10))
@jit(nopython=True)
def go_fast(a):
    trace = 0.0
    for i in range(a.shape[0]):
        trace += np.tanh(a[i, i])
    return a + trace


@case(20000)
@jit(nopython=True)
def monte_carlo_pi(nsamples):
    random.seed(42)
    acc = 0
    for i in range(nsamples):
        x = random.random()
        y = random.random()
        if (x**2 + y**2) < 1.0:
            acc += 1
    return 4.0 * acc / nsamples


@njit
def mandel(x, y, max_iters):
    real, imag = x, y
    zr, zi = 0.0, 0.0
    for i in range(max_iters):
        zr, zi = zr * zr - zi * zi + real, 2 * zr * zi + imag
        if zr * zr + zi * zi >= 4:
            return i
    return max_iters


@case(-2.0, 1.0, -1.0, 1.0, np.zeros((40, 60), dtype=np.uint8), 20)
@njit(parallel=True)
def create_fractal(min_x, max_x, min_y, max_y, image, iters):
    height = image.shape[0]
    width = image.shape[1]
    pixel_size_x = (max_x - min_x) / width
    pixel_size_y = (max_y - min_y) / height
    for x in prange(width):
        real = min_x + x * pixel_size_x
        for y in range(height):
            imag = min_y + y * pixel_size_y
            color = mandel(real, imag, iters)
            image[y, x] = color
    return image


@case((RNG.rand(30, 40) < 0.4).astype(np.uint8), 5)
@njit
def game_of_life(grid, steps):
    rows, cols = grid.shape
    for _ in range(steps):
        new = np.zeros_like(grid)
        for i in range(rows):
            for j in range(cols):
                n = 0
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if di != 0 or dj != 0:
                            n += grid[(i + di) % rows, (j + dj) % cols]
                if grid[i, j] == 1 and (n == 2 or n == 3):
                    new[i, j] = 1
                elif grid[i, j] == 0 and n == 3:
                    new[i, j] = 1
        grid = new
    return grid


@njit
def cnd(d):
    A1 = 0.31938153
    A2 = -0.356563782
    A3 = 1.781477937
    A4 = -1.821255978
    A5 = 1.330274429
    RSQRT2PI = 0.39894228040143267793994605993438
    K = 1.0 / (1.0 + 0.2316419 * math.fabs(d))
    ret_val = RSQRT2PI * math.exp(-0.5 * d * d) * (K * (A1 + K * (A2 + K * (A3 + K * (A4 + K * A5)))))
    if d > 0:
        ret_val = 1.0 - ret_val
    return ret_val


@case(np.zeros(50), np.zeros(50), RNG.uniform(5, 30, 50), RNG.uniform(1, 100, 50), RNG.uniform(0.25, 10, 50), 0.02, 0.30)
@njit(parallel=True)
def black_scholes(callResult, putResult, stockPrice, optionStrike, optionYears, Riskfree, Volatility):
    for i in prange(len(stockPrice)):
        S = stockPrice[i]
        X = optionStrike[i]
        T = optionYears[i]
        R = Riskfree
        V = Volatility
        sqrtT = math.sqrt(T)
        d1 = (math.log(S / X) + (R + 0.5 * V * V) * T) / (V * sqrtT)
        d2 = d1 - V * sqrtT
        cndd1 = cnd(d1)
        cndd2 = cnd(d2)
        expRT = math.exp((-1.0 * R) * T)
        callResult[i] = S * cndd1 - X * expRT * cndd2
        putResult[i] = X * expRT * (1.0 - cndd2) - S * (1.0 - cndd1)
    return callResult.sum(), putResult.sum()


@case(RNG.rand(20, 3))
@njit(parallel=True)
def pairwise_distance(X):
    M = X.shape[0]
    N = X.shape[1]
    D = np.empty((M, M), dtype=np.float64)
    for i in prange(M):
        for j in range(M):
            d = 0.0
            for k in range(N):
                tmp = X[i, k] - X[j, k]
                d += tmp * tmp
            D[i, j] = np.sqrt(d)
    return D


@case(RNG.rand(60, 2), 3, 10)
@njit
def kmeans(points, k, niter):
    n, dim = points.shape
    centers = points[:k].copy()
    labels = np.zeros(n, dtype=np.int64)
    for it in range(niter):
        for i in range(n):
            best = np.inf
            for c in range(k):
                dist = 0.0
                for d in range(dim):
                    dist += (points[i, d] - centers[c, d]) ** 2
                if dist < best:
                    best = dist
                    labels[i] = c
        sums = np.zeros((k, dim))
        counts = np.zeros(k)
        for i in range(n):
            c = labels[i]
            counts[c] += 1
            for d in range(dim):
                sums[c, d] += points[i, d]
        for c in range(k):
            if counts[c] > 0:
                centers[c] = sums[c] / counts[c]
    return labels, centers


@case(RNG.randint(1, 20, (12, 12)).astype(np.float64))
@njit
def floyd_warshall(dist):
    n = len(dist)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if dist[i, j] > dist[i, k] + dist[k, j]:
                    dist[i, j] = dist[i, k] + dist[k, j]
    return dist


@case(RNG.rand(50))
@njit
def bubble_sort(arr):
    n = len(arr)
    for i in range(n):
        swapped = False
        for j in range(0, n - i - 1):
            if arr[j] > arr[j + 1]:
                arr[j], arr[j + 1] = arr[j + 1], arr[j]
                swapped = True
        if not swapped:
            break
    return arr


@njit
def partition(a, lo, hi):
    pivot = a[(lo + hi) // 2]
    i = lo - 1
    j = hi + 1
    while True:
        i += 1
        while a[i] < pivot:
            i += 1
        j -= 1
        while a[j] > pivot:
            j -= 1
        if i >= j:
            return j
        a[i], a[j] = a[j], a[i]


@njit
def quick_sort_(a, lo, hi):
    if lo < hi:
        p = partition(a, lo, hi)
        quick_sort_(a, lo, p)
        quick_sort_(a, p + 1, hi)


@case(RNG.randint(0, 1000, 200))
@njit
def quick_sort(a):
    quick_sort_(a, 0, len(a) - 1)
    return a


@case(np.frombuffer(b"kitten sitting", dtype=np.uint8)[:6], np.frombuffer(b"sitting", dtype=np.uint8))
@njit
def edit_distance(a, b):
    m, n = len(a), len(b)
    d = np.zeros((m + 1, n + 1), dtype=np.int32)
    for i in range(m + 1):
        d[i, 0] = i
    for j in range(n + 1):
        d[0, j] = j
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
    return d[m, n]


@case(RNG.rand(16, 18), RNG.rand(3, 3))
@njit
def convolve2d(image, kernel):
    M, N = image.shape
    Mf, Nf = kernel.shape
    Mf2 = Mf // 2
    Nf2 = Nf // 2
    result = np.zeros_like(image)
    for i in range(Mf2, M - Mf2):
        for j in range(Nf2, N - Nf2):
            num = 0.0
            for ii in range(Mf):
                for jj in range(Nf):
                    num += kernel[Mf - 1 - ii, Nf - 1 - jj] * image[i - Mf2 + ii, j - Nf2 + jj]
            result[i, j] = num
    return result


@case(RNG.rand(100), 7)
@njit
def rolling_mean(x, window):
    n = len(x)
    result = np.full(n, np.nan)
    asum = 0.0
    count = 0
    for i in range(n):
        asum += x[i]
        count += 1
        if i >= window:
            asum -= x[i - window]
            count -= 1
        if count == window:
            result[i] = asum / count
    return result


@njit
def get_bin_edges(a, bins):
    bin_edges = np.zeros((bins + 1,), dtype=np.float64)
    a_min = a.min()
    a_max = a.max()
    delta = (a_max - a_min) / bins
    for i in range(bin_edges.shape[0]):
        bin_edges[i] = a_min + i * delta
    bin_edges[-1] = a_max
    return bin_edges


@njit
def compute_bin(x, bin_edges):
    n = bin_edges.shape[0] - 1
    a_min = bin_edges[0]
    a_max = bin_edges[-1]
    if x == a_max:
        return n - 1
    bin = int(n * (x - a_min) / (a_max - a_min))
    if bin < 0 or bin >= n:
        return -1
    else:
        return bin


@case(RNG.rand(300), 10)
@njit
def numba_histogram(a, bins):
    hist = np.zeros((bins,), dtype=np.intp)
    bin_edges = get_bin_edges(a, bins)
    for x in a.ravel():
        bin = compute_bin(x, bin_edges)
        if bin >= 0:
            hist[int(bin)] += 1
    return hist, bin_edges


@case(np.ones((12, 12), dtype=np.int64), 2.3, 5)
@njit
def ising(lattice, kT, sweeps):
    np.random.seed(1)
    n, m = lattice.shape
    for s in range(sweeps):
        for offset in range(2):
            for i in range(offset, n, 2):
                for j in range(m):
                    total = (
                        lattice[(i - 1) % n, j]
                        + lattice[(i + 1) % n, j]
                        + lattice[i, (j - 1) % m]
                        + lattice[i, (j + 1) % m]
                    )
                    dE = 2 * lattice[i, j] * total
                    if dE <= 0 or np.exp(-dE / kT) > np.random.rand():
                        lattice[i, j] *= -1
    return lattice


@case(RNG.rand(8, 3), np.zeros((8, 3)), RNG.rand(8), 0.01, 20)
@njit(fastmath=False)
def nbody(pos, vel, mass, dt, steps):
    n = pos.shape[0]
    acc = np.zeros((n, 3))
    for _ in range(steps):
        acc[:] = 0.0
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                dx = pos[j] - pos[i]
                r2 = (dx * dx).sum() + 1e-3
                acc[i] += mass[j] * dx / (r2 * math.sqrt(r2))
        vel += acc * dt
        pos += vel * dt
    return 0.5 * (mass * (vel**2).sum(axis=1)).sum()


@case(RNG.rand(8, 8) + 4 * np.eye(8))
@njit
def lu(A):
    n = A.shape[0]
    L = np.eye(n)
    U = A.copy()
    for k in range(n - 1):
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] -= L[i, k] * U[k, k:]
    return L, U


@case(np.array([3, 4, 5, 9, 4]), np.array([3, 4, 4, 10, 4]), 11)
@njit
def knapsack(weights, values, capacity):
    n = len(weights)
    dp = np.zeros((n + 1, capacity + 1), np.int64)
    for i in range(1, n + 1):
        for w in range(capacity + 1):
            if weights[i - 1] <= w:
                dp[i][w] = max(dp[i - 1][w], dp[i - 1][w - weights[i - 1]] + values[i - 1])
            else:
                dp[i][w] = dp[i - 1][w]
    return dp[n][capacity]


@case(500)
@njit
def primes(n):
    sieve = np.ones(n + 1, dtype=np.bool_)
    sieve[:2] = False
    for i in range(2, int(n**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = False
    return np.nonzero(sieve)[0]


@case(RNG.rand(40), 30)
@njit
def bootstrap(data, B):
    np.random.seed(3)
    n = len(data)
    means = np.empty(B)
    for b in range(B):
        s = 0.0
        for i in range(n):
            s += data[np.random.randint(0, n)]
        means[b] = s / n
    return np.mean(means), np.std(means)


@case(RNG.rand(30), RNG.rand(25))
@njit
def dtw(s, t):
    n, m = s.size, t.size
    D = np.full((n + 1, m + 1), np.inf)
    D[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = abs(s[i - 1] - t[j - 1])
            D[i, j] = cost + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[n, m]


@njit
def sphere_sdf(x, y, z):
    return math.sqrt(x * x + y * y + z * z) - 1.0


@case(12, 16)
@njit(parallel=True)
def ray_march(height, width):
    img = np.zeros((height, width), np.float32)
    for j in prange(height):
        for i in range(width):
            u = (i - width / 2) / width
            v = (j - height / 2) / height
            norm = math.sqrt(u * u + v * v + 1.0)
            dx, dy, dz = u / norm, v / norm, 1.0 / norm
            t = 0.0
            for _ in range(50):
                d = sphere_sdf(dx * t, dy * t, dz * t - 3.0)
                if d < 1e-3:
                    img[j, i] = 1.0 / t
                    break
                t += d
                if t > 10.0:
                    break
    return img


@case(200)
@njit
def random_walk(n):
    np.random.seed(0)
    pos = np.zeros((n, 2))
    for i in range(1, n):
        r = np.random.randint(0, 4)
        dx, dy = 0, 0
        if r == 0:
            dx = 1
        elif r == 1:
            dx = -1
        elif r == 2:
            dy = 1
        else:
            dy = -1
        pos[i, 0] = pos[i - 1, 0] + dx
        pos[i, 1] = pos[i - 1, 1] + dy
    return pos


@case(np.frombuffer(b"12,345,-67,8.5,0", dtype=np.uint8), np.zeros(10))
@njit
def parse_numbers(text, out):
    count = 0
    value = 0.0
    scale = 0.0
    negative = False
    for ch in text:
        if ch == 44:  # ','
            out[count] = -value if negative else value
            count += 1
            value, scale, negative = 0.0, 0.0, False
        elif ch == 45:
            negative = True
        elif ch == 46:  # '.'
            scale = 1.0
        elif scale > 0:
            scale /= 10
            value += (ch - 48) * scale
        else:
            value = value * 10 + (ch - 48)
    out[count] = -value if negative else value
    return count + 1
