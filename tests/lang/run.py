#!/usr/bin/env python3
"""Runs the language's test programs on every engine, and under CPython as the oracle.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [--oracle] [FILTER...]

A FILTER is a part of a program's path under tests/lang, such as `ints/` or `floats/print`.
What a program must do stands in its comments: see README.md. Ends with `N passed, M failed`.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import programs  # noqa: E402


def run_engine(program, jitrun, engine):
    try:
        code, stdout, stderr = programs.run_command(
            [jitrun, program.path, "--backend", engine, *program.options])
    except programs.Unfinished as error:
        return [str(error)]
    return programs.explained(programs.check_run(program, code, stdout, stderr), stderr)


def run_engines(program, jitrun, engines):
    for engine in engines:
        yield engine, run_engine(program, jitrun, engine)


if __name__ == "__main__":
    sys.exit(programs.run_folder(HERE, programs.Program, run_engines, __doc__.split("\n\n")[0]))
