"""Functions, types of elements, and strings, as arguments of kernels.

    @njit                            @njit
    def integrate(f, a, b):          def integrate(a, b):     # f means square
        ...f(a)...                       ...f(a)...
    integrate(square, 0.0, 1.0)      integrate(0.0, 1.0)

A call with functions among its arguments is a call of a kernel of its own, without these parameters;
in its text their names stand for the functions, as names from outside do. It is made once for each
combination of functions. Strings, `how="mean"`, are taken in the same way.
"""

import types as pytypes
import warnings

from . import errors, types, values
from .unit import known_object


def _key(value):
    return types.Function(value)


def learn(kind):
    """Has kernels take values of this Python type as functions."""
    values.KEYS[kind] = _key


for _kind in (pytypes.FunctionType, pytypes.BuiltinFunctionType, type, str):
    learn(_kind)


def is_function(value):
    return values.KEYS.get(type(value)) is _key


def check(value, describe):
    """TypeError unless kernels can use it; `describe()` is what a message calls the argument."""
    from .dispatcher import Dispatcher
    from .vectorize import Vectorized

    if isinstance(value, (str, Dispatcher, Vectorized)) or known_object(value):
        return
    kind = "class" if isinstance(value, type) else "Python function"
    help = "" if kind == "class" else ": decorate it with @njit"
    name = getattr(value, "__name__", value)
    raise TypeError("%s is the %s %s, which kernels cannot use%s" % (describe(), kind, name, help))


def _has_function(of):
    if isinstance(of, types.TupleType):
        return any(map(_has_function, of.items))
    return isinstance(of, types.Function)


class Without:
    """The code for arguments of which some are functions: a kernel that takes the others."""

    tables = ()

    def __init__(self, kernel, rest):
        self.kernel, self._rest = kernel, rest
        parsed = kernel.source.parsed()
        self._positional = len(parsed.positional)
        self._keywords = parsed.parameters[self._positional :]

    def others(self, args):
        """The arguments that are no functions."""
        return tuple([args[i] for i in self._rest])

    def teach(self, dispatcher, args):
        return False

    def __call__(self, args):
        args = self.others(args)
        if not self._keywords:
            return self.kernel(*args)
        keywords = dict(zip(self._keywords, args[self._positional :]))
        return self.kernel(*args[: self._positional], **keywords)


_MANY = 100  # kernels that are one but for strings


def _warn_of_many(dispatcher):
    text = "%r has been compiled for %d strings, and is for each new one: pass a number for what differs"
    source = dispatcher.source
    warnings.warn_explicit(
        text % (source.name, _MANY), errors.JitrunWarning, source.file, source.first_line
    )


def without(dispatcher, arg_types, made):
    """The Without for these types of arguments, or None if there is no function among them. `made` has
    the kernels that are there already, by their functions."""
    names = dispatcher.source.parsed().parameters
    for i, of in enumerate(arg_types):
        if isinstance(of, types.TupleType) and _has_function(of):
            where = values.describe_argument(names, i)
            message = "%s is %s: pass functions and strings as arguments of their own"
            raise TypeError(message % (where, of))
    found = {n: t.value for n, t in zip(names, arg_types) if isinstance(t, types.Function)}
    if not found:
        return None
    if dispatcher.declared:
        raise TypeError("%r has signatures, which have no functions or strings" % dispatcher.source.name)
    key = tuple([(n, t) for n, t in zip(names, arg_types) if n in found])
    if key not in made:
        options = dict(dispatcher.options, engine=dispatcher.engine, cache=dispatcher.cache)
        options["check_races"] = dispatcher.check_races
        made[key] = type(dispatcher).of_source(dispatcher.source.without(found), options)
        if len(made) == _MANY and any(isinstance(value, str) for value in found.values()):
            _warn_of_many(dispatcher)
    return Without(made[key], [i for i, name in enumerate(names) if name not in found])
