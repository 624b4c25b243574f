"""Which of numba's documented features there are: each is run, and the table says what came of it.

    features.py             prints the table, as it stands in docs/numba.md
    features.py --write     puts it there

A feature is a function `f` and a call of it. It works if the kernel's result is what CPython's
is; it differs if it is another; it is missing if it does not compile. What is no function of
numbers is a `check`, an expression that is true where the feature works.
"""

import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import warnings

import numpy as np

import jitrun

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "numba.md"
BEGIN, END = "<!-- made by tests/python/features.py -->", "<!-- end -->"

# (area, [(feature, body of f(...) or check, arguments)]). `;` in a body separates lines.
AREAS = [
    ("5 minute guide", [
        ("`@njit`, `@jit` bare and called", "check: jitrun.njit()(g)(2) == 2 == jitrun.jit(g)(2)", ""),
        ("`@jit(nopython=True)`", "check: jitrun.jit(nopython=True)(g)(2) == 2", ""),
        ("loops over arrays", "s = 0.0\nfor i in range(a.shape[0]):\n    s += np.tanh(a[i, i])\nreturn a + s", "np.arange(9.0).reshape(3, 3)"),
        ("`@vectorize`", "check: jitrun.vectorize(g)(np.arange(3)).tolist() == [0, 1, 2]", ""),
        ("`@cfunc`", "check: jitrun.cfunc('int64(int64)')(g).ctypes(5) == 5", ""),
        ("`@guvectorize`", "check: jitrun.guvectorize('void(int64[:], int64, int64[:])', '(n),()->(n)')(add_to)(np.arange(6).reshape(2, 3), np.arange(2))[1, 2] == 6", ""),
        ("`@stencil`", "check: jitrun.stencil", ""),
        ("`jitclass`", "check: jitrun.experimental.jitclass", ""),
        ("`@overload`, `@intrinsic`", "check: jitrun.extending.overload", ""),
        ("`objmode`", "check: jitrun.objmode", ""),
    ]),
    ("compiling", [
        ("signatures as text", "check: jitrun.njit('int64(int64)')(g)(3) == 3", ""),
        ("signatures as objects", "check: jitrun.njit(jitrun.int64(jitrun.int64))(g)(3) == 3", ""),
        ("several signatures", "check: jitrun.njit(['int64(int64)', 'float64(float64)'])(g)(2.5) == 2.5", ""),
        ("`fastmath=True`", "check: jitrun.njit(fastmath=True)(g)(3.0) == 3.0", ""),
        ("`boundscheck=`, `error_model=`", "check: jitrun.njit(boundscheck=False, error_model='python')(g)(3) == 3", ""),
        ("`nogil=True`, `cache=True`, `inline=`", "check: jitrun.njit(nogil=True, cache=True, inline='always')(g)(3) == 3", ""),
        ("`f.stats`", "check: jitrun.njit('int64(int64)')(g).stats.cache_hits == {}", ""),
        ("`f.py_func`, `f.signatures`", "check: jitrun.njit(g).py_func is g and jitrun.njit('int64(int64)')(g).signatures", ""),
        ("`f.inspect_llvm()`", "check: jitrun.njit('int64(int64)')(g).inspect_llvm()", ""),
        ("`f.inspect_asm()`", "check: jitrun.njit('int64(int64)')(g).inspect_asm()", ""),
        ("`f.inspect_types()`", "check: jitrun.njit('int64(int64)')(g).inspect_types() is None", ""),
        ("`f.parallel_diagnostics()`", "check: jitrun.njit('int64(int64)')(g).parallel_diagnostics() is None", ""),
        ("`f.recompile()`", "check: jitrun.njit('int64(int64)')(g).recompile() is None", ""),
        ("`get_num_threads`, `set_num_threads`", "check: jitrun.get_num_threads() > 0 and jitrun.set_num_threads", ""),
    ]),
    ("Python: statements", [
        ("`if`, `elif`, `else`", "if a > 2:\n    return 1\nelif a < 0:\n    return 2\nelse:\n    return 3", "1"),
        ("`for`, `while`, `break`, `continue`", "s = 0\nfor i in range(a):\n    if i == 3:\n        continue\n    while True:\n        s += i\n        break\nreturn s", "6"),
        ("`for ... else`", "for i in range(a):\n    if i == 9:\n        break\nelse:\n    return 1\nreturn 2", "5"),
        ("`assert`, `raise`", "assert a > 0\nif a > 100:\n    raise ValueError('large')\nreturn a", "5"),
        ("`try`, `except`", "try:\n    return 1 // a\nexcept Exception:\n    return -1", "0"),
        ("`with objmode`, `with parallel_chunksize`", "with np.errstate():\n    return a", "1"),
        ("tuple assignment, `a, b = b, a`", "x, y = a, 2\nx, y = y, x\nreturn x, y", "5"),
        ("starred assignment", "x, *y = a\nreturn x", "(1, 2, 3)"),
        ("default arguments, keyword arguments", "return g2(y=a, x=1)", "4"),
        ("parameters that may be `None`, `w=None`", "return optional(a) + optional(a, 2)", "3"),
        ("`*args`", "return many(a, 2)", "4"),
        ("recursion", "return fact(a)", "5"),
        ("inner functions, closures", "def inner(x):\n    def deep(y):\n        return y + a\n    return deep(x)\nreturn inner(2)", "5"),
        ("functions as arguments", "return a(5)", "fact"),
        ("generators", "return sum(gen(a))", "4"),
        ("`print`", "print('x =', a)\nreturn a", "3"),
        ("f-strings, `str()`", "return len(f'{a}')", "3"),
        ("lambda", "h = lambda x: x + 1\nreturn h(a)", "3"),
        ("`match`", "match a:\n    case 1:\n        return 10\nreturn 20", "1"),
        ("`del`", "x = a\ndel x\nreturn a", "1"),
        ("comprehensions", "return sum([i * i for i in range(a)])", "4"),
        ("`:=`", "if (n := a + 1) > 2:\n    return n\nreturn 0", "5"),
    ]),
    ("Python: types", [
        ("`int`, `float`, `bool`", "return a + 1.5 * True", "3"),
        ("`complex`", "return a * 1j", "2.0"),
        ("strings as arguments, `how == 'mean'`", "return 1 if a == 'mean' else 2", "'mean'"),
        ("`str` values", "return a + 'b'", "'a'"),
        ("`bytes`, `bytearray`, `memoryview`", "return a[1]", "bytearray(b'abc')"),
        ("tuples, of one or several types", "return a[0] + a[1], len(a)", "(1, 2.5)"),
        ("iterating over tuples", "s = 0\nfor x in a:\n    s += x\nreturn s", "(1, 2, 3)"),
        ("named tuples", "b = Point(a.y, a.x)\nreturn b.x - a.x + b[1]", "Point(1, 2)"),
        ("lists", "x = [1, 2]\nx.append(a)\nreturn x[2]", "3"),
        ("sets", "x = {1, a}\nreturn len(x)", "3"),
        ("dicts, `typed.Dict`", "x = {1: 2}\nx[a] = 3\nreturn x[a]", "3"),
        ("`None`, `is None`", "return 1 if a is None else 2", "None"),
        ("`enum.Enum` members", "return a == Colour.RED", "Colour.RED"),
        ("`range`, `enumerate`, `zip`", "s = 0\nfor i, (x, y) in enumerate(zip(a, a)):\n    s += i * x * y\nreturn s", "np.arange(4)"),
        ("`map`, `filter`", "return sum(map(fact, (1, 2, a)))", "4"),
        ("`sorted`", "return sorted((3, a))[0]", "4"),
        ("`reversed`", "s = 0\nfor x in reversed(range(a)):\n    s = s * 2 + x\nreturn s", "4"),
        ("`abs`, `min`, `max`, `round`, `divmod`, `pow`", "return abs(a), min(a, 3), max(a, 1), round(2.5), divmod(a, 3), pow(2, 3)", "-7"),
        ("`len`, `sum`, `int`, `float`, `bool`", "return len(a), int(a[1]), float(a[2]), bool(a[0])", "np.arange(3)"),
        ("`math`", "return math.sin(a) + math.hypot(a, 2) + math.erf(a) + math.gcd(12, 18) + math.floor(a)", "0.5"),
        ("`cmath`", "return cmath.sqrt(a)", "-1.0"),
        ("`random`", "random.seed(3)\nx = random.random()\nreturn 0 <= x < 1", "0"),
        ("`operator`", "return operator.add(a, 2) * operator.neg(a)", "3"),
        ("`time.perf_counter`", "return time.perf_counter() > 0", "0"),
        ("global variables as constants", "return a * FACTOR", "3"),
        ("global arrays as constants", "return a * TABLE[1]", "3"),
    ]),
    ("NumPy", [
        ("integers, floats, bools of every width", "return a * np.int16(3) + np.uint8(1)", "np.int32(5)"),
        ("complex dtypes", "return a.real", "np.ones(2, complex)"),
        ("records, structured arrays", "return a[0].x", "np.zeros(2, [('x', 'f8')])"),
        ("`datetime64`, `timedelta64`", "return a", "np.datetime64('2020-01-01')"),
        ("indexing, negative indices, slices", "return a[-1, ::2].sum() + a[1][2]", "np.arange(12.0).reshape(3, 4)"),
        ("indexing with a tuple", "s = 0.0\nfor at, x in np.ndenumerate(a):\n    s += a[at] * x\nreturn s", "np.ones((2, 3))"),
        ("indexing with an array of ints", "return a[np.array([0, 2])]", "np.arange(4.0)"),
        ("indexing with a mask", "return a[a > 1.0]", "np.arange(4.0)"),
        ("assignment through a mask", "a[a > 1.0] = 0.0\nreturn a", "np.arange(4.0)"),
        ("`np.newaxis`", "return a[:, np.newaxis] * a", "np.arange(3.0)"),
        ("whole-array expressions, broadcasting", "return (a + a[0]) * 2 - np.sqrt(a)", "np.arange(6.0).reshape(2, 3)"),
        ("ufuncs (`np.sin`, `np.exp`, `np.arctan2` ...)", "return np.sin(a) + np.exp(a) + np.arctan2(a, 2.0) + np.maximum(a, 1.0)", "np.arange(3.0)"),
        ("`.shape`, `.size`, `.ndim`, `.T`, `.itemsize`", "return a.shape, a.size, a.ndim, a.T.shape", "np.zeros((2, 3))"),
        ("`.flat`, `np.ndenumerate`, `np.ndindex`", "s = 0.0\nfor x in a.flat:\n    s += x\nfor (i, j), x in np.ndenumerate(a):\n    s += x * i\nfor i, j in np.ndindex(a.shape):\n    s += a[i, j] * j\nreturn s", "np.ones((2, 3))"),
        ("`np.nditer`", "s = 0.0\nfor x in np.nditer(a):\n    s += x.item()\nreturn s", "np.ones((2, 3))"),
        ("`np.zeros`, `ones`, `full`, `empty`, `_like`", "return np.zeros(a) + np.ones(a) + np.full(a, 2.0) + np.zeros_like(np.ones(a))", "3"),
        ("`np.arange`, `np.linspace`", "return np.arange(a) + np.linspace(0, 1, a)", "3"),
        ("`np.array([...])`", "return np.array([1.5, a, 3])", "2"),
        ("`np.eye`", "return np.eye(a)", "3"),
        ("`np.diag`", "return np.diag(np.ones(a))", "3"),
        ("`.sum`, `.prod`, `.min`, `.max`, `.mean`", "return a.sum(), a.prod(), a.min(), a.max(), a.mean()", "np.arange(1.0, 5.0)"),
        ("`axis=`", "return a.sum(axis=0)", "np.ones((2, 3))"),
        ("`np.std`, `np.var`", "return np.std(a) + np.var(a)", "np.arange(5.0)"),
        ("`.std()`, `.var()`", "return a.std() + a.var()", "np.arange(5.0)"),
        ("`np.median`, `np.percentile`, `np.quantile`", "return np.median(a), np.percentile(a, 30), np.quantile(a, 0.3)", "np.arange(5.0)"),
        ("`np.nansum`, `nanmean`, `nanmin`, `nanmax`", "return np.nansum(a), np.nanmean(a), np.nanmin(a), np.nanmax(a)", "np.array([1.0, np.nan, 3.0])"),
        ("`.argmin`, `.argmax`, `np.any`, `np.all`", "return a.argmin(), np.argmax(a), np.any(a > 2), np.all(a > 2)", "np.arange(4)"),
        ("`np.cumsum`", "return np.cumsum(a)", "np.arange(4)"),
        ("`np.diff`", "return np.diff(a)", "np.arange(4)"),
        ("`np.cumprod`", "return np.cumprod(a)", "np.arange(4)"),
        ("`np.dot`, `@`", "return a @ a + np.dot(a, a)", "np.arange(9.0).reshape(3, 3)"),
        ("`np.linalg.norm`", "return np.linalg.norm(a)", "np.arange(3.0)"),
        ("`np.linalg.solve`, `inv`, `det`", "return np.linalg.inv(a)", "np.eye(3)"),
        ("`np.linalg.eig`, `svd`, `qr` ...", "return np.linalg.eig(a)[0]", "np.eye(3)"),
        ("`np.iinfo`, `np.finfo`", "return np.iinfo(np.int32).max + np.finfo(a.dtype).eps", "np.ones(2)"),
        ("`np.average`, `cov`, `corrcoef`", "return np.cov(a)", "np.arange(6.0).reshape(2, 3)"),
        ("`np.isin`, `intersect1d`, `union1d` ...", "return np.union1d(a, a + 1)", "np.arange(3)"),
        ("`np.kron`, `np.meshgrid`", "return np.kron(a, a)", "np.eye(2)"),
        ("`np.trace`, `np.outer`", "return np.trace(np.outer(a, a))", "np.arange(3.0)"),
        ("`np.where`, `np.clip`", "return np.where(a > 1, a, 0.0) + np.clip(a, 0.5, 2.0)", "np.arange(4.0)"),
        ("`np.sort`", "return np.sort(a)", "np.array([3.0, 1.0, 2.0])"),
        ("`np.argsort`", "return np.argsort(a)", "np.array([3.0, 1.0, 2.0])"),
        ("`np.unique`", "return np.unique(a)", "np.arange(3.0)"),
        ("`np.searchsorted`", "return np.searchsorted(a, 1.5)", "np.arange(3.0)"),
        ("`np.histogram`", "return np.histogram(a, 3)[0]", "np.arange(3.0)"),
        ("`np.interp`", "return np.interp(1.5, a, a)", "np.arange(3.0)"),
        ("`np.nonzero`, `np.flatnonzero`, `np.count_nonzero`", "return np.nonzero(a)[0], np.flatnonzero(a), np.count_nonzero(a)", "np.arange(3)"),
        ("`np.bincount`", "return np.bincount(a)", "np.array([1, 1, 3])"),
        ("`np.roll`, `np.flip`, `np.repeat`", "return np.roll(a, 1), np.flip(a), np.repeat(a, 2)", "np.arange(3)"),
        ("`np.convolve`, `np.polyval`", "return np.convolve(a, a), np.polyval(a, 2.0)", "np.arange(3.0)"),
        ("`np.concatenate`", "return np.concatenate((a, a))", "np.arange(3.0)"),
        ("`np.stack`", "return np.stack((a, a))", "np.arange(3.0)"),
        ("`.reshape`, `.ravel`", "return a.reshape(3, 2).ravel()", "np.arange(6.0)"),
        ("`.flatten`", "return a.flatten()", "np.ones((2, 3))"),
        ("`.transpose`", "return a.transpose()", "np.ones((2, 3))"),
        ("`.copy`, `.fill`, `.astype`", "b = a.copy()\nb.fill(2)\nreturn b.astype(np.int32)", "np.arange(3.0)"),
        ("`np.random.rand`, `normal`, `randint`, `seed`", "np.random.seed(1)\nx = np.random.normal(0.0, 1.0)\nreturn 0 <= np.random.rand() < 1 and -9 < x < 9 and np.random.randint(3, 4) == 3", "0"),
        ("`np.random.Generator` arguments", "return 0 <= a.random() < 1", "np.random.default_rng(1)"),
        ("`carray`, `farray`", "check: jitrun.carray", ""),
    ]),
    ("parallel", [
        ("`prange`", "parallel: s = 0\nfor i in prange(a):\n    s += i\nreturn s", "1000"),
        ("reductions with `+ - *`", "parallel: s = 0\np = 1.0\nfor i in prange(len(a)):\n    s += a[i]\n    s -= 1\n    p *= 1.5\nreturn s, p", "np.arange(100)"),
        ("reductions with `min`, `max`", "parallel: m = 0.0\nn = 0.0\nfor i in prange(len(a)):\n    m = max(m, a[i])\n    n = min(n, a[i])\nreturn m, n", "np.arange(100.0)"),
        ("reductions with `&`, `\\|`, `^`", "parallel: m = 0\nn = 255\nk = 0\nfor i in prange(len(a)):\n    m |= a[i]\n    n &= a[i]\n    k ^= a[i]\nreturn m, n, k", "np.arange(100)"),
        ("array reductions, `y += x[i]`", "parallel: y = np.zeros(3)\nfor i in prange(len(a)):\n    y += a[i]\nreturn y", "np.ones((50, 3))"),
        ("histograms, `h[k[i]] += 1`", "parallel: h = np.zeros(5)\nfor i in prange(len(a)):\n    h[a[i]] += 1.0\nreturn h", "np.arange(500) % 5"),
        ("whole-array expressions", "parallel: return (a * 2 + 1).sum()", "np.arange(1000)"),
        ("nested `prange`", "parallel: s = 0\nfor i in prange(a):\n    for j in prange(a):\n        s += i * j\nreturn s", "30"),
        ("errors in the body reach the caller", "parallel: for i in prange(a):\n    if i == 7:\n        raise ValueError('seven')\nreturn 0", "20"),
        ("random numbers in the body", "parallel: s = 0.0\nfor i in prange(a):\n    s += random.random()\nreturn 0 < s < a", "50"),
    ]),
]  # fmt: skip

