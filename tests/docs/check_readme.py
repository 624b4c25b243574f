#!/usr/bin/env python3
"""Does what README.md says: runs each console command, compiles and runs each C program.

A `$ cat FILE` makes FILE from what follows it; other `$` commands must print what follows them.
Lines without an expected output must just succeed. Commands that set up the repository
(./dev test) are left to the continuous integration that runs this.

usage: check_readme.py --build build [--cc cc]
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks(text):
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        yield match.group(1), match.group(2)


def commands(block):
    """Pairs of a command and the output that follows it."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        yield command.split("  #")[0].strip(), expected


class Checker:
    def __init__(self, build, cc):
        self.build, self.cc = pathlib.Path(build).resolve(), cc
        self.work = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.work.name)
        (self.dir / "samples").symlink_to(ROOT / "samples")
        (self.dir / "build").symlink_to(self.build)
        self.passed = self.failed = 0

    def note(self, good, what, detail=""):
        self.passed += good
        self.failed += not good
        if not good:
            print(f"README: {what}\n{detail}")

    def console(self, block):
        for command, expected in commands(block):
            if command.startswith("cat "):
                (self.dir / command[4:]).write_text(expected)
                continue
            if command == "./dev test":
                continue
            command = command.replace("./dev run", "build/jitrun")
            done = subprocess.run(command, shell=True, cwd=self.dir, text=True, timeout=600,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if expected.strip():
                self.note(done.stdout == expected, command, f"expected:\n{expected}got:\n{done.stdout}")
            else:
                self.note(done.returncode == 0, command, done.stdout)

    def c_program(self, block):
        source, program = self.dir / "example.c", self.dir / "example"
        source.write_text(block)
        compiled = subprocess.run(
            [*self.cc.split(), "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", str(source),
             f"-L{self.build}", "-ljitrun", f"-Wl,-rpath,{self.build}", "-o", str(program)],
            capture_output=True, text=True)
        self.note(compiled.returncode == 0, "the C program compiles", compiled.stderr)
        if compiled.returncode == 0:
            done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
            self.note((done.returncode, done.stdout) == (0, "12.5664\n"), "the C program runs",
                      done.stdout + done.stderr)

    def python_excerpt(self, block):
        """An excerpt names its file in its first line and must be there word for word."""
        first, _, rest = block.partition("\n")
        whole = (ROOT / first.lstrip("# ")).read_text()
        self.note(rest in whole, f"the excerpt of {first.lstrip('# ')} is there as shown")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    checker = Checker(args.build, args.cc)
    for language, block in blocks((ROOT / "README.md").read_text()):
        {"console": checker.console, "c": checker.c_program,
         "python": checker.python_excerpt}[language](block)
    print(f"{checker.passed} passed, {checker.failed} failed")
    return checker.failed != 0 or checker.passed == 0


if __name__ == "__main__":
    sys.exit(main())
