#!/usr/bin/env python3
"""Mutates the test programs and looks for anything but an ordinary exit.

usage: fuzz.py --jitrun build-asan/jitrun [--seconds N] [--seed N] [--engines interp,tcc,llvm]

A program that ends in a signal, in an exit code the command does not have, or with a
sanitizer's or an internal error's message is kept as fuzz-N.src.
"""
import argparse
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PIECES = ["0", "-1", "9223372036854775807", "1e308", "[", "]", "(", ")", ":", "-", "not ", "lambda",
          "None", "True", "x", "a[i]", "[::1]", "float64", "np.zeros(3)", "range(10)", "\n", "    ",
          "\t", "if ", "else:", "while True:\n    break\n", "return", "**", "//", "%", "<<", "'", '"',
          "\\", "\0", "é", "@njit\n", "prange(5)", "1 if x else 2", "a[:, None]", "(1, 2.5)", "=", ","]
ORDINARY = {0, 1, 2, 124}


def mutate(text, rng):
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((1, 1, 2, 5, 20, 60)))
        choice = rng.random()
        if choice < 0.3:
            text = text[:at] + text[end:]
        elif choice < 0.6:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif choice < 0.75:
            text = text[:at] + rng.choice(PIECES) + text[end:]
        elif choice < 0.9:
            text = text[:at] + text[at:end] * rng.choice((2, 3, 300)) + text[end:]
        else:
            other = rng.randrange(len(text) + 1)
            text = text[:at] + text[other:other + 40] + text[at:]
    return text


def run(jitrun, engine, program):
    try:
        done = subprocess.run([jitrun, "-", "--backend", engine, "--timeout", "5"], timeout=60,
                              input=program.encode("utf-8", "surrogateescape"), capture_output=True)
    except subprocess.TimeoutExpired:
        return "it did not stop"
    err = done.stderr.decode("utf-8", "replace")
    for sign in ("Sanitizer", "runtime error:", "internal error", "Assertion"):
        if sign in err and "AssertionError" not in err:
            return err
    return None if done.returncode in ORDINARY else f"exit code {done.returncode}\n{err}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jitrun", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--engines", default="interp,tcc,llvm")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int(time.time())
    rng = random.Random(seed)
    corpus = [p.read_text() for p in sorted([*(ROOT / "samples").glob("*.src"),
                                             *(ROOT / "tests" / "lang").rglob("*.src")])]
    engines = args.engines.split(",")
    end = time.monotonic() + args.seconds
    passed = failed = 0
    while time.monotonic() < end:
        program = mutate(rng.choice(corpus), rng)
        problem = run(args.jitrun, rng.choice(engines), program)
        passed += problem is None
        if problem:
            failed += 1
            name = f"fuzz-{seed}-{failed}.src"
            pathlib.Path(name).write_text(program)
            print(f"{name}: {problem[:2000]}")
    print(f"{passed} passed, {failed} failed (seed {seed})")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
