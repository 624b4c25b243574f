"""`python -m jitrun`: the command, if it is installed."""

import os
import shutil
import sys

from . import _library


def _command():
    beside = os.path.join(os.path.dirname(os.path.abspath(_library.path)), "jitrun")
    return beside if os.access(beside, os.X_OK) else shutil.which("jitrun")


def main():
    command = _command()
    if not command:
        sys.exit("jitrun: the command is not installed beside %s nor in PATH" % _library.path)
    os.execv(command, [command, *sys.argv[1:]])


if __name__ == "__main__":
    main()
