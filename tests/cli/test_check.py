#!/usr/bin/env python3
"""The command: --check, --check-races and what --dump shows."""
import json
import os
import unittest

from command import ENGINES, Command

RACES = """\
import numpy as np
from jitrun import njit, prange

@njit
def scatter(k, y):
    for i in prange(len(k), unchecked=True):
        y[k[i]] = i
    return y

@njit
def squares(n: int):
    y = np.zeros(n)
    for i in prange(n):
        y[i] = i * i
    return y
"""


class CheckRaces(Command):
    def setUp(self):
        super().setUp()
        (self.path / "r.src").write_text(RACES)

    def test_found(self):
        code, out, err = self.run_command("r.src", "--check-races", "-e", "scatter", "[2, 1, 2]", "[0, 0, 0]")
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(err.splitlines(), [
            "r.src:7:10: error: race: iterations i = 0 and i = 2 both write y[2]",
            "    7 |         y[k[i]] = i",
            "      |          ^",
            "help: let each iteration write elements of its own, accumulate with an operator "
            "such as +=, or use range",
            "r.src:6:5: note: the prange loop",
            "    6 |     for i in prange(len(k), unchecked=True):",
            "      |     ^"])

    def test_none(self):
        code, out, err = self.run_command("r.src", "--check-races", "-e", "squares", "3")
        self.assertEqual((code, out), (0, "[0. 1. 4.]\n"))
        self.assertEqual(err, "jitrun: no race found in this run (prange loops run: 1, "
                                      "iterations: 3, accesses of elements: 3)\n")

    def test_no_loop(self):
        code, out, err = self.run_command("k.src", "--check-races")
        self.assertEqual((code, out), (0, "(3.0, 7)\n"))
        self.assertIn("no prange loop ran", err)

    def test_json(self):
        code, out, err = self.run_command("r.src", "--check-races", "-e", "scatter", "[2, 1, 2]", "[0, 0, 0]", "--format", "json")
        said = json.loads(err)
        self.assertEqual((said["name"], said["frames"][0]["line"]), ("race", 7))
        race, = said["race_check"]["races"]
        self.assertEqual(race["loop"], {"counter": "i", "function": "scatter", "file": "r.src",
                                        "line": 6, "column": 5})
        self.assertEqual(race["second"], {"kind": "write", "iteration": 2, "array": "y",
                                          "element": "y[2]", "function": "scatter",
                                          "file": "r.src", "line": 7, "column": 10,
                                          "end_column": 11})
        code, out, err = self.run_command("r.src", "--check-races", "-e", "squares", "3", "--format", "json")
        self.assertEqual(json.loads(err), {"status": 0, "race_check": {
            "loops": 1, "iterations": 3, "accesses": 3, "more": False, "races": []}})

    def test_memory(self):
        code, out, err = self.run_command("r.src", "--check-races", "-e", "squares", "100000",
                                JITRUN_RACE_MEMORY="1")
        self.assertEqual(code, 1)
        self.assertIn("error: MemoryError: the race check has no memory left", err)

    def test_asked_for_by_a_decorator(self):
        """check_races=True of one function: the whole run is checked."""
        source = ("from jitrun import njit, prange\nimport numpy as np\n"
                  "@njit(parallel=True, check_races=WHETHER)\ndef start(k, y):\n    scatter(k, y)\n"
                  "@njit\ndef scatter(k, y):\n"
                  "    for i in prange(len(k), unchecked=True):\n        y[k[i]] = i\n"
                  "y = np.zeros(3)\nstart(np.array([2, 1, LAST]), y)\nprint(y)\n")
        code, out, err = self.run_command("-", stdin=source.replace("WHETHER", "True").replace("LAST", "0"))
        self.assertEqual((code, out), (0, "[2. 1. 0.]\n"), err)
        self.assertIn("no race found in this run (prange loops run: 1, iterations: 3", err)
        racy = source.replace("LAST", "2")
        code, _, err = self.run_command("-", stdin=racy.replace("WHETHER", "True"))
        self.assertEqual(code, 1, err)
        self.assertIn("<stdin>:9:10: error: race: iterations i = 0 and i = 2 both write y[2]", err)
        code, _, err = self.run_command("-", stdin=racy.replace("WHETHER", "False"))
        self.assertEqual((code, err), (0, ""))
        code, _, err = self.run_command("-", stdin=racy.replace("WHETHER", "1"))
        self.assertEqual(code, 2, err)
        self.assertIn("check_races= takes True or False", err)

    def test_where_it_is_accumulated(self):
        """A counter that is read in the loop: the note is at what adds to it."""
        source = ("from jitrun import njit, prange\n@njit(parallel=True)\ndef f(x, y):\n    n = 0\n"
                  "    for i in prange(len(x)):\n        y[n] = x[i]\n        n += 1\n    return n\n")
        code, _, err = self.run_command("-", "-e", "f", "[1.0]", "[2.0]", stdin=source)
        self.assertEqual(code, 2, err)
        self.assertIn("<stdin>:6:10: error: 'n' is accumulated by this prange loop", err)
        self.assertIn("<stdin>:7:9: note: 'n' is accumulated here", err)

    def test_known_race_does_not_compile(self):
        (self.path / "s.src").write_text("import numpy as np\nfrom jitrun import njit, prange\n"
                                         "@njit\ndef f(y):\n    for i in prange(9):\n"
                                         "        y[0] = i\nf(np.zeros(3))\n")
        code, out, err = self.run_command("s.src", "--check-races")
        self.assertEqual(code, 2)
        self.assertIn("this prange loop has a race", err)


