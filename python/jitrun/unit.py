"""One text for the compiler: a kernel and all kernels it calls.

The functions may come from several files and scopes, where one name can mean several things and
one thing can have several names. In the unit's text, each function and module has one name; where
a function calls it otherwise, its text is edited, and constants are written in place. Every line
and column of the unit leads back to the file it came from, so that errors show the user's text.

    module a                    module b                     unit
    N = 3                       def area(r): ...             import numpy as np
    from b import area as g     np = numpy                   def f(x):
    def f(x):                                                    return area(x) * 3
        return g(x) * N                                      def area(r): ...

An array from outside becomes a parameter of each function that uses it, or calls one that does, and
the calls pass it on (tables.py).
"""

import ast
import bisect
import builtins
import math
import sys
import types as pytypes

from . import edits, tables, types
from .errors import Diagnostic, Place, typing_error
from .source import KNOWN_MODULES, MISSING, own_nodes, spelled

# Stands for the unit's name of NumPy in the text of a constant; repr() never makes it.
_NUMPY = "\0"


class Unit:
    """The text made for one specialisation of `entry`, and the way back."""

    def __init__(self, entry, signature=None):
        self.entry = entry
        self._functions = []  # dispatchers, entry first
        self._uses = {}  # dispatcher -> [(node, what it stands for)]
        self._names = {}  # entity -> name in the unit
        self._taken = set()
        self._imports = []
        self.records = {}  # names in the unit -> the classes of named tuples
        self._lines = []  # (source, line in it, edits) or None
        self._collect(entry)
        self._needs = tables.needs(self._functions, self._uses)
        self._name_all()
        pieces = [self._emit(d, signature if d is entry else None) for d in self._functions]
        self.text = "".join(pieces) + "\n".join(self._imports) + "\n"
        self.entry_name = self._names[entry]

    @property
    def tables(self):
        """The Tables that the entry takes behind its own parameters."""
        return self._needs[self.entry]

    def parameters(self):
        """The names of the entry's parameters, the tables' as well."""
        return [*self.entry.source.parsed().parameters, *map(self._names.get, self.tables)]

    # ---- What belongs to the unit ----

    def _collect(self, entry):
        waiting = [entry]
        while waiting:
            dispatcher = waiting.pop()
            if dispatcher in self._uses:
                continue
            self._functions.append(dispatcher)
            self._uses[dispatcher] = uses = list(_resolve_uses(dispatcher))
            waiting += [what.value for _, what in reversed(uses) if what.kind == "kernel"]

    def _name_all(self):
        for dispatcher in self._functions:
            self._taken |= dispatcher.source.parsed().bound
            for _, what in self._uses[dispatcher]:
                if what.kind in ("builtin", "unknown"):
                    self._taken.add(what.value)
        for dispatcher in self._functions:
            self._name(dispatcher, dispatcher.source.name)
            for table in self._needs[dispatcher]:
                self._name(table, table.name)
        self._jitrun = self._module("jitrun", "jitrun")
        for dispatcher in self._functions:
            for node, what in self._uses[dispatcher]:
                if what.kind == "module" and isinstance(node, ast.Name):
                    self._module(what.value, node.id)
                elif what.kind in ("module", "member"):
                    self._module(what.value, what.value)
                elif what.kind == "constant" and _NUMPY in what.value:
                    self._module("numpy", "np")
                elif what.kind == "record":
                    self._record(what.value)
                elif what.kind == "named":
                    self._record(type(what.value))
                    self._module("numpy", "np")

    def _name(self, entity, wanted):
        if entity not in self._names:
            name, count = wanted, 1
            while name in self._taken:
                count += 1
                name = "%s_%d" % (wanted, count)
            self._taken.add(name)
            self._names[entity] = name
        return self._names[entity]

    def _module(self, path, wanted):
        known = ("module", path) in self._names
        name = self._name(("module", path), wanted.replace(".", "_"))
        if not known:
            self._imports.append("import %s as %s" % (path, name))
        return name

    def _record(self, cls):
        if ("record", cls) in self._names:
            return
        maker = self._module("collections", "collections")
        name = self._name(("record", cls), cls.__name__)
        fields = "".join("%r, " % field for field in cls._fields)
        self._imports.append("%s = %s.namedtuple(%r, (%s))" % (name, maker, name, fields))
        self.records[name] = cls

    def _named_text(self, value):
        """A named tuple from outside, as a call of its class."""
        items = [constant_text(item) for item in value]
        return "%s(%s)" % (self._names["record", type(value)], ", ".join(items))

    def imports(self):
        """The text's import statements, which it has at its end; to run it they come first."""
        return list(self._imports)

    def original_name(self, name):
        """What the user calls the function that is `name` in the unit."""
        for entity, given in self._names.items():
            if given == name and hasattr(entity, "source"):
                return entity.source.name
        return name

    # ---- Text ----

    def _emit(self, dispatcher, signature):
        source = dispatcher.source
        definition = source.parsed().node
        body = _Text(source, list(self._edits(dispatcher, signature)))
        first, last = definition.lineno, definition.end_lineno
        self._lines.append((body, first - 1))
        options = self._decorator(dispatcher, signature)
        lines = body.lines[first - 1 : last]
        self._lines += [(body, i) for i in range(first - 1, last)]
        return "%s\n%s\n" % (options, "\n".join(lines))

    def _decorator(self, dispatcher, signature):
        signatures = [signature] if signature else dispatcher.declared
        parts = ["%s=%r" % item for item in dispatcher.options.items()]
        if signatures:
            more = [table.type for table in self._needs[dispatcher]]
            parts.insert(0, repr([str(s.with_params(more)) for s in signatures]))
        return "@%s.njit(%s)" % (self._jitrun, ", ".join(parts))

    def _edits(self, dispatcher, signature):
        """(node or span, replacement) for everything that reads otherwise in the unit."""
        source = dispatcher.source
        parsed = source.parsed()
        if self._names[dispatcher] != source.name:
            yield _name_span(parsed, source.text), self._names[dispatcher]
        declared = {} if signature or dispatcher.declared else dispatcher.annotated
        defaults = _constant_defaults(source, declared)
        for name, argument in parsed.annotated.items():
            default = parsed.default_nodes.get(name)
            end = default or argument.annotation
            if end is not None:
                text = self._parameter(declared.get(name), defaults.get(name))
                yield (_after_name(argument), _end(end)), text
        if parsed.node.returns is not None:
            result = declared.get("return")
            text = " -> " + self._type(result) if result is not None else ""
            yield (_arrow(parsed, source.text), _end(parsed.node.returns)), text
        if signature and str(signature.result) in ("float32", "float64"):
            yield from self._casts(parsed.node, signature.result)
        for node, what in self._uses[dispatcher]:
            text = self._spelling(what)
            if text is not None and text != spelled(node):
                yield (_start(node), _end(node)), text
        if self._needs[dispatcher]:
            yield from self._passed_tables(dispatcher, typed=not (signature or dispatcher.declared))

    def _passed_tables(self, dispatcher, typed):
        """Tables as parameters, and as arguments of calls of functions that take some."""
        source = dispatcher.source
        parsed = source.parsed()
        texts = [
            self._names[t] + (": " + self._type(t.type) if typed else "")
            for t in self._needs[dispatcher]
        ]
        if not (parsed.node.args.kwonlyargs or parsed.node.args.vararg):
            texts.insert(0, "*")
        yield edits.more_parameters(source.text, parsed.node, ", ".join(texts))
        calls = {id(n.func): n for n in ast.walk(parsed.node) if isinstance(n, ast.Call)}
        for node, what in self._uses[dispatcher]:
            passed = self._needs[what.value] if what.kind == "kernel" else ()
            if passed and id(node) in calls:
                texts = ["%s=%s" % (self._names[t], self._names[t]) for t in passed]
                yield edits.more_arguments(source.text, calls[id(node)], ", ".join(texts))
            elif passed:
                message = "%r uses the array %r from outside: it cannot be passed as an argument"
                names = spelled(node), passed[0].name
                fail(dispatcher, node, message % names, "pass the array to it, or call it here")

    def _casts(self, definition, result):
        """`return e` as `return float32(e)`: a signature's result type casts, as in numba."""
        for node in own_nodes(definition):
            if isinstance(node, ast.Return) and node.value is not None:
                start, end = _start(node.value), _end(node.value)
                yield (start, start), self._type(result) + "("
                yield (end, end), ")"

    def _parameter(self, declared, default):
        text = ": " + self._type(declared) if declared is not None else ""
        return text + (" = " + default if default is not None else "")

    def _type(self, what):
        if isinstance(what, types.TupleType):
            return "tuple[%s]" % ", ".join(self._type(t) for t in what.items)
        if what == types.none:
            return "None"
        return "%s.%s" % (self._jitrun, what)

    def _spelling(self, what):
        if what.kind in ("kernel", "table"):
            return self._names[what.value]
        if what.kind == "module":
            return self._names["module", what.value]
        if what.kind == "member":
            return "%s.%s" % (self._names["module", what.value], what.member)
        if what.kind == "type":
            return self._type(what.value)
        if what.kind == "record":
            return self._names["record", what.value]
        if what.kind == "named":
            return self._named_text(what.value).replace(_NUMPY, self._names["module", "numpy"])
        if what.kind == "constant":
            return what.value.replace(_NUMPY, self._names.get(("module", "numpy"), ""))
        return what.value if what.kind == "builtin" else None

    # ---- The way back ----

    def locate(self, line, column, end_column):
        """The Place in the user's file for a line and columns (from 1) of the unit, or None."""
        if not 1 <= line <= len(self._lines):
            return None
        text, index = self._lines[line - 1]
        return text.place(index, max(column - 1, 0), max(end_column - 1, 0))

    def diagnostic(self, found):
        """A Diagnostic of one that the compiler reported as JSON."""
        place = self.locate(found["line"], found["column"], found["end_column"])
        notes = []
        for note in found["notes"]:
            where = self.locate(note["line"], note["column"], note["end_column"])
            if where:
                notes.append((where, note["message"]))
        if place is None:
            place = Place(self.entry.source.file, self.entry.source.first_line, 0, 1, "")
        return Diagnostic(found["severity"], found["message"], found["help"], place, notes)


