"""Kernels that CPython calls directly.

A call of an object with a `__call__` in Python takes about 2 us here, most of it to look up the
code for the arguments' types and to lay them out. So kernels are objects of a type with the
vectorcall protocol, whose C function (runtime/python/pycall.c) reads the arguments by itself. It learns
each combination of types from the first call that brings it, which `Dispatcher._call` prepares,
and hands everything that it has not learned to there.

The type is made at run time by PyType_FromSpecWithBases, as a subclass of the Python class, so
nothing is compiled against Python. It needs to know where some fields of Python's and NumPy's
objects lie; that is looked up on live objects first, and where one is not where it is expected,
or the interpreter is no CPython, kernels stay ordinary objects.
"""

import _signal
import ctypes
import signal
import sys
import weakref

from . import _library as c
from . import types

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_HEADER = object.__basicsize__

# Slots and flags of CPython's stable ABI.
_TP_CALL, _TP_DOC, _TP_MEMBERS = 50, 56, 72
_DEFAULT, _HAVE_VECTORCALL = 1 << 18, 1 << 11
_T_PYSSIZET, _READONLY = 19, 1


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("value", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


class _Member(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


def _word(address):
    return ctypes.c_void_p.from_address(address).value


_PROBES = (1.5, (), 7)


def _usable():
    """Whether this is a CPython whose objects end their header with their type, a float with its
    value behind that."""
    if sys.implementation.name != "cpython" or _POINTER != 8 or hasattr(sys, "getobjects"):
        return False
    if ctypes.c_double.from_address(id(_PROBES[0]) + _HEADER).value != _PROBES[0]:
        return False
    return all(_word(id(probe) + _HEADER - _POINTER) == id(type(probe)) for probe in _PROBES)


_kept = []  # what the types point to


def _make_type(base, vectorcall_offset):
    """A subclass of `base` that has room for a vectorcallfunc and a JrPyCalls behind its fields."""
    members = (_Member * 2)(
        _Member(b"__vectorcalloffset__", _T_PYSSIZET, vectorcall_offset, _READONLY, None)
    )
    call = ctypes.cast(ctypes.pythonapi.PyVectorcall_Call, ctypes.c_void_p)
    doc = ctypes.create_string_buffer((base.__doc__ or "").encode())
    slots = (_Slot * 4)(
        _Slot(_TP_CALL, call),
        _Slot(_TP_DOC, ctypes.addressof(doc)),
        _Slot(_TP_MEMBERS, ctypes.addressof(members)),
    )
    name = ("%s.%s" % (base.__module__, base.__qualname__)).encode()
    size = vectorcall_offset + 2 * _POINTER
    spec = _Spec(name, size, 0, _DEFAULT | _HAVE_VECTORCALL, slots)
    make = ctypes.pythonapi.PyType_FromSpecWithBases
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(_Spec), ctypes.py_object]
    _kept.append((members, doc, slots, name, spec))
    return make(ctypes.byref(spec), (base,))


class Maker:
    """Makes the objects of a class, and what they need to be called directly."""

    def __init__(self, base, slow, context):
        """`slow(self, *args, **keywords)` takes the calls that are not known yet. Ctrl-C stops what
        runs in the context, and what is printed there goes to sys.stdout."""
        self.type = base
        self._slow = slow
        self._vectorcall = ctypes.c_void_p()
        if not _usable():
            return
        self._offset = base.__basicsize__
        calls_offset = self._offset + _POINTER
        if c.python.jr_python_open(_HEADER, calls_offset, ctypes.byref(self._vectorcall)) == c.OK:
            self.type = _make_type(base, self._offset)
            # The library asks which handler SIGINT has, in the middle of runs: of a function in C.
            asked = (_signal.getsignal, int(signal.SIGINT), signal.default_int_handler)
            _kept.append(asked)
            c.python.jr_python_interrupts(context, *map(id, asked))
            c.python.jr_python_output(context)

    def set_up(self, kernel, parsed, defaults, tables=()):
        """Makes an object callable, whose parameters are those of the parsed source, and behind them
        the tables, which no caller passes. It then has `_calls`, what `learn` adds to, or None."""
        kernel._calls = None
        if not self._vectorcall:
            return
        only = parsed.positional_only
        names = tuple(None if p in only else sys.intern(p) for p in parsed.parameters)
        values = tuple(defaults.get(p, NotImplemented) for p in parsed.parameters)
        names, values = names + (None,) * len(tables), values + tables
        calls = c.python.jr_python_calls_new(
            id(self._slow), len(parsed.positional), len(names), id(names), id(values)
        )
        if not calls:
            raise MemoryError("jitrun: no memory for a kernel")
        at = id(kernel) + self._offset
        weakref.finalize(kernel, _free, at, calls).atexit = False
        kernel._calls, kernel._kept = calls, [names, values, kernel.__dict__.get("_kept")]
        ctypes.c_void_p.from_address(at + _POINTER).value = calls
        ctypes.c_void_p.from_address(at).value = self._vectorcall.value


def _free(at, calls):
    """The kernel goes. What is collected with it may still call it: that is a TypeError then."""
    ctypes.c_void_p.from_address(at).value = None
    c.python.jr_python_calls_free(calls)


def learn(kernel, args, function, failed, returns_arrays):
    """Calls of the kernel with such arguments go to the library's `function` from now on. Whether
    that could be done."""
    if kernel._calls is None:
        return False
    if returns_arrays and not _learn_numpy():
        return False
    params = []
    if not all([_describe(arg, params) for arg in args]):
        return False
    array = (c.JrPyParam * len(params))(*params)
    status = c.python.jr_python_calls_add(
        kernel._calls, function, id(failed), len(params), array
    )
    if status == c.OK:
        kernel._kept.append((failed, [arg.dtype for arg in args if hasattr(arg, "dtype")]))
    return status == c.OK


_NUMBERS = {float: c.FLOAT64, int: c.INT64, bool: c.BOOL}


def _describe(value, params):
    """Adds the JrPyParams of an argument. Whether there are such."""
    kind = type(value)
    param = c.JrPyParam(type=_NUMBERS.get(kind, c.NONE), python_type=id(kind))
    params.append(param)
    if kind in _NUMBERS or value is None:
        return True
    if kind is tuple:
        param.type, param.count = c.TUPLE, len(value)
        return all([_describe(item, params) for item in value])
    numpy = sys.modules.get("numpy")
    if numpy is None or not _knows(numpy):
        return False
    if isinstance(value, numpy.generic):
        param.type, param.numpy = types.as_type(kind).code, True
        return True
    if kind is not numpy.ndarray:
        return False
    param.type, param.count, param.flags = c.ARRAY, value.ndim, value.flags.num
    param.flags &= c.PY_CONTIGUOUS | c.PY_ALIGNED | c.PY_WRITEABLE
    param.item, param.type_num = types.as_type(value.dtype).code, value.dtype.num
    param.descr = id(value.dtype)
    return True


# ---- NumPy's layouts ----


class _Array(ctypes.Structure):
    """A numpy.ndarray behind its header; the same in runtime/python/python.h."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("ndim", ctypes.c_int),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("base", ctypes.c_void_p),
        ("descr", ctypes.c_void_p),
        ("flags", ctypes.c_int),
    ]


class _Descr(ctypes.Structure):
    """A numpy.dtype behind its header; the same in runtime/python/python.h."""

    _fields_ = [
        ("scalar_type", ctypes.c_void_p),
        ("kind", ctypes.c_char),
        ("type", ctypes.c_char),
        ("byteorder", ctypes.c_char),
        ("flags", ctypes.c_char),
        ("type_num", ctypes.c_int),
    ]


_knowledge = {}  # NumPy's module -> whether its objects are as expected


def _knows(numpy):
    if numpy not in _knowledge:
        checked = _check_arrays(numpy) and _check_scalars(numpy)
        _knowledge[numpy] = checked and _give_interface(numpy)
    return _knowledge[numpy]


def _learn_numpy():
    try:
        import numpy
    except ImportError:
        return False
    return _knows(numpy)


def numpy_table(numpy, name):
    """A table of functions of NumPy's C interface: a pointer to pointers."""
    core = getattr(numpy, "_core", None) or numpy.core
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = getattr(core._multiarray_umath, name)
    return ctypes.cast(get(capsule, None), ctypes.POINTER(ctypes.c_void_p))


_ARRAY_TYPE = 2  # where numpy.ndarray is in the table, the same since NumPy 1.0


def _give_interface(numpy):
    """Gives the library NumPy's C interface. Whether it is as expected."""
    table = numpy_table(numpy, "_ARRAY_API")
    if table[_ARRAY_TYPE] != id(numpy.ndarray):
        return False
    numbers = [0] * (max(types.BY_CODE) + 1)
    for code, type in types.BY_CODE.items():
        numbers[code] = numpy.dtype(type.name).num
    array = (ctypes.c_int32 * len(numbers))(*numbers)
    return c.python.jr_python_numpy(table, array, len(numbers)) == c.OK


def _check_arrays(numpy):
    whole = numpy.zeros((4, 6), numpy.int16)
    whole.flags.writeable = False
    for array in (numpy.arange(3.0), whole, whole[::2, ::-3], whole.T):
        seen = _Array.from_address(id(array) + _HEADER)
        descr = _Descr.from_address(id(array.dtype) + _HEADER)
        good = (
            seen.data == array.__array_interface__["data"][0]
            and seen.ndim == array.ndim
            and tuple(seen.shape[: array.ndim]) == array.shape
            and tuple(seen.strides[: array.ndim]) == array.strides
            and seen.descr == id(array.dtype)
            and seen.flags == array.flags.num
            and descr.scalar_type == id(array.dtype.type)
            and descr.kind.decode() == array.dtype.kind
            and descr.byteorder.decode() == array.dtype.byteorder
            and descr.type_num == array.dtype.num
        )
        if not good:
            return False
    return True


def _check_scalars(numpy):
    """That a NumPy scalar's C value is all that follows its header."""
    for name in types.SCALARS:
        scalar = numpy.dtype(name).type(1)
        raw = ctypes.string_at(id(scalar) + _HEADER, scalar.itemsize)
        if raw != scalar.tobytes():
            return False
    return True
