#!/usr/bin/env python3
"""The suite: 29 kernels in jitrun against C by gcc and clang, and numba, on one thread.

    bench/suite/compare.py [--more] [--build BUILD] [--rounds N] [--markdown] [KERNEL...]

With --more it is 65 others (more.src), which were written when these had been tuned, and gcc
is there with -ffp-contract=off as well.

Every side runs in a process of its own; rounds go through all of them, so that a change in the
machine's load meets all alike, and the least time counts. Before that each side's results are
compared with the others' and with known answers (cases.py). C is compiled with -O3 -march=native, as
it comes; clang also with -ffp-contract=off, which computes what jitrun computes. numba and NumPy come
from the Python package index into a virtual environment outside the tree ($JITRUN_BENCH_VENV, or
jitrun-bench in the user's cache).
"""
import argparse
import ast
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, ".."))
from harness import Worker, compile_c, numba_python, versions, write  # noqa: E402

ENOUGH = 0.02  # seconds of calls in a round
C_SIDES = {  # column: compiler, flags
    "gcc": ("gcc", []),
    "clang": (os.environ.get("CLANG", "clang-19"), []),
    "gcc strict": ("gcc", ["-ffp-contract=off"]),
    "clang strict": (os.environ.get("CLANG", "clang-19"), ["-ffp-contract=off"]),
}


class Side(Worker):
    def __init__(self, python, name, kind, path, kernels):
        env = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "python"))
        if kind in ("jitrun", "unchecked"):
            env["JITRUN_LIBRARY"] = path
        super().__init__(name, [python, os.path.join(HERE, "worker.py"), kind, path, kernels], env)

    def run(self, kernel, calls):
        seconds, self.digest[kernel] = self.ask(kernel, calls)
        return min(seconds)


def open_sides(options, folder):
    numba = numba_python()
    python = numba or "/usr/bin/python3"
    library = os.path.abspath(os.path.join(options.build, "libjitrun.so"))
    kernels = "more" if options.more else "kernels"
    sides = [Side(python, kind, kind, library, kernels) for kind in ("jitrun", "unchecked")]
    for name, (compiler, flags) in C_SIDES.items():
        if name == "gcc strict" and not options.more:
            continue
        path = compile_c(compiler, os.path.join(HERE, kernels + ".c"), os.path.join(folder, name + ".so"),
                         *flags)
        if path:
            sides.append(Side(python, name, "c", path, kernels))
    if numba:
        sides.append(Side(python, "numba", "numba", "-", kernels))
    return sides


def check(sides, kernel, answer, tolerance):
    wanted = sides[0].digest[kernel] if answer is None else answer
    for side in sides:
        if not math.isclose(side.digest[kernel], wanted, rel_tol=tolerance):
            sys.exit(f"{kernel}: {side.name} computed {side.digest[kernel]!r}, not {wanted!r}")


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def time_text(seconds):
    return f"{seconds * 1e6:.2f} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def rows(sides, kernels):
    """Times, and jitrun's time in parts of others': below 1 it is the faster one."""
    by_name = {side.name: side for side in sides}
    columns = [  # heading, numerator, denominators of which the best counts
        ("to C", "jitrun", ("gcc", "clang")),
        ("to strict", "jitrun", ("gcc strict", "clang strict")),
        ("unchecked", "unchecked", ("gcc strict", "clang strict")),
        ("to numba", "jitrun", ("numba",)),
    ]
    ratios = {heading: [] for heading, _, _ in columns}
    yield ["kernel"] + [side.name for side in sides] + [heading for heading, _, _ in columns]
    for kernel in kernels:
        row = [kernel] + [time_text(side.best[kernel]) for side in sides]
        for heading, ours, theirs in columns:
            others = [by_name[name].best[kernel] for name in theirs if name in by_name]
            ratio = by_name[ours].best[kernel] / min(others) if others else math.nan
            row.append(f"{ratio:.2f}")
            if others:
                ratios[heading].append(ratio)
        yield row
    yield ["geometric mean"] + [""] * len(sides) + [f"{mean(ratios[h]):.3f}" for h, _, _ in columns]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = open_sides(options, folder)
        # Only now: it needs NumPy, which this Python may lack.
        answers = ast.literal_eval(subprocess.run(
            [numba_python() or "/usr/bin/python3", "-c",
             f"from {'more_' if options.more else ''}cases import *; "
             "print({k: (c[3], TOLERANCE.get(k, 1e-9)) for k, c in CASES.items()})"],
            cwd=HERE, capture_output=True, text=True, check=True).stdout)
        kernels = options.kernels or list(answers)
        versions(any(side.name == "numba" for side in sides))
        calls = {}
        for kernel in kernels:
            for side in sides:
                side.run(kernel, 1)  # compiles it
            check(sides, kernel, *answers[kernel])
            calls[kernel] = max(1, min(1000, int(ENOUGH / max(sides[0].run(kernel, 1), 1e-6))))
        for _ in range(options.rounds):
            for kernel in kernels:
                for side in sides:
                    seconds = side.run(kernel, calls[kernel])
                    side.best[kernel] = min(seconds, side.best.get(kernel, math.inf))
        write(rows(sides, kernels), options.markdown)
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