class _Text:
    """A function's text with edits applied, as lines, and the way from them to the file."""

    def __init__(self, source, edits):
        self.source = source
        raw = source.text.encode()
        starts = _line_starts(raw)
        spans = sorted(
            (starts[a[0] - 1] + a[1], starts[b[0] - 1] + b[1], text.encode())
            for (a, b), text in edits
        )
        # (from this byte of the new text on, the old byte, whether that moves along)
        self._moves = [(0, 0, 1)]
        new, at = bytearray(), 0
        for start, end, text in spans:
            new += raw[at:start]
            self._moves.append((len(new), start, 0))
            new += text + b"\n" * raw.count(b"\n", start, end)
            self._moves.append((len(new), end, 1))
            at = end
        new += raw[at:]
        self._new_starts, self._old_starts = _line_starts(bytes(new)), starts
        self.lines = bytes(new).decode().split("\n")
        self._raw = raw

    def _old(self, byte):
        index = bisect.bisect_right(self._moves, (byte, sys.maxsize, 2)) - 1
        new, old, moving = self._moves[index]
        return old + (byte - new if moving else 0)

    def place(self, index, column, end_column):
        """The Place of columns of a line, both from 0."""
        start = self._new_starts[index]
        line_end = start + len(self.lines[index].encode())
        first = self._old(min(start + column, line_end))
        last = self._old_end(min(max(start + end_column, start + column + 1), line_end), first)
        line = bisect.bisect_right(self._old_starts, first) - 1
        shown = self.source.shown.encode() if self.source.shown else self._raw
        text = shown[self._old_starts[line] :].split(b"\n", 1)[0].decode()
        last = min(last, self._old_starts[line] + len(text.encode()))
        shift = self.source.indents[line]
        return Place(
            self.source.file,
            self.source.first_line + line,
            first - self._old_starts[line] + shift,
            last - self._old_starts[line] + shift,
            " " * shift + text,
        )

    def _old_end(self, byte, first):
        """The end of a span: an edit that it ends in counts whole."""
        index = bisect.bisect_left(self._moves, (byte, -1, -1))
        inside = 0 < index < len(self._moves) and self._moves[index][2]
        end = self._moves[index][1] if inside else self._old(byte)
        return max(end, first + 1)


