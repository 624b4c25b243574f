"""Compiling a unit through the library, and calling what came out."""

import codecs
import ctypes
import json
import os
import re
import sys
import threading
import warnings
import weakref

from . import _library as c
from . import errors, fast, named, types, values
from .unit import Unit

_output = threading.local()


def _write(user, data, size):
    """What kernels print goes where Python's print writes; unless that is done in C (fast.py), where what
    this raises, KeyboardInterrupt too, reaches the kernel's caller."""
    try:
        decoder = getattr(_output, "decoder", None)
        if decoder is None:
            decoder = _output.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        if sys.stdout is not None:
            sys.stdout.write(decoder.decode(ctypes.string_at(data, size)))
        return True
    except Exception:
        return False


_write_callback = c.Write(_write)
_told = set()  # reasons why code is not kept


def _new_context():
    options = c.JrContextOptions(ctypes.sizeof(c.JrContextOptions), _write_callback, None)
    made = c.lib.jr_context_new(ctypes.byref(options))
    if not made:
        raise MemoryError("jitrun: no memory for a context")
    return made


context = _new_context()


def engine_available(name):
    """Whether an engine, "interp", "tcc" or "llvm", can be used here."""
    return c.lib.jr_engine_available(context, name.encode())


_call = c.lib.jr_call


