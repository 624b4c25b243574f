"""Arrays outside kernels.

A kernel sees such an array as it was when the kernel was first compiled, as a constant. The language
has no such constants; so the array, a copy that cannot be written to, is passed behind the arguments,
and a function that calls one which needs it passes it on. Functions are edited for that (unit.py):

    TABLE = np.array(...)           def f(x, k=2, *, TABLE: float64[::1]):
    def f(x, k=2):                      return g(x, TABLE=TABLE) * k
        return g(x) * k             def g(x, *, TABLE: float64[::1]):
    def g(x):                           return TABLE[x]
        return TABLE[x]
"""

import sys
import weakref

from . import types


_made = weakref.WeakValueDictionary()  # id of an array -> the last Table of it


class Table:
    """An array outside a kernel: its name in texts, its type, and a copy of it."""

    def __init__(self, name, array):
        self.name = name.replace(".", "_")
        self.type = types.Array(types.as_type(array.dtype), array.ndim, "C")
        self.array = array.copy(order="C")
        self.array.flags.writeable = False
        self._original = weakref.ref(array)

    def _is_of(self, array):
        """Whether it is that array as it is now; kernels that use one array share the copy."""
        return self._original() is array and self.array.tobytes() == array.tobytes()

    @classmethod
    def of(cls, name, value):
        """None for what is no array that kernels can use."""
        numpy = sys.modules.get("numpy")
        if numpy is None or type(value) is not numpy.ndarray or not 1 <= value.ndim <= 8:
            return None
        if not value.dtype.isnative or value.dtype.name not in types.SCALARS:
            return None
        table = _made.get(id(value))
        if table is None or not table._is_of(value):
            table = _made[id(value)] = cls(name, value)
        return table


def needs(functions, uses):
    """The tables that each function needs, for itself and for what it calls."""
    found = {f: [what.value for _, what in uses[f] if what.kind == "table"] for f in functions}
    found = {f: list(dict.fromkeys(tables)) for f, tables in found.items()}
    grows = True
    while grows:
        grows = False
        for function in functions:
            for _, what in uses[function]:
                passed = list(found[what.value]) if what.kind == "kernel" else []
                new = [table for table in passed if table not in found[function]]
                found[function] += new
                grows = grows or bool(new)
    return found
