"""A kernel's source text, and what the names in it stand for.

`KernelSource` is all that compiling a function needs, and all that pickling it ships: the text
of its `def`, where it stands, its default values, and a way to look up its free names. The
names are looked up when the kernel is compiled, so that functions defined later are found;
from then on their values are frozen.
"""

import ast
import builtins
import importlib
import inspect
import io
import linecache
import tokenize
import types

from . import forks, tables
from .edits import without_parameters
from .errors import SourceError

MISSING = object()

# Modules whose attributes the compiler looks up itself.
KNOWN_MODULES = ("numpy", "numpy.random", "numpy.linalg", "math", "random", "time", "operator")


class KernelSource:
    """The text of one function."""

    shown = None  # what messages show, where that is not the text: the same but for blanks

    def __init__(self, name, module, file, first_line, text, indents, defaults, annotations):
        self.name, self.module, self.file = name, module, file
        self.first_line, self.text, self.indents = first_line, text, indents
        self.defaults, self.annotations = defaults, annotations
        self._lookup = None
        self._parsed = None
        self._tables = {}  # how an array from outside is spelled -> its Table

    @classmethod
    def of(cls, function):
        """The source of a Python function; SourceError if Python does not have it."""
        lines, first_line, file = _lines_of(function)
        text, indents = _dedent("".join(lines))
        source = cls(
            function.__name__,
            function.__module__,
            file,
            first_line,
            text,
            indents,
            _defaults(function),
            _annotations(function),
        )
        source._lookup = _Scope(function)
        source.parsed()
        return source

    @classmethod
    def of_text(cls, name, text, values):
        """A source made here; its free names stand for `values`."""
        indents = [0] * (text.count("\n") + 1)
        source = cls(name, __name__, "<jitrun>", 1, text, indents, {}, {})
        source.adopt(values)
        return source

    def parsed(self):
        """The text's syntax tree, cached."""
        if self._parsed is None:
            self._parsed = _Parsed(self)
        return self._parsed

    def value_of(self, name):
        """What a free name stands for, or MISSING."""
        if isinstance(self._lookup, dict):
            return self._lookup.get(name, getattr(builtins, name, MISSING))
        return self._lookup.value_of(name)

    def resolve(self, node):
        """The longest part of `a.b.c` that Python has to look up, and its value. MISSING with
        the part that is not there."""
        chain = [node]
        while isinstance(chain[-1], ast.Attribute):
            chain.append(chain[-1].value)
        part = chain.pop()
        value = self.value_of(part.id)
        while chain and value is not MISSING and _is_namespace(value):
            part = chain.pop()
            value = getattr(value, part.attr, MISSING)
        return part, value

    def table(self, name, value):
        """The Table of the array that is spelled so, made when it is first asked for, or None."""
        if name not in self._tables:
            found = tables.Table.of(name, value)
            if found is None:
                return None
            self._tables[name] = found
        return self._tables[name]

    def freeze(self):
        """The values of the free names, in a form that pickles."""
        values = {}
        for use in self.parsed().uses:
            part, value = self.resolve(use)
            if spelled(part) in self._tables:
                value = self._tables[spelled(part)].array
            root = _root(part).id
            if value is not MISSING and getattr(builtins, root, MISSING) is not value:
                _put(values, part, _Module(value.__name__) if inspect.ismodule(value) else value)
        return values

    def forget(self):
        """Arrays from outside are as they are now for what is compiled from here on."""
        self._tables = {}

    def without(self, found):
        """The same function without some parameters: their names stand for the values found there."""
        text = without_parameters(self.text, self.parsed().node, found)
        defaults = {n: v for n, v in self.defaults.items() if n not in found}
        annotations = {n: v for n, v in self.annotations.items() if n not in found}
        made = KernelSource(
            self.name,
            self.module,
            self.file,
            self.first_line,
            text,
            self.indents,
            defaults,
            annotations,
        )
        made._lookup = _Bound(found, self)
        made.shown = self.shown or self.text
        return made

    def __getstate__(self):
        state = dict(self.__dict__, _parsed=None, _lookup=None, _tables={})
        state["annotations"] = {}
        return state

    def adopt(self, values):
        """After unpickling: free names stand for these values."""
        self._lookup = {n: v.load() if hasattr(v, "load") else v for n, v in values.items()}

    def function(self):
        """The Python function, made from the text: what pickling did not ship."""
        scope = dict(self._lookup, __name__=self.module, __builtins__=builtins)
        tree = _tree_of(self.text)
        definition = tree.body[0]
        definition.decorator_list = []
        for argument in ast.walk(definition.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        definition.returns = None
        definition.args.defaults = []
        definition.args.kw_defaults = [None] * len(definition.args.kwonlyargs)
        ast.increment_lineno(tree, self.first_line - 1)
        exec(compile(tree, self.file, "exec"), scope)
        made = scope[self.name]
        positional = self.parsed().positional
        values = [self.defaults[n] for n in positional if n in self.defaults]
        made.__defaults__ = tuple(values) or None
        made.__kwdefaults__ = {
            n: v for n, v in self.defaults.items() if n not in positional
        } or None
        return made


class _Bound:
    """Where free names are looked up in a function without some of its parameters."""

    def __init__(self, found, source):
        self.found, self.source = found, source

    def value_of(self, name):
        return self.found[name] if name in self.found else self.source.value_of(name)


class _Module:
    """A module in a pickle."""

    def __init__(self, name):
        self.name = name

    def load(self):
        return importlib.import_module(self.name)


class _Namespace:
    """Stands in a pickle for a module or class of which some attributes are used."""

    def load(self):
        for name, value in vars(self).items():
            if hasattr(value, "load"):
                setattr(self, name, value.load())
        return self


def _put(values, part, value):
    """Stores the value of `a.b.c` so that it is found by the same path."""
    if isinstance(part, ast.Name):
        values[part.id] = value
        return
    path = []
    while isinstance(part, ast.Attribute):
        path.append(part.attr)
        part = part.value
    space = values.setdefault(part.id, _Namespace())
    for name in reversed(path[1:]):
        if not hasattr(space, name):
            setattr(space, name, _Namespace())
        space = getattr(space, name)
    setattr(space, path[0], value)


def _is_namespace(value):
    """Whether its attributes are looked up in Python, not by the compiler."""
    if inspect.ismodule(value):
        return value.__name__ not in KNOWN_MODULES
    if isinstance(value, type):
        return value.__module__ not in ("builtins", "numpy")
    return isinstance(value, _Namespace)


# CPython 3.11 fails now and then when two threads make trees: https://github.com/python/cpython/issues/106905
_parsing = forks.Lock()


def _tree_of(text):
    with _parsing:
        return ast.parse(text)


class _Parsed:
    """The syntax tree of a source and what is read off it."""

    def __init__(self, source):
        try:
            body = _tree_of(source.text).body
        except SyntaxError:
            body = []
        if len(body) != 1 or not isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
            raise SourceError(
                "%s, line %d: no `def` of its own was found for %r: a kernel is a function "
                "defined with def" % (source.file, source.first_line, source.name)
            )
        self.node = body[0]
        args = self.node.args
        self.positional_only = [a.arg for a in args.posonlyargs]
        self.positional = [a.arg for a in args.posonlyargs + args.args]
        self.parameters = self.positional + [a.arg for a in args.kwonlyargs]
        self.annotated = {
            a.arg: a for a in args.posonlyargs + args.args + args.kwonlyargs
        }
        self.default_nodes = _default_nodes(args)
        self.bound = _bound_names(self.node)
        self.uses = list(_free_uses(self.node))
        self.free = sorted({_root(use).id for use in self.uses})


class _Scope:
    """Where a function's free names are looked up: its closure, globals, builtins."""

    def __init__(self, function):
        self.function = function

    def value_of(self, name):
        code = self.function.__code__
        if name in code.co_freevars:
            try:
                return self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:
                return MISSING
        scope = self.function.__globals__
        return scope[name] if name in scope else getattr(builtins, name, MISSING)


def _lines_of(function):
    try:
        _remember_command(function.__code__)
        lines, first_line = inspect.getsourcelines(function)
    except (OSError, TypeError, IndexError) as error:
        raise SourceError(
            "Python has no source text for %r, so it cannot be compiled: functions from exec() "
            "and, before Python 3.13, the interactive prompt have none. Put the function in a "
            "file or a notebook cell (%s)"
            % (getattr(function, "__qualname__", function), error)
        ) from None
    return lines, first_line, inspect.getsourcefile(function) or function.__code__.co_filename


def _remember_command(code):
    """For a function of `python -c TEXT`: has Python find the text, as it does by itself from 3.13
    on. exec() calls its functions' file "<string>" too; OSError if it is one of those."""
    if code.co_filename != "<string>":
        return
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = [word.decode() for word in file.read().split(b"\0")]
        text = words[words.index("-c") + 1]
        waiting = [compile(text, "<string>", "exec")]
    except (ValueError, IndexError, SyntaxError):
        waiting = []
    while waiting:
        found = waiting.pop()
        if found == code:
            lines = [line + "\n" for line in text.split("\n")]
            linecache.cache["<string>"] = len(text), None, lines, "<string>"
            return
        waiting += [c for c in found.co_consts if isinstance(c, types.CodeType)]
    raise OSError("it was not made by `python -c`")


def _dedent(text):
    """The text without its first line's indentation, and what each line lost, in bytes.

    Lines within a string stay as they are; a comment, or a line in brackets, that stands further
    left loses what it has."""
    indent = len(text) - len(text.lstrip(" \t"))
    lines = text.splitlines(True)
    inside = _lines_in_strings(text) if indent else ()
    lost = []
    for number, line in enumerate(lines):
        blank = len(line) - len(line.lstrip(" \t"))
        lost.append(0 if number in inside else min(indent, blank))
    return "".join(line[n:] for line, n in zip(lines, lost)), lost


def _lines_in_strings(text):
    """The lines, from 0, that begin within a string."""
    found = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.start[0] != token.end[0] and "STRING" in tokenize.tok_name[token.type]:
                found.update(range(token.start[0], token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def _defaults(function):
    """Default values by parameter."""
    code = function.__code__
    values = function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(values) :]
    return {**dict(zip(names, values)), **(function.__kwdefaults__ or {})}


def _annotations(function):
    """Its annotations. From Python 3.14 on they are evaluated here: where one names what is not there
    yet, or only for type checkers, a stand-in for it."""
    try:
        return dict(function.__annotations__)
    except Exception:
        import annotationlib

        return annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)


def _default_nodes(args):
    positional = args.posonlyargs + args.args
    nodes = {}
    if args.defaults:
        for argument, node in zip(positional[-len(args.defaults) :], args.defaults):
            nodes[argument.arg] = node
    for argument, node in zip(args.kwonlyargs, args.kw_defaults):
        if node is not None:
            nodes[argument.arg] = node
    return nodes


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def own_nodes(definition):
    """The nodes of a function, in order, without those of functions inside it, but with their defs."""
    stack = [definition]
    while stack:
        node = stack.pop()
        yield node
        if node is definition or not isinstance(node, _FUNCTIONS):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _inner(definition):
    return [n for n in own_nodes(definition) if isinstance(n, _FUNCTIONS) and n is not definition]


def _own_names(definition):
    """Names that the function binds itself: parameters and targets."""
    names, declared = set(), set()
    for node in own_nodes(definition):
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            declared.update(node.names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((a.asname or a.name.split(".")[0]) for a in node.names)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node is not definition:
            names.add(node.name)
    return names - declared


def _bound_names(definition):
    """Names that the function or one inside it binds."""
    return _own_names(definition).union(*map(_bound_names, _inner(definition)))


def spelled(node):
    """The text of a name or a chain of attributes."""
    if isinstance(node, ast.Name):
        return node.id
    return "%s.%s" % (spelled(node.value), node.attr)


def _root(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _free_uses(definition, outer=frozenset()):
    """Names, and chains of attributes of names, that neither the function nor those around it bind; only
    in its body, since defaults and annotations belong to the scope around it."""
    bound = _own_names(definition) | outer
    stack = list(reversed(definition.body))
    while stack:
        node = stack.pop()
        root = _root(node)
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(root, ast.Name):
            if isinstance(root.ctx, ast.Load) and root.id not in bound:
                yield node
        elif isinstance(node, _FUNCTIONS):
            yield from _free_uses(node, bound)
            stack.extend(reversed(node.decorator_list + node.args.defaults))
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
