#!/usr/bin/env python3
"""The wheel that pip builds, installed into a fresh virtual environment and used there.

Exits with 77 (skipped) where pip cannot get scikit-build-core, which builds it, or where
JITRUN_TEST_EXTRAS is not set: it builds the library once more.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import venv
import zipfile

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]

PROGRAM = """
import io, pydoc, sys
import jitrun
from jitrun import njit, prange

@njit(parallel=True)
def total(n):
    s = 0
    for i in prange(n):
        s += i * i
    return s

assert total(1000) == total.py_func(1000)
assert "numpy" not in sys.modules
text = pydoc.plain(pydoc.render_doc(njit))
for word in ("parallel", "fastmath", "boundscheck", "error_model", "check_races", "engine"):
    assert word in text, word
print(jitrun.__version__, [e for e in ("interp", "tcc", "llvm") if jitrun.engine_available(e)])
"""

KERNEL = "def main():\n    s = 0\n    for i in range(10):\n        s += i\n    return s\n"


def environment():
    """Without what would let the source tree be found."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JITRUN_")}
    kept.pop("PYTHONPATH", None)
    return kept


def run(*command, **kwargs):
    command = [str(part) for part in command]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, **kwargs)
    if done.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout


def new_venv(folder):
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def build(python, folder):
    """The wheel; or the test ends here, if its builder is not to be had."""
    pip = [str(python), "-m", "pip", "-q", "--disable-pip-version-check"]
    got = subprocess.run(
        [*pip, "download", "--no-deps", "-d", str(folder / "builder"), "scikit-build-core>=0.10"],
        capture_output=True,
        text=True,
    )
    if got.returncode:
        print("skipped: pip cannot get scikit-build-core here")
        sys.exit(SKIPPED)
    run(*pip, "wheel", "--no-deps", "-w", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel, engines):
    assert wheel.name.startswith("jitrun-") and "-py3-none-" in wheel.name, wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = ["__init__.py", "__init__.pyi", "py.typed", "libjitrun.so.0", "jitrun"]
    wanted += ["libjitrun-llvm.so"] if "llvm" in engines else []
    missing = {"jitrun/" + name for name in wanted} - names
    assert not missing, missing
    assert not any(name.endswith((".a", ".h", ".c")) for name in names), names


def check_use(python, folder, engines):
    program, kernel = folder / "program.py", folder / "kernel.src"
    program.write_text(PROGRAM)
    kernel.write_text(KERNEL)
    said = run(python, program, cwd=folder)
    assert said.strip().endswith(repr(engines)), said
    for command in ([python, "-m", "jitrun"], [python.with_name("jitrun")]):
        assert run(*command, kernel, cwd=folder) == "45\n", command
        assert run(*command, "--version", cwd=folder).startswith("jitrun "), command


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engines", required=True)
    engines = parser.parse_args().engines.split(",")
    if os.environ.get("JITRUN_TEST_EXTRAS", "0") in ("", "0"):
        print("skipped: JITRUN_TEST_EXTRAS is not set")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wheel = build(new_venv(folder / "builds"), folder)
        check_contents(wheel, engines)
        python = new_venv(folder / "uses")
        run(python, "-m", "pip", "-q", "install", "--no-deps", "--no-index", wheel)
        check_use(python, folder, engines)
        print("%s: %d KB" % (wheel.name, wheel.stat().st_size // 1024))
    return 0


if __name__ == "__main__":
    sys.exit(main())
