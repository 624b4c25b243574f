#!/usr/bin/env python3
"""Makes prange programs at random and runs them serially and in parallel.

usage: generate.py --jitrun build/jitrun [--seeds FIRST:LAST] [--keep FOLDER]

Every program that jitrun accepts with --parallel must print what it prints without, when its
chunks run in their order and when they run backwards (JITRUN_CHUNK_ORDER), which shows for certain what
threads show by chance. One that is refused for a race must have that race: with unchecked=True,
--check-races has to find it. All numbers are integers, or floats that add up exactly.
Ends with `N passed, M failed`.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import seeds  # noqa: E402

TIMEOUT = 60
SERIAL = dict(os.environ, JITRUN_PARALLEL_THRESHOLD="0", JITRUN_NUM_THREADS="1")
ORDERS = {
    "1 thread": SERIAL,
    "3 threads": dict(SERIAL, JITRUN_NUM_THREADS="3"),
    "backwards": dict(SERIAL, JITRUN_CHUNK_ORDER="backwards"),
}

PROGRAM = """\
import numpy as np
from jitrun import njit, prange

def put(v, j, x):
    v[j] = x

def get(v, j):
    return v[j]

def tail(v):
    return v[1:]

def digest(v):
    s = 0
    for z in range(len(v)):
        s = s * 31 + int(v[z])
    return s

@njit
def f(a, b, c, m, h, x, k, p, st, n):
    s1 = {start}
    s2 = 1
    low = {low}
    high = -1e300
    at = -1
    any1 = False
    all1 = {all}
    w = p + 1
{before}    for i in prange({range}):
{body}
    print(s1, s2, low, high, at, any1, all1)

