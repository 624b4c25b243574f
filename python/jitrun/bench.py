"""The timer: a kernel on every engine, beside CPython and numba.

Kernel.bench() hands the kernel's unit to jr_bench, which docs/timer.md describes. CPython and numba are
rivals there: functions that are called so many times and say how long that took. Both get the
unit's text, in which `jitrun` is another module: one whose njit does nothing, or numba itself.
"""

import builtins
import ctypes
import itertools
import json
import sys
import time
import types as pytypes
import weakref

from . import _library as c
from . import engine, errors, types, values


class Bench:
    """What was measured. print() shows the table; in a notebook it comes with a picture.

    `rows` are dicts with the fields of docs/timer.md, times in seconds; `bench["llvm"]` is the row
    of that name. `agrees` says whether all rows were measured and computed the same."""

    def __init__(self, handle):
        self._handle = handle
        weakref.finalize(self, c.lib.jr_bench_free, handle)
        self.agrees = c.lib.jr_bench_agrees(handle)
        self.rows = json.loads(self.json())["rows"]

    def __getitem__(self, name):
        for row in self.rows:
            if row["name"] == name:
                return row
        raise KeyError(name)

    def text(self):
        """The table."""
        return self._written(c.lib.jr_bench_report, self._handle, c.REPORT_TEXT)

    def json(self):
        """JSON, for `jitrun --bench --compare` or other programs."""
        return self._written(c.lib.jr_bench_report, self._handle, c.REPORT_JSON)

    def csv(self):
        """CSV, with a line of names."""
        return self._written(c.lib.jr_bench_report, self._handle, c.REPORT_CSV)

    def svg(self):
        """A picture: a bar for each row."""
        handles = (ctypes.c_void_p * 1)(self._handle)
        return self._written(c.lib.jr_bench_plot, 1, handles, None)

    def html(self):
        """A page with the picture and the table."""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>jitrun</title>\n'
            "<style>:root { color-scheme: light dark } svg { max-width: 100%%; height: auto }</style>\n"
            "%s\n</html>\n" % self._repr_html_()
        )

    def _written(self, function, *args):
        pieces = []

        def write(user, data, size):
            pieces.append(ctypes.string_at(data, size))
            return True

        if function(*args, c.Write(write), None) != c.OK:
            raise MemoryError("jitrun: no memory for the report")
        return b"".join(pieces).decode()

    __str__ = text

    def __repr__(self):
        rows = ("%s %.3g s" % (r["name"], r["median"]) for r in self.rows if r["median"] is not None)
        return "<jitrun.Bench %s>" % ", ".join(rows)

    def _repr_html_(self):
        escaped = self.text().replace("&", "&amp;").replace("<", "&lt;")
        return "<pre>%s</pre>%s" % (escaped, self.svg())


def measure(
    run, args, *, seconds=1.0, rows=None, operations=0, bytes=0, against=(), title=None, progress=None
):
    """A Bench of a Specialisation that is called with these arguments. `progress` is called with a
    row's name and the part of all that is done."""
    plan, args = run._plan, (*args, *run.tables)
    told = _Progress(progress)
    rivals = [_Rival(kind, run, args) for kind in ([against] if isinstance(against, str) else against)]
    buffer = plan.take(args)
    options = c.JrBenchOptions(
        size=ctypes.sizeof(c.JrBenchOptions),
        name=run.unit.entry_name.encode(),
        arg_count=plan.count,
        args=buffer.address,
        rows=_rows_text(rows),
        seconds=seconds,
        operations=operations,
        bytes=bytes,
        rival_count=len(rivals),
        rivals=(c.JrBenchRival * len(rivals))(*[rival.structure() for rival in rivals]),
        progress=told.callback,
        title=title.encode() if title else None,
    )
    handle = ctypes.c_void_p()
    c.python.jr_python_watch()
    status = c.lib.jr_bench(run._module, ctypes.byref(options), ctypes.byref(handle))
    for interrupt in [rival.interrupt for rival in rivals] + told.interrupts:
        if interrupt is not None:
            c.lib.jr_bench_free(handle)
            raise interrupt
    if status != c.OK:
        raise _error(run)
    return Bench(handle)


class _Progress:
    """A function of a row's name and the part of all that is done, as C calls it. What it raises, Ctrl-C
    among it, ends the benchmark."""

    def __init__(self, function):
        self.interrupts = []
        self._function = function
        self.callback = c.Progress(self._call) if function else c.Progress()

    def _call(self, user, row, part):
        try:
            self._function(row.decode(), part)
        except BaseException as error:
            self.interrupts.append(error)
            c.lib.jr_cancel(engine.context, c.KEYBOARD_INTERRUPT)


