#!/usr/bin/env python3
"""Runs the prange programs serially and on threads, on every engine, and under CPython.

usage: run.py --jitrun build/jitrun [--engines interp,tcc,llvm] [--oracle] [FILTER...]

Each program must do what its comments say (tests/lang/README.md) in every one of these runs:
without --parallel, with it on 1, 2, 4 and 7 threads, and with its chunks in another order. README.md has the comments that
are this folder's own. Ends with `N passed, M failed`.
"""
import argparse
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
THREADS = (1, 2, 4, 7)
SAME_BITS_THREADS = (1, 2, 3, 8, 64)  # of programs whose results depend on the chunks
OWN = re.compile(r"# (loops|parallel|expect warning): (.*)$")


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
    """A program of this folder: how its loops run, and whether the text is as in a serial run."""

    def __init__(self, path):
        lang.HERE = HERE
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
            elif found:
                self.faults.append("write `# parallel: only`")


def run_jitrun(program, command, threads, **more):
    env = dict(os.environ, JITRUN_NUM_THREADS=str(threads), JITRUN_PARALLEL_THRESHOLD="0", **more)
    try:
        done = subprocess.run([*command, str(program.path), *program.options],
                              capture_output=True, timeout=lang.TIMEOUT, env=env)
    except subprocess.TimeoutExpired:
        return "", [f"no end after {lang.TIMEOUT} seconds"]
    stdout, stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    missing = []
    if program.warnings and "--parallel" in command:
        missing = [f"no {text}" for text in program.warnings if not re.search(text, stderr)]
        stderr = "" if not missing else stderr
    problems = missing + list(lang.check_run(program, done.returncode, stdout, stderr))
    return stdout, problems + [stderr.rstrip()] if problems and stderr else problems


def check_loops(program, jitrun):
    """What --check says of the loop on each marked line, in every specialisation."""
    done = subprocess.run(
        [jitrun, "--check", "--parallel", "--format", "json", str(program.path)],
        capture_output=True, timeout=lang.TIMEOUT)
    try:
        loops = json.loads(done.stdout)["loops"]
    except (ValueError, KeyError) as error:
        return [f"--check does not explain the loops: {error}"]
    problems = []
    for line, want in program.loops:
        said = {"parallel" if loop["parallel"] else f"serial: {loop['reason']}"
                for loop in loops if loop["line"] == line}
        how, _, why = want.partition(" ")
        if not said or not all(text.startswith(how) and why in text for text in said):
            problems.append(f"line {line}: expected {want}, --check says {sorted(said)}")
    return problems


def run_program(path, jitrun, engines, oracle):
    """[(executor, problems)] for one program."""
    program = Program(path)
    if program.faults:
        return program.name, [("the comments", program.faults)]
    results = []
    for engine in engines:
        command = [jitrun, "--backend", engine]
        if not program.only_parallel and not program.errors:
            results.append((engine, run_jitrun(program, command, 1)[1]))
        for threads in SAME_BITS_THREADS if program.only_parallel else THREADS:
            executor = f"{engine}, {threads} threads"
            results.append(
                (executor, run_jitrun(program, [*command, "--parallel"], threads)[1]))
    if engines: # an order that threads would come to by chance
        command = [jitrun, "--backend", engines[0], "--parallel"]
        results.append((f"{engines[0]}, backwards",
                        run_jitrun(program, command, 1, JITRUN_CHUNK_ORDER="backwards")[1]))
    if program.loops and engines:
        results.append(("--check", check_loops(program, jitrun)))
    if oracle and not program.only_parallel:
        found = lang.run_oracle(program)
        if found is not None:
            results.append(("CPython", found))
    return program.name, results


def programs(filters):
    for path in sorted(HERE.glob("*/*.src")):
        name = str(path.relative_to(HERE))
        if not filters or any(part in name for part in filters):
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--jitrun", help="the command; without it only the oracle runs")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    parser.add_argument("--oracle", action="store_true", help="run CPython too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("filters", nargs="*")
    args = parser.parse_args()
    jitrun = args.jitrun and str(pathlib.Path(args.jitrun).resolve())
    engines = args.engines.split(",") if jitrun else []
    passed = failed = 0
    with concurrent.futures.ProcessPoolExecutor(
            args.jobs, initializer=load_oracle if args.oracle else None) as pool:
        runs = [pool.submit(run_program, path, jitrun, engines, args.oracle)
                for path in programs(args.filters)]
        for run in runs:
            good, bad = lang.report(*run.result())
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
