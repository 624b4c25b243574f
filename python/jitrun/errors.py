"""What can go wrong: exceptions of the package, their pictures, and kernel tracebacks."""

import ast
import ctypes
import types

from . import _library as c


class JitrunError(Exception):
    """Base class of the exceptions that say a kernel could not be compiled."""


class TypingError(JitrunError):
    """The kernel has errors. str() shows each with its place, source line and caret;
    `diagnostics` has them as `Diagnostic` objects."""

    def __init__(self, message, diagnostics=()):
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)

    def __reduce__(self):
        return type(self), (self.args[0], self.diagnostics)


class RaceError(RuntimeError):
    """A call of a kernel with check_races=True ran to its end, but iterations of its prange loops
    met. str() shows each race with both places; `diagnostics` has them as `Diagnostic` objects."""

    def __init__(self, message, diagnostics=()):
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)

    def __reduce__(self):
        return type(self), (self.args[0], self.diagnostics)


class SourceError(JitrunError):
    """Python has no source text for the function."""


class EngineError(JitrunError):
    """The engine is not available, or could not compile the kernel."""


class JitrunWarning(UserWarning):
    """What the compiler warns of."""


class Place:
    """Where in a source file: `line` counts from 1, columns are 0-based bytes of `text`."""

    __slots__ = ("file", "line", "column", "end_column", "text")

    def __init__(self, file, line, column, end_column, text):
        self.file, self.line, self.text = file, line, text
        self.column, self.end_column = column, max(end_column, column + 1)

    def picture(self, kind, message):
        """`file:line:col: kind: message`, the line, and a caret."""
        head = "%s:%d:%d: %s: %s" % (self.file, self.line, self.column + 1, kind, message)
        if not self.text.strip():
            return head
        text = self.text.expandtabs(1)
        raw = text.encode()
        before = len(raw[: self.column].decode(errors="replace"))
        marked = len(raw[self.column : self.end_column].decode(errors="replace"))
        caret = " " * before + "^" + "~" * (marked - 1)
        return "%s\n%5d | %s\n      | %s" % (head, self.line, text, caret)


class Diagnostic:
    """One thing the compiler has to say: `kind` ("error" or "warning"), `message`, `help` or
    None, `file`, `line`, `column` (from 1), and `notes`, pairs of a place and a message."""

    def __init__(self, kind, message, help, place, notes=()):
        self.kind, self.message, self.help = kind, message, help
        self.place, self.notes = place, tuple(notes)

    @property
    def file(self):
        return self.place.file

    @property
    def line(self):
        return self.place.line

    @property
    def column(self):
        return self.place.column + 1

    def __str__(self):
        parts = [self.place.picture(self.kind, self.message)]
        if self.help:
            parts.append("help: " + self.help)
        parts += [place.picture("note", message) for place, message in self.notes]
        return "\n".join(parts)


def typing_error(diagnostics):
    """The exception that shows these errors."""
    text = "\n".join(str(d) for d in diagnostics)
    return TypingError("the kernel does not compile\n" + text, diagnostics)


# ---- Races ----

_VERBS = {"read": "reads", "write": "writes", "update": "accumulates into"}
_RACE_HELP = "let each iteration write elements of its own, accumulate with +=, or use range"


def _race(unit, race):
    """A Diagnostic for a race as the library's JSON has it (docs/cli.md)."""

    def place(at, end="end_column"):
        return unit.locate(at["line"], at["column"], at.get(end, at["column"] + 1))

    main, other = race["first"], race["second"]
    if main["kind"] == "read":
        main, other = other, main
    notes = []
    if (main["line"], main["column"]) != (other["line"], other["column"]):
        text = "iteration %s = %d %s it here"
        counter = race["loop"]["counter"] or "i"
        text %= (counter, other["iteration"], _VERBS[other["kind"]])
        notes.append((place(other), text))
    notes.append((place(race["loop"]), "the prange loop"))
    return Diagnostic("error", race["message"], _RACE_HELP, place(main), notes)


def race_error(unit, report):
    """The exception for the races in the library's report, which is JSON."""
    found = [_race(unit, race) for race in report["race_check"]["races"]]
    text = "iterations of a prange loop touch the same elements\n"
    return RaceError(text + "\n".join(str(d) for d in found), found)


# ---- Errors of kernels ----


class _Frame:
    """A place that a kernel's error passed through."""

    __slots__ = ("function", "place")

    def __init__(self, function, place):
        self.function, self.place = function, place


def _traceback_entry(frame):
    """A traceback entry of Python's own for a frame of a kernel: code whose only statement
    stands at the frame's line and column is run, and its traceback taken."""
    place = frame.place
    where = {
        "lineno": place.line,
        "end_lineno": place.line,
        "col_offset": place.column,
        "end_col_offset": place.end_column,
    }
    name = ast.Name("__error__", ast.Load(), **where)
    tree = ast.Module([ast.Raise(name, None, **where)], [])
    code = compile(tree, place.file, "exec")
    names = {"co_name": frame.function}
    if hasattr(code, "co_qualname"):
        names["co_qualname"] = frame.function
    try:
        exec(code.replace(**names), {"__error__": Exception, "__name__": "jitrun.kernel"})
    except Exception as error:
        return error.__traceback__.tb_next


def _traceback(frames):
    """Python's traceback for the frames of a kernel, which come innermost first."""
    chain = None
    for frame in frames:
        entry = _traceback_entry(frame)
        chain = types.TracebackType(chain, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return chain


def _text(raw):
    return raw.decode(errors="replace") if raw else ""


def last_error():
    """Status, message and frames of this thread's last error."""
    error = c.lib.jr_error().contents
    frames = [
        (_text(f.function), f.line, f.column)
        for f in (error.frames[i] for i in range(error.frame_count))
    ]
    message = ctypes.string_at(error.message, error.message_len)
    return error.status, _text(message), frames


def _output_error():
    """What sys.stdout raised as a kernel printed, if that is known."""
    try:
        c.python.jr_python_raise()
    except BaseException as error:
        return error


def exception_for(unit, status, message, frames):
    """The exception for a failed call, with the kernel's frames as its traceback."""
    if status == c.ERR_ARGUMENT:
        return TypeError(message)
    if status == c.ERR_IO:
        return _output_error() or OSError(message)
    if status not in c.STATUS_EXCEPTIONS:
        return EngineError(message)
    exception = c.STATUS_EXCEPTIONS[status]
    error = exception(message) if message else exception()
    placed = []
    for function, line, column in frames:
        place = unit.locate(line, column, column + 1)
        if place:
            placed.append(_Frame(unit.original_name(function), place))
    return error.with_traceback(_traceback(placed))
