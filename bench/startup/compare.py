#!/usr/bin/env python3
"""From text to the first result of a ten-line kernel, whole process, on each engine: of one whose work is seen
in the text, and of one whose loops are as long as its data.

    bench/startup/compare.py [path of jitrun]
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 30


def measure(command, wanted):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - start)
        if done.stdout != wanted:
            sys.exit(f"{command}: printed {done.stdout!r}")
    times.sort()
    return times[0] * 1e3, times[len(times) // 2] * 1e3


def main():
    jitrun = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/jitrun")
    version = subprocess.run([jitrun, "--version"], capture_output=True, text=True, check=True)
    print(f"{'engine':<20}{'min ms':>9}{'median ms':>11}")
    for name, wanted in (("ten", "2001\n"), ("data", "2.0 1.0\n")):
        for engine in ("auto", "interp", "tcc", "llvm"):
            if engine in version.stdout or engine == "auto":
                program = os.path.join(HERE, name + ".src")
                least, median = measure([jitrun, program, "--backend", engine], wanted)
                print(f"{name + ', ' + engine:<20}{least:>9.2f}{median:>11.2f}")
    command = [sys.executable, "-c", "print(sum(i * i % 7 for i in range(1000)))"]
    least, median = measure(command, "2001\n")
    print(f"{'ten, CPython':<20}{least:>9.2f}{median:>11.2f}")


if __name__ == "__main__":
    main()