class Use:
    """What a name in a kernel stands for: `kind` says how it is written in the unit."""

    __slots__ = ("kind", "value", "member")

    def __init__(self, kind, value, member=None):
        self.kind, self.value, self.member = kind, value, member


def _resolve_uses(dispatcher):
    for node in dispatcher.source.parsed().uses:
        part, value = dispatcher.source.resolve(node)
        if value is MISSING and isinstance(part, ast.Attribute):
            owner = spelled(part.value)
            fail(dispatcher, part, "%r has no attribute %r" % (owner, part.attr))
        yield part, _use_of(dispatcher, part, value)


def _use_of(dispatcher, node, value):
    from .dispatcher import Dispatcher
    from .vectorize import Vectorized

    if value is MISSING and spelled(node) == dispatcher.source.name:
        return Use("kernel", dispatcher)  # compiled before the decorator has bound its name
    if value is MISSING:
        return Use("unknown", spelled(node).split(".")[0])
    if isinstance(value, Dispatcher):
        return Use("kernel", value)
    if isinstance(value, Vectorized):
        return Use("kernel", value.kernel)
    if isinstance(value, pytypes.FunctionType) and value is dispatcher.python_function():
        return Use("kernel", dispatcher)
    text = constant_text(value)
    if text is not None and types.is_named_tuple(type(value)):
        return Use("named", value)
    if text is not None:
        return Use("constant", text)
    if types.is_named_tuple(value):
        return Use("record", value)
    if isinstance(value, types.Type):
        return Use("type", value)
    table = dispatcher.source.table(spelled(node), value)
    if table is not None:
        return Use("table", table)
    use = known_object(value)
    if use:
        return use
    fail(dispatcher, node, *_unusable(spelled(node), value))