n = {n}
size = 5 * n + 60
a = np.arange(size) % 11
b = np.arange(size) * 7 % 13
c = np.arange(size) * 5 % 17
m = (np.arange(size * size) % 19).reshape(size, size)
h = np.ones(size)
x = np.arange(size) * 7.0 % 31 - 11
{special}k = np.arange(size) * {spread} % (n + 1)
f({a}, {b}, {c}, m, h, x, k, {p}, {st}, n)
print(digest(a), digest(b), digest(c), digest(m[0]), m.sum(), h.sum(), h[:9])
"""


class Maker:
    """The statements of one loop."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.counters, self.locals, self.operators = [], [], [], {}
        self.views = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def add(self, depth, text):
        self.lines += ["        " + "    " * depth + line for line in text.split("\n")]

    def array(self):
        return self.pick("a", "b", "c")

    def index(self):
        forms = ["i"] * 5 + [
            "i + 1", "i - 1", "i + 2", "i - 3", "2 * i", "2 * i + 1", "n - 1 - i", "n - i", "-i",
            "-1 - i", "i - n", "i % 4", "i // 2", "i * p", "i + p", "i + w", "p", "0", "1", "-1", "k[i]",
            "i + k[1]", "abs(i)", "i & 3", "i ^ 1", "i * w", "i * w + 1", "(i + p) % n", "(i - 1) % n",
            "i // 3", "i - p * 9", "i + p * 40", "i * st", "i // st", "n - i * p", "i - n // 2", "i * 2 - n"]
        for j in self.counters:
            forms += [j, "i + " + j, "i * 3 + " + j, "i * p + " + j, j + " + p", "i * w + " + j,
                      "i * (w + 1) + " + j, j + " * n + i", "i * n + " + j, "i * w - " + j, f"(i + {j}) % n"]
        return self.random.choice(forms + self.locals)

    def value(self):
        def one():
            return self.pick("i", "3", "i * 3 + 1", "%s[%s]" % (self.array(), self.index()),
                             "%s[%s]" % (self.array(), self.index()),
                             "m[%s, %s]" % (self.index(), self.index()),
                             "get(%s, %s)" % (self.array(), self.index()), *self.locals)
        return one() if self.chance(0.6) else f"{one()} {self.pick('+', '-', '^')} {one()}"

    def float_value(self):
        return self.pick("x[i]", "-x[i]", "x[n - 1 - i]", "x[k[i]]", "abs(x[i])", "float(i)")

    def condition(self):
        return self.pick("x[i] > 0", "i % 2 == 0", "k[i] % 3 == 0", "x[i] != x[i]", "a[0] > 3",
                         f"{self.value()} < {self.value()}", f"{self.value()} == 5")

    def operator(self, name, *choices):
        """Mostly the same one for one name: other programs are refused."""
        first = self.operators.setdefault(name, self.random.choice(choices))
        return first if self.chance(0.95) else self.random.choice(choices)

    # ---- Statements ----

    def store(self, depth):
        self.add(depth, self.pick(
            f"{self.array()}[{self.index()}] = {self.value()}",
            f"m[{self.index()}, {self.index()}] = {self.value()}",
            f"put({self.array()}, {self.index()}, {self.value()})"))

    def update(self, depth):
        name, index = self.array(), self.index()
        self.add(depth, self.pick(
            f"{name}[{index}] {self.pick('+', '+', '^', '&', '-', '*')}= {self.value()}",
            f"h[{index}] += float(i)",
            f"{name}[{index}] = max({name}[{index}], {self.value()})"))

    def part(self):
        return self.pick("i:i + 2", "p:p + 2", "2 * i:2 * i + 2", "i * w:i * w + w", "i * p:(i + 1) * p",
                         "i * w:(i + 1) * w + 1", "n - i:n - i + 1", "i * w:i * w + p:2")

    def whole(self, depth):
        self.add(depth, self.pick(
            f"{self.array()}[{self.part()}] = {self.value()}",
            f"m[{self.index()}, :] = {self.value()}", f"m[:, {self.index()}] += 1",
            f"m[{self.index()}] = m[{self.index()}] + 1"))

    def local(self, depth):
        name = self.pick("x1", "x2")
        self.add(depth, f"{name} = {self.value()}")
        if depth == 0 and name not in self.locals:
            self.locals.append(name)

    def view(self, depth):
        self.views += 1
        name, array = f"v{self.views}", self.array()
        source = self.pick(f"{array}[{self.pick('1', 'i', 'p')}:]", f"{array}[::-1]", f"{array}[::2]",
                           f"m[{self.index()}]", f"m[:, {self.index()}]", f"m.T[{self.index()}]",
                           f"tail({array})", array, f"{array}.copy()", "np.zeros(size, np.int64)",
                           f"{array}[{self.part()}]", "m[i, i:]", "m[i, :i]", "m[:, i:i + 1].T").replace("size", "len(a)")
        self.add(depth, f"{name} = {source}\n{name}[{self.index()}] {self.pick('', '+')}= {self.value()}")

    def accumulate(self, depth):
        name = self.pick("s1", "s2")
        sign = self.operator(name, "+", "^", "*", "&", "|")
        other = {"+": "-", "-": "+"}.get(sign, sign)
        self.add(depth, self.pick(f"{name} {sign}= {self.value()}", f"{name} {other}= {self.value()}",
                                  f"{name} = {name} {sign} ({self.value()})",
                                  f"{name} = ({self.value()}) {sign} {name}"))

    def extreme(self, depth):
        value = self.float_value()
        compare = self.operator("compare", "<", "<=")
        turned = compare.replace("<", ">")
        self.add(depth, self.pick(
            f"high = max(high, {value})", f"high = max({value}, high)",
            f"if {value} {compare} low:\n    low = {value}",
            f"if low {turned} {value}:\n    low = {value}\n    at = {self.pick('i', 'k[i]')}"))

    def flag(self, depth):
        self.add(depth, self.pick(
            f"if {self.condition()}:\n    any1 = True", f"any1 = any1 or {self.condition()}",
            f"if {self.condition()}:\n    all1 = False", f"all1 = all1 and ({self.condition()})"))

    def nested(self, depth, head):
        kept = list(self.locals)
        self.add(depth, head)
        for _ in range(self.random.randint(1, 2)):
            self.statement(depth + 1)
        self.locals = kept

    def branch(self, depth):
        self.nested(depth, f"if {self.condition()}:")
        if self.chance(0.4):
            self.nested(depth, "else:")

    def loop(self, depth):
        self.counters.append(f"j{len(self.counters) + 1}")
        kind = self.pick("range", "range", "prange")
        ends = self.pick("3", "p", "i % 4", "2", "w", "i", "st", "i * w, i * w + w", "i * p, (i + 1) * p", "1, p",
                         "p, -1, -1", "0, w, 2", "i, i + w")
        self.nested(depth, f"for {self.counters[-1]} in {kind}({ends}):")
        self.counters.pop()

    def skip(self, depth):
        self.add(depth, f"if {self.condition()}:\n    continue")

    def statement(self, depth):
        kinds = [self.store] * 6 + [self.update] * 3 + [self.accumulate] * 3 + [self.view] * 2 + [
            self.whole, self.local, self.local, self.extreme, self.flag, self.skip]
        if depth < 2:
            kinds += [self.branch] * 2 + [self.loop] * 2
        self.random.choice(kinds)(depth)

    def program(self):
        for _ in range(self.random.randint(1, 3)):
            self.statement(0)
        return PROGRAM.format(
            body="\n".join(self.lines), n=self.pick(12, 20, 150), start=self.pick(0, 5),
            low=self.pick("1e300", "0.0", "-0.0", "np.nan", "np.inf"), all=self.pick("True", "False"),
            range=self.pick("n", "n", "n", "1, n", "n - 1", "0, n, 2", "n, 0, -1", "-3, n", "2, n - 2",
                            "0, n, st", "0, n, 3", "n, 2 * n", "n // 2, n", "1, n, 2", "n - 1, 0, -2"),
            before=self.pick("", "", "    a = b[1:]\n", "    b = a\n", "    c = a[::-1]\n", "    b = m[0]\n",
                             "    c = a[2:]\n    b = a[:-2]\n", "    m = m.T\n"),
            special=self.pick("", "", "x[n // 2] = np.nan\n", "x[0] = np.nan\n", "x[:] = -0.0\n",
                              "x[3:6] = np.inf\n"),
            a="a", b=self.pick("b", "b", "b", "a", "a[1:]", "b[::-1]"),
            c=self.pick("c", "c", "c", "a", "b", "a[::2]"), spread=self.pick(1, 3, 0, 7),
            p=self.pick(0, 1, 2, 3, 4, -1, -2), st=self.pick(1, 2, 3))


