"""@vectorize: a scalar function as a NumPy ufunc.

The ufunc is NumPy's own, made through NumPy's C interface as an extension would make it, so
broadcasting, casting, `out=`, `where=`, reduce, accumulate, outer and at are NumPy's. Its inner
loops are kernels made here of a text that calls the function for each element; runtime/python/ufunc.c
stands in between.
"""

import ctypes
import inspect
import weakref

from . import _library as c
from . import forks, functions, types
from .dispatcher import Dispatcher, njit
from .engine import Specialisation
from .fast import numpy_table
from .source import KernelSource

_IDENTITIES = {None: -1, 0: 0, 1: 1, "reorderable": -2}
_HEADER = object.__basicsize__


def vectorize(signatures=None, *, identity=None, target="cpu", **options):
    """Makes a NumPy ufunc of a function of numbers.

        @vectorize                              types as they come
        @vectorize("float64(float64, float64)") these types, compiled at once
        @vectorize(["float32(float32)", "float64(float64)"], target="parallel")

    With signatures NumPy casts the arguments to the first that they can be cast to safely; without,
    there is one loop for each combination of types, Python's numbers taking the arrays' type as in
    NumPy. `identity` is the ufunc's (None, 0, 1, "reorderable"); target "parallel" uses all cores;
    other options are njit's.
    """
    if target not in ("cpu", "parallel"):
        raise ValueError("vectorize has the targets 'cpu' and 'parallel', not %r" % (target,))
    if identity not in _IDENTITIES:
        raise ValueError("an identity is None, 0, 1 or 'reorderable', not %r" % (identity,))
    if target == "parallel":
        options["parallel"] = True

    def decorate(function):
        kernel = njit(**options)(function)
        if not isinstance(kernel, Dispatcher):  # JITRUN_DISABLE_JIT
            import numpy

            return numpy.vectorize(function)
        return Vectorized(kernel, declared, identity, options)

    if inspect.isfunction(signatures):
        declared = []
        return decorate(signatures)
    given = signatures if isinstance(signatures, (list, tuple)) else [signatures]
    declared = [types.as_signature(s) for s in given if s is not None]
    return decorate


