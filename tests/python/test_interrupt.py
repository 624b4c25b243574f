"""Ctrl-C: a child process runs a kernel that would not end, and is sent SIGINT."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import jitrun

SOON = 5  # seconds within which everything here has happened, on a busy machine too

KERNELS = """
import os, signal, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from jitrun import njit, prange

@njit
def endless(n):
    while n >= 0:
        n = (n + 1) % 7
    return n

@njit(parallel=True)
def threads(n):
    s = 0
    for i in prange(n):
        s += i & 5
    return s

@njit
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

@njit
def outer(n):
    return endless(n) + 1

def ready():
    with open(sys.argv[1], "w") as file:
        file.write("ready")

def compiled(kernel, *args):
    ready()
    return kernel(*args)

endless(-1), threads(3), fib(3), outer(-8)
"""


class Child:
    """A Python program, started, that has said that its kernel is about to run."""

    def __init__(self, text, **env):
        self.folder = tempfile.TemporaryDirectory()
        program = os.path.join(self.folder.name, "program.py")
        said = os.path.join(self.folder.name, "said")
        with open(program, "w", encoding="utf-8") as file:
            file.write(KERNELS + text)
        self.process = subprocess.Popen(
            [sys.executable, program, said],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )
        until = time.monotonic() + 60
        while not os.path.exists(said) and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.3)  # the kernel runs by now

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def ends(self):
        """Its exit status and what it wrote, when it has ended; None if it does not."""
        try:
            out, err = self.process.communicate(timeout=SOON)
            return self.process.returncode, out, err
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.process.kill()
            self.process.communicate()
            self.folder.cleanup()


class Interrupt(unittest.TestCase):
    def ended(self, text, **env):
        child = Child(text, **env)
        self.assertIsNone(child.process.poll(), "it ended by itself")
        child.interrupt()
        ended = child.ends()
        self.assertIsNotNone(ended, "it did not end")
        return ended

    def check(self, call, line, **env):
        """The program ends by KeyboardInterrupt, raised at this line of the kernel."""
        status, out, err = self.ended(call, **env)
        self.assertEqual(status, -signal.SIGINT, err)
        self.assertTrue(err.rstrip().split("\n")[-1].startswith("KeyboardInterrupt"), err)
        self.assertIn(line, err)
        self.assertNotIn("jitrun/dispatcher.py", err)

    def test_each_kind_of_kernel(self):
        for engine in filter(jitrun.engine_available, ("interp", "tcc", "llvm")):
            with self.subTest(engine):
                self.check("compiled(endless, 1)", "while n >= 0:", JITRUN_ENGINE=engine)
        self.check("compiled(threads, 2**40)", "for i in prange(n):", JITRUN_NUM_THREADS="2")
        self.check("compiled(fib, 90)", "return n if n < 2 else fib(n - 1) + fib(n - 2)")
        self.check("compiled(outer, 1)", "return endless(n) + 1")

    def test_the_first_call(self):
        self.check(
            "@njit\ndef fresh(n):\n    while n:\n        n += 2\n    return n\n"
            "ready()\nfresh(1)\n",
            "while n:",
        )

    def test_the_timer(self):
        """In the kernel, and between kernels, while Python shows how far it is."""
        told = "endless._bench((1,), {}, progress=lambda row, part: ready())"
        between = "fib._bench((3,), {}, progress=lambda row, part: (ready(), time.sleep(60)))"
        for call in ("ready()\nendless.bench(1)", told, between):
            with self.subTest(call):
                status, out, err = self.ended(call)
                self.assertEqual(status, -signal.SIGINT, err)
                self.assertNotIn("ignored", err)

    def test_keywords(self):
        status, out, err = self.ended("ready()\nendless(n=1)")
        self.assertEqual(status, -signal.SIGINT)

    def test_it_can_be_caught_and_happen_again(self):
        status, out, err = self.ended(
            "for i in range(2):\n"
            "    try:\n"
            "        if i:\n"
            "            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "        compiled(endless, 1)\n"
            "    except KeyboardInterrupt:\n"
            "        print('caught', endless(-1))\n"
        )
        self.assertEqual((status, out.split("\n")[:2]), (0, ["caught -1", "caught -1"]), err)

    def test_within_50_ms(self):
        status, out, err = self.ended(
            "def late(): started.append(time.perf_counter()); os.kill(os.getpid(), signal.SIGINT)\n"
            "took = []\n"
            "for kernel, n in ((endless, 1), (threads, 2**40)) * 3:\n"
            "    started = []\n"
            "    threading.Timer(0.1, late).start()\n"
            "    try:\n"
            "        kernel(n)\n"
            "    except KeyboardInterrupt:\n"
            "        took.append(time.perf_counter() - started[0])\n"
            "print(min(took[::2]), min(took[1::2]))\n"
            "compiled(endless, 1)\n"
        )
        # The shortest: the machine may be busy with other tests.
        self.assertLess(max(map(float, out.split())), 0.05)

    def test_kernels_on_other_threads(self):
        status, out, err = self.ended(
            "with ThreadPoolExecutor(2) as pool:\n"
            "    futures = [pool.submit(endless, 1) for _ in range(2)]\n"
            "    try:\n"
            "        ready()\n"
            "        time.sleep(60)\n"
            "    except KeyboardInterrupt:\n"
            "        print('main')\n"
            "print([type(f.exception()).__name__ for f in futures])\n"
        )
        self.assertEqual(out, "main\n['KeyboardInterrupt', 'KeyboardInterrupt']\n", err)

    def test_a_handler_that_was_put_back(self):
        """As ipykernel does around each cell."""
        self.check(
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "endless(-1)\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "time.sleep(0.02)\n"
            "compiled(endless, 1)\n",
            "while n >= 0",
        )

    def test_handlers_of_the_programs_own(self):
        """They run when the kernel is done, and the kernel is not stopped for them."""
        status, out, err = self.ended(
            "signal.signal(signal.SIGINT, lambda *_: print('handler'))\n"
            "@njit\n"
            "def long(n):\n"
            "    s = 0\n"
            "    for i in range(n):\n"
            "        s = (s * 3 + i) % 1000003\n"
            "    return s\n"
            "n, start = 1000, 0.0\n"
            "while time.perf_counter() - start > 1e9 or n < 10**6: n *= 10; long(n)\n"
            "start = time.perf_counter(); long(10**8); rate = 10**8 / (time.perf_counter() - start)\n"
            "print(compiled(long, int(rate * 1.5)) > 0)\n"
        )
        self.assertEqual((status, out), (0, "handler\nTrue\n"), err)

    def test_ignored(self):
        child = Child("signal.signal(signal.SIGINT, signal.SIG_IGN)\ncompiled(endless, 1)")
        child.interrupt()
        time.sleep(0.3)
        self.assertIsNone(child.process.poll())
        child.process.kill()
        child.ends()


if __name__ == "__main__":
    unittest.main()