def _rows_text(rows):
    if rows is None or isinstance(rows, str):
        return rows.encode() if rows else None
    return ",".join(rows).encode()


def _error(run):
    status, message, _ = errors.last_error()
    if status in (c.ERR_ARGUMENT, c.ERR_NOT_FOUND):
        return ValueError(message)
    return run.error()


# ---- Rivals ----


class _Rival:
    """The kernel in CPython or numba, as a JrBenchRival."""

    def __init__(self, kind, run, args):
        if kind not in _MODULES:
            raise ValueError("a kernel is measured against %s, not %r" % (" or ".join(_MODULES), kind))
        self.name = kind
        self.interrupt = None  # an exception that is not the kernel's, to be raised at the end
        self._function = _load(run.unit, _MODULES[kind]())
        positional = run.unit.entry.source.parsed().positional
        self._names = run.unit.parameters()[len(positional) :]
        self._positional = len(positional)
        self._given = args
        self._args = _copy(args)
        self._callback = c.RivalRun(self._call)

    def structure(self):
        return c.JrBenchRival(self.name.encode(), self._callback, None)

    def _call(self, user, calls, seconds, outcome):
        try:
            function, args = self._function, self._args
            _restore(args, self._given)
            repeat = itertools.repeat(None, calls)
            named = dict(zip(self._names, args[self._positional :]))
            placed = args[: self._positional]
            begun = time.perf_counter()
            for _ in repeat:
                result = function(*placed, **named)
            seconds[0] = time.perf_counter() - begun
            if outcome:
                self._leave(outcome.contents, (result, *args))
            return None
        except Exception as error:
            text = "%s: %s" % (type(error).__name__, error)
        except BaseException as error:  # Ctrl-C, or exit()
            self.interrupt, text = error, "interrupted"
        self._why = ctypes.create_string_buffer(text.encode())  # until the next call
        return ctypes.addressof(self._why)

    def _leave(self, out, items):
        """Sets *out to the tuple of the items, which live as long as this."""
        items = tuple(values.normalise(item, lambda: "the result") for item in items)
        plan = values.Plan([values._typeof(item, lambda: "the result") for item in items])
        self._left = plan, plan.take(items), items
        out.type, out.owned = c.TUPLE, False
        out.value.tuple.count = len(items)
        out.value.tuple.items = ctypes.cast(self._left[1].address, ctypes.POINTER(c.JrValue))


def _copy(args):
    return tuple(
        _copy(a) if isinstance(a, tuple) else a.copy() if hasattr(a, "strides") and a.shape else a
        for a in args
    )


def _restore(copies, given):
    for copy, original in zip(copies, given):
        if isinstance(copy, tuple):
            _restore(copy, original)
        elif copy is not original:
            copy[...] = original


def _plain_module():
    """jitrun without compiling."""
    from . import Tuple, UniTuple, prange

    def njit(signature=None, **options):
        return lambda function: function

    module = pytypes.ModuleType("jitrun")
    module.__dict__.update(njit=njit, jit=njit, prange=prange, Tuple=Tuple, UniTuple=UniTuple)
    module.__dict__.update(types.SCALARS)
    return module


def _numba_module():
    try:
        import numba
    except ImportError:
        raise ImportError("measuring against numba takes numba: pip install numba") from None

    def njit(signature=None, *, error_model="numpy", **options):  # its own default is "python"
        return numba.njit(*filter(None, [signature]), error_model=error_model, **options)

    module = pytypes.ModuleType("jitrun")  # a module: numba looks into nothing else
    module.__dict__.update((n, getattr(numba, n)) for n in dir(numba) if n[0] != "_")
    module.njit, module.jit, module.bool = njit, njit, numba.boolean
    return module


_MODULES = {"cpython": _plain_module, "numba": _numba_module}


def _load(unit, module):
    """The unit's entry, compiled with `import jitrun` meaning `module`."""

    def importer(name, *rest):
        return module if name == "jitrun" else builtins.__import__(name, *rest)

    names = {"__builtins__": dict(vars(builtins), __import__=importer), "__name__": "jitrun.unit"}
    sys.modules.setdefault("jitrun.unit", pytypes.ModuleType("jitrun.unit"))  # where numba looks
    for line in unit.imports():
        exec(line, names)
    exec(compile(unit.text, "<%s>" % unit.entry_name, "exec"), names)
    return names[unit.entry_name]
