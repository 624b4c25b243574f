#!/usr/bin/env python3
"""Runs the prange programs serially and on threads, on every engine, and under CPython.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [--oracle] [FILTER...]

Each program must do what its comments say (tests/lang/README.md) in every one of these runs:
without --parallel, with it on 1, 2, 4 and 7 threads, and with its chunks in another order.
README.md has the comments that are this folder's own. Ends with `N passed, M failed`.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import programs  # noqa: E402

THREADS = (1, 2, 4, 7)
SAME_BITS_THREADS = (1, 2, 3, 8, 64)  # of programs whose results depend on the chunks
OWN = re.compile(r"# (loops|parallel|expect warning): (.*)$")


class Program(programs.Program):
    """A program of this folder: how its loops run, and whether the text is as in a serial run."""

    def __init__(self, path):
        self.loops, self.only_parallel, self.warnings = [], False, []
        super().__init__(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            found = OWN.search(line)
            if found and found[1] == "loops":
                self.loops.append((number, found[2]))
            elif found and found[1] == "expect warning":
                self.warnings.append(f":{number}:.*: warning: .*{re.escape(found[2])}")
            elif found and found[2] == "only":
                self.only_parallel = True
                self.skip_oracle = "skip what only the chunks of a parallel loop give"
            elif found:
                self.faults.append("write `# parallel: only`")


def run_jitrun(program, command, threads, **environment):
    try:
        code, stdout, stderr = programs.run_command(
            [*command, program.path, *program.options], JITRUN_NUM_THREADS=str(threads),
            JITRUN_PARALLEL_THRESHOLD="0", **environment)
    except programs.Unfinished as error:
        return [str(error)]
    missing = []
    if program.warnings and "--parallel" in command:
        missing = [f"no {text}" for text in program.warnings if not re.search(text, stderr)]
        stderr = "" if not missing else stderr
    found = programs.check_run(program, code, stdout, stderr)
    return programs.explained([*missing, *found], stderr)


def check_loops(program, jitrun):
    """What --check says of the loop on each marked line, in every specialisation."""
    try:
        _, stdout, _ = programs.run_command(
            [jitrun, "--check", "--parallel", "--format", "json", program.path])
        loops = json.loads(stdout)["loops"]
    except (programs.Unfinished, ValueError, KeyError) as error:
        return [f"--check does not explain the loops: {error}"]
    problems = []
    for line, want in program.loops:
        said = {"parallel" if loop["parallel"] else f"serial: {loop['reason']}"
                for loop in loops if loop["line"] == line}
        how, _, why = want.partition(" ")
        if not said or not all(text.startswith(how) and why in text for text in said):
            problems.append(f"line {line}: expected {want}, --check says {sorted(said)}")
    return problems


def run_engines(program, jitrun, engines):
    for engine in engines:
        command = [jitrun, "--backend", engine]
        if not program.only_parallel and not program.errors:
            yield engine, run_jitrun(program, command, 1)
        for threads in SAME_BITS_THREADS if program.only_parallel else THREADS:
            yield (f"{engine}, {threads} threads",
                   run_jitrun(program, [*command, "--parallel"], threads))
    if engines:  # an order that threads would come to by chance
        command = [jitrun, "--backend", engines[0], "--parallel"]
        yield (f"{engines[0]}, backwards",
               run_jitrun(program, command, 1, JITRUN_CHUNK_ORDER="backwards"))
    if program.loops and engines:
        yield "--check", check_loops(program, jitrun)


if __name__ == "__main__":
    sys.exit(programs.run_folder(HERE, Program, run_engines, __doc__.split("\n\n")[0]))
