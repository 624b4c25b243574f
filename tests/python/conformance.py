"""Runs the programs of tests/prange as Python programs with @njit(parallel=True), and without.

    conformance.py FOLDER       a JSON list: one object for each program

Every function of a program becomes a kernel, whether it is decorated or not; the body is CPython's.
`kernel` and `python` say what came of the two runs: the lines printed, and the error with the
lines in the program that it passed through.
"""

import ast
import contextlib
import io
import json
import pathlib
import sys
import traceback
import types
import warnings

import numpy as np

import jitrun


def decorator(compiled):
    def njit(*args, **options):
        if compiled:
            return jitrun.njit(*args, **{"parallel": True, **options})
        plain = len(args) == 1 and isinstance(args[0], types.FunctionType)
        return args[0] if plain else lambda function: function

    return njit


def program(path, njit):
    """The program's code, whose undecorated functions are decorated with `njit`."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            name = ast.Name("__njit__", ast.Load())
            node.decorator_list = [ast.copy_location(name, node)]
    return compile(tree, str(path), "exec")


@contextlib.contextmanager
def jitrun_as(njit):
    """`from jitrun import njit` in a program is this one, and `from numba import` too."""
    module = types.ModuleType("jitrun")
    module.__dict__.update(jitrun.__dict__, njit=njit, jit=njit)
    before = {name: sys.modules.get(name) for name in ("jitrun", "numba")}
    sys.modules.update(dict.fromkeys(before, module))
    try:
        yield
    finally:
        sys.modules.update(before)


def described(error, path):
    if isinstance(error, jitrun.TypingError):
        found = [[d.line, d.message] for d in error.diagnostics if d.file == str(path)]
        return {"class": "TypingError", "found": found}
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if f.filename == str(path)]
    return {"class": type(error).__name__, "message": str(error), "lines": lines}


def run(path, compiled):
    njit = decorator(compiled)
    out, error = io.StringIO(), None
    with jitrun_as(njit), contextlib.redirect_stdout(out):
        try:
            exec(program(path, njit), {"__name__": "__main__", "__njit__": njit})
        except Exception as raised:
            error = described(raised, path)
    return {"printed": out.getvalue().splitlines(), "error": error}


def main():
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # prints np.float64(1.0) in tuples
        np.set_printoptions(legacy="1.25")
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*/*.src"))
    runs = [
        {"path": str(p), "kernel": run(p, compiled=True), "python": run(p, compiled=False)}
        for p in paths
    ]
    json.dump(runs, sys.stdout)


if __name__ == "__main__":
    main()
