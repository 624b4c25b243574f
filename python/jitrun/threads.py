"""How many threads parallel loops use."""

import operator

from . import _library as c


def get_num_threads():
    """How many threads a parallel loop uses, the caller's included."""
    return c.lib.jr_num_threads()


def set_num_threads(n):
    """Has parallel loops use n threads, 1 to 256, in the whole process. Results do not depend on
    it. The default is JITRUN_NUM_THREADS in the environment, or the processors there are."""
    n = operator.index(n)
    if not 1 <= n <= 256 or c.lib.jr_set_num_threads(n) != c.OK:
        raise ValueError("the number of threads is from 1 to 256, not %d" % n)
