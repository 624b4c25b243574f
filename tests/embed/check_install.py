#!/usr/bin/env python3
"""Installs jitrun into a folder, moves that, and builds and runs what a user of it would:
the programs of samples/embed through find_package, one through pkg-config, and the command.

usage: check_install.py --build build --cc cc [--cmake cmake] [--engines interp,tcc,llvm]
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

SAMPLES = {  # name: (standard input, standard output)
    "hello": ("", "25\n"),
    "arrays": ("", "[3.] from float64[::1](float64[:])\n10 20 60, 30 untouched\n"
                   "jitrun: error: argument 1 of scale, 'x', is written to by the function, "
                   "so it cannot be a read-only array\n"),
    "threads": ("", "0: 178 steps ValueError: n must be positive\n1: 181 steps \n"
                    "2: 216 steps \n3: 237 steps \n"),
    "calculator": ("1 + 2\nsquare(x) = x * x\nsquare(5) + square(0.5)\n1 // 0\nsin(\n2 ** 10\n",
                   None),
}

PROJECT = """cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(Threads REQUIRED)
find_package(jitrun 0.1 REQUIRED)
foreach(name {names})
  add_executable(${{name}} {samples}/${{name}}.c)
  set_target_properties(${{name}} PROPERTIES C_STANDARD 11)
  target_compile_options(${{name}} PRIVATE -Wall -Wextra -Werror)
  target_link_libraries(${{name}} PRIVATE jitrun::jitrun Threads::Threads)
endforeach()
"""


def run(command, **kwargs):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300, **kwargs)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(name, got, wanted):
    if got != wanted:
        sys.exit(f"{name}: expected:\n{wanted}\ngot:\n{got}")
    print(f"{name}: right")


def check_calculator(got):
    lines = got.splitlines()
    check("calculator: first lines", lines[:3],
          ["3", "25.25", "ZeroDivisionError: integer division or modulo by zero"])
    check("calculator: an error", ["error" in line for line in lines[3:4]], [True])
    check("calculator: last line", lines[-1], "1024")


def check_samples(programs):
    for name, (given, wanted) in SAMPLES.items():
        got = run([programs / name], input=given)
        if wanted is None:
            check_calculator(got)
        else:
            check(name, got, wanted)


def with_cmake(args, prefix, work):
    source = work / "user"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(
        PROJECT.format(names=" ".join(SAMPLES), samples=ROOT / "samples/embed"))
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run([args.cmake, *generator, "-S", source, "-B", work / "user-build",
         f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_C_COMPILER={args.cc}"])
    run([args.cmake, "--build", work / "user-build"])
    check_samples(work / "user-build")


def with_pkg_config(args, prefix, work):
    if not shutil.which("pkg-config"):
        print("pkg-config is not installed: not checked")
        return
    folder = next(prefix.rglob("pkgconfig"))
    flags = run(["pkg-config", "--cflags", "--libs", "jitrun"],
                env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
    run([args.cc, "-Wall", "-Werror", ROOT / "samples/embed/hello.c", *flags,
         f"-Wl,-rpath,{folder.parent}", "-o", work / "hello"])
    check("hello through pkg-config", run([work / "hello"]), SAMPLES["hello"][1])


def command(args, prefix, work):
    version = run([prefix / "bin/jitrun", "--version"])
    check("engines", version.split("engines: ")[1].strip(" )\n"), args.engines.replace(",", " "))
    if not (prefix / "share/man/man1/jitrun.1").is_file():
        sys.exit("there is no manual page")
    print("command: right")
    header(args, prefix, work)


def header(args, prefix, work):
    """What --emit header writes is C, whatever the functions and parameters are called."""
    kernel, made = work / "kernel.src", work / "kernel.h"
    kernel.write_text("from jitrun import float32, int8\n"
                      "def unix(register: float32[:, :], new: int8) -> float32:\n"
                      "    register[0, 0] = new\n    return register[0, 1]\n"
                      "def untyped(x):\n    return x\n")
    run([prefix / "bin/jitrun", kernel, "--emit", "header", "-o", made])
    if "float unix_(float *register_, int64_t register__dim0," not in made.read_text():
        sys.exit(f"the header is\n{made.read_text()}")
    (work / "kernel.c").write_text('#include "kernel.h"\n')
    run([args.cc, "-Wall", "-Werror", f"-I{prefix}/include", "-fsyntax-only", work / "kernel.c"])
    refused = subprocess.run([prefix / "bin/jitrun", kernel, "--emit", "song"],
                             capture_output=True, text=True, timeout=60)
    check("an unknown kind", refused.returncode, 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        run([args.cmake, "--install", args.build, "--prefix", work / "first"])
        prefix = (work / "first").rename(work / "moved")
        command(args, prefix, work)
        with_cmake(args, prefix, work)
        with_pkg_config(args, prefix, work)


if __name__ == "__main__":
    main()
