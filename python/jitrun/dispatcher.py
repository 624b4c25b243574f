"""@njit: a function that is compiled for the types it is called with."""

import collections
import functools
import inspect
import os
import weakref

from . import diagnostics, engine, fast, forks, functions, named, types, values
from .engine import Specialisation
from .errors import JitrunError
from .source import KernelSource
from .unit import fail

# Options that kernels have in their text; the others are accepted and do nothing.
_KERNEL_OPTIONS = ("parallel", "fastmath", "boundscheck", "error_model")
_ACCEPTED_OPTIONS = ("nopython", "nogil", "inline", "locals", "forceobj", "debug")
_OWN_OPTIONS = ("cache", "engine", "check_races")

CompileStats = collections.namedtuple("CompileStats", "cache_path cache_hits cache_misses")

# Kernels that were unpickled here, so that each is compiled once per process.
_known = weakref.WeakValueDictionary()
_recent = collections.deque(maxlen=128)


def njit(signature=None, **options):
    """Compiles a function when it is called, once for each tuple of argument types.

        @njit
        def total(x):
            s = 0.0
            for value in x:
                s += value
            return s

    The function's body is compiled as docs/language.md describes. It can be decorated with

        @njit                                   types as they come
        @njit("float64(float64[::1])")          these types, compiled at once
        @njit([int64(int64), float64(float64)]) one of these
        @njit(parallel=True)                    options, alone or after signatures

    Options: `parallel` (prange loops use all cores), `fastmath`, `boundscheck` (on unless
    False), `error_model` ("numpy", or "python": float division by zero raises), `engine`
    ("interp", "tcc", "llvm"; the best there is by default), `check_races` (prange loops run
    serially, and a call in which two iterations touch one element, one of them writing, raises
    RaceError), `cache` (LLVM's code is kept in files, for later processes; `f.stats` says what was
    found). `nogil`, `nopython` and `inline` are accepted for numba's sake: the GIL is released in
    every call that may take long.
    """
    _check_options(options)
    if isinstance(signature, Dispatcher):
        return _make(signature.py_func, [], options)
    if _is_decorated(signature):
        return _make(signature, [], options)
    signatures = [types.as_signature(s) for s in _as_list(signature)]
    return lambda function: _make(function, signatures, options)


def _is_decorated(what):
    """Whether it stands below a bare @njit, whatever it is."""
    if isinstance(what, (types.Type, types.Signature)):
        return False
    return callable(what) or isinstance(what, (staticmethod, classmethod))


def jit(signature=None, **options):
    """The same as njit."""
    return njit(signature, **options)


def _as_list(signature):
    if signature is None:
        return []
    return signature if isinstance(signature, list) else [signature]


def _check_options(options):
    every = _KERNEL_OPTIONS + _ACCEPTED_OPTIONS + _OWN_OPTIONS
    for name in options:
        if name not in every:
            import difflib

            near = difflib.get_close_matches(name, every, 1)
            hint = "did you mean %r?" % near[0] if near else "there are " + ", ".join(every)
            raise TypeError("njit has no option %r: %s" % (name, hint))
    if options.get("forceobj"):
        raise TypeError("njit has no object mode: leave forceobj out")
    if options.get("error_model", "numpy") not in ("numpy", "python"):
        raise ValueError("error_model is 'numpy' or 'python', not %r" % options["error_model"])


def _make(function, signatures, options):
    if isinstance(function, (staticmethod, classmethod)):
        name = type(function).__name__
        raise TypeError("njit decorates a function: put @njit below @%s" % name)
    if not inspect.isfunction(function):
        raise TypeError("njit decorates functions made with def, not %r" % (function,))
    if os.environ.get("JITRUN_DISABLE_JIT", "0") not in ("", "0"):
        return function
    dispatcher = _maker.type(function, signatures, options)
    dispatcher._compile_declared()
    return dispatcher


