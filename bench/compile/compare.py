#!/usr/bin/env python3
"""What compiling the suite's kernels takes: jitrun's LLVM engine, clang and numba.

    bench/compile/compare.py [--build BUILD] [--rounds N] [--markdown] [KERNEL...]

Each kernel of bench/suite is a program of its own, with the functions it calls, and gets the types
of the suite's arguments. jitrun and numba compile in a process where they have compiled before, so what loading
LLVM takes is not in it; clang compiles the same C to an object file, and what it takes for an empty file is
taken off. The least of the rounds counts, of processor time, which other work on the machine disturbs least.
"""
import argparse
import ast
import ctypes
import inspect
import math
import os
import re
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SUITE = os.path.join(ROOT, "bench", "suite")
sys.path[:0] = [os.path.join(ROOT, "bench"), SUITE]
from harness import VENV, numba_python, versions, write  # noqa: E402

IMPORTS = "import math\nimport numpy as np\nfrom jitrun import njit\n"
STAGES = "read parse infer lower passes load generate link optimise".split()


def read(name):
    with open(os.path.join(SUITE, name), encoding="utf-8") as file:
        return file.read()


class Sources:
    """Programs with one kernel of the suite and what it needs, in Python and in C."""

    def __init__(self):
        self.lines = read("kernels.src").split("\n")
        body = ast.parse("\n".join(self.lines)).body
        self.nodes = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}
        self.nodes.update({n.targets[0].id: n for n in body if isinstance(n, ast.Assign)})
        text = read("kernels.c")
        self.head = text[:text.index("/* ---- Linear algebra")]
        parts = re.findall(r"^(?:[^\s#/}].*\n)(?:.*\n)*?^}\n", text[len(self.head):], re.M)
        self.c = {re.search(r"(\w+)\(", p).group(1): p for p in parts}

    def needs(self, name, found):
        for node in ast.walk(self.nodes[name]):
            other = getattr(node, "id", None)
            if other in self.nodes and other != name and other not in found:
                self.needs(other, found)
        if name not in found:
            found.append(name)
        return found

    def python(self, name):
        nodes = [self.nodes[n] for n in self.needs(name, [])]
        starts = [min([n.lineno] + [d.lineno for d in getattr(n, "decorator_list", [])]) for n in nodes]
        return [line for n, start in zip(nodes, starts) for line in self.lines[start - 1:n.end_lineno]]

    def c_needs(self, name, found):
        for word in re.findall(r"\w+", self.c[name]):
            if word in self.c and word != name and word not in found:
                self.c_needs(word, found)
        if name not in found:
            found.append(name)
        return found

    def c_text(self, name):
        return self.head + "\n".join(self.c[n] for n in self.c_needs(name, []))


def type_name(value):
    if hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return f"{value.dtype}[{', '.join([':'] * (value.ndim - 1) + ['::1'])}]"
    if hasattr(value, "dtype"):
        return str(value.dtype)
    return "float64" if isinstance(value, float) else "int64"


class Jitrun:
    def __init__(self, build):
        os.environ["JITRUN_LIBRARY"] = os.path.abspath(os.path.join(build, "libjitrun.so"))
        sys.path.insert(0, os.path.join(ROOT, "python"))
        import jitrun._library as library

        self.c = library
        self.lib = ctypes.CDLL(os.environ["JITRUN_LIBRARY"])
        self.lib.jr_context_new.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.lib.jr_context_new(None))
        fields = [("size", ctypes.c_size_t)] + [(name, ctypes.c_double) for name in STAGES]
        self.times = type("JrTimes", (ctypes.Structure,), {"_fields_": fields})

    def compile(self, text, name, types):
        """Seconds of processor time, and of wall time in front of the engine, in LLVM's passes and linking."""
        options = self.c.JrCompileOptions(size=ctypes.sizeof(self.c.JrCompileOptions), engine=b"llvm")
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        times = self.times(size=ctypes.sizeof(self.times))
        begun = time.thread_time()
        bad = self.lib.jr_compile(self.context, text.encode(), ctypes.byref(options), ctypes.byref(module))
        bad = bad or self.lib.jr_function(module, name.encode(), f"({', '.join(types)})".encode(),
                                          ctypes.byref(function))
        took = time.thread_time() - begun
        if bad:
            sys.exit(f"{name} does not compile")
        self.lib.jr_module_times(module, ctypes.byref(times))
        self.lib.jr_module_free(module)
        front = times.parse + times.infer + times.lower + times.passes
        return took, front, times.optimise, times.link


