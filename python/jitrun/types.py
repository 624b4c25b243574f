"""The types of kernels: `float64`, `int32[:, ::1]`, `Tuple((int64, float64))`.

A type subscripted is an array type, a type called with types is a signature, and a scalar type
called with a number converts it, as in numba.
"""

from . import _library as c

__all__ = []


class Type:
    """A type of the language; str() is its spelling in a kernel."""

    name = ""

    def __str__(self):
        return self.name

    __repr__ = __str__

    def __eq__(self, other):
        return isinstance(other, Type) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def __call__(self, *params):
        return Signature(self, params)

    def __reduce__(self):
        return parse_type, (self.name,)


class NoneType(Type):
    name = "None"


class Scalar(Type):
    """A bool, an integer or a float."""

    def __init__(self, name, code, itemsize, letter):
        self.name, self.code, self.itemsize, self.letter = name, code, itemsize, letter

    def __call__(self, *params):
        if len(params) == 1 and not isinstance(params[0], Type):
            return self.convert(params[0])
        return Signature(self, params)

    def __getitem__(self, axes):
        return array_of(self, axes)

    def convert(self, number):
        """The number in this type, as NumPy's scalar if NumPy is there."""
        try:
            import numpy
        except ImportError:
            return {"b": bool, "f": float}.get(self.letter, int)(number)
        return numpy.dtype(self.name).type(number)


class Array(Type):
    """An array type; `layout` is "C" for contiguous in C order, else "A"."""

    def __init__(self, dtype, ndim, layout="A"):
        if not isinstance(dtype, Scalar):
            raise TypeError("an array holds numbers, not %s" % (dtype,))
        if not 1 <= ndim <= c.MAX_DIMS:
            raise TypeError("an array has 1 to %d dimensions, not %d" % (c.MAX_DIMS, ndim))
        self.dtype, self.ndim = dtype, ndim
        self.layout = "C" if layout == "C" else "A"
        axes = [":"] * ndim
        if self.layout == "C":
            axes[-1] = "::1"
        self.name = "%s[%s]" % (dtype.name, ", ".join(axes))


class TupleType(Type):
    """A tuple of types."""

    def __init__(self, items):
        self.items = tuple(items)
        self.name = "tuple[%s]" % (", ".join(str(t) for t in self.items) or "()")

    def __reduce__(self):
        return TupleType, (self.items,)


class NamedTupleType(TupleType):
    """A named tuple of types; `cls` is its class in Python, of which text says the name alone."""

    def __init__(self, cls, items):
        super().__init__(items)
        self.cls = cls
        self.name = "%s[%s]" % (cls.__name__, ", ".join(str(t) for t in self.items))

    def __eq__(self, other):
        return isinstance(other, NamedTupleType) and (self.cls, self.items) == (other.cls, other.items)

    def __hash__(self):
        return hash((self.cls, self.items))

    def __reduce__(self):
        return NamedTupleType, (self.cls, self.items)


