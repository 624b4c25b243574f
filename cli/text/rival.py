"""What `jitrun --bench --against` runs as a child: the kernel's file in CPython or under numba.

    python3 -c <this> cpython|numba FILE NAME FOLDER

NAME is the function, "" for the file's body. Commands come line by line on standard input, answers go to
the third file descriptor:

    args VALUE...                  what the function is called with: before all else
    run CALLS                      ok SECONDS
    first                          ok SECONDS VALUE...: one call; the result, and the arguments after it
                                   error TEXT, to any of them

A VALUE is a few words: n; b 1; i -5; f 0x1.8p+1; s 0x1p-3 (a float32); a K, the array in FOLDER/K.npy; t
COUNT and as many values; d, the parameter's default.
"""

import ast
import builtins
import functools
import inspect
import itertools
import os
import random
import sys
import time
import types


class Refused(Exception):
    pass


def load_numpy():
    try:
        import numpy
    except ImportError:
        raise Refused("NumPy is not installed for %s" % sys.executable) from None
    numpy.seterr(all="ignore")
    return numpy


def load_numba():
    try:
        import numba
    except ImportError:
        raise Refused("numba is not installed for %s" % sys.executable) from None
    return numba


# ---- The names that a kernel's file imports ----


class Type:
    """float64(x) converts, and float64[::1] and float64(float64) stand in annotations."""

    def __init__(self, convert):
        self.convert = convert

    def __call__(self, *args):
        one = len(args) == 1 and not isinstance(args[0], (Type, type))
        return self.convert(args[0]) if one else self

    def __getitem__(self, index):
        return Type(None)


SCALARS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128"


def plain_names(np):
    """Decorators do nothing."""

    def decorator(*args, **options):
        plain = len(args) == 1 and not options and isinstance(args[0], types.FunctionType)
        return args[0] if plain else lambda function: function

    def prange(*args, unchecked=False):
        return range(*args)

    names = {name: Type(getattr(np, name)) for name in SCALARS.split()}
    names.update(njit=decorator, jit=decorator, vectorize=decorator, prange=prange)
    names.update(boolean=Type(bool), void=Type(None), none=Type(None))
    names.update(Tuple=Type(None), UniTuple=Type(None))
    return names


def numba_names(numba):
    def njit(*args, error_model="numpy", **options):  # numba's own default is "python"
        return numba.njit(*args, error_model=error_model, **options)

    names = {name: getattr(numba, name) for name in dir(numba) if name[0] != "_"}
    names.update(njit=njit, jit=njit)
    return names


def provide(names, *modules):
    for name in modules:
        module = types.ModuleType(name)
        module.__dict__.update(names)
        sys.modules[name] = module


# ---- The file ----


