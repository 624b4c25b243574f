"""What the Python tests share. They run under unittest and pytest alike."""

import atexit
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    np = None

FOLDER = os.path.dirname(os.path.abspath(__file__))
ALL = os.environ.get("JITRUN_TEST_EXTRAS", "0") not in ("", "0")


if "JITRUN_CACHE_DIR" not in os.environ:  # not the user's
    os.environ["JITRUN_CACHE_DIR"] = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, os.environ["JITRUN_CACHE_DIR"], True)


def missing(module):
    return importlib.util.find_spec(module) is None


def needs(*modules):
    """Skips a test where one of the modules is not installed; `./dev test --all` has them all, and
    says so by JITRUN_TEST_EXTRAS: there the test fails instead."""
    absent = [name for name in modules if missing(name)]
    return unittest.skipIf(absent and not ALL, "%s: not installed" % ", ".join(absent))


needs_numpy = needs("numpy")


def error_of(test, exception, function, *args, **kwargs):
    """The exception that a call raises."""
    try:
        result = function(*args, **kwargs)
    except exception as error:  # assertRaises would drop its traceback
        return error
    raise test.failureException("%s was not raised: %r" % (exception.__name__, result))


def import_text(folder, name, text):
    """A module made of a text, in a file."""
    path = os.path.join(folder, name + ".py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run_python(*args, text=None, **env):
    """Runs this Python with jitrun importable."""
    return subprocess.run(
        [sys.executable, *args],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=600,
    )
