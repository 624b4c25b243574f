"""What kernels print, where sys.stdout is a program's own, or fails."""

import contextlib
import io
import os
import signal
import unittest

from jitrun import njit, prange
from support import error_of, run_python


@njit
def prints(n):
    for i in range(n):
        print(i, "ä")


@njit
def long_text():
    for i in range(20_000):
        print("äöü€", end="")  # no piece of 64 KiB ends between characters


@njit(parallel=True)
def from_threads(n):
    for i in prange(n):
        print("line")


class Refusing(io.TextIOBase):
    """A file that raises when it is written to."""

    def __init__(self, error):
        self.error = error

    def write(self, text):
        raise self.error


class Output(unittest.TestCase):
    def printed(self, kernel, *args):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            kernel(*args)
        return out.getvalue()

    def test_characters_are_whole(self):
        self.assertEqual(self.printed(prints, 2), "0 ä\n1 ä\n")
        self.assertEqual(self.printed(long_text), "äöü€" * 20_000)

    def test_from_threads(self):
        self.assertEqual(self.printed(from_threads, 100), "line\n" * 100)

    def test_without_a_file(self):
        with contextlib.redirect_stdout(None):
            prints(2)

    def test_what_the_file_raises_is_what_the_call_raises(self):
        for raised in (ValueError("it is closed"), KeyboardInterrupt(), SystemExit(3)):
            for kernel in (prints, from_threads):
                with contextlib.redirect_stdout(Refusing(raised)):
                    self.assertIs(error_of(self, BaseException, kernel, 3), raised)
        with contextlib.redirect_stdout("no file"):
            error_of(self, AttributeError, prints, 3)
        self.assertEqual(self.printed(prints, 1), "0 ä\n")

    def test_encoding(self):
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "ascii")):
            error_of(self, UnicodeEncodeError, prints, 1)

    @unittest.skipUnless(hasattr(signal, "setitimer"), "no timers here")
    def test_interrupts_as_a_kernel_prints(self):
        """However often a signal comes as output is written, it is a KeyboardInterrupt."""
        text = """
import signal
from test_output import prints

def handler(*_):
    global inside
    if inside:
        inside = False
        raise KeyboardInterrupt

inside, seen = False, 0
prints(1)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
while seen < 100:
    try:
        inside = True
        while True:
            prints(100)
    except KeyboardInterrupt:
        seen += 1
signal.setitimer(signal.ITIMER_REAL, 0)
"""
        here = os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])
        made = run_python("-c", text, PYTHONPATH=here)
        self.assertEqual((made.returncode, made.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
