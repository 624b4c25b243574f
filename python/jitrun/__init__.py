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
from .dispatcher import Dispatcher, jit, njit
from .engine import engine_available
from .errors import EngineError, JitrunError, JitrunWarning, SourceError, TypingError
from .types import *  # noqa: F403
from .types import Tuple, UniTuple
from .values import typeof

__version__ = _lib.jr_version().decode()


def prange(*args, unchecked=False):
    """range, whose iterations run on all cores in a kernel with parallel=True. unchecked=True
    asserts that they do not depend on each other where the compiler cannot see it."""
    return range(*args)


__all__ = [
    "Dispatcher", "EngineError", "JitrunError", "JitrunWarning", "SourceError", "Tuple",
    "TypingError", "UniTuple", "engine_available", "jit", "njit", "prange", "typeof", "types",
    *types.__all__,
]  # fmt: skip
