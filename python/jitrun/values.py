"""Python values to and from the C interface's JrValue.

Arguments of one signature are packed by a `Plan`: a struct format made once, filled in and handed
over by address. NumPy is used if the program has imported it; a program that has not has no arrays
to pass.
"""

import ctypes
import functools
import operator
import struct
import sys

from . import _library as c
from . import types

_VALUE = ctypes.sizeof(c.JrValue)
_ARRAY = ctypes.sizeof(c.JrArrayValue)
_MAX_TUPLE = 255

# Bits of ndarray.flags.num.
_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400
_KEY_FLAGS = _CONTIGUOUS | _ALIGNED | _WRITEABLE


def numpy():
    """NumPy if it is imported, else None: it is never imported on its own."""
    return sys.modules.get("numpy")


# ---- Keys: what decides which specialisation a call takes ----


def _key_of_array(array):
    return array.dtype, array.ndim, array.flags.num & _KEY_FLAGS


def _key_of_tuple(value):
    return tuple([KEYS[type(item)](item) for item in value])


# By exact type, the function that makes the key of a value. NumPy's types join when the first
# value of one is seen.
KEYS = {int: type, float: type, bool: type, type(None): type, tuple: _key_of_tuple}


def learn_numpy():
    """Adds NumPy's types to KEYS. Whether there was something to add."""
    np = numpy()
    if np is None or np.ndarray in KEYS:
        return False
    KEYS[np.ndarray] = _key_of_array
    for name in types.SCALARS:
        KEYS[np.dtype(name).type] = type
    KEYS[np.longlong] = KEYS[np.ulonglong] = type
    KEYS[np.ufunc] = KEYS[type(np.sum)] = KEYS[type(len)]  # functions (functions.py)
    _find_data_field(np)
    return True


def normalise(value, describe):
    """A value of another type as one that KEYS has; TypeError if there is none.
    `describe()` is what a message calls the argument."""
    if type(value) in KEYS and not isinstance(value, tuple):
        return value
    if isinstance(value, (tuple, list)):
        return _normalise_items(value, describe)
    if learn_numpy():
        return normalise(value, describe)
    np = numpy()
    if np is not None and isinstance(value, np.ndarray):
        if isinstance(value, (np.ma.MaskedArray, np.matrix)):
            raise TypeError("%s is a %s: pass a plain array" % (describe(), _kind(value)))
        return value.view(np.ndarray)
    for base in (bool, int, float):
        if isinstance(value, base):
            return base(value)
    array = None if np is not None and isinstance(value, np.generic) else _foreign_array(value)
    if array is None:
        raise TypeError(
            "%s is a %s, which kernels cannot take: pass numbers, NumPy arrays or tuples of them"
            % (describe(), _kind(value))
        )
    return array


def _normalise_items(value, describe):
    if len(value) > _MAX_TUPLE:
        raise TypeError(
            "%s is a %s of %d items, passed as a tuple type of as many: pass np.array(...)"
            % (describe(), _kind(value), len(value))
        )
    items = tuple([normalise(item, lambda: "an item of " + describe()) for item in value])
    cls = type(value)
    if not types.is_named_tuple(cls):
        return items
    KEYS.setdefault(cls, _key_of_named)
    return cls._make(items)


def _key_of_named(value):
    return (type(value), *_key_of_tuple(value))


def has_named(value):
    """Whether it is a named tuple, or has such among its items."""
    return isinstance(value, tuple) and (type(value) is not tuple or any(map(has_named, value)))


def plain(value):
    """The same with tuples for named tuples."""
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def _foreign_array(value):
    """An array over the memory of what another library holds, or None."""
    shares = hasattr(value, "__array_interface__") or _has_buffer(value)
    if not shares and not hasattr(value, "__dlpack__"):
        return None
    try:
        import numpy as np
    except ImportError:
        raise TypeError("passing a %s takes NumPy" % _kind(value)) from None
    learn_numpy()
    if not shares:
        return np.from_dlpack(value)
    if isinstance(value, (bytes, bytearray)):
        return np.frombuffer(value, np.uint8)
    return np.asarray(value)


