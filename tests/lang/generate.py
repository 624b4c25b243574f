#!/usr/bin/env python3
"""Makes nests of loops over array elements at random and runs them on two engines.

usage: generate.py --jitrun build/jitrun [--seeds FIRST:LAST] [--engine llvm] [--keep FOLDER]

The engine must print what the interpreter prints, error and place included. Subscripts are sums of
counters, products and other numbers, inside the arrays, counting from the end or beyond; arrays may be parts of
one another; some statements are in an `if` of a counter or an element. That is what the LLVM engine
looks at in front of a loop (backend/llvm/range.c, apart.c). Ends with `N passed, M failed`.
"""
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import seeds  # noqa: E402

TIMEOUT = 60

PROGRAM = """\
import math
import numpy as np
from jitrun import njit, int64, float64


@njit
def f(a: {type}{matrix}, b: {type}{vector}, c: {type}{vector}, k: int64, w: int64, s: {type}) -> {type}:
    n = a.shape[0]
    m = a.shape[1]
{body}
    return s


def numbers():
    x = np.zeros(({rows}, {columns}), np.{type})
    for i in range({rows}):
        for j in range({columns}):
            x[i, j] = (i * 7 + j * 13) % 19
    return x


def show(a) -> None:
    s = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            s = s * 0.99 + a[i, j]
    print(s)


g = numbers()
p = numbers()[0].copy()
q = numbers()[1].copy()
print(f({a}, {b}, {c}, {k}, {w}, {zero}))
show(g)
show(p.reshape(1, {columns}))
show(q.reshape(1, {columns}))
"""


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.counters = ["i", "j", "j", "j"]
        self.few = self.chance(0.15)

    def chance(self, part):
        return self.random.random() < part

    def index(self, counter, size):
        if self.chance(0.3):
            counter = self.pick(["i", "k", "k", "w", "0"])
        if self.chance(0.15):
            return self.product(counter, size)
        if self.chance(0.12):
            return self.spread(counter, size)
        if self.few and self.chance(0.5):
            return self.pick([f"{counter} + t", f"{counter} - t", f"{counter} + t - 1", "t"])
        return self.pick([
            counter, counter, counter, counter, counter, counter, f"{counter} - 1", f"{counter} + 1",
            f"{counter} {self.pick('+-')} {self.pick([2, 3, 17])}", f"{counter} - w", f"{counter} + w",
            f"{size} - 1 - {counter}", "left" if size == "m" else "k"])

    def product(self, counter, size):
        return self.pick([
            f"({counter} + 1) % {size}", f"({counter} - 1) % {size}", f"(i + 1) % {size}", "(i - w) % n", f"({counter} + w) % {size}",
            f"{counter} * w", f"k * w + {counter}", f"i * w + {counter}", f"(k + {counter}) * w", f"w * {counter} - k",
            f"i // k + {counter}", f"(i & 3) * w + {counter}", f"min(i, w) + {counter}", f"{counter} % {size}"])

    def spread(self, counter, size):
        """Of which only the ends are known, or not even these."""
        value = self.pick([
            f"int({counter} * {self.pick(['0.75', '1.25', '-0.5', '1e300'])} + {self.pick(['0.0', '2.5', '-1.5', '20.25'])})",
            f"int({counter} * (m - 2) / n)", f"int(math.floor(({counter} - k) / (w + 0.5)))",
            f"int(np.float32({counter}) / (k - 1))", f"int(b[{counter}]) & 7", f"(({counter} * {counter}) ^ 5) & k",
            f"int(b[j]) % {size}", f"({counter} * {counter} - w) % {size}", f"min(max({counter} - w, 0), {size} - 1)",
            f"min({counter} + k, {size} - 1)", f"max({counter} - 2, 0)", f"int(a[k, {counter}]) // 4 % 5"])
        return self.pick([value, value, value, f"{value} + 1", f"{value} - 1", f"{counter} + {value}", f"3 - {value}"])

    def element(self):
        return self.pick([
            lambda: f"a[{self.index('i', 'n')}, {self.index('j', 'm')}]", lambda: f"b[{self.index('j', 'm')}]",
            lambda: f"c[{self.index('j', 'm')}]"])()

    def value(self):
        text = self.element()
        for _ in range(self.pick([0, 1, 1, 2])):
            op = self.pick(["+", "-", "-", "min", "max"])
            other = self.element()
            text = f"{op}({text}, {other})" if op in ("min", "max") else f"{text} {op} {other}"
        return text

    def shift(self, indent):
        """An element made of others at a distance that only the run knows."""
        array = self.pick(["b[{}]", "b[{}]", "c[{}]", "a[k, {}]", "a[k, {}]"])
        at = self.pick(["j", "j", "j", "m - 1 - j"])
        far = [array.format(f"{at} {self.pick('+-')} {self.pick(['w', 'w', 'w', 'k', '17'])}")
               for _ in range(self.pick([1, 1, 2]))]
        near = array.format(at)
        value = self.pick(["min({}, {})", "max({}, {})", "{} - {}", "{} + {}"]).format(self.pick(far), near)
        value = self.pick([value, f"{value} + {self.pick([*far, self.element(), 's'])}"])
        target = self.pick([near, near, near, far[0]])
        if self.chance(0.3):
            return [f"{indent}if {self.pick(far)} > {near}:", f"{indent}    {target} = {value}"]
        return [f"{indent}{target} = {value}"]

    def condition(self, depth=0):
        if depth < 3 and self.chance(0.3):
            parts = [self.condition(depth + 1) for _ in range(self.pick([2, 2, 3]))]
            joined = f" {self.pick(['and', 'or'])} ".join(f"({part})" for part in parts)
            return self.pick([joined, joined, f"not ({joined})"])
        counter = self.pick(self.counters)
        return self.pick([
            f"not {self.element()} > 2", f"k == {self.pick([0, 1, 2])}", f"{counter} == 0", f"{counter} == k", f"{counter} != k", f"{counter} == m - 1",
            f"{counter} != n - 1", f"{counter} == i + 1", f"{counter} < w", f"{self.element()} > 3",
            f"{self.element()} > 2 and {self.element()} < 9"])

    def statement(self, indent):
        target = "s" if self.chance(0.1) else self.element()
        op = "+=" if target == "s" else self.pick(["=", "=", "=", "+=", "-="])
        text = f"{target} {op} {self.value()}"
        if not self.chance(0.3):
            return [indent + text]
        lines = [f"{indent}if {self.condition()}:", f"{indent}    {text}"]
        if self.chance(0.2):
            return [*lines, f"{indent}elif {self.condition()}:", f"{indent}    {target} = {self.element()}",
                    f"{indent}else:", f"{indent}    {target} = {self.element()}"]
        if self.chance(0.3):
            lines += [f"{indent}else:", f"{indent}    s += {self.element()}"]
        return lines

    def range(self, first, size):
        lo = self.pick(["0", "0", "1", "1", "2", "k", first, "w"])
        hi = self.pick([size, size, f"{size} - 1", f"{size} - 1", f"{size} - 3", "k", "len(b)"])
        return self.pick([f"{lo}, {hi}"] * 9 + [f"{hi} - 1, {lo} - 1, -1", f"{lo}, {hi}, 2", f"{lo}, {hi}, w"])

    def inner_range(self):
        """Elements on both sides of which there are others."""
        return self.pick(["40, m - 40", "40, m - 40", "m - 41, 39, -1", "m - 41, 39, -1", "m - 41, 39, -2",
                          "w, m", "0, m - w", "m - 1, w - 1, -1", "m - 1 - w, -1, -1"])

    def body(self):
        indent = "    "
        if self.chance(0.7):
            lines = [f"{indent}for i in range({self.range('2', 'n')}):"]
            indent += "    "
        else:
            lines = [f"{indent}i = k"]
        lines.append(f"{indent}for j in range({self.pick([self.range('i + 1', 'm'), self.inner_range()])}):")
        indent += "    "
        if self.few:
            lines.append(f"{indent}for t in range({self.pick(['3', '-1, 2', '2, -1, -1', '0, 6, 2', '1'])}):")
            indent += "    "
        shifts = self.chance(0.5)
        inner = []
        for _ in range(self.pick([1, 1, 2, 3])):
            inner += self.shift(indent) if shifts and self.chance(0.8) else self.statement(indent)
        if any("left" in line for line in inner):
            lines.append(f"{indent}left = m - 1 if j == 0 else j - 1")
        return "\n".join(lines + inner)

    def program(self):
        any_layout = self.chance(0.35)
        rows, columns = self.pick([3, 20, 40]), self.pick([4, 44, 60, 200, 300])
        kind = self.pick(["int64", "float64", "float64"])
        return PROGRAM.format(
            type=kind, zero="0" if kind == "int64" else "0.0", body=self.body(), rows=rows, columns=columns,
            matrix="[:, :]" if any_layout else "[:, ::1]", vector="[:]" if any_layout else "[::1]",
            a=self.pick(["g", "g", "g", "g[1:]", "g.T" if any_layout else "g"]),
            b=self.pick(["p", "p", "g[0]", "g[1, 1:]"] + (["g[:, 1]", "p[::-1]"] if any_layout else [])),
            c=self.pick(["q", "q", "p", "g[1]", "g[0]", "p[3:]"]),
            k=self.pick([0, 1, 2, 5, rows - 1, columns - 1]), w=self.pick([0, 1, 2, 3, 7, 16, 17, 19, 33, 40, -1, -1, -3, -8, -17, -40]))


def run(jitrun, path, engine):
    done = subprocess.run([jitrun, "--backend", engine, str(path)], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)
    return done.returncode, done.stdout, done.stderr


def check(args, seed, path):
    path.write_text(Maker(seed).program())
    wanted, got = run(args.jitrun, path, "interp"), run(args.jitrun, path, args.engine)
    kind = {0: "end well", 1: "raise"}.get(wanted[0], "are no programs")
    return kind, [] if wanted == got else [f"{args.engine} gives {got}", f"interp gives {wanted}"]


def main():
    parser = seeds.parser_of(__doc__, "0:150")
    parser.add_argument("--engine", default="llvm")
    args = parser.parse_args()
    counts, failed = seeds.run_seeds(args, lambda seed, path: check(args, seed, path))
    return failed != 0 or counts["are no programs"] != 0 or not counts["end well"]


if __name__ == "__main__":
    sys.exit(main())
