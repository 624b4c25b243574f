"""What LLVM makes of loops: whether it uses vectors, which no result shows."""

import re
import unittest

import jitrun
from jitrun import njit

VECTOR = re.compile(r"<\d+ x double>")


def code(function, signature):
    (text,) = njit(signature)(function).inspect_llvm().values()
    return text


def add(c, x):
    for j in range(len(c)):
        c[j] += x[j]


def add_in_steps(c, x):
    for j in range(len(c)):
        t = c[j]
        t += x[j]
        c[j] = t


def total(x, n):
    s = 0.0
    for j in range(n):
        s += x[j]
    return s


def columns(a, x, y):
    for i in range(len(y)):
        s = 0.0
        for j in range(len(x)):
            s += a[j, i] * x[j]
        y[i] = s


def rows(a, x, y):
    for i in range(len(y)):
        s = 0.0
        for j in range(len(x)):
            s += a[i, j] * x[j]
        y[i] = s


@unittest.skipUnless(jitrun.engine_available("llvm"), "without LLVM")
class Vectors(unittest.TestCase):
    def test_elements(self):
        for function in (add, add_in_steps):
            self.assertRegex(code(function, "(float64[::1], float64[::1])"), VECTOR)

    def test_a_sum_in_order_has_none(self):
        self.assertNotRegex(code(total, "float64(float64[::1], int64)"), VECTOR)

    def test_sums_side_by_side(self):
        signature = "(float64[:, ::1], float64[::1], float64[::1])"
        self.assertRegex(code(columns, signature), VECTOR)
        self.assertNotIn("gather", code(rows, signature))


if __name__ == "__main__":
    unittest.main()