def _has_buffer(value):
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def _kind(value):
    return type(value).__name__


# ---- Types of values ----


def typeof(value):
    """The type that a kernel sees for a Python value; TypeError if there is none."""
    return _typeof(normalise(value, lambda: "the value"), lambda: "the value")


def _typeof(value, describe):
    kind = type(value)
    if isinstance(value, tuple):
        items = [_typeof(item, describe) for item in value]
        return types.TupleType(items) if kind is tuple else types.NamedTupleType(kind, items)
    if kind is int:
        if not -(2**63) <= value < 2**64:
            raise OverflowError("%s is %d, beyond int64 and uint64" % (describe(), value))
        return types.SCALARS["int64" if value < 2**63 else "uint64"]
    if kind in (bool, float) or value is None:
        return types.as_type(None if value is None else kind)
    from . import functions

    if functions.is_function(value):
        functions.check(value, describe)
        return types.Function(value)
    if kind is numpy().ndarray:
        return _array_type(value, describe)
    return types.as_type(kind)


def _array_type(array, describe):
    name = array.dtype.name
    if name not in types.SCALARS or not array.dtype.isnative:
        help = "use one of " + ", ".join(types.SCALARS)
        if name in types.SCALARS:
            help = "pass its astype(%r)" % name
        raise TypeError(
            "%s is an array of %s, which kernels do not have: %s" % (describe(), array.dtype, help)
        )
    if not array.flags.aligned:
        raise TypeError("%s is an array that is not aligned: pass a copy" % describe())
    if not 1 <= array.ndim <= c.MAX_DIMS:
        help = "pass its item()" if array.ndim == 0 else "at most %d work" % c.MAX_DIMS
        raise TypeError("%s is an array of %d dimensions: %s" % (describe(), array.ndim, help))
    layout = "C" if array.flags.c_contiguous else "A"
    return types.Array(types.SCALARS[name], array.ndim, layout)


def types_of(args, names):
    """The types of a call's arguments."""
    return [
        _typeof(arg, lambda i=i: describe_argument(names, i)) for i, arg in enumerate(args)
    ]


def describe_argument(names, index):
    return "argument %d, %r," % (index + 1, names[index])


def sample_of(type):
    """A value of the type, to ask for a specialisation with; arrays are never read."""
    if isinstance(type, types.TupleType):
        return tuple(sample_of(item) for item in type.items)
    return _Sample(type) if isinstance(type, types.Array) else 0


class _Sample:
    """Stands for an array without elements, contiguous or strided; strides are in elements."""

    def __init__(self, type):
        self.shape = (2,) * type.ndim
        unit = 1 if type.layout == "C" else 2
        self.strides = tuple(unit * 2**i for i in range(type.ndim - 1, -1, -1))


# ---- Arguments ----


class BigInt(Exception):
    """An int is beyond int64, as which it was to be passed."""


_data_offset = None  # of PyArrayObject.data


def _find_data_field(np):
    """The address of an array's elements is the first field of its object, and is read from
    there; where that turns out otherwise, from the slower `ctypes.data`."""
    global _data_offset
    probe = np.zeros(3)
    offset = object.__basicsize__
    if ctypes.c_void_p.from_address(id(probe) + offset).value == probe.ctypes.data:
        _data_offset = offset


def _address(array):
    if _data_offset is None:
        return array.ctypes.data
    return ctypes.c_void_p.from_address(id(array) + _data_offset).value or 0


class _Buffer:
    """Memory for the JrValues of one call, seen as 8-byte words, and its result."""

    __slots__ = ("bytes", "ints", "unsigned", "floats", "address", "result", "result_address")

    def __init__(self, template):
        self.bytes = ctypes.create_string_buffer(bytes(template), len(template))
        view = memoryview(self.bytes).cast("B")
        self.ints, self.unsigned = view.cast("q"), view.cast("Q")
        self.floats = view.cast("d")
        self.address = ctypes.addressof(self.bytes)
        self.result_address = self.address + len(template) - _VALUE
        self.result = c.JrValue.from_address(self.result_address)