class Vectorized:
    """A scalar kernel, `kernel`, as a ufunc, whose attributes and methods this has too."""

    def __init__(self, kernel, declared, identity, options):
        self.kernel = kernel
        self._made_of = kernel, declared, identity, options
        self._identity, self._options = identity, options
        self._loops = {}  # parameter types -> _Loop, in the order NumPy is to try them
        self._lazy = not declared
        self._lock = forks.Lock()
        self._ufunc = None
        self.__name__ = self.__qualname__ = kernel.__name__
        self.__module__, self.__doc__ = kernel.__module__, kernel.__doc__
        if declared:
            self._renew({s.params: self._make_loop(s.params, s.result) for s in declared})

    def __call__(self, *args, **kwargs):
        c.python.jr_python_watch()
        if self._lazy and "signature" not in kwargs and "dtype" not in kwargs:
            kwargs["signature"] = self._loop_for(args).text
        return self.ufunc(*args, **kwargs)

    def reduce(self, array, *args, **kwargs):
        """numpy.ufunc.reduce"""
        return self._reduce("reduce", array, 1, args, kwargs)

    def accumulate(self, array, *args, **kwargs):
        """numpy.ufunc.accumulate"""
        return self._reduce("accumulate", array, 1, args, kwargs)

    def reduceat(self, array, indices, *args, **kwargs):
        """numpy.ufunc.reduceat"""
        return self._reduce("reduceat", array, 2, (indices, *args), kwargs)

    def _reduce(self, method, array, dtype_at, args, kwargs):
        """One of these methods, with a loop for the array if there are to be new ones."""
        if self._makes_loops_for(2):
            import numpy

            dtype = args[dtype_at] if len(args) > dtype_at else kwargs.get("dtype")
            like = array if dtype is None else numpy.empty(0, dtype)
            text = self._loop_for([like, like]).text
            if dtype is None and text[0] == text[-1]:  # else NumPy takes the first loop that will do
                kwargs["dtype"] = text[-1]
        return getattr(self.ufunc, method)(array, *args, **kwargs)

    def outer(self, a, b, **kwargs):
        """numpy.ufunc.outer"""
        if self._makes_loops_for(2) and "signature" not in kwargs and "dtype" not in kwargs:
            kwargs["signature"] = self._loop_for([a, b]).text
        return self.ufunc.outer(a, b, **kwargs)

    def at(self, a, indices, *b):
        """numpy.ufunc.at"""
        if self._makes_loops_for(1 + len(b)):
            self._loop_for([a, *b])
        return self.ufunc.at(a, indices, *b)

    def _makes_loops_for(self, count):
        return self._lazy and len(self.kernel.source.parsed().parameters) == count

    @property
    def ufunc(self):
        """The numpy.ufunc. Of one without signatures, it is replaced when new types come."""
        if self._ufunc is None:
            raise TypeError(
                "%s has no types yet: call it, or give @vectorize signatures" % self.__name__
            )
        return self._ufunc

    @property
    def py_func(self):
        """The Python function of numbers."""
        return self.kernel.py_func

    def __getattr__(self, name):
        if name.startswith("_") or name in ("kernel", "ufunc"):
            raise AttributeError(name)
        return getattr(self.ufunc, name)

    def __dir__(self):
        return sorted(set(super().__dir__()) | set(dir(self._ufunc)))

    def __repr__(self):
        return "<jitrun ufunc %r>" % self.__name__

    def __reduce__(self):
        return Vectorized, self._made_of

    # ---- Loops ----

    def _loop_for(self, args):
        count = len(self.kernel.source.parsed().parameters)
        if not count <= len(args) <= count + 1:  # one more is `out`
            raise TypeError("%s() takes %d arguments, not %d" % (self.__name__, count, len(args)))
        wanted = _types_of(args[:count])
        loop = self._loops.get(wanted)
        if loop is None:
            with self._lock:
                loop = self._loops.get(wanted) or self._make_loop(wanted)
                self._renew({**self._loops, wanted: loop})
        return loop

    def _make_loop(self, params, result=None):
        return _Loop(self.kernel, params, result, self._options)

    def _renew(self, loops):
        """The ufunc has these loops; whoever sees one of them in `_loops` sees a ufunc with it."""
        name = self.__name__.encode()
        doc = (self.__doc__ or "").encode()
        self._ufunc = _make_ufunc(list(loops.values()), self._identity, name, doc)
        self._loops = loops


def _types_of(args):
    """The type of each argument, Python's numbers taking that of the others if it is of their
    kind."""
    import numpy

    def has_dtype(arg):
        return not isinstance(arg, (int, float)) or isinstance(arg, numpy.generic)

    dtypes = {i: numpy.asarray(a).dtype for i, a in enumerate(args) if has_dtype(a)}
    common = numpy.result_type(*dtypes.values()) if dtypes else numpy.dtype(bool)
    for i, arg in enumerate(args):
        if i not in dtypes and isinstance(arg, bool):
            dtypes[i] = numpy.dtype(bool)
        elif i not in dtypes:
            kinds = "iuf" if isinstance(arg, int) else "f"
            own = numpy.dtype("int64" if isinstance(arg, int) else "float64")
            dtypes[i] = common if common.kind in kinds else own
    return tuple([types.as_type(dtypes[i].newbyteorder("=")) for i in range(len(args))])


