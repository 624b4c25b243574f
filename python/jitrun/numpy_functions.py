"""NumPy's functions that the compiler does not have, as kernels: what a kernel calls as np.std is `std`
here, and np.linalg.norm is `linalg_norm`. They take arrays of any layout, of one dimension unless
they say otherwise, and the arguments they name."""

import numpy as np

from .dispatcher import njit


@njit
def eye(n):
    out = np.zeros((n, n))
    for i in range(n):
        out[i, i] = 1.0
    return out


identity = eye


@njit
def diag(v):
    out = np.zeros((len(v), len(v)), v.dtype)
    for i in range(len(v)):
        out[i, i] = v[i]
    return out


@njit
def trace(a):
    s = a[0, 0] * 0
    for i in range(min(a.shape[0], a.shape[1])):
        s += a[i, i]
    return s


@njit
def outer(a, b):
    return a.reshape(-1, 1) * b


# ---- Moments and order, of arrays of any rank ----


@njit
def var(a, *, ddof=0):
    d = a - np.mean(a)
    return np.sum(d * d) / (a.size - ddof)


@njit
def std(a, *, ddof=0):
    return np.sqrt(var(a, ddof=ddof))


@njit
def ptp(a):
    return np.max(a) - np.min(a)


@njit
def count_nonzero(a):
    n = 0
    for x in a.ravel():
        if x != 0:
            n += 1
    return n