class Plan:
    """How arguments of certain types are laid out in memory as JrValues: first the values, then
    the array descriptions and tuple items that they point to, and last the result.

    What the types decide is written once, in a template. A call takes a copy of it from a free
    list, so that threads and nested calls have one each, and only stores what is its own."""

    def __init__(self, arg_types, readonly=False):
        self.count = len(arg_types)
        self._readonly = readonly
        self._stores = []  # functions (buffer, args)
        self._pointers = []  # (offset of a pointer, offset of what it points to)
        self._template = bytearray(_VALUE * self.count)
        self._free = []
        waiting = [(0, tuple(arg_types), ())]
        while waiting:
            waiting += self._lay_out(*waiting.pop(0))
        self._result = self._allocate(_VALUE) // 8

    def _lay_out(self, offset, items, path):
        """Values of these types at an offset. Returns the tuples' items, to be laid out too."""
        blocks = []
        for index, type in enumerate(items):
            at, here = offset + index * _VALUE, path + (index,)
            code = getattr(type, "code", c.NONE)
            if isinstance(type, types.TupleType):
                code = c.TUPLE
                start = self._allocate(_VALUE * len(type.items))
                struct.pack_into("<Q", self._template, at + 8, len(type.items))
                self._pointers.append((at + 16, start))
                blocks.append((start, type.items, here))
            elif isinstance(type, types.Array):
                code = c.ARRAY
                self._pointers.append((at + 8, self._allocate_array(type, here)))
            elif code:
                self._stores.append(_scalar_store(type, here, (at + 8) // 8))
            struct.pack_into("<i", self._template, at, code)
        return blocks

    def _allocate(self, size):
        start = len(self._template)
        self._template += bytes(size)
        return start

    def _allocate_array(self, type, path):
        start = self._allocate(_ARRAY)
        struct.pack_into("<iI", self._template, start, type.dtype.code, type.ndim)
        self._template[start + c.JrArrayValue.readonly.offset] = self._is_readonly(path)
        self._stores.append(_array_store(type, path, start // 8))
        return start

    def _is_readonly(self, path):
        value = self._readonly
        for index in path if value else ():
            value = value[index]
        return bool(value)

    def take(self, args):
        """A buffer that holds these arguments."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = _Buffer(self._template)
            for at, target in self._pointers:
                buffer.unsigned[at // 8] = buffer.address + target
        for store in self._stores:
            store(buffer, args)
        return buffer

    def give(self, buffer, args):
        """The result of the call, which is over."""
        view = _VIEWS.get(buffer.ints[self._result])
        if view is None:
            result = take_result(buffer.result, args)
        else:
            result = view(buffer)[self._result + 1]
        self._free.append(buffer)
        return result


# By JrValue's first word, its type with nothing owned, where a number's value is seen.
_VIEWS = {
    t.code: operator.attrgetter({"i": "ints", "u": "unsigned", "f": "floats"}[t.letter])
    for t in types.SCALARS.values()
    if t.letter != "b"
}


def _getter(path):
    if len(path) == 1:
        return operator.itemgetter(path[0])
    return lambda args: functools.reduce(operator.getitem, path, args)


def _scalar_store(type, path, word):
    get = _getter(path)

    def store_int(buffer, args):
        try:
            buffer.ints[word] = get(args)
        except ValueError:
            raise BigInt from None

    def store_unsigned(buffer, args):
        buffer.unsigned[word] = get(args)

    def store_float(buffer, args):
        buffer.floats[word] = get(args)

    def store_bool(buffer, args):
        buffer.ints[word] = 1 if get(args) else 0

    return {"i": store_int, "u": store_unsigned, "f": store_float, "b": store_bool}[type.letter]


def _array_store(type, path, word):
    get = _getter(path)
    ndim, itemsize = type.ndim, type.dtype.itemsize
    data, shape, strides = word + 1, word + 2, word + 2 + c.MAX_DIMS

    def store_start(buffer, array):
        buffer.ints[data] = 0 if array.__class__ is _Sample else _address(array)
        for axis, length in enumerate(array.shape):
            buffer.ints[shape + axis] = length

    def store_contiguous(buffer, args):
        array = get(args)
        store_start(buffer, array)
        step = 1
        for axis in range(ndim - 1, -1, -1):  # NumPy's own mean nothing where a length is 0
            buffer.ints[strides + axis] = step
            step *= array.shape[axis]

    def store_strided(buffer, args):
        array = get(args)
        store_start(buffer, array)
        size = 1 if array.__class__ is _Sample else itemsize
        for axis, stride in enumerate(array.strides):
            elements, rest = divmod(stride, size)
            if rest:
                raise TypeError(
                    "an array's strides, %r bytes, are no multiples of its element size, %d: "
                    "pass a copy" % (array.strides, itemsize)
                )
            buffer.ints[strides + axis] = elements

    return store_contiguous if type.layout == "C" else store_strided


def readonly_parts(value):
    """For a value, whether it is a read-only array; for a tuple, that of its items."""
    if isinstance(value, tuple):
        return [readonly_parts(item) for item in value]
    return hasattr(value, "flags") and not value.flags.writeable


# ---- Results ----


class _Memory:
    """The memory of an array that a kernel returned, as NumPy's array interface. NumPy keeps it
    as the array's base; when that goes, the library's reference goes."""

    def __init__(self, value, keep):
        array = value.value.array.contents
        dtype = types.BY_CODE[array.dtype]
        ndim = array.ndim
        self._value, self._keep, self._clear = value, keep, c.lib.jr_value_clear
        kind = {"b": "|b", "i": "<i", "u": "<u", "f": "<f"}[dtype.letter]
        if dtype.itemsize == 1:
            kind = "|" + kind[1]
        self.__array_interface__ = {
            "version": 3,
            "typestr": kind + str(dtype.itemsize),
            "data": (array.data or 0, bool(array.readonly)),
            "shape": tuple(array.shape[:ndim]),
            "strides": tuple(s * dtype.itemsize for s in array.strides[:ndim]),
        }

    def __del__(self):
        self._clear(ctypes.byref(self._value))


def _take_array(value, args):
    try:
        import numpy as np
    except ImportError:
        c.lib.jr_value_clear(ctypes.byref(value))
        raise ImportError("the kernel returned an array, which takes NumPy") from None
    learn_numpy()
    array = value.value.array.contents
    own = c.JrValue.from_buffer_copy(value)
    # Memory of the caller's own: what was passed has to live on.
    memory = _Memory(own, None if array.owner else args)
    if 0 in memory.__array_interface__["shape"]:
        interface = memory.__array_interface__
        return np.empty(interface["shape"], interface["typestr"])
    return np.asarray(memory)


def _take_tuple(value, args):
    items = value.value.tuple.items
    try:
        return tuple([take_result(items[i], args) for i in range(value.value.tuple.count)])
    finally:
        c.lib.jr_value_clear(ctypes.byref(value))


_FIELDS = {"b": "b", "i": "i", "u": "u", "f": "f"}
_SCALAR_FIELDS = {t.code: _FIELDS[t.letter] for t in types.SCALARS.values()}


def take_result(value, args):
    """The Python value of a result, which is taken over and cleared."""
    field = _SCALAR_FIELDS.get(value.type)
    if field is not None:
        return getattr(value.value, field)
    if value.type == c.NONE:
        return None
    if value.type == c.TUPLE:
        return _take_tuple(value, args)
    result = _take_array(value, args)
    value.type, value.owned = c.NONE, False
    return result
