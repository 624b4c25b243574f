#!/usr/bin/env python3
"""Compiles and runs every C program of docs/embedding.md; the text block after one is what it
prints. Blocks that begin with a file's name are that file; the shell's blocks are run beside them.

usage: check_embedding.py --build build [--cc cc]
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"^```c\n((?!/\*).*?)^```\n\n```text\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"^```\w+\n(?:/\*|#) ([\w.]+)(?: \*/)?\n(.*?)^```$", re.M | re.S)
COMMANDS = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```$", re.M | re.S)


def check(number, source, wanted, build, cc, folder):
    path, program = folder / f"{number}.c", folder / str(number)
    path.write_text(source)
    compiled = subprocess.run(
        [*cc.split(), "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", path,
         f"-L{build}", "-ljitrun", "-lm", f"-Wl,-rpath,{build}", "-o", program],
        capture_output=True, text=True)
    if compiled.returncode:
        return compiled.stderr
    env = dict(os.environ, JITRUN_CACHE_DIR=str(folder / "cache"))
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, env=env)
    if (done.returncode, done.stdout) == (0, wanted):
        return None
    return f"expected:\n{wanted}got ({done.returncode}):\n{done.stdout}{done.stderr}"


def check_commands(text, commands, wanted, build, cc):
    """As in a shell where jitrun is installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file, content in FILE.findall(text):
            (folder / file).write_text(content)
        tools = folder / "tools"
        tools.mkdir()
        (tools / "pkg-config").write_text(
            f'#!/bin/sh\ncase $1 in --cflags) echo "-I{ROOT}/include" ;; *) echo "{build}" ;; esac\n')
        (tools / "cc").write_text(f'#!/bin/sh\nexec {shutil.which(cc)} "$@"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        path = f"{tools}:{build}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-e", "-c", commands], capture_output=True, text=True,
                              timeout=120, cwd=folder, env={**os.environ, "PATH": path})
    if (done.returncode, done.stdout) == (0, wanted):
        return None
    return f"expected:\n{wanted}got ({done.returncode}):\n{done.stdout}{done.stderr}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    args = parser.parse_args()
    text = (ROOT / "docs/embedding.md").read_text()
    programs = PROGRAM.findall(text)
    failed = 0
    commands = COMMANDS.findall(text)
    named = len(re.findall(r"^```c\n/\*", text, re.M))
    if not programs or len(programs) + named != text.count("```c\n"):
        sys.exit("a program has no text block with its output")
    if len(commands) != text.count("```sh\n"):
        sys.exit("some commands have no text block with their output")
    build = pathlib.Path(args.build).resolve()
    for number, (block, wanted) in enumerate(commands, 1):
        if "llvm" not in args.engines and ("obj" in block or "so -o" in block):
            continue
        wrong = check_commands(text, block, wanted, build, args.cc)
        failed += wrong is not None
        if wrong:
            print(f"docs/embedding.md, commands {number}:\n{wrong}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (source, wanted) in enumerate(programs, 1):
            wrong = check(number, source, wanted, pathlib.Path(args.build).resolve(), args.cc,
                          pathlib.Path(folder))
            failed += wrong is not None
            if wrong:
                print(f"docs/embedding.md, program {number}:\n{wrong}")
    print(f"{len(programs) - failed} programs passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
