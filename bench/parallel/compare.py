#!/usr/bin/env python3
"""Parallel loops: jitrun against C with OpenMP and numba, side by side.

    bench/parallel/compare.py [--build BUILD] [--threads N] [--rounds N] [--markdown] [KERNEL...]

Every side runs in a process of its own and waits there; rounds go through all of them, so that a
change in the machine's load meets all alike, and the least time counts. Results are compared
before times are. numba, NumPy and TBB come from the Python package index into a virtual
environment outside the tree ($JITRUN_BENCH_VENV, or jitrun-bench in the user's cache); without a
network the table has no numba. $CLANG is clang-19, which needs libomp-19 for its column.
"""
import argparse
import math
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, ".."))
from harness import VENV, Worker, compile_c, numba_python, versions, write  # noqa: E402

LAYERS = ("omp", "tbb", "workqueue")
KERNELS = (
    ["empty region", "sum", "axpy", "mandelbrot rows", "triangle"]
    + ["histogram 256", "histogram 1e6", "pi", "stencil", "whole arrays"]
)
CALLS = 5  # of a kernel on the same data


class Side(Worker):
    """`name` is its column; serial ones have the time on one thread."""

    def __init__(self, python, name, kind, path, threads, layer=None):
        self.parallel = threads > 1
        env = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "python"))
        for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "JITRUN_NUM_THREADS"):
            env[variable] = str(threads)
        # The empty region is to be one; 0 would also make copies of arrays that gain nothing by them.
        env["JITRUN_PARALLEL_THRESHOLD"] = "1"
        if kind == "jitrun":
            env["JITRUN_LIBRARY"] = path
        if layer:
            env["NUMBA_THREADING_LAYER"] = layer
            env["LD_LIBRARY_PATH"] = os.path.join(VENV, "lib")  # TBB's library
        mode = "parallel" if self.parallel else "serial"
        command = [python, os.path.join(HERE, "worker.py"), kind, path, mode]
        super().__init__(name, command, env)

    def run(self, kernel, calls):
        seconds, self.digest[kernel] = self.ask(kernel, calls)
        self.best[kernel] = min(seconds, self.best.get(kernel, math.inf))


def open_sides(options, folder):
    python = numba_python() or "/usr/bin/python3"
    library = os.path.abspath(os.path.join(options.build, "libjitrun.so"))
    compilers = [("gcc", "gcc"), ("clang", os.environ.get("CLANG", "clang-19"))]
    sides = []
    for threads in (1, options.threads):
        sides.append(Side(python, "jitrun", "jitrun", library, threads))
        for name, compiler in compilers:
            flags = ["-fopenmp"] if threads > 1 else []
            source = os.path.join(HERE, "kernels.c")
            path = os.path.join(folder, f"{name}{threads}.so")
            path = compile_c(compiler, source, path, "-ffp-contract=off", *flags)
            if path:
                sides.append(Side(python, name, "c", path, threads))
        if python.startswith(VENV):
            for layer in LAYERS if threads > 1 else (None,):
                name = f"numba {layer}" if layer else "numba"
                sides.append(Side(python, name, "numba", "-", threads, layer))
    return sides


def agree(kernel, a, b):
    if kernel == "pi":  # other random numbers
        return abs(a[0] - b[0]) < 0.02
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in zip(a, b))


def check(sides, kernel):
    first = sides[0].digest[kernel]
    for side in sides[1:]:
        if not agree(kernel, first, side.digest[kernel]):
            sys.exit(f"{kernel}: {side.name} differs: {side.digest[kernel]} is not {first}")


def of(sides, name, parallel):
    for side in sides:
        if side.name == name and side.parallel == parallel:
            return side
    return None


def time_text(seconds):
    return f"{seconds * 1e6:.2f} us" if seconds < 1e-4 else f"{seconds * 1e3:.2f} ms"


def rows(sides, kernels, threads):
    """The table: a heading, a row for each kernel, and geometric means."""
    serial = [s for s in sides if not s.parallel]
    parallel = [s for s in sides if s.parallel]
    heading = ["kernel"] + [f"{s.name} 1" for s in serial]
    heading += [f"{s.name} {threads}" for s in parallel]
    heading += ["efficiency", "to C", "to numba"]
    yield heading
    ratios = {"C": [], "numba": []}
    for kernel in kernels:
        ours, alone = of(sides, "jitrun", True).best[kernel], of(sides, "jitrun", False)
        row = [kernel] + [time_text(s.best[kernel]) for s in serial + parallel]
        empty = kernel == "empty region"
        row.append("" if empty else f"{alone.best[kernel] / ours / threads:.2f}")
        for group, names in (("C", ("gcc", "clang")), ("numba", tuple("numba " + x for x in LAYERS))):
            others = [s.best[kernel] for s in parallel if s.name in names]
            ratio = ours / min(others) if others else math.nan
            row.append(f"{ratio:.2f}")
            if not empty and others:
                ratios[group].append(ratio)
        yield row
    means = [math.exp(sum(map(math.log, r)) / len(r)) if r else math.nan for r in ratios.values()]
    blanks = [""] * (len(heading) - 3)
    yield ["geometric mean"] + blanks + [f"{mean:.2f}" for mean in means]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("kernels", nargs="*", default=KERNELS, metavar="KERNEL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = open_sides(options, folder)
        versions(any("numba" in side.name for side in sides))
        for kernel in options.kernels:
            for side in sides:
                side.run(kernel, 1)  # compiles it
            check(sides, kernel)
        for _ in range(options.rounds):
            for kernel in options.kernels:
                for side in sides:
                    side.run(kernel, CALLS)
        write(rows(sides, options.kernels, options.threads), options.markdown)
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