LOOPS = """\
import numpy as np
from jitrun import njit, prange, float64

@njit
def f(x: float64[::1], h: float64[::1], a: float64[::1], w: int, k: int):
    s = 0.0
    m = -1.0
    at = -1
    for i in prange(len(x)):
        t = x[i] * 2
        s += t
        if x[i] > m:
            m = x[i]
            at = i
        h[i % 7] += 1
    for i in prange(len(x) // w):
        for j in range(w):
            a[i * w + j] = x[i]
    for i in prange(len(a)):
        a[i - k] = i
    for i in prange(len(a)):
        v = i
        while v > 9:
            v //= 2
        a[v] = i
    return s, m, at
"""
LOOPS_EXPLAINED = """\
<stdin>:9:5: prange in f: parallel
    reductions: s (+), m (max)
    positions: at (beside m)
    arrays accumulated in copies: h (+)
    private: t
    tested at entry, share no memory: h and x
<stdin>:16:5: prange in f: parallel
    arrays with elements of each iteration's own: a
    tested at entry, iterations touch different elements: a
    tested at entry, share no memory: a and x
<stdin>:19:5: prange in f: parallel
    arrays with elements of each iteration's own: a
    tested at entry, not negative: 1 index
<stdin>:21:5: prange in f: serial: it is not known whether iterations write different elements of 'a' (line 25)
"""


WHOLES = """\
from jitrun import njit, prange, float64
import numpy as np

@njit(parallel=True)
def f(a: float64[::1], b: float64[::1], m: float64[:, ::1], v: float64[:, :]) -> float64:
    a[1:] = a[:-1] + 1.0
    c = a * b + 2.0
    c += 3.0
    c[1:] = a[1:] * 2.0
    c[c > 2.0] = 0.0
    d = np.cumsum(a)
    s = (m * 2.0).sum(axis=0)
    t = m.sum(axis=1)
    e = a[a > 1.0]
    a[b > 2.0] = 0.0
    u = (a * b).max() + m.sum() + np.prod(a)
    u += v.sum()
    p = m @ a
    u += a @ b
    x = np.random.random(100)
    y = np.arange(10)
    for i in prange(len(a)):
        m[i] += 1.0
    c.sort()
    u += (a * b).sum() + (m[1:] - a).sum() + np.cumsum(m * m, axis=0)[0, 0]
    p[:] = m @ a
    a[:] += a[::-1]
    m -= m.mean(axis=0)
    u += a[a > 0].sum()
    p = m @ (a - b)
    return u

@njit
def g(a):
    a += 1.0
"""
WHOLES_EXPLAINED = """\
6 parallel where large
7 parallel where large
8 parallel where large
9 parallel where large
10 parallel where large
11 serial: a running sum goes from left to right
12 parallel where large
13 parallel where large
14 serial: what a mask chooses is taken in order
15 parallel where large
15     temporary array, if it turns out to be needed: what is read may overlap what is written, otherwise than shifted
16 parallel where large; in part serial: a product of floats goes from left to right
17 parallel where large
18 parallel where large
19 serial: a product of two vectors adds from left to right
20 serial: random numbers are drawn one after the other
21 serial: it is over few elements
23 serial: it is in a prange loop, whose iterations are what is parallel
24 serial: it sorts
25 parallel where large; in part serial: a running sum goes from left to right
26 parallel where large
26     temporary array: a product is made before it is used
27 parallel where large
27     temporary array, if it turns out to be needed: what is read may overlap what is written, otherwise than shifted
28 parallel where large
28     temporary array: a reduction along an axis is made before it is used
29 parallel where large; in part serial: what a mask chooses is taken in order
29     temporary array: what a mask chooses is made before it is used
30 parallel where large
30     temporary array: an operand of a product is made before it
"""


