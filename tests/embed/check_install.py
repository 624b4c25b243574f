#!/usr/bin/env python3
"""Installs jitrun into a folder, moves that, and builds and runs what a user of it would:
the programs of samples/embed through find_package and through pkg-config, and the command with
its manual pages and completion. The same from a .deb, where there is cpack and dpkg-deb.

usage: check_install.py --build build --cc cc [--cmake cmake] [--engines interp,tcc,llvm]
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

SAMPLES = {  # name: (standard input, standard output)
    "hello": ("", "25\n"),
    "prange": ("", "1: the same\n2: the same\n4: the same\n"
                   "IndexError: index 999999 is out of bounds for axis 0 with size 999999\n"),
    "callbacks": ("", "9, after 101 calls\n"
                      "integral.src:3:14: error: ValueError: the curve begins at 0\n"
                      "    3 |     s = curve(a) + curve(b)\n      |              ^\n"),
    "engines": ("", None),
    "plot": ("", None),
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
  target_link_libraries(${{name}} PRIVATE jitrun::jitrun Threads::Threads m)
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


def check_engines(got, engines):
    lines = [line.split(" ", 1) for line in got.splitlines()]
    check("engines", [name for name, _ in lines], engines)
    check("engines: pi", {value for _, value in lines}, {"3.141591653589774"})


def check_plot(program):
    """x itself: white where it is 0, blue to the left of it and black to the right."""
    picture = subprocess.run([program, "x"], capture_output=True, timeout=300, check=True).stdout
    head, pixels = picture[:15], picture[15:]
    check("plot: head", head, b"P6\n512 512\n255\n")
    at = lambda row, col: tuple(pixels[3 * (512 * row + col):][:3])
    check("plot: size", len(pixels), 512 * 512 * 3)
    check("plot: middle", at(100, 256), (255, 90, 0))
    check("plot: sides", (at(7, 0)[2], at(7, 511)[2]), (255, 0))
    wrong = subprocess.run([program, "x +"], capture_output=True, text=True, timeout=300)
    check("plot: a wrong expression", (wrong.returncode, wrong.stdout), (1, ""))
    check("plot: its place", wrong.stderr.startswith("expression:4:15: error:"), True)


def check_samples(programs, engines):
    for name, (given, wanted) in SAMPLES.items():
        if name == "plot":
            check_plot(programs / name)
            continue
        got = run([programs / name], input=given)
        if name == "engines":
            check_engines(got, engines)
        elif wanted is None:
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
    check_samples(work / "user-build", args.engines.split(","))


def with_pkg_config(args, prefix, work):
    if not shutil.which("pkg-config"):
        print("pkg-config is not installed: not checked")
        return
    folder = next(prefix.rglob("pkgconfig"))
    flags = run(["pkg-config", "--cflags", "--libs", "jitrun"],
                env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
    programs = work / "pkg-config"
    programs.mkdir()
    for name in SAMPLES:
        run([args.cc, "-std=c11", "-Wall", "-Werror", ROOT / f"samples/embed/{name}.c", *flags,
             "-lm", "-pthread", f"-Wl,-rpath,{folder.parent}", "-o", programs / name])
    check_samples(programs, args.engines.split(","))


def command(args, prefix, work):
    version = run([prefix / "bin/jitrun", "--version"])
    check("engines", version.split("engines: ")[1].strip(" )\n"), args.engines.replace(",", " "))
    pages(prefix)
    completion(prefix)
    print("command: right")
    header(args, prefix, work)


def pages(prefix):
    if not (prefix / "share/man/man1/jitrun.1").is_file():
        sys.exit("there is no manual page of the command")
    page = (prefix / "share/man/man3/jitrun.3").read_text()
    text = re.sub(r"/\*.*?\*/", "", (prefix / "include/jitrun.h").read_text(), flags=re.S)
    for name in re.findall(r"^JR_API [^;]*?\b(jr_\w+)\(", text, re.M):
        check(f"jitrun(3): {name}", page.count(f".Fo {name}\n"), 1)


def completion(prefix):
    """bash's is asked what it offers; the others at least name every option."""
    found = {shell: prefix / "share" / path for shell, path in (
        ("bash", "bash-completion/completions/jitrun"), ("zsh", "zsh/site-functions/_jitrun"),
        ("fish", "fish/vendor_completions.d/jitrun.fish"))}
    options = set(re.findall(r"--([a-z][a-z-]+)", run([prefix / "bin/jitrun", "--help"])))
    for shell, path in found.items():
        text = path.read_text()
        for option in options - {"help"}:
            if not re.search(rf"-l {option}\b" if shell == "fish" else rf"--{option}\b", text):
                sys.exit(f"{path}: does not complete --{option}")
        if shutil.which(shell):
            run([shell, "-n", path])
    if not shutil.which("bash"):
        return
    for words, wanted in ((["--back"], "--backend"), (["--backend", "t"], "tcc"),
                          (["--dump", "byte"], "bytecode"), (["-O", ""], "0 1 2 3"),
                          (["--parallel", "--fastm"], "--fastmath"), (["--entry", "x"], "")):
        script = (f"source {found['bash']}; COMP_WORDS=(jitrun {' '.join(repr(w) for w in words)}); "
                  f"COMP_CWORD={len(words)}; _jitrun; echo \"${{COMPREPLY[*]}}\"")
        check(f"completion of {words}", run(["bash", "-c", script]), wanted + "\n")


def package(args, work):
    """The .deb holds the same tree, and works where it is unpacked."""
    cpack = shutil.which("cpack", path=os.pathsep.join(
        [str(pathlib.Path(args.cmake).parent), os.environ.get("PATH", "")]))
    if not cpack or not shutil.which("dpkg-deb"):
        print("there is no cpack or no dpkg-deb: the package is not checked")
        return
    run([cpack, "-G", "DEB", "--config", pathlib.Path(args.build).resolve() / "CPackConfig.cmake",
         "-B", work / "package"])
    deb = next((work / "package").glob("*.deb"))
    fields = dict(line.split(": ", 1) for line in run(["dpkg-deb", "-f", deb]).splitlines()
                  if ": " in line)
    check("package: name", fields["Package"], "jitrun")
    if shutil.which("dpkg-shlibdeps"):
        check("package: needs libc", "libc6" in fields["Depends"], True)
    run(["dpkg-deb", "-x", deb, work / "unpacked"])
    tree = work / "unpacked/usr"
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()}
    for name in ("bin/jitrun", "include/jitrun.h", "share/man/man1/jitrun.1",
                 "share/man/man3/jitrun.3", "share/bash-completion/completions/jitrun"):
        check(f"package: {name}", name in names, True)
    check("package: soname", any(name.endswith("/libjitrun.so.0") for name in names), True)
    version = run([tree / "bin/jitrun", "--version"])
    check("package: engines", version.split("engines: ")[1].strip(" )\n"),
          args.engines.replace(",", " "))


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
    if "llvm" in args.engines:
        run([prefix / "bin/jitrun", kernel, "--emit", "so", "-o", work / "kernel.so"],
            env={**os.environ, "CC": args.cc})
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
        package(args, work)


if __name__ == "__main__":
    main()