def known_object(value):
    """The use of a module, function or type that the compiler knows by a path."""
    if isinstance(value, pytypes.ModuleType) and value.__name__ in KNOWN_MODULES:
        return Use("module", value.__name__)
    name = getattr(value, "__name__", None)
    if not isinstance(name, str):
        return None
    if getattr(builtins, name, MISSING) is value:
        return Use("builtin", name)
    ours = str(getattr(value, "__module__", "")).split(".")[0] in ("jitrun", "numba")
    if ours and name in ("prange", "njit", "jit"):
        return Use("member", "jitrun", name)
    for module in _modules_to_search():
        found = getattr(module, name, MISSING)
        if found is value or (callable(found) and found == value):
            return Use("member", module.__name__, name)
    return None


def _modules_to_search():
    """Those that the program has imported: a function of another is not at hand."""
    for name in ("math", "random", "time", "operator", "numpy", "numpy.random", "numpy.linalg"):
        if name in sys.modules:
            yield sys.modules[name]


def _unusable(name, value):
    if isinstance(value, pytypes.FunctionType):
        return (
            "%r is a Python function, which kernels cannot call" % name,
            "decorate it with @njit",
        )
    if type(value).__module__ == "numpy" and type(value).__name__ == "ndarray":
        return (
            "%r is an array of %s outside the kernel, which kernels cannot use" % (name, value.dtype),
            "use one of numbers, with 1 to 8 dimensions",
        )
    kind = type(value).__name__
    return (
        "%r is a %s outside the kernel, which kernels cannot use" % (name, kind),
        "numbers, tuples of numbers and functions with @njit can be used",
    )