class Shows(Command):
    def test_check_explains_whole_arrays(self):
        """Which statements threads run, which stay serial, and which make an array on the way."""
        code, out, err = self.run_command("-", "--check", stdin=WHOLES)
        self.assertEqual((code, err), (0, ""))
        lines, place = [], ""
        for line in out.splitlines():
            if " whole arrays in f: " in line:
                place = line.split(":")[1]
                line = line.split(" whole arrays in f: ")[1]
            elif not line.startswith("    temporary"):
                continue
            lines.append(f"{place} {line}")
        self.assertEqual(lines, WHOLES_EXPLAINED.splitlines())
        code, out, err = self.run_command("-", "--check", "--format", "json", stdin=WHOLES)
        self.assertEqual((code, err), (0, ""))
        wholes = json.loads(out)["whole_arrays"]
        made = {w["line"]: (w["temporary"], w["temporary_reason"]) for w in wholes
                if w["temporary"] != "none"}
        self.assertEqual(set(made), {15, 26, 27, 28, 29, 30})
        self.assertEqual(made[26], ("always", "a product is made before it is used"))
        self.assertEqual(made[27][0], "maybe")
        self.assertEqual({w["line"] for w in wholes if not w["parallel"]},
                         {11, 14, 19, 20, 21, 23, 24})
        self.assertEqual(wholes[0]["reason"], None)

    def test_options_of_python(self):
        """What the Python package has and the command has otherwise."""
        source = "from jitrun import njit\n@njit(engine='tcc')\ndef f(x: int) -> int:\n    return x\n"
        code, _, err = self.run_command("-", "--check", stdin=source)
        self.assertEqual(code, 2, err)
        self.assertIn("here give --backend", err)

    def test_check(self):
        self.check(["k.src", "--check"], 0)
        code, _, err = self.run_command("-", "--check", stdin="def f(x: int) -> int:\n    return y\n")
        self.assertEqual(code, 2, err)

    def test_check_explains_loops(self):
        """Each kind of finding, as text and as JSON."""
        code, out, err = self.run_command("-", "--check", "--parallel", stdin=LOOPS)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, LOOPS_EXPLAINED)
        code, out, err = self.run_command("-", "--check", "--parallel", "--format", "json", stdin=LOOPS)
        self.assertEqual((code, err), (0, ""))
        loops = json.loads(out)["loops"]
        self.assertEqual([loop["parallel"] for loop in loops], [True, True, True, False])
        self.assertEqual(loops[0]["line"], 9)
        found = {(name["kind"], name["name"], name.get("operator"), name.get("other"))
                 for loop in loops for name in loop["names"]}
        self.assertEqual(found, {
            ("reduction", "s", "+", None), ("reduction", "m", "max", None), ("position", "at", None, "m"),
            ("private", "t", None, None), ("copies", "h", "+", None), ("own elements", "a", None, None),
            ("tested apart", "h", None, "x"), ("tested apart", "a", None, "x"),
            ("tested elements", "a", None, None)})
        self.assertEqual(loops[2]["indices_tested"], 1)
        self.assertEqual((loops[3]["reason"], loops[3]["reason_line"]),
                         ("it is not known whether iterations write different elements of 'a'", 25))

    def test_dump(self):
        for stage in "tokens ast typed ir opt bytecode c llvm llvm-opt asm".split():
            if {"c": "tcc", "llvm": "llvm", "llvm-opt": "llvm", "asm": "llvm"}.get(stage, "interp") not in ENGINES:
                continue
            code, out, err = self.run_command("k.src", "--dump", stage)
            self.assertEqual((code, err), (0, ""), stage)
            self.assertIn("add", out, stage)

    def test_dump_by_environment(self):
        code, out, err = self.run_command("k.src", JITRUN_DUMP="ir")
        self.assertEqual((code, out), (0, "(3.0, 7)\n"))
        self.assertIn("func", err)

    def test_tokens_of_a_file_with_errors(self):
        code, out, _ = self.run_command("-", "--dump", "tokens", stdin="x = = 1\n")
        self.assertEqual(code, 2)
        self.assertIn("x", out)

    def test_emit(self):
        (self.path / "u.src").write_text("def twice(x):\n    return x + x\n"
                                         "def exp(x: float) -> float:\n    return x\n")
        code, out, err = self.run_command("u.src", "--emit", "header", "-e", "twice(float32)")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("float twice(float x);", out)
        self.check(["u.src", "--emit", "header", "-e", "twice"], 2, err="with a signature")
        if "tcc" in ENGINES:
            code, out, err = self.run_command("u.src", "--emit", "c", "-e", "twice( int8 )")
            self.assertEqual((code, err), (0, ""))
            self.assertIn("int8_t twice(int8_t p0)", out)
            self.assertNotIn("exp", out)
            self.check(["u.src", "--emit", "c"], 2, err="there is another exp")
        if "llvm" in ENGINES:
            code, _, err = self.run_command("k.src", "--emit", "obj", "-o", "k.o", "--cpu", "z80")
            self.assertEqual(code, 2)
            self.assertIn("unknown CPU 'z80'", err)
            self.assertFalse((self.path / "k.o").exists())
            code, _, err = self.run_command("k.src", "--emit", "so", "-o", "k.so", CC="no-such-cc")
            self.assertEqual(code, 2)
            self.assertIn("no-such-cc", err)
            if not os.environ.get("JITRUN_SANITIZE"):  # the archive would want its runtime
                self.assertEqual(self.run_command("k.src", "--emit", "so", "-o", "k.so")[0], 0)
                self.assertTrue((self.path / "k.so").exists())

    def test_version_and_help(self):
        code, out, _ = self.run_command("--version")
        self.assertEqual(code, 0)
        for engine in ENGINES:
            self.assertIn(engine, out)
        code, out, _ = self.run_command("--help")
        self.assertEqual(code, 0)
        self.assertIn("usage: jitrun FILE", out)


if __name__ == "__main__":
    unittest.main()