class _Loop:
    """The inner loop for some parameter types. The function's result is cast to `result`, if that
    is given."""

    def __init__(self, kernel, params, result, options):
        import numpy

        own = kernel.specialisation(types.Signature(None, params)).result
        result = own if result is None or not isinstance(own, types.Scalar) else result
        if not isinstance(result, types.Scalar):
            raise TypeError("a ufunc is made of numbers; %s returns %s" % (kernel, result))
        operands = [*params, result]
        self._code = [_compile_loop(kernel, operands, layout, options) for layout in "CA"]
        dtypes = [numpy.dtype(t.name) for t in operands]
        self.type_numbers = bytes(d.num for d in dtypes)
        chars = "".join(d.char for d in dtypes)
        self.text = "%s->%s" % (chars[:-1], chars[-1])
        self.function, self.data = ctypes.c_void_p(), ctypes.c_void_p()
        self._failed = [code.error for code in self._code]
        contiguous, strided = self._code
        tables = contiguous.table_values()  # the same for both
        status = c.python.jr_python_loop_new(
            contiguous.handle, id(self._failed[0]), strided.handle, id(self._failed[1]),
            len(contiguous.tables), tables.address,
            ctypes.byref(self.function), ctypes.byref(self.data),
        )  # fmt: skip
        if status != c.OK:
            raise contiguous.error()
        weakref.finalize(self, c.python.jr_python_loop_free, self.data).atexit = False


def _compile_loop(kernel, operands, layout, options):
    names = ["x%d" % i for i in range(len(operands) - 1)]
    loop = "prange" if options.get("parallel") else "range"
    text = "def loop(%s):\n    for i in %s(out.shape[0]):\n        out[i] = function(%s)\n" % (
        ", ".join([*names, "out"]),
        loop,
        ", ".join("%s[i]" % name for name in names),
    )
    from . import prange

    source = KernelSource.of_text("loop", text, {"function": kernel, "prange": prange})
    arrays = tuple([types.Array(t, 1, layout) for t in operands])
    return Specialisation(Dispatcher.of_source(source, options), None, arrays)


# ---- NumPy's C interface ----

# Places in NumPy's table of functions for ufuncs, the same since NumPy 1.0.
_UFUNC_TYPE, _FROM_FUNC_AND_DATA = 0, 1
# Of a ufunc's `obj`, a reference that it drops when it goes, behind its header.
_OBJ_OFFSET = 72

_immortal = []


def _table():
    import numpy

    table = numpy_table(numpy, "_UFUNC_API")
    if table[_UFUNC_TYPE] != id(numpy.ufunc):
        raise ImportError("jitrun does not know this NumPy's ufuncs")
    return table


class _Kept:
    """What a ufunc points to."""

    def __init__(self, loops, name, doc):
        self.loops, count = loops, len(loops)
        self.functions = (ctypes.c_void_p * count)(*[loop.function for loop in loops])
        self.data = (ctypes.c_void_p * count)(*[loop.data for loop in loops])
        self.types = ctypes.create_string_buffer(b"".join(loop.type_numbers for loop in loops))
        self.name, self.doc = ctypes.create_string_buffer(name), ctypes.create_string_buffer(doc)


def _make_ufunc(loops, identity, name, doc):
    kept = _Kept(loops, name, doc)
    pointers, integers = [ctypes.c_void_p] * 3, [ctypes.c_int] * 4
    prototype = ctypes.PYFUNCTYPE(
        ctypes.py_object, *pointers, *integers, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int
    )
    ufunc = prototype(_table()[_FROM_FUNC_AND_DATA])(
        ctypes.addressof(kept.functions), ctypes.addressof(kept.data),
        ctypes.addressof(kept.types), len(loops), len(loops[0].type_numbers) - 1, 1,
        _IDENTITIES[identity], ctypes.addressof(kept.name), ctypes.addressof(kept.doc), 0,
    )  # fmt: skip
    if _has_obj_field():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
        ctypes.c_void_p.from_address(id(ufunc) + _HEADER + _OBJ_OFFSET).value = id(kept)
    else:
        _immortal.append(kept)
    return ufunc


def _has_obj_field():
    import numpy

    function = lambda x: x  # noqa: E731
    probe = numpy.frompyfunc(function, 1, 1)
    return ctypes.c_void_p.from_address(id(probe) + _HEADER + _OBJ_OFFSET).value == id(function)


functions.learn(Vectorized)
