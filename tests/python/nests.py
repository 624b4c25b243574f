#!/usr/bin/env python3
"""Makes nests of loops at random and runs them with jitrun and as they are, under CPython.

usage: nests.py [--seeds FIRST:LAST] [--seed N]

Results must be the same bits, and so must every array, also where the kernel fails: what was done
before an error is done, and nothing else. Loops around others are what ir/jam/ runs several
iterations of at a time. Needs PYTHONPATH and JITRUN_BUILD as the tests of the package do; ends with a
line of counts, and fails if hardly any nest was jammed.
"""
import argparse
import collections
import linecache
import os
import random
import sys

os.environ.setdefault("NPY_PROMOTION_STATE", "weak")
import numpy as np  # noqa: E402

from jitrun import njit  # noqa: E402

HEADER = """\
def f(a, b, c, x, y, z, n, m, p, k, one):
    s = one * 0
    t = one * 0
"""


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def chance(self, part):
        return self.random.random() < part

    def index(self, counter):
        if self.chance(0.04):
            return self.pick([f"{counter} - 1", f"{counter} + 1", "k", "-1", f"{counter} * 2", f"m - {counter}"])
        return counter

    def element(self, counters):
        """Of any array; counters from the inside."""
        inner, outer = counters[0], counters[-1]
        one = self.index(self.pick(counters))
        two = self.pick([(outer, inner), (outer, inner), (inner, outer), tuple(self.random.sample(counters, 2)),
                         (outer, "k"), ("k", inner)])
        pair = ", ".join(map(self.index, two))
        return self.pick([f"a[{pair}]", f"a[{pair}]", f"b[{pair}]", f"x[{one}]", f"x[{inner}]"])

    def value(self, counters):
        text = self.element(counters)
        for _ in range(self.pick([0, 1, 1, 2])):
            text = f"{text} {self.pick('*+-*')} {self.element(counters)}"
        return text if self.chance(0.9) else f"abs({text})"

    def target(self, counters):
        inner, outer = counters[0], counters[-1]
        return self.pick(["s", "s", f"y[{outer}]", f"y[{inner}]", f"c[{outer}, {inner}]",
                          f"c[{inner}, {outer}]", f"z[{self.index(self.pick(counters))}]",
                          f"c[{self.index(outer)}, {self.index(inner)}]"])

    def inner(self, counters, indent):
        lines = []
        if self.chance(0.15):
            lines.append(f"{indent}v = {self.value(counters)}")
        for _ in range(self.pick([1, 1, 1, 2])):
            value = f"v * {self.value(counters)}" if lines and "v =" in lines[0] else self.value(counters)
            lines.append(f"{indent}{self.target(counters)} {self.pick(['+=', '+=', '+=', '-=', '='])} {value}")
        return lines

    def range(self, size):
        lo = self.pick(["0"] * 12 + ["1", "2", "k"])
        hi = self.pick([size] * 12 + [f"{size} - 1", f"{size} - k", f"{size} + 1", "k"])
        if self.chance(0.1):
            return f"{hi} - 1, {lo} - 1, -1"
        if self.chance(0.05):
            return f"{lo}, {hi}, {self.pick(['2', '3', 'k'])}"
        return f"{lo}, {hi}" if lo != "0" or self.chance(0.3) else hi

    def segment(self, counters, indent):
        """Between loops."""
        counter = counters[-1]
        choice = self.pick([
            [], [], [], ["s = one * 0"], ["s = one * 0"], [f"y[{counter}] = s"], [f"y[{counter}] = one * 0"],
            ["t += s"], [f"z[{counter}] = s", "s = one * 0"], [f"y[{counter}] *= one", "s = x[0] * 0"],
            [f"t = t + x[{counter}]"]])
        return [indent + line for line in choice]

    def nest(self, names, sizes, around, indent):
        """Loops in each other, with statements between them."""
        name, size = names[0], sizes[0]
        lines = [f"{indent}for {name} in range({self.range(size)}):"]
        counters = [name, *around]
        indent += "    "
        if len(names) == 1:
            return lines + self.inner(counters, indent)
        lines += self.segment(counters, indent)
        for _ in range(self.pick([1, 1, 1, 2])):
            lines += self.nest(names[1:], sizes[1:], counters, indent)
            lines += self.segment(counters, indent)
        return lines

    def program(self):
        depth = self.pick([2, 2, 2, 3])
        order = self.random.sample([("i", "n"), ("j", "m"), ("q", "p")], depth) if self.chance(0.5) else \
            [("i", "n"), ("q", "p"), ("j", "m")] if depth == 3 else [("i", "n"), ("j", "m")]
        names, sizes = zip(*order)
        lines = self.nest(names, sizes, [], "    ")
        if self.chance(0.2):
            lines += self.nest(names, sizes, [], "    ")
        return HEADER + "\n".join(lines) + "\n    return s, t\n"

    def arguments(self):
        """The arrays, most of them apart, and numbers."""
        kind = self.pick([np.float64, np.float64, np.float64, np.float32, np.int64, np.int32])
        n, m, p = (self.pick([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 16, 17, 35]) for _ in range(3))
        size = max(n, m, p) + self.pick([0, 0, 0, 0, 0, 1, -1])
        size = max(size, 2)
        rng = np.random.default_rng(self.random.randrange(1 << 30))

        def fresh(*shape):
            made = rng.integers(1, 9, shape) if kind in (np.int64, np.int32) else rng.random(shape) + 0.1
            return np.ascontiguousarray(made.astype(kind))

        base = fresh(size + 3, size + 2)
        plain = [fresh(size, size) for _ in range(3)] + [fresh(size) for _ in range(3)]
        if self.chance(0.3):
            plain[self.pick([0, 0, 1, 2])] = self.pick([
                base[1:1 + size, :size], base.T[:size, :size], base[::-1][:size, :size], plain[2],
                np.broadcast_to(base[0, :size], (size, size)), plain[2].T])
        if self.chance(0.2):
            plain[self.pick([3, 4, 5])] = self.pick([plain[2][0], plain[0][0], plain[4], base[:size, 1],
                                                     plain[5][::-1], plain[0].reshape(-1)[1:1 + size]])
        if self.chance(0.05):
            plain[2] = plain[0].reshape(-1)[:size * size].reshape(size, size)
        return [*plain, n, m, p, self.pick([0, 1, 2, 3]), kind(1)]


