"""What the benchmarks share: compilers, numba's environment, processes that are measured, tables."""
import ast
import os
import subprocess
import sys

CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
VENV = os.environ.get("JITRUN_BENCH_VENV") or os.path.join(CACHE, "jitrun-bench")


def numba_python():
    """The environment's Python, made if it is not there; None if it cannot be."""
    python = os.path.join(VENV, "bin", "python")
    have = [python, "-c", "import numba, tbb"]
    if os.path.exists(python) and not subprocess.run(have, capture_output=True).returncode:
        return python
    install = [python, "-m", "pip", "-q", "install", "numba", "tbb"]
    for command in ([sys.executable, "-m", "venv", VENV], install):
        if subprocess.run(command).returncode:
            print("no numba: its environment could not be made", file=sys.stderr)
            return None
    return python


def compile_c(compiler, source, path, *flags):
    """The shared library at `path`, or None when there is no such compiler."""
    command = [*compiler.split(), "-O3", "-march=native", "-fPIC", "-shared", *flags, source, "-o", path]
    try:
        done = subprocess.run([*command, "-lm"], capture_output=True, text=True)
    except OSError:
        return None
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return path if done.returncode == 0 else None


class Worker:
    """A process that answers "kernel calls" lines with a Python value each."""

    def __init__(self, name, command, env):
        self.name = name
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.best, self.digest = {}, {}
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: the process ended")
        return line

    def ask(self, kernel, calls):
        print(kernel, calls, file=self.process.stdin, flush=True)
        return ast.literal_eval(self.read())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def versions(with_numba):
    for command in (["gcc", "--version"], ["clang-19", "--version"]):
        try:
            print(subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0])
        except OSError:
            pass
    if with_numba:
        ask = "import numba, sys; print('numba', numba.__version__, 'on Python', sys.version.split()[0])"
        subprocess.run([os.path.join(VENV, "bin", "python"), "-c", ask])
    load = os.getloadavg()[0]
    note = ": other work disturbs the figures" if load > 0.5 else ""
    print(f"{os.cpu_count()} processors, load before {load:.1f}{note}\n", flush=True)


def write(table, markdown):
    table = list(table)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    edge, between = ("| ", " | ") if markdown else ("", "  ")
    for number, row in enumerate(table):
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print((edge + between.join(cells) + edge[::-1]).rstrip())
        if markdown and number == 0:
            print("|" + "|".join("---" for _ in widths) + "|")