def run(jitrun, path, environment, *options):
    done = subprocess.run([jitrun, "--backend", "interp", *options, str(path)], capture_output=True,
                          text=True, timeout=TIMEOUT, env=environment)
    return done.returncode, done.stdout, done.stderr


def check_refusal(jitrun, path, error):
    """The race that a program was refused for: the check of a run has to find one."""
    path.write_text(re.sub(r"prange\((.*)\):", r"prange(\1, unchecked=True):", path.read_text()))
    code, _, said = run(jitrun, path, SERIAL, "--check-races", "--format", "json")
    if code == 2:
        return []  # refused for more than that
    return [] if json.loads(said.splitlines()[-1])["race_check"]["races"] else [
        f"refused, but this run has no race: {error}"]


def check(jitrun, seed, path):
    """(what became of it, problems)"""
    text = Maker(seed).program()
    path.write_text(text)
    serial = run(jitrun, path, SERIAL)
    if serial[0] == 2:
        return "is no program", []
    problems = []
    for order, environment in ORDERS.items():
        got = run(jitrun, path, environment, "--parallel")
        refused = re.search("error: .*", got[2]) if got[0] == 2 else None
        if refused and serial[0] == 0 and "has a race: iterations i" in refused[0]:
            problems = check_refusal(jitrun, path, refused[0])
            path.write_text(text)
        if refused:
            return "is refused", problems
        if got[0] != serial[0] or (got[0] == 0 and got[1] != serial[1]):
            problems.append(f"{order}: exit status {got[0]}, {got[1]!r}\n"
                            f"serial: exit status {serial[0]}, {serial[1]!r}")
    loops = json.loads(run(jitrun, path, SERIAL, "--parallel", "--check", "--format", "json")[1])
    parallel = any(loop["parallel"] for loop in loops["loops"])
    return "is parallel" if parallel else "is serial", problems


def main():
    args = seeds.parser_of(__doc__, "0:300").parse_args()
    counts, failed = seeds.run_seeds(args, lambda seed, path: check(args.jitrun, seed, path))
    return failed != 0 or not counts["is parallel"]


if __name__ == "__main__":
    sys.exit(main())