HEAD = """
import cmath, collections, enum, math, operator, random, time
import numpy as np
import jitrun
from jitrun import njit, prange
Point = collections.namedtuple("Point", "x y")
Colour = enum.Enum("Colour", "RED GREEN")
FACTOR = 4
TABLE = np.arange(3)

@njit
def fact(n):
    return 1 if n < 2 else n * fact(n - 1)

@njit
def g2(x, y=2):
    return x * 10 + y

@njit
def optional(x, y=None):
    if y is None:
        y = 1
    return x + y

def g(x):
    return x

def add_to(x, y, out):
    for i in range(len(x)):
        out[i] = x[i] + y

def many_(*args):
    return len(args)

def gen_(n):
    for i in range(n):
        yield i

"""


def import_text(folder, number, text):
    path = pathlib.Path(folder) / ("feature%d.py" % number)
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outcome(function, *args):
    """The result, or the error's class and message."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return function(*args)
        except (jitrun.JitrunError, TypeError, NotImplementedError) as error:
            return error
        except Exception as error:
            return type(error), str(error)


def same(a, b):
    if isinstance(b, tuple) and isinstance(a, tuple) and len(a) == len(b):
        return all(map(same, a, b))
    if isinstance(b, (np.ndarray, float, int, np.generic)):
        try:
            return np.shape(a) == np.shape(b) and np.allclose(a, b)
        except TypeError:
            return False
    return a == b


def run_check(module, text):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return "works" if eval(text, vars(module)) else "differs"
        except (AttributeError, ImportError):
            return "missing"


def run(folder, number, body, args):
    if body.startswith("check: "):
        return run_check(import_text(folder, number, HEAD), body[7:])
    options = {"parallel": True} if body.startswith("parallel: ") else {}
    body = body[10:] if options else body
    extra = ""
    for name in ("many", "gen"):
        if name + "(" in body:
            extra = "%s = njit(%s_)\n" % (name, name)
    text = "def f(a):\n    " + body.replace("\n", "\n    ") + "\n"
    try:
        module = import_text(folder, number, HEAD + extra + text)
    except (SyntaxError, jitrun.JitrunError, TypeError):
        return "missing"
    python = outcome(module.f, eval(args, vars(module)))
    try:
        kernel = outcome(jitrun.njit(**options)(module.f), eval(args, vars(module)))
    except (jitrun.JitrunError, TypeError):
        return "missing"
    if isinstance(kernel, Exception):
        return "missing"
    return "works" if same(kernel, python) else "differs"


def table():
    """The table, in Markdown."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        number = 0
        for area, features in AREAS:
            lines += ["", "| %s | |" % area, "|---|---|"]
            for feature, body, args in features:
                number += 1
                lines.append("| %s | %s |" % (feature, run(folder, number, body, args)))
    return "\n".join(lines).strip() + "\n"


def main():
    made = "%s\n\n%s\n%s" % (BEGIN, table(), END)
    if "--write" not in sys.argv:
        print(made)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + made + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