def time_clang(text):
    clang = os.environ.get("CLANG", "clang-19")
    command = [clang, "-O3", "-march=native", "-fPIC", "-x", "c", "-c", "-", "-o", os.devnull]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run(command, input=text, text=True, check=True, capture_output=True)
    except OSError:
        return math.nan
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


NUMBA = '''
import sys, time, types
sys.path.insert(0, sys.argv[1])
from cases import CASES
import numba
text = open(sys.argv[1] + "/kernels.src").read().replace("from jitrun import", "from numba import")
best = {}
for r in range(int(sys.argv[2]) + 1):
    for kernel in sys.argv[3:]:
        module = types.ModuleType("kernels")
        exec(compile(text, "kernels", "exec"), module.__dict__)
        name, make = CASES[kernel][:2]
        signature = tuple(numba.typeof(a) for a in make())
        begun = time.process_time()
        getattr(module, name).compile(signature)
        if r: best[kernel] = min(time.process_time() - begun, best.get(kernel, 1e9))
print(best)
'''


def is_numbas():
    """Whether this Python is the one that has numba, and NumPy."""
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def time_numba(kernels, rounds):
    if not is_numbas():
        return {}
    done = subprocess.run([sys.executable, "-c", NUMBA, SUITE, str(rounds), *kernels], capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return ast.literal_eval(done.stdout) if done.returncode == 0 else {}


def mean(values):
    values = [v for v in values if not math.isnan(v)]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def table(kernels, lines, ours, clang, numba):
    yield ["kernel", "lines", "front ms", "passes ms", "code ms", "link ms", "all ms", "clang ms", "numba ms"]
    show = "{:.2f}".format
    for k in kernels:
        took, front, passes, link = (1e3 * t for t in ours[k])
        yield [k, str(lines[k]), show(front), show(passes), show(took - front - passes - link), show(link), show(took),
               show(1e3 * clang[k]), show(1e3 * numba.get(k, math.nan))]
    yield ["geometric mean", "", "", "", "", "", show(1e3 * mean([ours[k][0] for k in kernels])),
           show(1e3 * mean([clang[k] for k in kernels])),
           show(1e3 * mean([numba.get(k, math.nan) for k in kernels]))]


def least(a, b):
    return b if a is None else tuple(map(min, a, b))


def measure(options, cases):
    sources, jitrun = Sources(), Jitrun(options.build)
    kernels = options.kernels or list(cases)
    ours, clang, lines = dict.fromkeys(kernels), dict.fromkeys(kernels, math.inf), {}
    empty = math.inf
    for _ in range(options.rounds):
        empty = min(empty, *(time_clang(sources.head) for _ in range(5)))
        for k in kernels:
            name, make = cases[k][:2]
            program = sources.python(name)
            lines[k] = len([line for line in program if line.strip()])
            text = IMPORTS + "\n".join(program) + "\n"
            for _ in range(3):
                ours[k] = least(ours[k], jitrun.compile(text, name, [type_name(a) for a in make()]))
            clang[k] = min(clang[k], time_clang(sources.c_text(name)))
    clang = {k: clang[k] - empty for k in kernels}
    return kernels, lines, ours, clang, time_numba(kernels, options.rounds)


def main():
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]).split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    options = parser.parse_args()
    python = None if is_numbas() else numba_python()
    if python:
        os.execv(python, [python, *sys.argv])
    from cases import CASES

    versions(is_numbas())
    write(table(*measure(options, CASES)), options.markdown)


if __name__ == "__main__":
    main()
