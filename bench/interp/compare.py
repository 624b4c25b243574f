#!/usr/bin/env python3
"""The interpreter against CPython and Lua on the same loops, and what C makes of them.

    bench/interp/compare.py [--rounds N] [--markdown] [path of jitrun [PROGRAM...]]

Each program is a whole process, whose results are compared before times count. A round runs all sides one after
the other; printed is the least processor time (user and system) of all rounds, and how many times
faster than CPython the interpreter and C are, and than Lua the interpreter. C is gcc -O2: no
interpreter does better than its column.
"""
import argparse
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402

PROGRAMS = ["dot", "loops", "mandelbrot", "sieve", "fib", "nbody", "spring", "crc32", "life",
            "quicksort", "matmul", "floyd", "collatz"]


def run(command):
    """What the process prints, and its processor time."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return float(output), usage.ru_utime + usage.ru_stime


def measure(name, commands, rounds):
    best = {side: math.inf for side in commands}
    for _ in range(rounds):
        results = {}
        for side, command in commands.items():
            results[side], seconds = run(command)
            best[side] = min(best[side], seconds)
        if len(set(results.values())) != 1:
            sys.exit(f"{name}: the results differ: {results}")
    return best


def build(name, folder):
    out = os.path.join(folder, name)
    subprocess.run(["gcc", "-O2", os.path.join(HERE, name + ".c"), "-o", out, "-lm"], check=True)
    return out


def rows(names, jitrun, rounds):
    yield ["loop", "interpreter, s", "C", "Lua", "CPython", "x CPython", "x Lua", "C x CPython"]
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = os.path.join(HERE, name)
            best = measure(name, {"ours": [jitrun, "--backend", "interp", path + ".src"],
                                  "C": [build(name, folder)],
                                  "Lua": ["lua5.4", path + ".lua"],
                                  "CPython": ["/usr/bin/python3", path + ".py"]}, rounds)
            ratio = [best["CPython"] / best["ours"], best["Lua"] / best["ours"],
                     best["CPython"] / best["C"]]
            ratios.append(ratio)
            yield [name, f"{best['ours']:.4f}", f"{best['C']:.4f}", f"{best['Lua']:.3f}",
                   f"{best['CPython']:.3f}", *(f"{r:.1f}" for r in ratio)]
    means = [math.exp(sum(map(math.log, column)) / len(column)) for column in zip(*ratios)]
    yield ["geometric mean", "", "", "", "", *(f"{mean:.1f}" for mean in means)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("jitrun", nargs="?", default=os.path.join(HERE, "../../build/jitrun"))
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    harness.versions(False)
    harness.write(rows(args.programs or PROGRAMS, args.jitrun, args.rounds), args.markdown)


if __name__ == "__main__":
    main()
