#!/usr/bin/env python3
"""The command: options, exit codes, standard input, .npy files, JSON."""
import json
import os
import signal
import subprocess
import time
import unittest

import numpy as np

from command import ENGINES, JITRUN, Command


class Cache(Command):
    @unittest.skipUnless("llvm" in ENGINES, "the LLVM engine is not there")
    def test_found_by_the_next_run(self):
        folder = self.path / "cache"
        env = dict(os.environ, JITRUN_CACHE_DIR=str(folder))
        made = None
        for _ in range(3):
            done = subprocess.run([JITRUN, "k.src", "--cache", "--backend", "llvm", "-e", "add", "1", "2"],
                                  capture_output=True, text=True, env=env, cwd=self.path)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "3.0\n", ""))
            files = {f.name: f.stat().st_ino for f in folder.iterdir()}
            self.assertEqual(len(files), 1)
            self.assertEqual(files, made or files)  # a piece that is made anew is another file
            made = files
        folder.chmod(0o777)
        done = subprocess.run([JITRUN, "k.src", "--cache", "--backend", "llvm", "-e", "add", "1", "2"],
                              capture_output=True, text=True, env=env, cwd=self.path)
        self.assertEqual((done.returncode, done.stdout), (0, "3.0\n"))
        self.assertIn("warning: compiled code is not kept: others can write to it", done.stderr)


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

    def test_many_parameters(self):
        """libtcc keeps what is passed on a stack of its own, of fixed size."""
        for engine in ENGINES:
            for count in (250, 300):
                names = ", ".join(f"a{i}: int" for i in range(count))
                text = f"def f({names}):\n    print(a0, a{count - 1})\nf({', '.join(map(str, range(count)))})\n"
                code, out, err = self.run_command("-", "--backend", engine, stdin=text)
                if (engine, count) == ("tcc", 300):
                    self.assertEqual((code, out), (2, ""))
                    self.assertIn("f in line 1 takes and returns 300 values", err)
                else:
                    self.assertEqual((code, out, err), (0, f"0 {count - 1}\n", ""), engine)

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
        long, kernel = self.path / "long.src", self.path / "k.src"
        long.write_text("for i in range(100_000):\n    print(i)\nprint(" + "1, " * 9_000 + "1)\n")
        others = [[long], [long, "--format", "json"], [kernel, "--emit", "c"], [long, "--dump", "ast"]]
        for args in (["--help"], ["--completion", "bash"], ["--version"], *others):
            with open("/dev/full", "w") as full:
                done = subprocess.run([os.path.abspath(JITRUN), *args], text=True, stdout=full,
                                      stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((args, done.returncode), (args, 1))
            self.assertIn("cannot write the output", done.stderr)

    def test_what_cannot_be_emitted_removes_no_device(self):
        full = self.path / "full"
        full.symlink_to("/dev/full")
        for kind in ("header", "c") + (("obj",) if "llvm" in ENGINES else ()):
            code, _, err = self.run_command("k.src", "--emit", kind, "-e", "fails", "-o", "full")
            self.assertEqual(code, 2)
            self.assertIn("cannot write full", err)
            self.assertTrue(full.is_char_device())


if __name__ == "__main__":
    unittest.main()