class Specialisation:
    """A kernel compiled for one tuple of argument types."""

    def __init__(self, dispatcher, signature, wanted):
        self.unit = Unit(dispatcher, signature)
        self._module = self._compile(dispatcher)
        weakref.finalize(self, c.lib.jr_module_free, self._module).atexit = False
        self.tables = tuple([table.array for table in self.unit.tables])
        self._table_types = tuple([table.type for table in self.unit.tables])
        self._function = self._find((*wanted, *self._table_types))
        self.signature = c.lib.jr_function_signature(self._function).decode()
        if self.tables:
            hidden = ", ".join(map(str, self._table_types)) + ")"
            self.signature = self.signature[: -len(hidden)].rstrip(", ") + ")"
        self.arg_types = tuple(wanted)
        self._named = self.result if self.unit.records and types.has_named(self.result) else None
        self._plan = None
        self._warn()

    @property
    def result(self):
        """The type of the result."""
        text = re.match(r"(.*?)\((?!\)\])", self.signature).group(1)
        return types.parse_type(text, self.unit.records)

    def with_plan(self, arg_types, args):
        """The same code for arguments of types that convert to its own."""
        other = object.__new__(Specialisation)
        other.__dict__.update(self.__dict__, _owner=self)
        args = (*args, *self.tables)
        types_of_all = (*arg_types, *self._table_types)
        other._plan = values.Plan(types_of_all, [values.readonly_parts(a) for a in args])
        return other

    @property
    def function(self):
        """The library's handle of it, for C code, which passes the parameters alone."""
        if self.tables:
            names = ", ".join(repr(table.name) for table in self.unit.tables)
            raise TypeError("a C function cannot use %s, an array outside of it" % names)
        return self._function

    @property
    def handle(self):
        """The library's handle of it, whose last parameters are the tables."""
        return self._function

    def table_values(self):
        """The tables as JrValues, one after the other from `address` on, as long as the result lives."""
        return values.Plan(self._table_types, [True] * len(self.tables)).take(self.tables)

    def teach(self, dispatcher, args):
        """Has calls with such arguments come here without the dispatcher's doing. Whether it
        could."""
        if self._named or values.has_named(args):
            return False
        args = (*args, *self.tables)
        return fast.learn(dispatcher, args, self._function, self.error, types.has_array(self.result))

    def error(self):
        """The exception for the error of this thread's last call."""
        return self._error(self._module)

    def _compile(self, dispatcher):
        engine = dispatcher.engine or os.environ.get("JITRUN_ENGINE") or "auto"
        # What is kept is found again for the same text, wherever that stands: a notebook's cell is in
        # another file each time. Errors get the name of the user's file from the unit.
        name = "kernel" if dispatcher.cache else dispatcher.source.file
        options = c.JrCompileOptions(
            size=ctypes.sizeof(c.JrCompileOptions),
            name=name.encode(),
            engine=engine.encode(),
            check_races=dispatcher.check_races,
            cache=dispatcher.cache,
        )
        module = ctypes.c_void_p()
        text = self.unit.text.encode()
        status = c.lib.jr_compile(context, text, ctypes.byref(options), ctypes.byref(module))
        if status != c.OK:
            error = self._error(module)
            c.lib.jr_module_free(module)
            raise error
        return module

    def _find(self, wanted):
        plan = values.Plan(wanted)
        buffer = plan.take(tuple(values.sample_of(t) for t in wanted))
        function = ctypes.c_void_p()
        status = c.lib.jr_function_for(
            self._module,
            self.unit.entry_name.encode(),
            plan.count,
            buffer.address,
            ctypes.byref(function),
        )
        if status != c.OK:
            raise self._error(self._module)
        return function

    def _error(self, module):
        status, message, frames = errors.last_error()
        if status == c.ERR_COMPILE:
            found = [d for d in self._diagnostics(module) if d.kind == "error"]
            if found:
                return errors.typing_error(found)
            return errors.TypingError(message)
        if status == c.ERR_RACE:
            return errors.race_error(self.unit, self._report(module))
        return errors.exception_for(self.unit, status, message, frames)

    def _report(self, module):
        """This thread's error as the library's JSON."""
        pieces = []

        def write(user, data, size):
            pieces.append(ctypes.string_at(data, size))
            return True

        c.lib.jr_error_report(module, c.REPORT_JSON, c.Write(write), None)
        return json.loads(b"".join(pieces))

    def _diagnostics(self, module):
        report = json.loads(c.lib.jr_module_report(module, c.REPORT_JSON))
        return [self.unit.diagnostic(found) for found in report]

    @property
    def cache_use(self):
        """Hits, misses, the folder and why nothing is kept there, of what was compiled so far."""
        use = c.JrCacheUse(size=ctypes.sizeof(c.JrCacheUse))
        c.lib.jr_module_cache(self._module, ctypes.byref(use))
        texts = [os.fsdecode(text) if text else None for text in (use.folder, use.problem)]
        return use.hits, use.misses, *texts

    def _warn(self):
        _, _, folder, problem = self.cache_use
        if problem and folder:
            problem = "%s (%s)" % (problem, folder)
        if problem and problem not in _told:
            _told.add(problem)
            text = "cache=True: compiled code is not kept: " + problem
            source = self.unit.entry.source
            warnings.warn_explicit(text, errors.JitrunWarning, source.file, source.first_line)
        for found in self._diagnostics(self._module):
            text = found.message + ("; " + found.help if found.help else "")
            warnings.warn_explicit(text, errors.JitrunWarning, found.file, found.line)

    def __call__(self, args):
        c.python.jr_python_watch()
        plan = self._plan
        if self.tables:
            args = (*args, *self.tables)
        buffer = plan.take(args)
        if _call(self._function, plan.count, buffer.address, buffer.result_address):
            raise self._error(self._module)
        result = plan.give(buffer, args)
        return named.result_of(self._named, result) if self._named else result

    def dump(self, stage):
        """The text of a stage of the compiler."""
        return self._written(c.lib.jr_module_dump, stage.encode())

    def explain(self):
        """What became of each prange loop: dicts as docs/cli.md describes, with places in the
        user's files."""
        loops = json.loads(self._written(c.lib.jr_module_explain, c.REPORT_JSON))["loops"]
        for loop in loops:
            place = self.unit.locate(loop["line"], loop["column"], loop["column"] + 1)
            because = self.unit.locate(loop.get("reason_line", 0), 1, 2)
            loop["file"], loop["line"], loop["column"] = place.file, place.line, place.column + 1
            loop["reason_line"] = because.line if because else None
            name, parameters = loop["function"].split("(", 1)
            loop["function"] = "%s(%s" % (self.unit.original_name(name), parameters)
        return loops

    def explain_arrays(self):
        """What becomes of each statement over whole arrays, likewise."""
        text = self._written(c.lib.jr_module_explain, c.REPORT_JSON)
        wholes = json.loads(text)["whole_arrays"]
        for whole in wholes:
            column = whole["column"]
            place = self.unit.locate(whole["line"], column, column + 1)
            whole["file"], whole["line"], whole["column"] = place.file, place.line, place.column + 1
            name, parameters = whole["function"].split("(", 1)
            whole["function"] = "%s(%s" % (self.unit.original_name(name), parameters)
        return wholes

    def pointer(self):
        """The address of the function in C, and its prototype. Both live as long as this object."""
        address = ctypes.c_void_p()
        if c.lib.jr_function_pointer(self.function, ctypes.byref(address)) != c.OK:
            raise self._error(self._module)
        return address.value, c.lib.jr_function_prototype(self._function).decode()

    def _written(self, function, what):
        """What a function of the library writes."""
        pieces = []

        def write(user, data, size):
            pieces.append(ctypes.string_at(data, size))
            return True

        callback = c.Write(write)
        if function(self._module, what, callback, None) != c.OK:
            raise self._error(self._module)
        return b"".join(pieces).decode(errors="replace")