class Dispatcher:
    """A kernel: called like the function it was made of, which is `py_func`.

    Its source is compiled when a call brings argument types that it has no code for yet. What
    its global names stand for is fixed then."""

    def __init__(self, function, signatures=(), options=None):
        self._py_func = function
        options = dict(options or {})
        self.engine = options.get("engine")
        self.check_races = bool(options.get("check_races"))
        self.cache = bool(options.get("cache"))
        self.options = _kernel_options(options)
        self.source = KernelSource.of(function)
        self.declared = list(signatures)
        self._uuid = None
        self._set_up()
        functools.update_wrapper(self, function)

    @classmethod
    def of_source(cls, source, options):
        """A kernel of a text that no Python function was made of."""
        made = object.__new__(_maker.type)
        made._py_func, made._uuid, made.source = None, None, source
        made.options, made.engine = _kernel_options(options), options.get("engine")
        made.check_races = bool(options.get("check_races"))
        made.cache = bool(options.get("cache"))
        made.declared = []
        made._set_up()
        made.__name__ = made.__qualname__ = source.name
        return made

    def _set_up(self):
        self._prepared = {}  # key of the arguments -> Specialisation
        self._compiled = {}  # argument types -> Specialisation
        self.__dict__.setdefault("_lock", forks.Lock())
        self._without = {}  # functions, named tuples among the arguments -> the kernel without them
        parsed = self.source.parsed()
        _maker.set_up(self, parsed, self.source.defaults)
        self._tables = ()
        self._parameters = parsed.parameters
        # So many arguments without keywords are the parameters as they stand.
        self._plain_count = -1 if parsed.node.args.kwonlyargs else len(parsed.parameters)
        for signature in self.declared:
            if len(signature.params) != len(self._parameters):
                raise TypeError(
                    "the signature %s has %d parameters, but %r has %d"
                    % (signature, len(signature.params), self.source.name, len(self._parameters))
                )

    @functools.cached_property
    def annotated(self):
        """The types that annotations give, by parameter and "return". Annotations that are no
        types of kernels are left to readers and type checkers."""
        found = {}
        for name, annotation in self.source.annotations.items():
            annotation = self._evaluated(annotation)
            if annotation is None and name != "return":
                continue
            try:
                found[name] = types.as_type(annotation)
            except TypeError:
                pass
        return found

    def _evaluated(self, annotation):
        if hasattr(annotation, "evaluate"):  # a stand-in, whose names may be there by now
            try:
                return annotation.evaluate()
            except Exception:
                return annotation
        if not isinstance(annotation, str) or self._py_func is None:
            return annotation
        try:
            return eval(annotation, self._py_func.__globals__)
        except Exception:
            return annotation

    # ---- Calling ----

    def __call__(self, *args, **kwargs):
        # Where kernels are not called directly (fast.py); elsewhere C code calls _call.
        result = self._call(*args, **kwargs)
        return self._call(*args, **kwargs) if result is NotImplemented else result

    def _call(self, *args, **kwargs):
        """The call; or NotImplemented, when the library can make it by itself from now on."""
        if kwargs or len(args) != self._plain_count:
            args = self._bind(args, kwargs)
        try:
            run = self._prepared[tuple([values.KEYS[type(a)](a) for a in args])]
        except KeyError:
            run = None
        if run is None:
            try:
                args, run, taught = self._prepare(args)
            except (JitrunError, TypeError) as error:
                raise error.with_traceback(None)  # the way through this package says nothing
            if taught:
                return NotImplemented
        try:
            return run(args)
        except values.BigInt:
            run = None
        args, run, _ = self._prepare(args)  # an int beyond int64 is a uint64
        return run(args)

    def _check_parameters(self):
        """Those that take any number of arguments do not compile; nor can they be bound."""
        given = self.source.parsed().node.args
        if given.vararg:
            fail(self, given.vararg, "*args parameters are not supported", "pass an array or a tuple")
        if given.kwarg:
            text = "name each parameter, with a default where it may be left out"
            fail(self, given.kwarg, "**kwargs parameters are not supported", text)

    def _bind(self, args, kwargs):
        """All parameters' values in order; TypeError as Python words it."""
        parameters = self._parameters
        name = self.source.name
        self._check_parameters()
        positional = self.source.parsed().positional
        if len(args) > len(positional):
            raise TypeError(
                "%s() takes %d positional argument%s but %d were given"
                % (name, len(positional), "s" * (len(positional) != 1), len(args))
            )
        given = dict(zip(positional, args))
        for key, value in kwargs.items():
            if key not in parameters:
                raise TypeError("%s() got an unexpected keyword argument %r" % (name, key))
            if key in self.source.parsed().positional_only:
                raise TypeError("%s() takes %r by position only" % (name, key))
            if key in given:
                raise TypeError("%s() got multiple values for argument %r" % (name, key))
            given[key] = value
        missing = [p for p in parameters if p not in given and p not in self.source.defaults]
        if missing:
            raise TypeError(
                "%s() missing %d required positional argument%s: %s"
                % (name, len(missing), "s" * (len(missing) != 1), ", ".join(map(repr, missing)))
            )
        return tuple([given[p] if p in given else self.source.defaults[p] for p in parameters])

    def _prepare(self, args):
        """The code for arguments that came for the first time, or that need converting: the
        converted arguments, the code, and whether the library has just learned to call it."""
        values.learn_numpy()
        names = self._parameters
        args = tuple(
            [
                values.normalise(a, lambda i=i: values.describe_argument(names, i))
                for i, a in enumerate(args)
            ]
        )
        key = tuple([values.KEYS[type(a)](a) for a in args])
        with self._lock:
            big = _is_too_big(args)
            run, taught = None if big else self._prepared.get(key), False
            if run is None:
                run = self._specialise(values.types_of(args, names), args)
                if not big:
                    self._prepared[key] = run
                    if run.tables and not self._tables:  # the same for all specialisations
                        self._tables = run.tables
                        _maker.set_up(self, self.source.parsed(), self.source.defaults, run.tables)
                    taught = run.teach(self, args)
        return args, run, taught

    def _specialise(self, arg_types, args):
        without = functions.without(self, arg_types, self._without)
        without = without or named.calling(self, arg_types, self._without)
        if without:
            return without
        if self.declared:
            return self._declared_for(arg_types).with_plan(arg_types, args)
        wanted = self._with_annotations(arg_types)
        found = self._compiled.get(wanted)
        if found is None:
            found = self._compiled[wanted] = Specialisation(self, None, wanted)
        return found.with_plan(arg_types, args)

    def _with_annotations(self, arg_types):
        """The types that parameters have when arguments of these types are passed."""
        wanted = []
        for name, of in zip(self._parameters, arg_types):
            wanted.append(self.annotated.get(name, of))
        self._check_converts(wanted, arg_types)
        return tuple(wanted)

    def _check_converts(self, wanted, arg_types):
        for i, (to, of) in enumerate(zip(wanted, arg_types)):
            if not _converts(to, of):
                where = values.describe_argument(self._parameters, i)
                raise TypeError("%s is %s: %s cannot be passed" % (where, to, of))

    def _declared_for(self, arg_types):
        """The eager signature for these types: the same ones before those they convert to."""
        for accepts in (lambda to, of: to == of, _converts):
            for signature in self.declared:
                if all(accepts(to, of) for to, of in zip(signature.params, arg_types)):
                    return self._compile_signature(signature)
        if len(self.declared) == 1:
            self._check_converts(self.declared[0].params, arg_types)
        raise TypeError(
            "%s() takes %s, not (%s)"
            % (
                self.source.name,
                " or ".join(str(s) for s in self.declared),
                ", ".join(str(t) for t in arg_types),
            )
        )

    def _compile_signature(self, signature):
        with self._lock:
            if signature.params not in self._compiled:
                self._compiled[signature.params] = Specialisation(
                    self, signature, signature.params
                )
            return self._compiled[signature.params]

    def _compile_declared(self):
        """Compiles what the source itself gives types for."""
        for signature in self.declared:
            self._compile_signature(signature)

    def compile(self, signature):
        """Compiles it for a signature, as text or as numba's objects, if it is not yet."""
        self.specialisation(types.as_signature(signature))

    def recompile(self):
        """Compiles again all that there is code for, with the values that names from outside have now.
        Kernels that call this one keep what they were compiled with."""
        with self._lock:
            there = list(self._compiled)
            self.source.forget()
            self._set_up()
            self._compile_declared()
            for arg_types in there:
                if arg_types not in self._compiled:
                    self._compiled[arg_types] = Specialisation(self, None, arg_types)

    def specialisation(self, signature):
        """What is compiled for these parameter types, or types that they convert to."""
        if self.declared:
            return self._declared_for(signature.params)
        with self._lock:
            wanted = self._with_annotations(signature.params)
            if wanted not in self._compiled:
                self._compiled[wanted] = Specialisation(self, None, wanted)
            return self._compiled[wanted]

    def bench(self, *args, seconds=1.0, rows=None, operations=0, bytes=0, against=(), **kwargs):
        """Times a call with these arguments on every engine, after checking that they agree.

            print(dot.bench(x, y))
            dot.bench(x, y, against=["cpython", "numba"], seconds=0.5)["llvm"]["median"]

        Every call finds the arguments as they are now; they are not changed. `seconds` bounds
        each row's time; `rows` names some of "interp", "tcc", "llvm", "interp-parallel",
        "tcc-parallel", "llvm-parallel"; `operations` and `bytes` are what one call does and
        moves, for the rates; `against` adds "cpython", "numba" or both. The result is a Bench;
        docs/timer.md says how it is measured."""
        return self._bench(
            args,
            kwargs,
            seconds=seconds,
            rows=rows,
            operations=operations,
            bytes=bytes,
            against=against,
        )

    def _bench(self, args, kwargs, **options):
        from . import bench

        args, run, _ = self._prepare(self._bind(args, kwargs))
        while isinstance(run, (functions.Without, named.Named)):
            args, run, _ = run.kernel._prepare(run.others(args))
        return bench.measure(run, args, **options)

    # ---- Looking inside ----

    @property
    def py_func(self):
        """The Python function; of an unpickled kernel one made of its source."""
        if self._py_func is None:
            self._py_func = self.source.function()
        return self._py_func

    def python_function(self):
        """The Python function if there is one already."""
        return self._py_func

    @property
    def signatures(self):
        """The argument types there is code for."""
        return list(self._compiled)

    @property
    def nopython_signatures(self):
        """The signatures, with results, there is code for."""
        return [s.signature for s in self._compiled.values()]

    @property
    def stats(self):
        """The folder that code is kept in with cache=True, or None; and by argument types how many
        pieces of code were found there, and how many had to be made."""
        uses = {types: made.cache_use for types, made in self._compiled.items()}
        folders = [folder for _, _, folder, _ in uses.values() if folder]
        hits, misses = ({t: u[i] for t, u in uses.items() if u[i]} for i in (0, 1))
        return CompileStats(folders[0] if folders else None, hits, misses)

    def _chosen(self, signature):
        """What is compiled, for a signature or for all."""
        if signature is None:
            return list(self._compiled.values())
        if isinstance(signature, (str, types.Signature)):
            signature = types.as_signature(signature).params
        return [self._compiled[tuple(types.as_type(t) for t in signature)]]

    def _dumps(self, stage, signature):
        texts = {made.arg_types: made.dump(stage) for made in self._chosen(signature)}
        return texts if signature is None else texts.popitem()[1]

    def inspect_llvm(self, signature=None):
        """LLVM IR by argument types, or of one signature; callees are part of it."""
        return self._dumps("llvm-opt", signature)

    def inspect_asm(self, signature=None):
        """Machine code as assembler, as inspect_llvm."""
        return self._dumps("asm", signature)

    def inspect_ir(self, signature=None):
        """jitrun's own typed IR, as inspect_llvm."""
        return self._dumps("opt", signature)

    def inspect_types(self, file=None, signature=None):
        """Prints the source with the types that were inferred."""
        texts = self._dumps("typed", signature)
        for text in texts.values() if signature is None else [texts]:
            print(text, file=file, end="")

    def parallel_diagnostics(self, signature=None, level=1):
        """Prints what became of each prange loop and each statement over whole arrays: whether it runs on
        threads or why not, and, from `level` 2, what a loop accumulates, what is private to an iteration
        and what is tested where it begins, and the array that a statement makes on the way."""
        for made in self._chosen(signature):
            for loop in made.explain():
                print(diagnostics.describe_loop(loop, level))
            for whole in made.explain_arrays():
                print(diagnostics.describe_whole(whole, level))

    def __repr__(self):
        return "<jitrun kernel %s.%s>" % (self.source.module, self.source.name)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return functools.partial(self, instance)

    # ---- Pickling: by source ----

    def __reduce__(self):
        if self._uuid is None:
            self._uuid = os.urandom(16).hex()
            _known[self._uuid] = self
        state = {
            "source": self.source,
            "names": self.source.freeze(),
            "annotated": self.annotated,
            "options": self.options,
            "engine": self.engine,
            "check_races": self.check_races,
            "cache": self.cache,
            "declared": self.declared,
        }
        return _unpickle, (self._uuid,), state

    def __setstate__(self, state):
        if "source" in self.__dict__:
            return
        names = state.pop("names")
        self.__dict__.update(state)
        self._py_func = None
        self.source.adopt(names)
        self._set_up()
        self.__name__ = self.__qualname__ = self.source.name
        self.__module__ = self.source.module


