"""Named tuples as arguments and results of kernels.

    Point = namedtuple("Point", "x y")

    @njit                            # called with a tuple of two
    def area(p):                     def _call(p):
        return p.x * p.y                 return _inner(_type(p[0], p[1]))
    area(Point(2.0, 3.0))

The library passes tuples. A call with a named tuple among its arguments is a call of a kernel of its own, made
here, which makes the named tuples again and calls the one that is meant. A result is made one by its type.
"""

from . import types, values
from .source import KernelSource


class Named:
    """The code for arguments of which some are named tuples."""

    tables = ()

    def __init__(self, kernel):
        self.kernel = kernel

    def others(self, args):
        """The arguments as the kernel takes them."""
        return tuple([values.plain(a) for a in args])

    def teach(self, dispatcher, args):
        return False

    def __call__(self, args):
        return self.kernel(*self.others(args))


class _Maker:
    """Writes the expressions that make named tuples of tuples."""

    def __init__(self, taken):
        self._taken = set(taken)
        self.values = {}  # what their names stand for

    def name(self, wanted, value):
        for name, known in self.values.items():
            if known is value:
                return name
        while wanted in self._taken or wanted in self.values:
            wanted += "_"
        self.values[wanted] = value
        return wanted

    def made(self, of, text):
        """The argument that is `text`, of this type."""
        if not types.has_named(of):
            return text
        items = ", ".join(self.made(t, "%s[%d]" % (text, i)) for i, t in enumerate(of.items))
        if isinstance(of, types.NamedTupleType):
            return "%s(%s)" % (self.name("_type", of.cls), items)
        return "(%s,)" % items


def calling(dispatcher, arg_types, made):
    """The Named for these types of arguments, or None if there is no named tuple among them. `made` has the
    kernels that are there already."""
    if dispatcher.declared or not any(map(types.has_named, arg_types)):
        return None
    key = ("named", *arg_types)
    if key not in made:
        parsed = dispatcher.source.parsed()
        maker = _Maker(parsed.parameters)
        inner = maker.name("_inner", dispatcher)
        passed = []
        for name, of in zip(parsed.parameters, arg_types):
            text = maker.made(of, name)
            passed.append(text if name in parsed.positional else "%s=%s" % (name, text))
        text = "def _call(%s):\n    return %s(%s)\n" % (
            ", ".join(parsed.parameters),
            inner,
            ", ".join(passed),
        )
        source = KernelSource.of_text("_call", text, maker.values)
        options = dict(dispatcher.options, engine=dispatcher.engine, cache=dispatcher.cache)
        options["check_races"] = dispatcher.check_races
        made[key] = type(dispatcher).of_source(source, options)
    return Named(made[key])


def result_of(of, value):
    """A result of this type, which the library gave as plain tuples."""
    if not types.has_named(of):
        return value
    items = [result_of(t, v) for t, v in zip(of.items, value)]
    return of.cls._make(items) if isinstance(of, types.NamedTupleType) else tuple(items)
