#!/usr/bin/env python3
"""Runs the programs of this folder under --check-races, on every engine, and under CPython.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [--oracle] [FILTER...]

README.md has the comments that say what must come of a program. Ends with `N passed, M failed`.
"""
import argparse
import concurrent.futures
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def load_lang():
    path = HERE.parent / "lang" / "run.py"
    spec = importlib.util.spec_from_file_location("lang_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["lang_run"] = module
    spec.loader.exec_module(module)
    return module


lang = load_lang()


def load_oracle():
    lang.load_oracle()
    lang.HERE = HERE


class Program(lang.Program):
    """A program of this folder: the races it has, each with its two lines."""

    def __init__(self, path):
        lang.HERE = HERE
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
    command = [jitrun, str(program.path), "--check-races", "--format", "json", "--backend",
               engine, *program.options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=lang.TIMEOUT)
    except subprocess.TimeoutExpired:
        return [f"no end after {lang.TIMEOUT} seconds"]
    stdout, stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    problems = []
    wanted = 1 if program.races or program.raises else 0
    if done.returncode != wanted:
        problems.append(f"exit status {done.returncode}, expected {wanted}")
    if stdout != program.stdout:
        problems.append(lang.difference(program.stdout, stdout))
    try:
        problems += check_report(program, stderr)
        if program.raises and program.raises[1] not in "{name}: {message}".format(
                **json.loads(stderr.splitlines()[-1])):
            problems.append("another error is raised")
    except (ValueError, KeyError, IndexError) as error:
        problems.append(f"the report cannot be read: {error}")
    return problems + [stderr.rstrip()] if problems else []


def run_program(path, jitrun, engines, oracle):
    """[(executor, problems)] for one program."""
    program = Program(path)
    if program.faults:
        return program.name, [("the comments", program.faults)]
    results = [(engine, run_jitrun(program, jitrun, engine)) for engine in engines]
    if oracle:
        found = lang.run_oracle(program)
        if found is not None:
            results.append(("CPython", found))
    return program.name, results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--jitrun", required=True)
    parser.add_argument("--engines", default="interp,tcc,llvm")
    parser.add_argument("--oracle", action="store_true", help="run CPython too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("filters", nargs="*")
    args = parser.parse_args()
    jitrun = str(pathlib.Path(args.jitrun).resolve())
    paths = [path for path in sorted(HERE.glob("*/*.src"))
             if not args.filters or any(part in str(path) for part in args.filters)]
    passed = failed = 0
    if args.oracle and not importlib.util.find_spec("numpy"):
        print("CPython is left out: it has no NumPy")
        args.oracle = False
    with concurrent.futures.ProcessPoolExecutor(
            args.jobs, initializer=load_oracle if args.oracle else None) as pool:
        for run in [pool.submit(run_program, path, jitrun, args.engines.split(","), args.oracle)
                    for path in paths]:
            good, bad = lang.report(*run.result())
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
