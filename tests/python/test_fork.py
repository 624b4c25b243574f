"""os.fork while other threads compile and run kernels: the child has neither those threads nor, then,
whoever would open the locks that they held."""

import linecache
import os
import signal
import threading
import time
import unittest
import warnings

import jitrun
from jitrun import njit, prange
from support import needs_numpy, np

HANGS = 60  # seconds: then it has
CHILDREN = 12

TEXT = """
def kernel(x):
    s = 0.0
    for i in prange(len(x)):
        s += x[i] * %d
    return s
"""


def kernel_times(k, engine):
    """A kernel like no other, so that there is something to compile."""
    text, name = TEXT % k, "<times %d for %s>" % (k, engine)
    linecache.cache[name] = len(text), None, text.splitlines(True), name
    names = {"prange": prange}
    exec(compile(text, name, "exec"), names)
    return njit(parallel=k % 2 == 0, engine=engine)(names["kernel"])


def forked(work):
    """The child's exit status, 0 if `work` does nothing wrong there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CPython's own, about threads
        child = os.fork()
    if child == 0:
        signal.alarm(HANGS)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


@needs_numpy
@unittest.skipUnless(hasattr(os, "fork"), "no fork here")
class Fork(unittest.TestCase):
    def check(self, engine):
        x = np.arange(100.0)
        kernels = [kernel_times(k, engine) for k in range(1500)]
        reached, over = [0], threading.Event()

        def go():
            for k, kernel in enumerate(kernels):
                if over.is_set():
                    break
                reached[0] = k
                kernel(x)

        def work():
            at = reached[0]
            for k in range(max(at - 2, 0), min(at + 3, len(kernels))):
                assert kernels[k](x) == 4950.0 * k
            assert kernel_times(5000, engine)(x) == 4950.0 * 5000

        threads = [threading.Thread(target=go) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for i in range(CHILDREN):
                time.sleep(0.0007 * i)
                self.assertEqual(forked(work), 0)
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def test_interp(self):
        self.check("interp")

    @unittest.skipUnless(jitrun.engine_available("tcc"), "no tcc")
    def test_tcc(self):
        self.check("tcc")

    @unittest.skipUnless(jitrun.engine_available("llvm"), "no llvm")
    def test_llvm(self):
        self.check("llvm")


if __name__ == "__main__":
    unittest.main()