def fail(dispatcher, node, message, help=None):
    """Raises the TypingError for a node of the function's source."""
    text = _Text(dispatcher.source, [])
    end = node.end_col_offset if node.end_lineno == node.lineno else node.col_offset + 1
    place = text.place(node.lineno - 1, node.col_offset, end)
    raise typing_error([Diagnostic("error", message, help, place)])


# ---- Constants ----


def constant_text(value):
    """How a frozen value is written in a kernel, or None if it cannot be."""
    kind = type(value)
    if value is None or kind in (bool, str):
        return repr(value)
    if kind is int:
        return _int_text(value)
    if kind is float:
        return _float_text(value)
    if isinstance(value, tuple):
        return _tuple_text(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _numpy_text(value)
    return _int_text(int(value)) if isinstance(value, int) else None


def _int_text(value):
    if -(2**63) <= value < 2**63:
        return repr(value) if value >= 0 else "(%r)" % value
    return "%s.uint64(%d)" % (_NUMPY, value) if 0 < value < 2**64 else None


def _float_text(value):
    if math.isnan(value):
        return _NUMPY + ".nan"
    if math.isinf(value):
        return "%s%s.inf" % ("-" if value < 0 else "", _NUMPY)
    text = repr(value)
    return "(%s)" % text if text.startswith("-") else text


def _tuple_text(value):
    items = [constant_text(item) for item in value]
    if None in items:
        return None
    return "(%s%s)" % (", ".join(items), "," if len(items) == 1 else "")


def _numpy_text(value):
    name = value.dtype.name
    if name not in types.SCALARS or name == "bool":
        return repr(bool(value)) if name == "bool" else None
    item = value.item()
    text = _float_text(item) if isinstance(item, float) else str(item)
    return "%s.%s(%s)" % (_NUMPY, name, text)


def _constant_defaults(source, declared):
    """The texts of default values; none at all if one of them is no plain number or string, nor None, which a
    parameter of a declared type cannot be, since a parameter without a default cannot follow one that has it. Python fills in defaults of
    calls from outside; these are for calls from other kernels."""
    texts = {}
    for name, value in source.defaults.items():
        value = value.item() if hasattr(value, "dtype") and not value.shape else value
        text = constant_text(value) if isinstance(value, (int, float, str)) else None
        if value is None and not declared.get(name):
            text = "None"
        if text is None or _NUMPY in text:
            return {}
        texts[name] = text
    return texts


# ---- Spans: pairs of (line, column in bytes) ----


def _start(node):
    return node.lineno, node.col_offset


def _end(node):
    return node.end_lineno, node.end_col_offset


def _after_name(argument):
    return argument.lineno, argument.col_offset + len(argument.arg.encode())


def _line_starts(raw):
    starts = [0]
    for line in raw.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _name_span(parsed, text):
    """The function's name after `def`."""
    line = text.split("\n")[parsed.node.lineno - 1].encode()
    name = parsed.node.name.encode()
    column = line.index(name, line.index(b"def") + 3)
    return (parsed.node.lineno, column), (parsed.node.lineno, column + len(name))


def _arrow(parsed, text):
    """The start of ` -> ` before the result's annotation."""
    line, column = _start(parsed.node.returns)
    lines = text.encode().split(b"\n")
    found = lines[line - 1].rfind(b"->", 0, column)
    while found < 0:
        line -= 1
        found = lines[line - 1].rfind(b"->")
    return line, len(lines[line - 1][:found].rstrip())
