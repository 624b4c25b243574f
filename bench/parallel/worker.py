"""One side of bench/parallel: jitrun, C or numba, in a process of its own.

    worker.py jitrun|c|numba PATH parallel|serial

It reads "kernel calls" lines, runs the kernel so many times on fresh data, and answers with the
least time of a call in seconds and a digest of what was computed. The kernels of all sides are
called from the same Python in the same way, jitrun's and C's as C pointers.
"""
import ctypes
import os
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = os.path.join(HERE, "kernels.src")
REGIONS = 1000  # of one call of `regions`


def ramp(n):
    return np.arange(n) % 1000 / 1000.0


def samples(n, bins):
    return np.random.default_rng(1).integers(0, bins, n)


# By kernel: the function, and what it is called with. Arrays are made anew for each line read.
CASES = {
    "empty region": ("regions", lambda: (np.zeros(2), REGIONS)),
    "sum": ("total", lambda: (ramp(2_000_000),)),
    "axpy": ("axpy", lambda: (0.5, ramp(1_000_000), ramp(1_000_000))),
    "mandelbrot rows": ("mandelbrot", lambda: (np.zeros((150, 200), np.int64), 200)),
    "triangle": ("triangle", lambda: (np.zeros(2000),)),
    "histogram 256": ("histogram", lambda: (samples(1_000_000, 256), np.zeros(256, np.int64))),
    "histogram 1e6": ("histogram", lambda: (samples(4_000_000, 10**6), np.zeros(10**6, np.int64))),
    "pi": ("pi", lambda: (500_000,)),
    "stencil": ("stencil", lambda: (ramp(1_000_000).reshape(1000, 1000), np.zeros((1000, 1000)))),
    "whole arrays": ("whole", lambda: (0.5, ramp(1_000_000), ramp(1_000_000), np.zeros(1_000_000))),
}


def flat(args):
    """Arguments as the C pointers take them."""
    for arg in args:
        if isinstance(arg, np.ndarray):
            yield arg.ctypes.data
            yield from arg.shape
        else:
            yield arg


def ctypes_kind(arg):
    return ctypes.c_double if isinstance(arg, float) else ctypes.c_int64


def call_pointer(pointer, args):
    values = list(flat(args))
    returns = ctypes.c_double if pointer.returns_float else ctypes.c_int
    prototype = ctypes.CFUNCTYPE(returns, *map(ctypes_kind, values))
    return prototype(pointer.address), [ctypes_kind(v)(v) for v in values]


class Pointer:
    def __init__(self, name, address):
        self.address = address
        self.returns_float = name in ("total", "pi", "whole")


class C:
    def __init__(self, path, parallel):
        del parallel  # it was compiled one way or the other
        self.library = ctypes.CDLL(path)

    def prepare(self, name, args):
        address = ctypes.cast(getattr(self.library, name), ctypes.c_void_p).value
        return call_pointer(Pointer(name, address), args)


class Jitrun:
    def __init__(self, path, parallel):
        from jitrun import _library as api

        self.lib = ctypes.CDLL(path)
        for name, (result, *parameters) in api.PROTOTYPES.items():
            getattr(self.lib, name).restype = result
            getattr(self.lib, name).argtypes = parameters
        for name in ("jr_function", "jr_function_pointer"):
            getattr(self.lib, name).restype = ctypes.c_int
        with open(KERNELS, encoding="utf-8") as file:
            source = file.read()
        if not parallel:
            source = source.replace("parallel=True", "parallel=False")
        options = api.JrCompileOptions()
        options.size = ctypes.sizeof(options)
        options.engine = b"llvm"
        context = self.lib.jr_context_new(None)
        self.module = ctypes.c_void_p()
        if self.lib.jr_compile(context, source.encode(), options, self.module):
            sys.exit(self.lib.jr_module_report(self.module, 0).decode())

    def prepare(self, name, args):
        function, address = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.jr_function(self.module, name.encode(), None, ctypes.byref(function)))
        self.check(self.lib.jr_function_pointer(function, ctypes.byref(address)))
        return call_pointer(Pointer(name, address.value), args)

    def check(self, status):
        if status:
            error = self.lib.jr_error().contents
            sys.exit(ctypes.string_at(error.message, error.message_len).decode())


class Numba:
    def __init__(self, path, parallel):
        del path
        with open(KERNELS, encoding="utf-8") as file:
            source = file.read()
        if not parallel:
            source = source.replace("parallel=True", "parallel=False")
        self.kernels = {}
        exec(compile(source, KERNELS, "exec"), self.kernels)
        if parallel:
            sys.path.insert(0, HERE)
            from numba_histogram import histogram

            self.kernels["histogram"] = histogram

    def prepare(self, name, args):
        return self.kernels[name], args


def measure(side, kernel, calls):
    name, make = CASES[kernel]
    args = make()
    function, values = side.prepare(name, args)
    best = float("inf")
    for _ in range(calls):
        start = time.perf_counter()
        result = function(*values)
        best = min(best, time.perf_counter() - start)
        result = result if isinstance(result, float) else 0.0
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    digest = [result] + [float(np.dot(a.ravel(), np.arange(a.size) % 17)) for a in arrays]
    return best / (REGIONS if kernel == "empty region" else 1), digest


def main():
    kind, path, mode = sys.argv[1:]
    side = {"jitrun": Jitrun, "c": C, "numba": Numba}[kind](path, mode == "parallel")
    print("ready", flush=True)
    for line in sys.stdin:
        kernel, calls = line.rstrip("\n").rsplit(" ", 1)
        seconds, digest = measure(side, kernel, int(calls))
        print(repr((seconds, digest)), flush=True)


if __name__ == "__main__":
    main()
