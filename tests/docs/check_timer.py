#!/usr/bin/env python3
"""docs/timer.md against the command: its commands run, and its table of fields is what JSON and CSV
have, in name and in order.

    check_timer.py --jitrun COMMAND --engines interp,tcc,llvm
"""

import argparse
import csv
import io
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOT = """\
import numpy as np
from jitrun import njit, prange

@njit(parallel=True)
def dot(x, y):
    s = 0.0
    for i in prange(len(x)):
        s += x[i] * y[i]
    return s
"""


def documented_fields(text):
    table = text.split("| field of a row | |")[1].split("\n\n")[0]
    return [name for line in table.splitlines()[2:]
            for name in re.findall(r"`(\w+)`", line.split("|")[1])]


def commands(text):
    for block in re.findall(r"```\n(jitrun .*?)```", text, re.S):
        yield from block.strip().splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jitrun", required=True)
    parser.add_argument("--engines", required=True)
    options = parser.parse_args()
    text = (ROOT / "docs/timer.md").read_text()
    fields = documented_fields(text)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "dot.src").write_text(DOT)
        (path / "samples").symlink_to(ROOT / "samples")

        def run(arguments):
            # Smaller and shorter than in the text, which is for people.
            arguments = [re.sub(r"1e6|1e7", "1e4", a) for a in arguments]
            done = subprocess.run([options.jitrun, *arguments, "--bench-time", "0.02"], text=True,
                                  capture_output=True, cwd=folder, timeout=120)
            if done.returncode or done.stderr:
                sys.exit(f"jitrun {shlex.join(arguments)}: {done.returncode}\n{done.stderr}{done.stdout}")
            return done.stdout

        count = 0
        for line in commands(text):
            words = shlex.split(line)[1:]
            run(words)
            count += 1
        bench = ["dot.src", "--bench", "-e", "dot", "np.ones(9)", "np.ones(9)"]
        row = json.loads(run([*bench, "--format", "json"]))["rows"][0]
        table = list(csv.reader(io.StringIO(run([*bench, "--format", "csv"]))))
        engines = options.engines.split(",")
        for what, got in [("JSON", list(row)), ("CSV", table[0][1:] + ["samples"])]:
            if sorted(got) != sorted(fields):
                sys.exit(f"docs/timer.md names {sorted(set(fields) - set(got))} which {what} has not, "
                         f"and not {sorted(set(got) - set(fields))}")
        if [r[1] for r in table[1:]][:len(engines)] != engines:
            sys.exit(f"rows: {table}")
    print(f"{count} commands ran; {len(fields)} fields are as documented")


if __name__ == "__main__":
    main()
