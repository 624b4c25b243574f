"""As in programs.py, in the small: an idea or two of NumPy's or of the language each. At the end, what the
language does not have."""

import numpy as np

from jitrun import njit
from programs import RNG, case

REFUSED = []


def refused(message, *args):
    """Adds one that is not in the language, and what is said of it."""

    def add(kernel):
        REFUSED.append((kernel, args, message))
        return kernel

    return add


TABLE = np.array([1.0, 0.5, 0.25, 0.125])
WEIGHTS = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16.0


@case(RNG.rand(40))
@njit
def fir_filter(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        for k in range(len(TABLE)):
            if i - k >= 0:
                out[i] += TABLE[k] * x[i - k]
    return out


@case(RNG.rand(10, 10))
@njit
def blur(img):
    out = np.zeros_like(img)
    for i in range(1, img.shape[0] - 1):
        for j in range(1, img.shape[1] - 1):
            out[i, j] = np.sum(img[i - 1 : i + 2, j - 1 : j + 2] * WEIGHTS)
    return out


@case(RNG.rand(50), RNG.rand(50))
@njit
def correlation(x, y):
    xm = x - x.mean()
    ym = y - y.mean()
    return np.dot(xm, ym) / np.sqrt(np.dot(xm, xm) * np.dot(ym, ym))


@case(RNG.rand(30, 4), RNG.rand(30), 0.1, 50)
@njit
def logistic_regression(X, Y, rate, iterations):
    w = np.zeros(X.shape[1])
    for i in range(iterations):
        w -= rate * np.dot(((1.0 / (1.0 + np.exp(-np.dot(X, w)))) - Y), X)
    return w


@case(5, 3.0)
@njit
def default_args(n, scale=2.0, *, offset=1):
    total = 0.0
    for i in range(n):
        total += i * scale + offset
    return total


@case(RNG.rand(20))
@njit
def statistics(a):
    return np.mean(a), np.var(a), np.std(a), np.median(a), np.max(a) - np.min(a), a.argmax()


@case(RNG.rand(5, 6))
@njit
def normalize_rows(a):
    out = np.empty_like(a)
    for i in range(a.shape[0]):
        row = a[i, :]
        out[i, :] = row / np.sqrt(np.sum(row**2))
    return out


@case(1.0, 1e-10)
@njit
def newton_sqrt2(x0, tol):
    x = x0
    it = 0
    while abs(x * x - 2.0) > tol and it < 100:
        x = x - (x * x - 2.0) / (2.0 * x)
        it += 1
    return x, it


@njit
def lorenz(s):
    return np.array([10.0 * (s[1] - s[0]), s[0] * (28.0 - s[2]) - s[1], s[0] * s[1] - 8.0 / 3.0 * s[2]])


@case(np.array([1.0, 1.0, 1.0]), 0.01, 100)
@njit
def rk4(y, h, n):
    for _ in range(n):
        k1 = lorenz(y)
        k2 = lorenz(y + h / 2 * k1)
        k3 = lorenz(y + h / 2 * k2)
        k4 = lorenz(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


@case(RNG.rand(64), 8)
@njit
def block_sums(x, size):
    res = np.zeros(len(x) // size)
    for i, start in enumerate(range(0, len(x), size)):
        res[i] = x[start : start + size].sum()
    return res


@case(np.array([5, 3, 8, 1, 9, 2]), 8)
@njit
def binary_search(a, key):
    a = np.sort(a)
    lo, hi = 0, len(a) - 1
    while lo <= hi:
        mid = (lo + hi) >> 1
        if a[mid] == key:
            return mid
        if a[mid] < key:
            lo = mid + 1
        else:
            hi = mid - 1
    return -1


@case(np.arange(12.0).reshape(3, 4))
@njit
def concat_rows(a):
    return np.concatenate((a[0], a[1])), np.argsort(-a[2]), np.diff(a[0]), np.cumsum(a[1])


@case(RNG.rand(6, 6))
@njit
def trace_norm(a):
    return np.trace(a), np.linalg.norm(a[0]), np.sum(np.abs(a)), np.isnan(a).any()


@case(np.array([1.5, np.nan, 2.5]))
@njit
def nan_handling(a):
    good = a[~np.isnan(a)]
    return good.mean(), np.nansum(a)


@case(10)
@njit
def collatz_lengths(n):
    out = np.zeros(n, dtype="int64")
    for i in range(1, n):
        x = i
        c = 0
        while x != 1:
            x = x // 2 if x % 2 == 0 else 3 * x + 1
            c += 1
        out[i] = c
    return out


@case(np.arange(6.0), 2)
@njit
def roll_shift(x, k):
    out = np.empty(x.shape, x.dtype)
    out[k:] = x[:-k]
    out[:k] = x[-k:]
    return out


@case(np.arange(1, 7))
@njit
def itertools_like(a):
    s = 0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            s += a[i] * a[j]
    for x, y in zip(a, a[::-1]):
        s -= x * y
    return s


@case(3, 4)
@njit
def inner_function(a, b):
    def square(x):
        return x * x + a

    return square(a) + square(b)


@case(np.ones((2, 2)))
@njit
def flat(a):
    s = 0.0
    for x in a.flat:
        s += x
    return s


@case(np.arange(5.0))
@njit
def weights_left_out(x, w=None):
    if w is None:
        return x.mean()
    return (x * w).sum() / w.sum()


@case(np.arange(5.0), np.arange(1.0, 6.0))
@njit
def weights_given(x, w=None, out=None):
    mean = (x * w).sum() / w.sum() if w is not None else x.mean()
    if out is not None:
        out[:] = mean
    return mean


@case(46)
@njit
def characters(code):
    return code == ord(".")


# ---- What is not in the language ----


@refused("store with a[k] = x", np.array([5, 3, 8]))
@njit
def grows_a_list(a):
    out = []
    for v in a:
        if v % 2 == 0:
            out.append(v)
    return np.array(out)


@refused("make every return give the same type", 4)
@njit
def optional(n):
    if n > 3:
        return None
    return n


@refused("dict", 3)
@njit
def counts_in_a_dict(n):
    d = {}
    for i in range(n):
        d[i] = i
    return len(d)


@refused("try", 0)
@njit
def catches(n):
    try:
        return 1 // n
    except ZeroDivisionError:
        return -1


@refused("lambda", 3)
@njit
def anonymous(n):
    double = lambda x: 2 * x
    return double(n)


@refused("comprehension", 4)
@njit
def comprehends(n):
    return sum([i * i for i in range(n)])


@refused("np.fft", np.ones(4))
@njit
def transforms(x):
    return np.fft.fft(x)
