#!/usr/bin/env python3
"""Makes functions of loops at random and runs them on each engine and as they are, under CPython.

usage: loops.py [--seeds FIRST:LAST]

Beside what nests.py makes: bounds that depend on outer loops and on arrays, steps, `while`; conditions of
comparisons, flags and `not`; break, continue, return and raise in the middle; indices that go round the end or are
rows times columns; loops of few rounds; every type of number. Results, errors with their lines, and memory after them
must be the same. Needs PYTHONPATH and JITRUN_BUILD as the tests of the package do; ends with a line of counts.
"""
import random
import sys

import nests  # sets NumPy's promotion
import numpy as np

from jitrun import engine, errors, njit

HEADER = """\
def f(a, c, x, y, z, q, n, m, k, flag, one):
    s = one * 0
    t = one
    odd = flag
"""
KINDS = ["float64", "float64", "float64", "float32", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32"]
NOT_JITRUNS = (TypeError, OverflowError, UnboundLocalError)  # differences that docs/language.md names


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.kind = self.pick(KINDS)
        self.is_float = self.kind.startswith("float")
        self.is_risky = self.chance(0.25)
        self.names = ["s", "t", "one"]

    def chance(self, part):
        return self.random.random() < part

    def index(self, counters):
        c, d = self.pick(counters), self.pick(counters)
        size = {"i": "n", "j": "m"}.get(c, "3")
        if self.chance(0.15):  # sums of the counters and of what the loop does not change
            return self.pick([f"{c} + 1", f"{c} - 2", f"{c} + {d}", f"{size} - 1 - {c}", f"{c} + k", f"{c} * 2 - {d}",
                              f"{c} * k + {d}", f"({c} - 1) * k + 1"])
        return self.pick([c] * 9 + [
            f"{c} - 1", f"{c} - 1", f"-{c}", f"{c} // 2", f"({c} - 1) % {size}", f"({c} + 1) % {size}",
            f"({c} + k) % {size}", "k", "0", "-1", f"q[{c}] % 3"] + ([f"{c} + 1", f"{c} * 2"] if self.is_risky else []))

    def element(self, counters, stored=False):
        if self.chance(0.5):
            pair = self.random.sample(counters, 2) if len(counters) > 1 and self.chance(0.6) else \
                [self.index(counters), self.index(counters)]
            return f"{self.pick('cca' if stored else 'aac')}[{', '.join(pair)}]"
        if len(counters) > 1 and self.chance(0.2):
            return f"z[({counters[0]} * m + {counters[1]}) % len(z)]" if self.chance(0.5) else \
                f"z[{counters[0]} * m + {counters[1]}]"
        return f"{self.pick('yyx' if stored else 'xxy')}[{self.index(counters)}]"

    def value(self, counters, depth=0):
        if depth > 2 or self.chance(0.35):
            return self.element(counters) if self.chance(0.75) else self.pick(self.names)

        def operand():
            return self.value(counters, depth + 1)
        return self.pick([
            lambda: f"({operand()} {self.pick('+-*')} {operand()})",
            lambda: f"({operand()} {self.pick('+-*' if self.is_float else '+-&|^')} {operand()})",
            lambda: f"{self.pick(['min', 'max'])}({operand()}, {operand()})",
            lambda: f"({operand()} if {self.condition(counters)} else {operand()})",
            lambda: f"abs({operand()} * 0.5)" if self.is_float else f"({operand()} % 5 + ({operand()} >> 1))"])()

    def condition(self, counters, depth=0):
        if depth < 3 and self.chance(0.35):
            parts = [f"({self.condition(counters, depth + 1)})" for _ in range(self.pick([2, 2, 3]))]
            return f" {self.pick(['and', 'or'])} ".join(parts)
        counter = self.pick(counters)
        return self.pick([
            f"{self.element(counters)} {self.pick(['<', '>', '==', '<='])} {self.pick(self.names)}",
            f"{counter} {self.pick(['<', '==', '!=', '>='])} {self.pick(counters + ['k', 'n - 1', '0'])}",
            f"({counter} + k) % 2 == 0", "odd", "not odd", "flag", f"not not {counter} > k"])

    def statement(self, counters, indent, depth=0):
        value = self.value(counters)
        choice = self.random.random()
        if choice < 0.35:
            return [f"{indent}{self.pick('st')} {self.pick(['+=', '-='])} {value}"]
        if choice < 0.65:
            return [f"{indent}{self.element(counters, True)} {self.pick(['=', '=', '+=', '-=', '*='])} {value}"]
        if choice < 0.7:
            return [f"{indent}odd = {self.pick(['not odd', self.condition(counters)])}"]
        if choice < 0.76:
            stop = self.pick(["break", "continue", "break", "return s, t", "raise ValueError('stop')"])
            return [f"{indent}if {self.condition(counters)}:", f"{indent}    {stop}"]
        if depth > 1:
            return [f"{indent}s = t"]
        inner = self.statement(counters, indent + "    ", depth + 1)
        if choice < 0.84:
            return [f"{indent}for u in range({self.pick(['3', '2', '-1, 2', '4, 1, -1', '0'])}):",
                    f"{indent}    {self.element(counters + ['u'], True)} += {self.value(counters + ['u'])}", *inner]
        lines = [f"{indent}if {self.condition(counters)}:", *inner]
        if self.chance(0.4):
            lines += [f"{indent}else:", *self.statement(counters, indent + "    ", depth + 1)]
        return lines

    def range(self, outer, size):
        around = outer[-1] if outer else "k"
        return self.pick([size] * 5 + [
            f"1, {size} - 1", f"{around}", f"{around} + 1, {size}", f"{size} - {around}", f"0, {size}, 2",
            f"{size} - 1, -1, -1", f"{size} - 1, {around}, -1", f"0, {size}, k + 1", f"q[{around}]",
            f"{size} - 1, -1, -3", f"len(x) // 2", f"k, min({around} + 2, {size})"])

    def loop(self, outer, indent, depth):
        counter, size = [("i", "n"), ("j", "m"), ("g", "n")][len(outer)]
        counters = [*outer, counter]
        if self.chance(0.1):
            lines = [f"{indent}{counter} = 0", f"{indent}while {counter} < {size} and s < 100 - t * 0:"]
            lines.append(f"{indent}    {counter} += 1")
        else:
            lines = [f"{indent}for {counter} in range({self.range(outer, size)}):"]
        indent += "    "
        for _ in range(self.pick([1, 1, 2, 3]) if depth == 1 else self.pick([0, 0, 1])):
            lines += self.statement(counters, indent)
        return lines + (self.loop(counters, indent, depth - 1) if depth > 1 else [])

    def program(self):
        lines = []
        for _ in range(self.pick([1, 1, 2])):
            lines += self.loop([], "    ", self.pick([1, 2, 2, 3]))
        return HEADER + "\n".join(lines) + "\n    return s, t\n"

    def arguments(self):
        rng = np.random.default_rng(self.random.randrange(1 << 30))
        n, m = (self.pick([0, 1, 2, 3, 4, 5, 8, 9, 12]) for _ in range(2))
        size = max(n, m, 3) + self.pick([0, 0, 1, 2, 12, 24])

        def fresh(*shape):
            numbers = rng.integers(-24, 25, shape) / 8 if self.is_float else rng.integers(0, 9, shape)
            return numbers.astype(self.kind)

        a, c, x, y, z = fresh(size, size), fresh(size, size), fresh(size), fresh(size), fresh(n * m + self.pick([1, 3]))
        if self.chance(0.3):
            a, x = self.pick([(a.T, c[0]), (c, x), (a[::-1], c[:, 0]), (c.T, y), (a, y[::-1]), (a[:, ::-1], z)])
            x = x if len(x) >= size else y
        return [a, c, x, y, z, rng.integers(0, size, size), n, m, self.pick([0, 1, 2]), self.chance(0.5),
                np.dtype(self.kind).type(1)]


def outcome(function, args, name):
    """As nests.outcome, with the line and the message of an error."""
    args, memory = nests.copied(args)
    try:
        with np.errstate(all="ignore"):
            result = tuple(nests.bits(np.asarray(r).astype(args[-1].dtype)) for r in function(*args))
    except (IndexError, ValueError, ZeroDivisionError) as error:
        at, line = error.__traceback__, None
        while at:
            line = at.tb_lineno if at.tb_frame.f_code.co_filename == name else line
            at = at.tb_next
        said = "" if isinstance(error, ZeroDivisionError) else str(error)  # Python's versions say it differently
        result = type(error).__name__, said, line
    return result, [nests.bits(block) for block in memory]


def check(seed, engines):
    """What became of the program, in a word; None if it is wrong."""
    maker = Maker(seed)
    text, name = maker.program(), f"<loops {seed}>"
    plain = nests.load(text, name)
    compiled = {key: njit(engine=key)(plain) for key in engines}
    word = "are not CPython's"
    for _ in range(2):
        args = maker.arguments()
        try:
            wanted = outcome(plain, args, name)
        except NOT_JITRUNS:
            continue
        word = "raise" if len(wanted[0]) == 3 else "end well"
        for key, function in compiled.items():
            try:
                got = outcome(function, args, name)
            except errors.TypingError:
                return "are no programs"
            if got != wanted:
                print(f"seed {seed}, {key}: n, m, k, flag = {args[6:10]}, {maker.kind}, {[v.shape for v in args[:5]]}")
                print(f"  CPython: {wanted[0]}\n  jitrun:  {got[0]}", "" if wanted[1] == got[1] else ", and memory differs")
                print(text, flush=True)
                return None
    return word


def main():
    engines = [key for key in ("interp", "tcc", "llvm") if engine.engine_available(key)]
    counts, failed = nests.run_seeds(__doc__, "0:120", lambda seed: check(seed, engines))
    return failed != 0 or 3 * counts["end well"] < sum(counts.values())


if __name__ == "__main__":
    sys.exit(main())