@njit
def median(a):
    x = a.flatten()
    x.sort()
    n = len(x)
    if n == 0 or np.isnan(float(x[n - 1])):
        return np.nan
    if n % 2:
        return float(x[n // 2])
    return (float(x[n // 2 - 1]) + float(x[n // 2])) / 2.0


@njit
def quantile(a, q):
    if not 0.0 <= q <= 1.0:
        raise ValueError("Quantiles must be in the range [0, 1]")
    x = a.flatten()
    x.sort()
    n = len(x)
    if n == 0 or np.isnan(float(x[n - 1])):
        return np.nan
    at = q * (n - 1)
    low = int(np.floor(at))
    high = min(low + 1, n - 1)
    part = at - low
    step = float(x[high]) - float(x[low])
    if part >= 0.5:
        return float(x[high]) - step * (1.0 - part)
    return float(x[low]) + step * part


@njit
def percentile(a, q):
    if not 0.0 <= q <= 100.0:
        raise ValueError("Percentiles must be in the range [0, 100]")
    return quantile(a, q / 100.0)


@njit
def nansum(a):
    x = a.ravel()
    s = 0.0
    for i in range(len(x)):
        if not np.isnan(x[i]):
            s += x[i]
    return s


@njit
def nanmean(a):
    x = a.ravel()
    s = 0.0
    n = 0
    for i in range(len(x)):
        if not np.isnan(x[i]):
            s += x[i]
            n += 1
    return s / n


@njit
def nanmin(a):
    x = a.ravel()
    found = np.nan
    for i in range(len(x)):
        if not x[i] >= found and not np.isnan(x[i]):
            found = x[i]
    return found


@njit
def nanmax(a):
    x = a.ravel()
    found = np.nan
    for i in range(len(x)):
        if not x[i] <= found and not np.isnan(x[i]):
            found = x[i]
    return found


@njit
def linalg_norm(a):
    s = 0.0
    for x in a.ravel():
        s += float(x) * float(x)
    return np.sqrt(s)


@njit
def array_equal(a, b):
    if a.shape != b.shape:
        return False
    return bool(np.all(a == b))


@njit
def allclose(a, b, rtol=1e-5, atol=1e-8):
    near = np.abs(a - b) <= atol + rtol * np.abs(b)
    return bool(np.all(near | (a == b)))


# ---- Sorting and searching ----


@njit
def sort(a):
    x = a.copy()
    x.sort()
    return x


@njit
def _comes_later(x, y):
    """NaN is last."""
    return x > y or (x != x and y == y)


@njit
def argsort(a):
    """Merge sort: equal elements keep their order."""
    n = len(a)
    order = np.arange(n)
    other = np.empty(n, np.int64)
    width = 1
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            i, j = low, middle
            for k in range(low, high):
                if i < middle and (j >= high or not _comes_later(a[order[i]], a[order[j]])):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order


@njit
def searchsorted(a, v):
    low, high = 0, len(a)
    while low < high:
        middle = (low + high) // 2
        if a[middle] < v:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def unique(a):
    x = a.flatten()
    x.sort()
    n = 0
    for i in range(len(x)):
        if i == 0 or x[i] != x[n - 1]:
            x[n] = x[i]
            n += 1
    return x[:n].copy()


@njit
def flatnonzero(a):
    x = a.ravel()
    out = np.empty(count_nonzero(a), np.int64)
    n = 0
    for i in range(len(x)):
        if x[i] != 0:
            out[n] = i
            n += 1
    return out


@njit
def nonzero(a):
    if a.ndim != 1:
        raise ValueError("np.nonzero in kernels is of one dimension")
    return (flatnonzero(a),)


@njit
def bincount(x):
    if len(x) == 0:
        return np.zeros(0, np.int64)
    if np.min(x) < 0:
        raise ValueError("'x' must not have negative elements")
    out = np.zeros(int(np.max(x)) + 1, np.int64)
    for i in range(len(x)):
        out[x[i]] += 1
    return out


# ---- Sequences ----


@njit
def diff(a):
    return a[1:] - a[:-1]


@njit
def cumprod(a):
    out = a.copy()
    for i in range(1, len(out)):
        out[i] = out[i - 1] * out[i]
    return out


@njit
def flip(a):
    return a[::-1]


@njit
def roll(a, shift):
    n = len(a)
    out = a.copy()
    for i in range(n):
        out[(i + shift) % n] = a[i]
    return out


@njit
def repeat(a, repeats):
    out = np.empty(len(a) * repeats, a.dtype)
    for i in range(len(out)):
        out[i] = a[i // repeats]
    return out


@njit
def concatenate(arrays):
    n = 0
    for x in arrays:
        n += len(x)
    out = np.empty(n, arrays[0].dtype)
    at = 0
    for x in arrays:
        out[at : at + len(x)] = x
        at += len(x)
    return out


@njit
def convolve(a, v):
    out = np.zeros(len(a) + len(v) - 1)
    for i in range(len(a)):
        for j in range(len(v)):
            out[i + j] += a[i] * v[j]
    return out


@njit
def interp(x, xp, fp):
    """At one x."""
    n = len(xp)
    if x != x or x <= xp[0]:
        return x if x != x else float(fp[0])
    if x >= xp[n - 1]:
        return float(fp[n - 1])
    i = searchsorted(xp, x)
    if xp[i] == x:
        return float(fp[i])
    slope = (fp[i] - fp[i - 1]) / (xp[i] - xp[i - 1])
    return slope * (x - xp[i - 1]) + fp[i - 1]


@njit
def polyval(p, x):
    y = x * 0.0
    for i in range(len(p)):
        y = y * x + p[i]
    return y


@njit
def histogram(a, bins=10):
    x = a.ravel()
    low, high = float(np.min(x)), float(np.max(x))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    counts = np.zeros(bins, np.int64)
    for i in range(len(x)):
        k = min(int((x[i] - low) / (high - low) * bins), bins - 1)
        if x[i] < edges[k]:
            k -= 1
        elif k < bins - 1 and x[i] >= edges[k + 1]:
            k += 1
        counts[k] += 1
    return counts, edges


NAMES = {
    name.replace("_", ".") if name.startswith("linalg_") else name: kernel
    for name, kernel in list(globals().items())
    if hasattr(kernel, "py_func") and not name.startswith("_")
}
