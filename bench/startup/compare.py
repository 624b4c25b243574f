#!/usr/bin/env python3
"""From text to the first result of a ten-line kernel, whole process, on each engine.

    bench/startup/compare.py [path of jitrun]
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 30


def measure(command):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - start)
        if done.stdout != "2001\n":
            sys.exit(f"{command}: printed {done.stdout!r}")
    times.sort()
    return times[0] * 1e3, times[len(times) // 2] * 1e3


def main():
    jitrun = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/jitrun")
    program = os.path.join(HERE, "ten.src")
    version = subprocess.run([jitrun, "--version"], capture_output=True, text=True, check=True)
    print(f"{'engine':<10}{'min ms':>9}{'median ms':>11}")
    for engine in ("auto", "interp", "tcc", "llvm"):
        if engine in version.stdout or engine == "auto":
            least, median = measure([jitrun, program, "--backend", engine])
            print(f"{engine:<10}{least:>9.2f}{median:>11.2f}")
    least, median = measure([sys.executable, "-c", "print(sum(i * i % 7 for i in range(1000)))"])
    print(f"{'CPython':<10}{least:>9.2f}{median:>11.2f}")


if __name__ == "__main__":
    main()
