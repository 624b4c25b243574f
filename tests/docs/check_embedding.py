#!/usr/bin/env python3
"""Compiles and runs every C program of docs/embedding.md; the text block after one is what it
prints.

usage: check_embedding.py --build build [--cc cc]
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"^```c\n(.*?)^```\n\n```text\n(.*?)^```$", re.M | re.S)


def check(number, source, wanted, build, cc, folder):
    path, program = folder / f"{number}.c", folder / str(number)
    path.write_text(source)
    compiled = subprocess.run(
        [*cc.split(), "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", path,
         f"-L{build}", "-ljitrun", f"-Wl,-rpath,{build}", "-o", program],
        capture_output=True, text=True)
    if compiled.returncode:
        return compiled.stderr
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    if (done.returncode, done.stdout) == (0, wanted):
        return None
    return f"expected:\n{wanted}got ({done.returncode}):\n{done.stdout}{done.stderr}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    text = (ROOT / "docs/embedding.md").read_text()
    programs = PROGRAM.findall(text)
    failed = 0
    if not programs or len(programs) != text.count("```c\n"):
        sys.exit("a program has no text block with its output")
    with tempfile.TemporaryDirectory() as folder:
        for number, (source, wanted) in enumerate(programs, 1):
            wrong = check(number, source, wanted, pathlib.Path(args.build).resolve(), args.cc,
                          pathlib.Path(folder))
            failed += wrong is not None
            if wrong:
                print(f"docs/embedding.md, program {number}:\n{wrong}")
    print(f"{len(programs) - failed} programs passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
