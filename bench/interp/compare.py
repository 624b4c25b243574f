#!/usr/bin/env python3
"""The interpreter against CPython and Lua on the same loops.

    bench/interp/compare.py [path of jitrun]

Each program is a whole process; its output is compared first. Printed is the best processor time
of several runs and how many times faster the interpreter is.
"""
import os
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["dot", "loops", "mandelbrot", "sieve", "fib", "nbody", "spring", "crc32", "life",
            "quicksort", "matmul", "floyd", "collatz"]
RUNS = 5


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    return float(result.stdout), after - before


def measure(command):
    results = [run(command) for _ in range(RUNS)]
    return results[0][0], min(seconds for _, seconds in results)


def main():
    jitrun = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/jitrun")
    print(f"{'program':<12}{'interp':>9}{'CPython':>9}{'Lua':>9}{'x CPython':>11}{'x Lua':>8}")
    for name in PROGRAMS:
        path = os.path.join(HERE, name)
        ours, interp = measure([jitrun, "--backend", "interp", path + ".src"])
        python, cpython = measure(["/usr/bin/python3", path + ".py"])
        other, lua = measure(["lua5.4", path + ".lua"])
        if not ours == python == other:
            sys.exit(f"{name}: the results differ: {ours}, {python}, {other}")
        print(f"{name:<12}{interp:9.4f}{cpython:9.3f}{lua:9.3f}"
              f"{cpython / interp:11.1f}{lua / interp:8.1f}")


if __name__ == "__main__":
    main()