# What a kernel is: the class above as far as Python code is concerned.
_maker = fast.Maker(Dispatcher, Dispatcher._call, engine.context)
functions.learn(_maker.type)


def _unpickle(key):
    found = _known.get(key)
    if found is None:
        found = object.__new__(_maker.type)
        found._uuid = key
        _known[key] = found
    _recent.append(found)
    return found


def _kernel_options(options):
    kept = {name: options[name] for name in _KERNEL_OPTIONS if name in options}
    if kept.get("boundscheck", True) is None:
        del kept["boundscheck"]
    for name in ("parallel", "fastmath", "boundscheck"):
        if name in kept:
            kept[name] = bool(kept[name])
    return kept


def _is_too_big(args):
    """Whether an int among them is beyond int64."""
    return any(
        _is_too_big(a) if isinstance(a, tuple) else type(a) is int and not -(2**63) <= a < 2**63
        for a in args
    )


def _converts(to, of):
    """Whether an argument of type `of` may be passed for `to`; values are checked in the call."""
    if isinstance(to, types.Array):
        same = isinstance(of, types.Array) and (to.dtype, to.ndim) == (of.dtype, of.ndim)
        return same and (to.layout == of.layout or to.layout == "A")
    if isinstance(to, types.TupleType):
        return (
            isinstance(of, types.TupleType)
            and len(to.items) == len(of.items)
            and all(map(_converts, to.items, of.items))
        )
    if not isinstance(to, types.Scalar) or not isinstance(of, types.Scalar):
        return to == of
    order = "biuf"
    if to.letter == "b" or of.letter == "b":
        return to.letter != "b" or of.letter == "b"
    return order.index(of.letter) <= order.index(to.letter) or {of.letter, to.letter} == {"i", "u"}
