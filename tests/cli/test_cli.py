#!/usr/bin/env python3
"""The command: options, exit codes, standard input, .npy files, JSON. Run with the path of the
command in $JITRUN and the engines that were built in $JITRUN_ENGINES (comma-separated)."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

JITRUN = os.environ.get("JITRUN", "build/jitrun")
ENGINES = os.environ.get("JITRUN_ENGINES", "interp,tcc,llvm").split(",")

KERNELS = """\
import numpy as np
from jitrun import njit, float64

@njit
def add(a: float64, b: float64) -> float64:
    return a + b

@njit
def total(x):
    s = x[0]
    for i in range(1, len(x)):
        s += x[i]
    return s

@njit
def doubled(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = 2.0 * x[i]
    return out

@njit
def corners(x):
    return x[0, 0], x[-1, -1]

@njit
def fails(n: int) -> int:
    return 10 // n

@njit
def nothing(x: int):
    pass

@njit
def main():
    return add(1.0, 2.0), 7
"""


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        (self.path / "k.src").write_text(KERNELS)

    def tearDown(self):
        self.folder.cleanup()

    def run_command(self, *args, stdin=None, **environment):
        done = subprocess.run([os.path.abspath(JITRUN), *map(str, args)], input=stdin, text=True,
                              capture_output=True, timeout=120, cwd=self.path,
                              env={**os.environ, **environment})
        return done.returncode, done.stdout, done.stderr

    def check(self, args, code, out="", err="", stdin=None):
        got = self.run_command(*args, stdin=stdin)
        self.assertEqual(got[0], code, got)
        self.assertEqual(got[1], out, got)
        if err:
            self.assertIn(err, got[2])
        else:
            self.assertEqual(got[2], "")
        return got


class Calls(Command):
    def test_scalars(self):
        for engine in ENGINES:
            self.check(["k.src", "--backend", engine, "-e", "add", "1", "2.5"], 0, "3.5\n")
            self.check(["k.src", "--backend", engine, "-e", "add", "-1", "1e3"], 0, "999.0\n")

    def test_list_argument_makes_an_array(self):
        self.check(["k.src", "-e", "total", "[1, 2, 3.5]"], 0, "6.5\n")
        self.check(["k.src", "-e", "total", "[1, 2, 3]"], 0, "6\n")

    def test_expression_argument(self):
        self.check(["k.src", "-e", "total", "np.arange(10)"], 0, "45\n")

    def test_array_result_is_printed(self):
        self.check(["k.src", "-e", "doubled", "np.arange(4.0)"], 0, "[0. 2. 4. 6.]\n")

    def test_tuple_result(self):
        self.check(["k.src", "-e", "corners", "[[1, 2], [3, 4]]"], 0, "(1, 4)\n")

    def test_defaults_and_named_arguments(self):
        (self.path / "d.src").write_text(
            "from jitrun import njit, int8, uint64\n"
            "def f(n, k=2, *, p=(1, 2.5), q: uint64 = 2**63):\n    return n * k, p, q\n"
            "@njit('int64(int64, int64)')\n"
            "def g(a, b=7):\n    return a - b\n"
            "def main(n=5):\n    return n\n")
        q = 2 ** 63
        self.check(["d.src", "-e", "f", "3"], 0, f"(6, (1, 2.5), {q})\n")
        self.check(["d.src", "-e", "f", "3", "0.5"], 0, f"(1.5, (1, 2.5), {q})\n")
        self.check(["d.src", "-e", "f", "3", "q=1"], 0, "(6, (1, 2.5), 1)\n")
        self.check(["d.src", "-e", "f", "p=(7, 8)", "n=[1, 2]"], 0,
                   f"(array([2, 4]), (7, 8), {q})\n")
        self.check(["d.src", "-e", "g", "1"], 0, "-6\n")
        self.check(["d.src", "-e", "g", "b=1", "a=2"], 0, "1\n")
        self.check(["d.src"], 0, "5\n")
        code, out, err = self.run_command("d.src", "-e", "f", "n=2", "--bench", "--bench-time",
                                          "0.01", "--backend", "interp")
        self.assertEqual((code, err), (0, ""), out)
        self.check(["d.src", "-e", "f"], 2, err="'f' needs an argument for 'n'")
        self.check(["d.src", "-e", "g", "b=1"], 2, err="g needs an argument for 'a'")
        self.check(["d.src", "-e", "f", "1", "z=2"], 2, err="f has no parameter 'z'")
        self.check(["d.src", "-e", "f", "1", "n=2"], 2, err="has a value already")
        self.check(["d.src", "-e", "f", "n=2", "1"], 2, err="stands after one with a name")
        self.check(["d.src", "-e", "f", "1", "2", "3", "4", "5"], 2, err="takes 4 arguments")

    def test_an_argument_is_one_expression(self):
        for text in ["1) + (2", "[1]) + ([2]", "[1], dtype=np.int8", "pass", "1; 2", "x := 1"]:
            code, out, err = self.run_command("k.src", "-e", "nothing", text)
            self.assertEqual((code, out), (2, ""), text)
            self.assertIn("argument 1", err)
        self.check(["k.src", "-e", "total", "[1, 2]  # a comment"], 0, "3\n")

    def test_none_prints_nothing(self):
        self.check(["k.src", "-e", "nothing", "1"], 0, "")

    def test_main_is_called_when_there_is_no_body(self):
        self.check(["k.src"], 0, "(3.0, 7)\n")

    def test_options_anywhere(self):
        self.check(["-e", "add", "--backend=interp", "k.src", "1", "2"], 0, "3.0\n")
        self.check(["k.src", "-eadd", "--", "1", "-2"], 0, "-1.0\n")


class Files(Command):
    def test_npy_in_and_out(self):
        for engine in ENGINES:
            np.save(self.path / "in.npy", np.arange(5.0))
            self.check(["k.src", "--backend", engine, "-e", "doubled", "in.npy", "-o", "out.npy"], 0)
            np.testing.assert_array_equal(np.load(self.path / "out.npy"), np.arange(5.0) * 2)

    def test_every_dtype(self):
        for dtype in "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split():
            np.save(self.path / "in.npy", np.array([1, 2, 3], dtype=dtype))
            got = self.run_command("k.src", "-e", "total", "in.npy")
            self.assertEqual(got[:2], (0, "6.0\n" if "float" in dtype else "6\n"), (dtype, got))

    def test_fortran_order(self):
        np.save(self.path / "f.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))
        self.check(["k.src", "-e", "corners", "f.npy"], 0, "(0.0, 5.0)\n")

    def test_bad_files(self):
        np.save(self.path / "complex.npy", np.zeros(3, dtype=complex))
        np.save(self.path / "good.npy", np.zeros(100))
        whole = (self.path / "good.npy").read_bytes()
        (self.path / "short.npy").write_bytes(whole[:200])
        (self.path / "junk.npy").write_bytes(b"not an array")
        for name in ("complex", "short", "junk", "missing"):
            code, out, err = self.run_command("k.src", "-e", "total", f"{name}.npy")
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn(f"{name}.npy", err)

    def test_output_that_is_no_array(self):
        code, out, err = self.run_command("k.src", "-e", "add", "1", "2", "-o", "x.npy")
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn("array", err)

    def test_standard_input(self):
        self.check(["-"], 0, "5\n", stdin="print(2 + 3)\n")
        self.check(["-", "-e", "f", "3"], 0, "9\n", stdin="def f(x):\n    return x * x\n")

    def test_missing_file(self):
        self.check(["nope.src"], 2, "", "nope.src")

    def test_binary_file(self):
        (self.path / "b.src").write_bytes(b"x = 1\0\n")
        self.check(["b.src"], 2, "", "b.src")


class Errors(Command):
    def test_kernel_error(self):
        for engine in ENGINES:
            got = self.check(["k.src", "--backend", engine, "-e", "fails", "0"], 1, "",
                             "k.src:28:15: error: ZeroDivisionError")
            self.assertIn("return 10 // n", got[2])

    def test_message_with_a_zero(self):
        source = ('def f(x):\n    if x:\n        raise ValueError("a\\0b")\n'
                  'print("d\\0e")\nf(1)\n')
        for engine in ENGINES:
            code, out, err = self.run_command("-", "--backend", engine, stdin=source)
            self.assertEqual((code, out), (1, "d\0e\n"))
            self.assertIn("error: ValueError: a\0b\n", err)
            err = self.run_command("-", "--format", "json", stdin=source)[2]
            self.assertEqual(json.loads(err)["message"], "a\0b")

    def test_call_chain(self):
        source = ("def f(a, i):\n    return a[i]\n\n"
                  "def g(a):\n    return f(a, 9)\n\n"
                  "import numpy as np\nprint(1)\nprint(g(np.zeros(3)))\n")
        for engine in ENGINES:
            code, out, err = self.run_command("-", "--backend", engine, stdin=source)
            self.assertEqual((code, out), (1, "1\n"), err)
            self.assertIn("<stdin>:2:", err)
            self.assertIn("IndexError: index 9 is out of bounds for axis 0 with size 3", err)
            self.assertIn("in f, called at <stdin>:5:", err)
            self.assertIn("in g, called at <stdin>:9:", err)

    def test_compile_error(self):
        code, out, err = self.run_command("-", stdin="x = 1\nprint(x + y)\n")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("<stdin>:2:11: error:", err)
        self.assertIn("print(x + y)", err)

    def test_json_diagnostics(self):
        code, out, err = self.run_command("-", "--format", "json", stdin="print(y)\nprint(z)\n")
        self.assertEqual((code, out), (2, ""))
        found = json.loads(err)
        self.assertEqual([d["line"] for d in found], [1, 2])
        self.assertEqual(found[0]["severity"], "error")
        code, out, err = self.run_command("k.src", "--format", "json", "-e", "fails", "0")
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(err)["name"], "ZeroDivisionError")

    def test_usage(self):
        for args, message in (([], "no FILE"), (["--nope"], "--nope"), (["k.src", "-O9"], "-O"),
                              (["k.src", "1"], "-e"), (["k.src", "--timeout", "x"], "--timeout"),
                              (["k.src", "--backend", "gpu"], "gpu"), (["k.src", "-e"], "-e"),
                              (["k.src", "-e", "nope"], "nope"), (["k.src", "-e", "add", "1"], "add"),
                              (["k.src", "--dump", "soup"], "soup"),
                              (["k.src", "--format", "xml"], "--format"),
                              (["k.src", "--emit", "elf"], "elf"),
                              (["k.src", "--emit", "so"], "-o"),
                              (["k.src", "--emit", "c", "--cpu", "native"], "--cpu"),
                              (["k.src", "--emit", "header", "-e", "add", "1"], "ARGs"),
                              (["k.src", "--emit", "header", "-e", "nope"], "nope"),
                              (["k.src", "--emit", "header", "-e", "add(int64"], "(int64"),
                              (["k.src", "--emit", "header", "-o", "no/where.h"], "no/where.h"),
                              (["k.src", "-e", "add", "1", "foo("], "foo(")):
            code, out, err = self.run_command(*args)
            self.assertEqual((code, out), (2, ""), (args, err))
            self.assertIn(message, err)

    def test_float_for_an_int_is_refused(self):
        code, out, err = self.run_command("k.src", "-e", "fails", "2.5")
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn("2.5", err)
        self.check(["k.src", "-e", "fails", "2"], 0, "5\n")

    ENDLESS = "print('begun')\ni = 0\nwhile i >= 0:\n    i = (i + 1) % 7\n"

    def test_timeout(self):
        for engine in ENGINES:
            code, out, err = self.run_command("-", "--timeout", "0.3", "--backend", engine,
                                              stdin=self.ENDLESS)
            self.assertEqual((code, out), (124, "begun\n"), err)
            self.assertIn("<stdin>:3:1: error: TimeoutError: timed out", err)
        code, out, err = self.run_command("k.src", "--timeout", "60", "-e", "add", "1", "2")
        self.assertEqual((code, out), (0, "3.0\n"), err)

    def test_timeout_of_a_kernel_s_own(self):
        code, _, err = self.run_command("-", stdin="raise TimeoutError('mine')\n")
        self.assertEqual(code, 1, err)

    def test_interrupt(self):
        for engine in ENGINES:
            running = subprocess.Popen([os.path.abspath(JITRUN), "-", "--backend", engine],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            running.stdin.write(self.ENDLESS)
            running.stdin.close()
            time.sleep(0.5)
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(timeout=60), 130)
            out, err = running.stdout.read(), running.stderr.read()
            running.stdout.close()
            running.stderr.close()
            self.assertEqual(out, "begun\n")
            self.assertIn("error: KeyboardInterrupt: interrupted", err)

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([os.path.abspath(JITRUN), "-"], input="print(1)\n", text=True,
                                  stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("write", done.stderr)


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
    return u + (a * b).sum()

@njit
def g(a):
    a += 1.0
"""
WHOLES_EXPLAINED = """\
6 parallel where large
6     temporary array, if it turns out to be needed: views of one array may overlap in no one direction
7 parallel where large
8 parallel where large
9 parallel where large
10 parallel where large
11 serial: a running sum goes from left to right
12 parallel where large
13 parallel where large
14 serial: what a mask chooses is taken in order
15 parallel where large
15     temporary array: the mask may read what the statement writes
16 parallel where large; in part serial: a product of floats goes from left to right
17 serial: the sum goes row by row, as the array is not contiguous
18 parallel where large
19 serial: a product of two vectors adds from left to right
20 serial: random numbers are drawn one after the other
21 serial: it is over few elements
23 serial: it is in a prange loop, whose iterations are what is parallel
24 serial: it sorts
25 parallel where large
25     temporary array, if it turns out to be needed: an operand may have to be stretched
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
        self.assertEqual(set(made), {6, 15, 25})
        self.assertEqual(made[6], ("maybe", "views of one array may overlap in no one direction"))
        self.assertEqual(made[15][0], "always")
        self.assertEqual({w["line"] for w in wholes if not w["parallel"]},
                         {11, 14, 17, 19, 20, 21, 23, 24})
        self.assertEqual(wholes[0]["reason"], None)

    def test_options_of_python(self):
        """What the Python package has and the command has otherwise."""
        for option, instead in (("check_races=True", "--check-races"), ("engine='tcc'", "--backend")):
            source = f"from jitrun import njit\n@njit({option})\ndef f(x: int) -> int:\n    return x\n"
            code, _, err = self.run_command("-", "--check", stdin=source)
            self.assertEqual(code, 2, err)
            self.assertIn(f"here give {instead}", err)

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


class Bench(Command):
    """--bench: what it writes, never how long something takes."""

    QUICK = ["--bench", "--bench-time", "0.02"]

    def rows(self, *args, code=0):
        got, out, err = self.run_command("k.src", *self.QUICK, *args, "--format", "json")
        self.assertEqual((got, err), (code, ""), out)
        return json.loads(out)["rows"]

    def test_table(self):
        code, out, err = self.run_command("k.src", *self.QUICK, "-e", "total", "np.arange(50.0)")
        self.assertEqual((code, err), (0, ""), out)
        for text in [*ENGINES, "total in k.src", "median", "speed-up", "generate"]:
            self.assertIn(text, out)
        if len(ENGINES) > 1:
            self.assertIn("results: the same to the bit", out)

    def test_json(self):
        rows = self.rows("-e", "total", "np.arange(50.0)", "--operations", "49", "--bytes", "400")
        self.assertEqual([row["name"] for row in rows], ENGINES)
        for row in rows:
            self.assertEqual(len(row["samples"]), row["sample_count"])
            self.assertLessEqual(row["min"], row["median"])
            self.assertAlmostEqual(row["operations_rate"] * row["median"], 49, 3)
            self.assertAlmostEqual(row["bytes_rate"] * row["median"], 400, 3)
            self.assertGreater(row["parse"], 0)

    def test_one_engine(self):
        rows = self.rows("-e", "add", "1", "2", "--backend", "interp")
        self.assertEqual([row["name"] for row in rows], ["interp"])

    def test_body_and_main(self):
        self.assertEqual(len(self.rows()), len(ENGINES))
        (self.path / "k.src").write_text("print('unseen')\n")
        self.assertEqual(len(self.rows()), len(ENGINES))

    def test_sweep_and_csv(self):
        code, out, err = self.run_command(
            "k.src", *self.QUICK, "-e", "total", "--sweep", "n=10:1000", "np.ones(n)",
            "--backend", "interp", "--format", "csv", "--plot", "p.svg")
        self.assertEqual((code, err), (0, ""), out)
        for size in (10, 100, 1000):
            self.assertIn(f"n = {size}\n", out)
        self.assertNotIn("n = 10000\n", out)
        picture = (self.path / "p.svg").read_text()
        self.assertTrue(picture.startswith("<svg") and "<polyline" in picture)
        code, out, _ = self.run_command(
            "k.src", *self.QUICK, "-e", "add", "--sweep", "x=2:4:2", "x", "max(x, 1)",
            "--backend", "interp", "--format", "json")
        self.assertEqual([at["size"] for at in json.loads(out)["sizes"]], [2, 4])

    def test_compare(self):
        # Long enough for the test to have samples, however busy the machine; it ends when it has.
        bench = ["k.src", "--bench", "--bench-time", "3", "-e", "add", "1", "2", "--backend", "interp"]
        code, out, err = self.run_command(*bench, "--format", "json", "-o", "old.json")
        self.assertEqual((code, out, err), (0, "", ""))
        code, out, err = self.run_command(*bench, "--compare", "old.json")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("against old.json", out)
        # A thousandth of the time then: it has become slower for certain.
        old = json.loads((self.path / "old.json").read_text())
        for row in old["rows"]:
            row["median"] /= 1000
            row["samples"] = [s / 1000 for s in row["samples"]]
        (self.path / "old.json").write_text(json.dumps(old))
        code, out, err = self.run_command(*bench, "--compare", "old.json")
        self.assertRegex(out, r"interp .* slower\n")
        for text in ("", "[", "{}", '{"format": 2, "rows": []}', '{"a": "' + "\\" + '"}', "[" * 999):
            (self.path / "bad.json").write_text(text)
            code, _, err = self.run_command(*bench, "--compare", "bad.json")
            self.assertEqual(code, 2, text)
            self.assertIn("bad.json is not", err)

    def test_errors(self):
        self.check(["k.src", *self.QUICK, "-e", "fails", "0"], 1, err="ZeroDivisionError")
        for args, message in [
            (["--sweep", "n=1:10"], "goes with --bench"),
            (["--plot", "x.svg"], "goes with --bench"),
            (["--format", "csv"], "goes with --bench"),
            (["--bench", "--sweep", "n=10:1"], "--sweep takes"),
            (["--bench", "--sweep", "1=1:10"], "--sweep takes"),
            (["--bench", "--sweep", "n=1:10"], "ARGs in which the size stands"),
            (["--bench", "--check"], "goes without"),
            (["--bench", "--bench-time", "0"], "above 0"),
            (["--bench", "--operations", "x"], "above 0"),
        ]:
            self.check(["k.src", *args], 2, err=message)
        self.check(["k.src", *self.QUICK, "-e", "add", "1", "2", "--plot", "no/where.svg", "-o", "x"],
                   2, err="no/where.svg")

    def test_interrupted(self):
        (self.path / "k.src").write_text("while True:\n    pass\n")
        self.check(["k.src", *self.QUICK, "--timeout", "0.3"], 124, err="TimeoutError")


class Against(Command):
    """--bench --against: the same file in CPython, and under what calls itself numba."""

    SOURCE = """\
import numpy as np
from jitrun import njit, prange, float64

SCALE = 2.0

@njit(parallel=True)
def dot(x: float64[::1], y: float64[::1], scale: float = SCALE, more: int = 1) -> float:
    s = 0.0
    for i in prange(len(x)):
        s += x[i] * y[i]
    return s * scale + more

def mixed(x, pair, flag):
    print('unseen')
    x += pair[0]
    return x[1:], (x.sum(), len(x), not flag)

def cubed(n):
    return n * n * n

print('loud', dot(np.ones(3), np.ones(3)))
"""
    NUMBA = "def njit(*args, error_model=None, **options):\n" \
            "    return args[0] if args and callable(args[0]) else lambda f: f\n" \
            "prange = range\n" \
            "class Type:\n    def __getitem__(self, index):\n        return self\n" \
            "float64 = Type()\n"

    def rows(self, *args, against="cpython", code=0, **environment):
        (self.path / "a.src").write_text(self.SOURCE)
        environment = {"JITRUN_PYTHON": sys.executable, **environment}
        got, out, err = self.run_command("a.src", *Bench.QUICK, "--backend", "interp", "--against",
                                         against, *args, "--format", "json", **environment)
        self.assertEqual((got, err), (code, ""), out)
        return {row["name"]: row for row in json.loads(out)["rows"]}

    def check_row(self, row):
        self.assertEqual((row["error"], row["difference"]), (None, None))
        self.assertGreater(row["sample_count"], 0)
        self.assertGreater(row["first_call"], 0)

    def test_arrays_and_defaults(self):
        self.check_row(self.rows("-e", "dot", "np.arange(50.0)", "np.ones(100)[::2].copy()")["cpython"])
        self.check_row(self.rows("-e", "dot", "[1.5]", "[2.5]", "more=3")["cpython"])
        self.check_row(self.rows("-e", "dot", "[1.5]", "[2.5]", "0.1")["cpython"])

    def test_written_arguments_and_tuples(self):
        self.check_row(self.rows("-e", "mixed", "np.arange(50.0)[::-3]", "(3, 2.5)", "True")["cpython"])

    def test_body(self):
        rows = self.rows(against="cpython,numba", PYTHONPATH=str(self.numba()))
        self.check_row(rows["cpython"])
        self.assertIn("name one with -e", rows["numba"]["error"])

    def numba(self):
        folder = self.path / "stand-in"
        folder.mkdir(exist_ok=True)
        (folder / "numba.py").write_text(self.NUMBA)
        return folder

    def test_numba(self):
        rows = self.rows("-e", "dot", "[1.5]", "[2.5]", against="numba,cpython",
                         PYTHONPATH=str(self.numba()))
        self.assertEqual(list(rows), ["interp", "cpython", "numba"])
        self.check_row(rows["numba"])
        (self.numba() / "numba.py").write_text("raise ImportError")
        rows = self.rows("-e", "dot", "[1.5]", "[2.5]", against="numba", PYTHONPATH=str(self.path / "stand-in"))
        self.assertIn("numba is not installed for", rows["numba"]["error"])

    def test_results_are_compared(self):
        row = self.rows("-e", "cubed", "3000000", code=1)["cpython"]
        self.assertIn("the result", row["difference"])
        self.assertEqual(row["sample_count"], 0)

    def test_python_that_is_not_there(self):
        for python, why in (("/nonexistent/python", "not found"), ("true", "ended without an answer")):
            row = self.rows("-e", "cubed", "3", JITRUN_PYTHON=python)["cpython"]
            self.assertIn(why, row["error"])

    def test_python_that_does_not_answer(self):
        (self.path / "slow").write_text("#!/bin/sh\nexec sleep 100\n")
        (self.path / "slow").chmod(0o755)
        (self.path / "a.src").write_text(self.SOURCE)
        code, out, err = self.run_command(
            "a.src", *Bench.QUICK, "--backend", "interp", "--against", "cpython", "-e", "cubed", "3",
            "--timeout", "2", JITRUN_PYTHON="./slow")
        self.assertEqual((code, out, err), (124, "", "jitrun: error: timed out\n"))

    def test_errors(self):
        self.check(["k.src", "--bench", "--against", "pypy"], 2, err="--against takes cpython, numba")
        self.check(["k.src", "--bench", "--against", ""], 2, err="--against takes")
        self.check(["k.src", "--against", "cpython"], 2, err="goes with --bench")



if __name__ == "__main__":
    unittest.main()