def is_named_tuple(cls):
    """Whether it is a class of named tuples."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def has_named(of):
    """Whether a type is one of named tuples, or has such among its items."""
    if isinstance(of, NamedTupleType):
        return True
    return isinstance(of, TupleType) and any(map(has_named, of.items))


class Function(Type):
    """The type of an argument that is a function, a type of elements, or a string: it has no other
    value."""

    def __init__(self, value):
        self.value = value
        text = isinstance(value, str)
        self.name = repr(value) if text else "function %s" % getattr(value, "__name__", value)
        self.key = value if text else id(value)

    def __eq__(self, other):
        return isinstance(other, Function) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    def __reduce__(self):
        return Function, (self.value,)


class Signature:
    """Parameter types, and a result type or None for the one that is inferred."""

    def __init__(self, result, params):
        self.result, self.params = result, tuple(as_type(p) for p in params)

    def __str__(self):
        return "%s(%s)" % (self.result or "", ", ".join(str(p) for p in self.params))

    __repr__ = __str__

    def __eq__(self, other):
        if not isinstance(other, Signature):
            return NotImplemented
        return (self.result, self.params) == (other.result, other.params)

    def __hash__(self):
        return hash(self.params)

    def with_params(self, more):
        """The same with more parameters behind its own."""
        return Signature(self.result, (*self.params, *more))

    @property
    def args(self):
        return self.params

    @property
    def return_type(self):
        return self.result


def array_of(dtype, axes):
    """The type of `dtype[axes]`: slices `:`, of which one end may be `::1`."""
    axes = axes if isinstance(axes, tuple) else (axes,)
    plain, unit = slice(None, None, None), slice(None, None, 1)
    if any(axis not in (plain, unit) for axis in axes) or axes[1:-1].count(unit):
        raise TypeError("an array type is written %s[:], %s[:, :] or %s[:, ::1]" % ((dtype,) * 3))
    return Array(dtype, len(axes), "C" if axes[-1] == unit else "A")


def _scalar(name, code, itemsize, letter):
    globals()[name] = made = Scalar(name, code, itemsize, letter)
    __all__.append(name)
    return made


_scalar("bool", c.BOOL, 1, "b")
for _bits, _code in ((8, c.INT8), (16, c.INT16), (32, c.INT32), (64, c.INT64)):
    _scalar("int%d" % _bits, _code, _bits // 8, "i")
for _bits, _code in ((8, c.UINT8), (16, c.UINT16), (32, c.UINT32), (64, c.UINT64)):
    _scalar("uint%d" % _bits, _code, _bits // 8, "u")
_scalar("float32", c.FLOAT32, 4, "f")
_scalar("float64", c.FLOAT64, 8, "f")
none = NoneType()

_bool = globals().pop("bool")
__all__.remove("bool")
SCALARS = {t.name: t for t in globals().values() if isinstance(t, Scalar)}
SCALARS[_bool.name] = _bool
BY_CODE = {t.code: t for t in SCALARS.values()}

# numba's other names for the same types.
ALIASES = {
    "boolean": "bool", "bool_": "bool", "b1": "bool",
    "byte": "uint8", "char": "int8", "uchar": "uint8",
    "short": "int16", "ushort": "uint16",
    "intc": "int32", "uintc": "uint32",
    "int_": "int64", "uint": "uint64", "long_": "int64", "ulong": "uint64",
    "longlong": "int64", "ulonglong": "uint64",
    "intp": "int64", "uintp": "uint64", "ssize_t": "int64", "size_t": "uint64",
    "float_": "float64", "double": "float64",
    "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
    "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64",
    "f4": "float32", "f8": "float64",
}  # fmt: skip
for _alias, _name in ALIASES.items():
    globals()[_alias] = SCALARS[_name]
    __all__.append(_alias)
void = none
__all__ += ["void", "none"]


def has_array(type):
    """Whether it is an array or a tuple with one in it."""
    return isinstance(type, Array) or any(map(has_array, getattr(type, "items", ())))


def Tuple(items):
    """A tuple type of these items, `Tuple((int64, float64))`."""
    return TupleType(as_type(t) for t in items)


def UniTuple(item, count):
    """A tuple type of `count` equal items."""
    return TupleType([as_type(item)] * count)


class _TupleSyntax:
    """`tuple[int64, float64]` in the text of a type."""

    def __getitem__(self, items):
        items = items if isinstance(items, tuple) else (items,)
        return Tuple(items)


def _names():
    names = dict(SCALARS)
    names.update((alias, SCALARS[name]) for alias, name in ALIASES.items())
    names.update({"int": SCALARS["int64"], "float": SCALARS["float64"]})
    names.update({"void": none, "none": none, "None": none, "tuple": _TupleSyntax()})
    names.update({"Tuple": Tuple, "UniTuple": UniTuple, "Array": Array})
    return names


_NAMES = _names()


class _NamedSyntax:
    """`Point[int64, float64]` in the text of a type."""

    def __init__(self, cls):
        self._cls = cls

    def __getitem__(self, items):
        items = items if isinstance(items, tuple) else (items,)
        return NamedTupleType(self._cls, [as_type(item) for item in items])


def _evaluate(text, named=()):
    names = dict(_NAMES, **{n: _NamedSyntax(cls) for n, cls in named.items()}) if named else _NAMES
    try:
        return eval(text, {"__builtins__": {}}, names)
    except Exception as error:
        raise TypeError(
            "%r is no type or signature: write such as 'float64(float64[::1], int64)' (%s)"
            % (text, error)
        ) from None


def parse_type(text, named=()):
    """The type that a text names; `named` are the classes of named tuples by their names there."""
    return as_type(_evaluate(text, named))


def as_type(what):
    """The type an object stands for: a Type, its text, `int`, `np.float32`, a dtype, None.

    TypeError if it stands for none."""
    if isinstance(what, Type):
        return what
    if what is None:
        return none
    if isinstance(what, str):
        return parse_type(what)
    name = {int: "int64", float: "float64", type(True): "bool"}.get(what)
    name = name or _dtype_name(what)
    if name in SCALARS:
        return SCALARS[name]
    raise TypeError("%r is no type that kernels have" % (what,))


def _dtype_name(what):
    """The name of a NumPy scalar type or dtype, else None. Never imports NumPy."""
    if isinstance(what, type) and what.__module__ == "numpy":
        name = what.__name__
        return {"bool_": "bool", "longlong": "int64", "ulonglong": "uint64"}.get(name, name)
    if type(what).__module__.startswith("numpy") and hasattr(what, "isnative"):
        return what.name if what.isnative else None
    return None


def as_signature(what):
    """A Signature from numba's spellings: text, `int32(int32)`, or a tuple of types."""
    if isinstance(what, Signature):
        return what
    if isinstance(what, str):
        what = _evaluate(what)
        if isinstance(what, Signature):
            return what
        if isinstance(what, Type):  # "(int64)" is int64 in parentheses
            what = (what,)
    if isinstance(what, tuple):
        return Signature(None, what)
    raise TypeError("%r is no signature: write such as 'float64(float64[::1], int64)'" % (what,))
