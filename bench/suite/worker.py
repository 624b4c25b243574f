"""One side of bench/suite, in a process of its own: jitrun (Python package), C or numba.

    worker.py jitrun|unchecked|numba|c PATH kernels|more

It reads "kernel calls" lines, calls the kernel so many times, each time on fresh arguments, and
answers with the times in seconds and the digest of the last call. jitrun and numba are called as
Python functions, C through ctypes.
"""
import ctypes
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import time

import numpy as np

CASES_OF = {"kernels": "cases", "more": "more_cases"}


def load(name, old, new):
    """kernels.src or more.src as a module, with a piece of its text replaced."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".src")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
        file.write(text.replace(old, new))
    loader = importlib.machinery.SourceFileLoader("kernels", file.name)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernels", loader))
    sys.modules["kernels"] = module
    loader.exec_module(module)
    return module, file.name


class Python:
    SIDES = {
        "jitrun": ("", ""),
        "unchecked": ("@njit", "@njit(boundscheck=False)"),
        "numba": ("from jitrun import", "from numba import"),
    }

    def __init__(self, kind, name):
        self.module, self.path = load(name, *self.SIDES[kind])

    def prepare(self, name, args):
        return getattr(self.module, name), args

    def close(self):
        os.unlink(self.path)


class C:
    RETURNS = {"dot": ctypes.c_double, "norm": ctypes.c_double, "pi_sum": ctypes.c_double,
               "spring": ctypes.c_double, "dtw": ctypes.c_double, "lorenz": ctypes.c_double,
               "viterbi": ctypes.c_double, "kd_nearest": ctypes.c_double}

    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def prepare(self, name, args):
        values = []
        for arg in args:
            if isinstance(arg, np.ndarray):
                values += [ctypes.c_void_p(arg.ctypes.data), *map(ctypes.c_int64, arg.shape)]
            elif isinstance(arg, np.uint64):
                values.append(ctypes.c_uint64(int(arg)))
            else:
                values.append((ctypes.c_double if isinstance(arg, float) else ctypes.c_int64)(arg))
        function = getattr(self.library, name)
        function.restype = self.RETURNS.get(name, ctypes.c_int64)
        return function, values

    def close(self):
        pass


def measure(side, case, calls):
    name, make, digest, _ = case
    made, seconds = make(), []
    for _ in range(calls):
        args = [a.copy() if isinstance(a, np.ndarray) else a for a in made]
        function, values = side.prepare(name, args)
        start = time.perf_counter()
        result = function(*values)
        seconds.append(time.perf_counter() - start)
    return seconds, digest(args, result)


def main():
    kind, path, name = sys.argv[1:]
    cases = importlib.import_module(CASES_OF[name]).CASES
    side = C(path) if kind == "c" else Python(kind, name)
    print("ready", flush=True)
    for line in sys.stdin:
        kernel, calls = line.rstrip("\n").rsplit(" ", 1)
        print(repr(measure(side, cases[kernel], int(calls))), flush=True)
    side.close()


if __name__ == "__main__":
    main()
