#!/usr/bin/env python3
"""What jitrun costs from Python, beside numba where this Python has it: a call, the first call, import,
and what threads gain: so many kernels one after the other, and on as many threads as there are processors.

    bench/python/compare.py

Each figure is the least of several in a process of its own, and the results are checked first. The
loop around a call is part of its figure. To compare with numba, make a virtual environment outside
the tree with numba in it and run this with its Python.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def add(a, b):
    return a + b


def count_up(a, b):
    while a < b:
        a += 1.0
    return a


def first(x):
    return x[0]


def total(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i]
    return s


def mix(x, y, z, a, b):
    for i in range(len(x)):
        z[i] = a * x[i] + b * y[i]
    return z[0]


def doubled(x):
    return x * 2.0


def ten_lines(x, y):
    best = 0.0
    for i in range(len(x)):
        s = 0.0
        for j in range(len(y)):
            d = x[i] - y[j]
            if d > 0.5:
                s += d * d
            else:
                s -= d
        best = max(best, s)
    return best


def spin(n):
    s = 0
    for i in range(n):
        s = (s * 3 + i) % 1000003
    return s


def seconds_on(workers, function, tasks):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(function, range(workers)))
        start = time.perf_counter()
        list(pool.map(function, range(tasks)))
        return time.perf_counter() - start


def gain_of_threads(kernel, n, calls):
    """How much sooner threads are done than one is; each of the tasks makes so many calls."""
    workers, tasks = len(os.sched_getaffinity(0)), 32

    def task(number):
        for _ in range(calls):
            kernel(n)

    kernel(n)
    pairs = [(seconds_on(1, task, tasks), seconds_on(workers, task, tasks)) for _ in range(5)]
    return min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)


def calls():
    import numpy as np

    x, y, z = np.ones(1), np.ones(1), np.zeros(1)
    yield "two floats, brief", add, (1.0, 2.0)
    yield "two ints, brief", add, (1, 2)
    yield "two floats, a loop", count_up, (1.0, 2.0)
    yield "one array, brief", first, (x,)
    yield "one array, a loop", total, (x,)
    yield "three arrays, two floats", mix, (x, y, z, 2.0, 3.0)
    yield "a new array returned", doubled, (x,)


def time_call(kernel, args):
    names = ["a%d" % i for i in range(len(args))]
    scope = {"f": kernel, **dict(zip(names, args))}
    timer = timeit.Timer("f(%s)" % ", ".join(names), globals=scope)
    rounds = 2000  # short ones: some then run undisturbed on a machine that is shared
    return min(timer.repeat(400, rounds)) / rounds * 1e9


def measure_calls(decorate):
    figures = {}
    for title, function, args in calls():
        kernel = decorate(function)
        if kernel(*args) != function(*args):
            sys.exit("%s: %r" % (title, kernel(*args)))
        figures[title] = time_call(kernel, args)
    return figures


def decorator(which, **options):
    if which == "jitrun":
        import jitrun

        return jitrun.njit(**options)
    import numba

    return numba.njit(nogil=which == "numba nogil", **options)


def child(what, which):
    """What one process measures, as JSON."""
    if what == "calls":
        return measure_calls(decorator(which))
    if what.startswith("threads"):
        n = int(what.split()[1])
        return gain_of_threads(decorator(which)(spin), n, max(1, 2000000 // n))
    import numpy as np

    if what == "import":
        start = time.process_time()
        decorator(which)
        return (time.process_time() - start) * 1e3
    kernel = decorator(which, cache=what == "first kept")(ten_lines)
    x = np.linspace(0, 1, 5)
    decorator(which)(first)(x)  # LLVM is loaded
    start = time.perf_counter()
    kernel(x, x)
    return (time.perf_counter() - start) * 1e3


def run(what, which, times=1):
    env = dict(os.environ)
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # else each import compiles the package anew
    env.setdefault("PYTHONPATH", os.path.join(ROOT, "python"))
    env.setdefault("JITRUN_BUILD", os.path.join(ROOT, "build"))
    found = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, __file__, what, which], env=env, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        found.append(json.loads(done.stdout))
    return found[0] if times == 1 else min(found)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JITRUN_CACHE_DIR"] = os.environ["NUMBA_CACHE_DIR"] = folder
        compare()


def compare():
    columns = ["jitrun"]
    if importlib.util.find_spec("numba"):
        columns += ["numba", "numba nogil"]
    rows = {which: run("calls", which) for which in columns}
    print("%-28s" % "a call, ns" + "".join("%13s" % which for which in columns))
    for title in rows["jitrun"]:
        print("%-28s" % title + "".join("%13.1f" % rows[which][title] for which in columns))
    for what, title in (
        ("import", "import, CPU ms"),
        ("first", "first call of ten lines, ms"),
        ("first kept", "the same with cache=True, ms"),  # of processes after the first
    ):
        figures = [run(what, which, 6) for which in columns[:2]]
        print("%-28s" % title + "".join("%13.1f" % figure for figure in figures))
    print("\n%d threads, times as fast as one" % len(os.sched_getaffinity(0)))
    for n, title in ((2000000, "kernels of some 8 ms"), (20000, "of 80 us")):
        figures = [run("threads %d" % n, which) for which in columns]
        print("%-28s" % title + "".join("%13.2f" % figure for figure in figures))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(child(*sys.argv[1:])))
    else:
        main()
