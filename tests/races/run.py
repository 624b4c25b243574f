#!/usr/bin/env python3
"""Runs the programs of this folder under --check-races, on every engine, and under CPython.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [--oracle] [FILTER...]

README.md has the comments that say what must come of a program. Ends with `N passed, M failed`.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import programs  # noqa: E402


class Program(programs.Program):
    """A program of this folder: the races it has, each with its two lines."""

    def __init__(self, path):
        self.races, self.others, self.checked = [], {}, None
        super().__init__(path)
        if self.raises:
            self.raises = (self.raises[0], self.raises[1].split("  # ")[0])
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            for part in line.split("  # ")[1:] or [line.removeprefix("# ")]:
                self.note_own(part, number)
        self.faults += [f"`# other {key}` belongs to no race" for key in self.others
                        if key not in {race[0] for race in self.races}]

    def note_own(self, comment, line):
        found = re.match(r"(race|other)(?: (\w+))?(?:: (.*))?$", comment)
        if found and found[1] == "race":
            self.races.append((found[2] or "", line, found[3]))
        elif found:
            self.others[found[2]] = line
        elif comment.startswith("checked: "):
            self.checked = comment[len("checked: "):]

    def expected(self):
        """(line, the other access's line, message) of each race."""
        return sorted((line, self.others.get(key, line), text)
                      for key, line, text in self.races)


def lines_of(race):
    """The line that the error is at, which is that of the earlier write, and the other."""
    first, second = race["first"], race["second"]
    if first["kind"] == "read":
        first, second = second, first
    return first["line"], second["line"]


def check_report(program, stderr):
    said = json.loads(stderr.splitlines()[-1])
    check = said["race_check"]
    found = sorted((*lines_of(race), race["message"].removeprefix("race: "))
                   for race in check["races"])
    for race in program.expected():
        if race not in found:
            yield f"no race {race}"
    for race in found:
        if race not in program.expected():
            yield f"a race that is not expected: {race}"
    counts = "{loops} loops, {iterations} iterations, {accesses} accesses".format(**check)
    if program.checked and program.checked != counts:
        yield f"checked {counts}, expected {program.checked}"


def run_jitrun(program, jitrun, engine):
    try:
        code, stdout, stderr = programs.run_command(
            [jitrun, program.path, "--check-races", "--format", "json", "--backend", engine,
             *program.options])
    except programs.Unfinished as error:
        return [str(error)]
    problems = []
    wanted = 1 if program.races or program.raises else 0
    if code != wanted:
        problems.append(f"exit status {code}, expected {wanted}")
    if stdout != program.stdout:
        problems.append(programs.difference(program.stdout, stdout))
    try:
        problems += check_report(program, stderr)
        if program.raises and program.raises[1] not in "{name}: {message}".format(
                **json.loads(stderr.splitlines()[-1])):
            problems.append("another error is raised")
    except (ValueError, KeyError, IndexError) as error:
        problems.append(f"the report cannot be read: {error}")
    return programs.explained(problems, stderr)


def run_engines(program, jitrun, engines):
    for engine in engines:
        yield engine, run_jitrun(program, jitrun, engine)


if __name__ == "__main__":
    sys.exit(programs.run_folder(HERE, Program, run_engines, __doc__.split("\n\n")[0]))