def copied(args):
    """Fresh arrays that share what the others share: all lie in one piece of memory."""
    arrays = [a for a in args if isinstance(a, np.ndarray) and a.ndim]
    bases = {}
    for array in arrays:
        base = array
        while base.base is not None:
            base = base.base
        bases[id(base)] = base
    copies = {key: base.copy() for key, base in bases.items()}

    def copy(array):
        base = array
        while base.base is not None:
            base = base.base
        offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        return np.ndarray(array.shape, array.dtype, copies[id(base)], offset, array.strides)

    made = [copy(a) if isinstance(a, np.ndarray) and a.ndim else a for a in args]
    return made, list(copies.values())


def bits(values):
    """As bytes; which NaN one is, is not told."""
    values = np.array(values)
    if values.dtype.kind == "f":
        values[np.isnan(values)] = np.nan
    return values.tobytes()


def outcome(function, args):
    """What it returns or raises, and what is then in memory."""
    args, memory = copied(args)
    try:
        with np.errstate(all="ignore"):
            result = function(*args)
        result = tuple(bits(np.asarray(r, dtype=args[-1].dtype)) for r in result)
    except (IndexError, ValueError) as error:
        result = type(error).__name__
    return result, [bits(block) for block in memory]


def load(text, name):
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope = {}
    exec(compile(text, name, "exec"), scope)
    return scope["f"]


def check(seed):
    """What became of the program: a word, and whether its nest was jammed; None if it is wrong."""
    maker = Maker(seed)
    text, args = maker.program(), maker.arguments()
    plain = load(text, f"<nest {seed}>")
    compiled = njit(plain)
    wanted, got = outcome(plain, args), outcome(compiled, args)
    jammed = any("jammed" in ir for ir in compiled.inspect_ir().values())
    if wanted != got:
        print(f"seed {seed}: n, m, p, k = {args[6:10]}, {args[0].dtype}, shapes {[a.shape for a in args[:6]]}")
        print(f"  CPython: {wanted[0]}\n  jitrun:  {got[0]}", "" if wanted[1] == got[1] else ", and memory differs")
        print(text, flush=True)
        return None
    return ("raise" if isinstance(wanted[0], str) else "end well") + (", jammed" if jammed else "")


def run_seeds(doc, seeds, check):
    """How many programs came to what (`check(seed)` says it, or None for a failure), and how many failed; says both."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("--seeds", default=seeds)
    first, last = map(int, parser.parse_args().seeds.split(":"))
    counts = collections.Counter(check(seed) for seed in range(first, last))
    failed = counts.pop(None, 0)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    print(f"{sum(counts.values())} passed, {failed} failed")
    return counts, failed


def main():
    counts, failed = run_seeds(__doc__, "0:100", check)
    return failed != 0 or 5 * counts["end well, jammed"] < sum(counts.values())


if __name__ == "__main__":
    sys.exit(main())
