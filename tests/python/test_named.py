"""Named tuples as arguments, results and names from outside."""

import pickle
import traceback
import unittest
from collections import namedtuple
from typing import NamedTuple

from jitrun import TypingError, njit
from support import error_of, needs_numpy, np

Params = namedtuple("Params", "alpha beta n")
Line = namedtuple("Line", "a b")
Pair = namedtuple("Pair", "x y")


class Point(NamedTuple):
    x: float
    y: float


CONFIG = Params(0.5, True, 4)


@njit
def used(p: Params, k=1):
    s = 0.0
    for i in range(p.n):
        s += p.alpha * i + p.beta
    return s * k


@njit
def made(a, b):
    return Point(a + b, y=a * b)


@njit
def line(a, b):
    return Line(a, b), 3


@njit
def between(l, *, t=0.5):
    return Point(l.a.x + t * (l.b.x - l.a.x), l.a.y + t * (l.b.y - l.a.y))


@njit
def configured(x):
    return x * CONFIG.alpha + CONFIG[2] if CONFIG.beta else 0.0


@njit
def applied(f, p):
    return f(p.x), f(p.y)


@njit
def twice(x):
    return x * 2


class TestNamed(unittest.TestCase):
    def test_arguments(self):
        for call in range(3):
            self.assertEqual(used(Params(0.5, 2.0, 4)), 11.0)
            self.assertEqual(used(Params(0.5, 2, 4), k=2), 22.0)
            self.assertEqual(used(p=Params(1, 2, 3)), 9.0)

    def test_results(self):
        for call in range(3):
            point = made(1.0, 2.0)
            self.assertEqual(point, (3.0, 2.0))
            self.assertIs(type(point), Point)
            self.assertIs(type(made(1, 2).x), int)

    def test_nested(self):
        found, three = line(Point(1, 2), Point(3.5, 4))
        self.assertEqual((found.b.x, found.a, three), (3.5, Point(1, 2), 3))
        self.assertEqual([type(found), type(found.a)], [Line, Point])
        self.assertEqual(between(found), Point(2.25, 3.0))
        self.assertEqual(between(found, t=0.0).y, 2.0)

    def test_classes_are_told_apart(self):
        @njit
        def first(p):
            return p

        for cls in (Point, Pair, Line):
            self.assertIs(type(first(cls(1, 2))), cls)
        self.assertEqual(first((1, 2)), (1, 2))
        self.assertIs(type(first((1, 2))), tuple)

    def test_names_from_outside(self):
        self.assertEqual(configured(3.0), 5.5)
        again = pickle.loads(pickle.dumps(made))
        self.assertEqual(again(1, 2), Point(3, 2))
        self.assertEqual(pickle.loads(pickle.dumps(used))(CONFIG), used.py_func(CONFIG))

    def test_with_functions(self):
        self.assertEqual(applied(twice, Point(1, 2.5)), (2, 5.0))

    @needs_numpy
    def test_arrays(self):
        @njit
        def filled(p):
            p.x[:] = p.y
            return p.x.sum()

        x = np.zeros(4)
        self.assertEqual(filled(Pair(x, 2.0)), 8.0)
        self.assertEqual(list(x), [2.0] * 4)

        @njit
        def given(p):
            return Pair(p.x[1:], p.y)

        self.assertIs(given(Pair(x, 1)).x.base is None, False)

    def test_declared(self):
        @njit("float64(Tuple((float64, float64)))")
        def total(p):
            return p[0] + p[1]

        for call in range(2):
            self.assertEqual(total(Point(1.0, 2.0)), 3.0)

    def test_large_numbers(self):
        @njit
        def first(p):
            return p.x

        for x in (2**63 + 1, 3, 2**63 + 1):
            self.assertEqual(first(Pair(x, 1)), x)

    def test_errors(self):
        @njit
        def missing(p):
            return p.z

        error = error_of(self, TypingError, missing, Point(1.0, 2))
        self.assertIn("Point[float64, int64] has no field 'z'", str(error))
        self.assertIn("has no attribute 'n'", str(error_of(self, TypingError, used, (1, 2, 3))))

        @njit
        def divided(p):
            return p.x // p.y

        error = error_of(self, ZeroDivisionError, divided, Pair(1, 0))
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        self.assertEqual(frames[-1], "divided")


if __name__ == "__main__":
    unittest.main()
