#!/usr/bin/env python3
"""Runs every program in samples/ on each engine and under CPython, and compares what they print.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [name...]
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORACLE = ROOT / "tests" / "lang" / "oracle"
sys.path.append(str(ORACLE))

from numpy_environment import NUMPY_ENVIRONMENT  # noqa: E402: found through the line above


def output(command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jitrun", default="build/jitrun")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    jitrun = str(pathlib.Path(args.jitrun).resolve())
    passed = failed = 0
    for path in sorted((ROOT / "samples").glob("*.src")):
        if args.names and path.stem not in args.names:
            continue
        oracle = output([sys.executable, str(path)], PYTHONPATH=str(ORACLE), **NUMPY_ENVIRONMENT)
        if oracle[0] != 0:
            print(f"{path.stem}: CPython fails:\n{oracle[2]}")
            failed += 1
            continue
        for engine in args.engines.split(","):
            for extra in ([], ["--parallel"]):
                got = output([jitrun, str(path), "--backend", engine, *extra])
                if (got[0], got[1]) == (0, oracle[1]):
                    passed += 1
                    continue
                failed += 1
                print(f"{path.stem} on {engine} {extra}: exit {got[0]}\n--- CPython\n{oracle[1]}"
                      f"--- jitrun\n{got[1]}{got[2]}")
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
