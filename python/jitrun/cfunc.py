"""@cfunc: a kernel as a C function, for libraries that call one."""

import ctypes
import inspect

from . import types
from .dispatcher import Dispatcher, njit

_C_TYPES = {
    "bool": ctypes.c_bool, "float32": ctypes.c_float, "float64": ctypes.c_double,
    "int8": ctypes.c_int8, "int16": ctypes.c_int16, "int32": ctypes.c_int32,
    "int64": ctypes.c_int64, "uint8": ctypes.c_uint8, "uint16": ctypes.c_uint16,
    "uint32": ctypes.c_uint32, "uint64": ctypes.c_uint64,
}  # fmt: skip


def cfunc(signature, **options):
    """A function compiled for one signature, with a C address.

        @cfunc("float64(float64)")
        def bell(x):
            return math.exp(-x * x)

        integrate.quad(LowLevelCallable(bell.ctypes), -1, 1)

    `bell.address` is the address, `bell.ctypes` a ctypes function for it, `bell.prototype` what it
    is in C; calling `bell` itself is calling the kernel. An array parameter is a pointer and its
    lengths (docs/embedding.md); a function without a result returns a status. C code gets 0 from a
    call that failed. The options are njit's.
    """
    if inspect.isfunction(signature) or isinstance(signature, (list, Dispatcher)):
        raise TypeError("cfunc takes one signature: @cfunc('float64(float64)')")
    signature = types.as_signature(signature)

    def decorate(function):
        kernel = njit([signature], **options)(function)
        if not isinstance(kernel, Dispatcher):
            raise TypeError("cfunc makes machine code, which JITRUN_DISABLE_JIT=1 forbids")
        return CFunc(kernel, signature)

    return decorate


class CFunc:
    """A kernel with a C address; see `cfunc`."""

    def __init__(self, kernel, signature):
        self._kernel, self._signature = kernel, signature
        self._made = kernel.specialisation(signature)
        result = self._made.result
        if isinstance(result, (types.TupleType, types.Array)):
            raise TypeError("a C function returns a number, not %s" % result)
        arguments = [t for param in signature.params for t in _c_types(param)]
        self._address, self._prototype = self._made.pointer()
        prototype = ctypes.CFUNCTYPE(_C_TYPES.get(str(result), ctypes.c_int), *arguments)
        self._ctypes = prototype(self._address)
        self._ctypes._kernel = self  # which has the machine code
        self.__name__ = self.__qualname__ = kernel.__name__
        self.__module__, self.__doc__ = kernel.__module__, kernel.__doc__

    def __call__(self, *args, **kwargs):
        return self._kernel(*args, **kwargs)

    @property
    def address(self):
        """The address of the C function. It is good as long as this object lives."""
        return self._address

    @property
    def ctypes(self):
        """A ctypes function for that address; it keeps this object alive."""
        return self._ctypes

    @property
    def prototype(self):
        """The C prototype, as text."""
        return self._prototype

    @property
    def native_name(self):
        """The name in the prototype."""
        return self._kernel.source.name

    @property
    def py_func(self):
        """The Python function."""
        return self._kernel.py_func

    def inspect_llvm(self):
        """LLVM IR."""
        return self._made.dump("llvm-opt")

    def __repr__(self):
        return "<jitrun C function %s>" % self._prototype

    def __reduce__(self):
        return CFunc, (self._kernel, self._signature)


def _c_types(param):
    """The C types of a parameter's leaves."""
    if isinstance(param, types.TupleType):
        return [t for item in param.items for t in _c_types(item)]
    if isinstance(param, types.Array):
        numbers = param.ndim * (1 if param.layout == "C" else 2)
        return [ctypes.POINTER(_C_TYPES[str(param.dtype)])] + [ctypes.c_int64] * numbers
    if not isinstance(param, types.Scalar):
        raise TypeError("a C function has no parameter of type %s" % param)
    return [_C_TYPES[str(param)]]