def runs_something(node, own):
    """Whether a statement of the top level is the program's, not a definition."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef)):
        return False
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return True
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return not names.isdisjoint(own)


def definitions(tree):
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    tree.body = [node for node in tree.body if not runs_something(node, own)]
    return tree


def load_function(tree, path, name, compiled):
    module = types.ModuleType("jitrun_kernel")
    sys.modules[module.__name__] = module  # where numba looks
    exec(compile(definitions(tree), path, "exec"), module.__dict__)
    if compiled:
        for key, value in list(module.__dict__.items()):
            if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                module.__dict__[key] = compiled(value)
    if name not in module.__dict__:
        raise Refused("%s has no function '%s'" % (path, name))
    return module.__dict__[name]


def load(kind, path, name):
    np = load_numpy()
    compiled = None
    if kind == "numba":
        numba = load_numba()
        names = numba_names(numba)
        compiled = names["njit"]
        provide(names, "jitrun")
    else:
        provide(plain_names(np), "jitrun", "numba")
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    if name:
        return np, load_function(tree, path, name, compiled), compiled
    if compiled:
        raise Refused("numba compiles functions: name one with -e")
    code = compile(tree, path, "exec")
    return np, lambda: exec(code, {"__name__": "__main__", "__builtins__": builtins}), None


# ---- Values ----


def read_value(np, words, folder):
    kind = next(words)
    if kind in ("n", "d"):
        return None if kind == "n" else DEFAULT
    if kind == "b":
        return next(words) == "1"
    if kind == "i":
        return int(next(words))
    if kind in ("f", "s"):
        number = float.fromhex(next(words))
        return number if kind == "f" else np.float32(number)
    if kind == "a":
        return np.load(os.path.join(folder, next(words) + ".npy"))
    return tuple(read_value(np, words, folder) for _ in range(int(next(words))))


class Writer:
    def __init__(self, np, folder):
        self.np, self.folder, self.count = np, folder, 0

    def value(self, value):
        np = self.np
        if value is None:
            return "n"
        if value is DEFAULT:
            return "d"
        if isinstance(value, tuple):
            return " ".join(["t %d" % len(value), *map(self.value, value)])
        if isinstance(value, (bool, np.bool_)):
            return "b %d" % value
        if isinstance(value, (int, np.integer)):
            return "i %d" % value
        if isinstance(value, (float, np.floating)):
            return "%s %s" % ("s" if isinstance(value, np.float32) else "f", float(value).hex())
        if isinstance(value, np.ndarray):
            self.count += 1
            name = "out%d" % self.count
            np.save(os.path.join(self.folder, name + ".npy"), value)
            return "a " + name
        raise Refused("it gave a value of type %s" % type(value).__name__)


DEFAULT = object()


def copied(value):
    if isinstance(value, tuple):
        return tuple(map(copied, value))
    return value.copy() if hasattr(value, "strides") and value.shape else value


def restore(copies, given):
    for copy, original in zip(copies, given):
        if isinstance(copy, tuple):
            restore(copy, original)
        elif copy is not original:
            copy[...] = original


# ---- Calls ----


class Session:
    def __init__(self, kind, path, name, folder):
        self.np, self.function, compiled = load(kind, path, name)
        self.folder, self.given, self.args = folder, (), ()
        self.writer = Writer(self.np, folder)
        self.seeds = [self.seed]
        if compiled:  # numba's generators are its own
            np = self.np

            def seed():
                random.seed(0)
                np.random.seed(0)

            self.seeds.append(compiled(seed))

    def seed(self):
        random.seed(0)
        self.np.random.seed(0)

    def take(self, words):
        self.given = []
        for word in words:
            self.given.append(read_value(self.np, itertools.chain([word], words), self.folder))
        self.args = copied(tuple(self.given))
        self.call = self.ready()
        return "ok"

    def ready(self):
        """Calls it with the arguments there are: after one that is left out by their names."""
        args, named = self.args, {}
        if DEFAULT in [a if a is DEFAULT else None for a in args]:
            names = list(inspect.signature(self.function).parameters)
            first = [a is DEFAULT for a in args].index(True)
            named = {n: a for n, a in zip(names[first:], args[first:]) if a is not DEFAULT}
            args = args[:first]
        if named:
            return functools.partial(self.function, *args, **named)
        return self.function if not args else functools.partial(self.function, *args)

    def run(self, calls):
        """The seconds they took, and the last one's result."""
        restore(self.args, self.given)
        call, result = self.call, None
        repeat = itertools.repeat(None, calls)
        begun = time.perf_counter()
        for _ in repeat:
            result = call()
        return time.perf_counter() - begun, result

    def first(self):
        for seed in self.seeds:
            seed()
        seconds, result = self.run(1)
        values = map(self.writer.value, (result, *self.args))
        return "ok %s %s" % (seconds.hex(), " ".join(values))

    def answer(self, line):
        words = iter(line.split())
        command = next(words)
        if command == "args":
            return self.take(words)
        if command == "first":
            return self.first()
        return "ok " + self.run(int(next(words)))[0].hex()


def one_line(error):
    text = str(error) if isinstance(error, Refused) else "%s: %s" % (type(error).__name__, error)
    return " ".join(text.split())[:500]


def main(kind, path, name, folder):
    out = os.fdopen(3, "w")
    sys.stdout = open(os.devnull, "w")  # what kernels print
    session = None
    for line in sys.stdin:
        try:
            session = session or Session(kind, path, name, folder)
            answer = session.answer(line)
        except KeyboardInterrupt:
            answer = "error interrupted"
        except (Exception, SystemExit) as error:
            answer = "error " + one_line(error)
        out.write(answer + "\n")
        out.flush()


main(*sys.argv[1:])
