"""What the runners of test programs share.

A program's comments, what is wrong with a run of it, CPython as the oracle, and the loop over the
programs of a folder.
"""
import argparse
import concurrent.futures
import difflib
import importlib.util
import os
import pathlib
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback

TESTS = pathlib.Path(__file__).resolve().parents[1]
TIMEOUT = 60
MARK = re.compile(r"# (expect(?: error| raise| help)?|oracle|options):(?: (.*))?$")
DIAGNOSTIC = re.compile(r"^(.+?):(\d+):(\d+): error: (.*)$", re.MULTILINE)


class Unfinished(Exception):
    """A run that took too long."""


class Program:
    """What the comments of a program say."""

    def __init__(self, path):
        self.path, self.name = path, "/".join(path.parts[-2:])
        self.stdout, self.errors, self.raises, self.help = "", [], None, []
        self.skip_oracle, self.options, self.faults = None, [], []
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            found = MARK.search(line)
            if found:
                self.note(found[1], found[2] or "", number)
        if self.errors and (self.raises or self.stdout):
            self.faults.append("a compile error leaves nothing to print or raise")
        if not (self.errors or self.raises or self.stdout):
            self.faults.append("nothing is expected of it")

    def note(self, kind, text, line):
        if kind == "expect":
            self.stdout += text + "\n"
        elif kind == "expect error":
            self.errors.append((line, text))
        elif kind == "expect raise":
            self.raises = (line, text)
        elif kind == "expect help":
            self.help.append(text)
        elif kind == "options":
            self.options = text.split()
        elif text.startswith("skip ") and len(text) > 10:
            self.skip_oracle = text
        else:
            self.faults.append(f"line {line}: write `# oracle: skip` and the reason")


def difference(expected, got):
    lines = difflib.unified_diff(expected.splitlines(), got.splitlines(), "expected", "printed",
                                 lineterm="", n=1)
    return "\n".join(lines)


def check_errors(program, stderr):
    """Each expected error on its line, and no others."""
    found = [(int(m[2]), m[4]) for m in DIAGNOSTIC.finditer(stderr)]
    for line, text in program.errors:
        if not any(line == at and text in message for at, message in found):
            yield f"no error on line {line} with {text!r}"
    for at, message in found:
        if not any(line == at and text in message for line, text in program.errors):
            yield f"an error that is not expected, on line {at}: {message}"
    for text in program.help:
        if not any(line.startswith("help: ") and text in line for line in stderr.split("\n")):
            yield f"no help with {text!r}"


def check_raise(program, stderr):
    line, text = program.raises
    found = DIAGNOSTIC.search(stderr)
    if not found:
        yield "no error is reported"
    elif (int(found[2]), found[4]) != (line, text):
        yield f"expected line {line}: {text}\n reported line {found[2]}: {found[4]}"


def check_run(program, code, stdout, stderr):
    """What is wrong with a run, line by line."""
    wanted = 2 if program.errors else 1 if program.raises else 0
    if code != wanted:
        yield f"exit status {code}, expected {wanted}"
    if stdout != program.stdout:
        yield difference(program.stdout, stdout) or "the end of the last line differs"
    if program.errors:
        yield from check_errors(program, stderr)
    elif program.raises:
        yield from check_raise(program, stderr)
    elif stderr:
        yield "something on standard error"


def run_command(command, **environment):
    """(exit status, standard output, standard error); Unfinished if it takes too long."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True,
                              timeout=TIMEOUT, env={**os.environ, **environment})
    except subprocess.TimeoutExpired:
        raise Unfinished(f"no end after {TIMEOUT} seconds") from None
    stdout, stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return done.returncode, stdout, stderr


def explained(problems, stderr):
    """The problems of a run, and below them what the command said."""
    problems = list(problems)
    return [*problems, stderr.rstrip()] if problems and stderr else problems


def run_python(path, output, errors):
    """In a child of this process, which has NumPy loaded already."""
    os.dup2(output.fileno(), 1)
    signal.alarm(TIMEOUT)
    try:
        runpy.run_path(str(path), run_name="__main__")
    except BaseException as error:  # the child ends here whatever happens
        names = " ".join(kind.__name__ for kind in type(error).__mro__)
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
                 if frame.filename == str(path)]
        errors.write(f"{lines[-1] if lines else 0} {names}: {error}\n".encode())
        errors.flush()
    sys.stdout.flush()
    os._exit(0)


def check_python(program, stdout, error):
    """An error has to be the same exception on the same line; its message may differ."""
    if stdout != program.stdout:
        yield difference(program.stdout, stdout) or "the end of the last line differs"
    if not program.raises:
        if error:
            yield error
        return
    line, text = program.raises
    at, _, names = error.partition(" ")
    if at != str(line) or text.split(":")[0] not in names.split(":")[0].split():
        yield f"expected line {line}: {text}\n Python raises {error or 'nothing'}"


def run_oracle(program):
    if program.errors or program.skip_oracle:
        return None
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            run_python(program.path, output, errors)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        errors.seek(0)
        stdout, error = (file.read().decode("utf-8", "replace") for file in (output, errors))
    problems = list(check_python(program, stdout, error))
    return problems + ["it was killed"] if status else problems


def load_oracle():
    """Sets NumPy up as the oracle, and makes a program find jitrun's names."""
    sys.path.insert(0, str(TESTS / "lang" / "oracle"))
    from numpy_environment import NUMPY_ENVIRONMENT

    os.environ.update(NUMPY_ENVIRONMENT)
    sys.dont_write_bytecode = True
    import warnings

    import jitrun  # noqa: F401: it loads NumPy

    warnings.simplefilter("ignore")


def report(name, results):
    failed = 0
    for executor, problems in results:
        if problems:
            failed += 1
            text = "\n".join(problems).replace("\n", "\n    ")
            print(f"{name} on {executor}:\n    {text}", flush=True)
    return len(results) - failed, failed


def parse_arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--jitrun", help="the command; without it only the oracle runs")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    parser.add_argument("--oracle", action="store_true", help="run CPython too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("filters", nargs="*", help="parts of the names of the programs to run")
    return parser.parse_args()


def run_folder(folder, kind, run_engines, description):
    """Runs the programs below `folder`, each read as a `kind`; True if one failed or none ran.

    `run_engines(program, jitrun, engines)` gives (executor, problems) for each run of it.
    """
    args = parse_arguments(description)
    if args.oracle and not importlib.util.find_spec("numpy"):
        print("CPython is left out: it has no NumPy")
        args.oracle = False
    jitrun = args.jitrun and str(pathlib.Path(args.jitrun).resolve())
    engines = args.engines.split(",") if jitrun else []
    paths = [path for path in sorted(folder.glob("*/*.src")) if not args.filters
             or any(part in str(path.relative_to(folder)) for part in args.filters)]
    passed = failed = 0
    with concurrent.futures.ProcessPoolExecutor(
            args.jobs, initializer=load_oracle if args.oracle else None) as pool:
        for run in [pool.submit(run_program, kind, path, run_engines, jitrun, engines, args.oracle)
                    for path in paths]:
            good, bad = report(*run.result())
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


def run_program(kind, path, run_engines, jitrun, engines, oracle):
    """The name of a program, and [(executor, problems)]."""
    program = kind(path)
    if program.faults:
        return program.name, [("the comments", program.faults)]
    results = list(run_engines(program, jitrun, engines))
    found = run_oracle(program) if oracle else None
    return program.name, results if found is None else [*results, ("CPython", found)]
