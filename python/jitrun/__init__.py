"""jitrun: numeric functions compiled while the program runs.

    from jitrun import njit, prange

    @njit(parallel=True)
    def dot(x, y):
        s = 0.0
        for i in prange(len(x)):
            s += x[i] * y[i]
        return s

help(njit) lists the options; docs/python.md says what can be passed and what comes back.
"""

from . import types
from ._library import lib as _lib
from .cfunc import CFunc, cfunc
from .dispatcher import CompileStats, Dispatcher, jit, njit
from .engine import engine_available
from .errors import (
    EngineError, JitrunError, JitrunWarning, RaceError, SourceError, TypingError
)  # fmt: skip
from .guvectorize import GUVectorized, guvectorize
from .threads import get_num_threads, set_num_threads
from .types import *  # noqa: F403
from .types import Tuple, UniTuple
from .values import typeof
from .vectorize import Vectorized, vectorize

__version__ = _lib.jr_version().decode()


def prange(*args, unchecked=False):
    """range, whose iterations run on all cores in a kernel with parallel=True. unchecked=True
    asserts that they do not depend on each other where the compiler cannot see it."""
    return range(*args)


def load_ipython_extension(shell):
    """`%load_ext jitrun` in IPython: the magics %%jitrun and %jitbench."""
    from . import magic

    magic.load(shell)


# What numba has and jitrun does not, and what to write instead.
_MISSING = {
    "stencil": "write the loop: for i in prange(1, len(a) - 1): out[i] = a[i - 1] + a[i + 1]",
    "objmode": "call Python before or after the kernel",
    "literal_unroll": "loop over the tuple, or index it with constants",
    "generated_jit": "a kernel is compiled for each type: test x.ndim, x.dtype or x is None",
    "typed": "use an array that is long enough, and count what is in it",
    "cuda": "kernels run on the processor's cores: use prange",
}


def __getattr__(name):
    """Bench and timeit: not every program measures."""
    import importlib

    if name in _MISSING:  # an ImportError, since `from jitrun import` would hide an AttributeError's text
        raise ImportError("jitrun has no %r: %s" % (name, _MISSING[name]), name=__name__)

    if name == "Bench":
        return importlib.import_module("jitrun.bench").Bench
    if name == "timeit":
        return importlib.import_module("jitrun.timeit")
    raise AttributeError("module %r has no attribute %r" % (__name__, name))


__all__ = [
    "CFunc", "CompileStats", "Dispatcher", "EngineError", "GUVectorized", "JitrunError", "JitrunWarning", "RaceError", "SourceError", "Tuple",
    "TypingError", "UniTuple", "Vectorized", "cfunc", "engine_available", "get_num_threads", "guvectorize", "jit",
    "njit", "prange", "set_num_threads", "typeof", "types", "vectorize",
    *types.__all__,
]  # fmt: skip
