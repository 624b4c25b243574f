#!/usr/bin/env python3
"""What --emit makes, against the command: the same results, the same errors.

emit.src and emit_rt.src are compiled ahead of time in every way there is: C text by each C
compiler, alone and with libjitrun_rt.a; an object file; a shared library. Each way ends in a
shared library, which is called through ctypes by the prototypes of --emit header, and in what
`jitrun -e` prints for the same arguments. Then C and C++ programs link the header, the C text
and the object file, and run without jitrun's libraries.

usage: check_emit.py --build build --cc cc [--cxx c++] [--engines interp,tcc,llvm]
"""
import argparse
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MAX_DIMS = 8

# Functions and the arguments they are called with, as the command takes them.
CALLS = {
    "emit.src": [
        ("flag", "True", "False"), ("flag", "True", "True"),
        ("i8", "-128"), ("i8", "127"), ("i16", "-32768"), ("i32", "-2147483648"), ("i32", "5"),
        ("i64", "-9223372036854775807"), ("u8", "200"), ("u16", "40000"), ("u32", "4000000000"),
        ("u64", "9223372036854775807"), ("f32", "3.3"), ("f64", "0.7"),
        ("contracted", "1.1", "1.3", "-1.43"), ("contracted", "1e308", "10.0", "-1e308"),
        ("many", "1.5", "-2", "0.25", "True", "5.0", "6", "7.0", "8", "9.0", "10", "11.0", "12",
         "13.0", "14", "15.0", "16", "17.5", "65535", "19.0", "20", "21.0", "22"),
        ("dot", "[1.5, 2.5, 3.5]", "[2.0, 4.0, 8.0]"), ("dot", "[1.0, 2.0]", "[1.0]"),
        ("dot", "np.arange(30000.0)", "np.arange(30000.0)"),
        ("corner", "np.arange(12).reshape(3, 4)"), ("corner", "np.zeros((0, 4), dtype=np.int64)"),
        ("strided", "np.arange(12.0).reshape(3, 4).T", "3", "1"),
        ("strided", "np.arange(12.0).reshape(3, 4)[::-1, ::-2]", "2", "-1"),
        ("strided", "np.arange(12.0).reshape(3, 4)", "-4", "0"),
        ("deep_array", "np.arange(256).reshape(2, 2, 2, 2, 2, 2, 2, 2)"),
        ("scale", "np.ones(4, dtype=np.float32)[::-2]", "2.5"),
        ("squares", "5"), ("squares", "0"), ("squares", "100000"),
        ("split", "-2.75"), ("split", "3.0"),
        ("tail", "[1.0, 2.0, 3.0]"), ("tail", "np.zeros(0)"),
        ("weighted", "(1.5, 2)", "(0.25, -4)"),
        ("outer", "0"), ("outer", "-1"), ("fact", "20"), ("endless", "0"),
        ("fail", "3"), ("fail", "4"), ("power", "3", "13"), ("power", "2", "-1"),
        ("shift", "3", "70"), ("shift", "1", "-1"), ("modulo", "-7.5", "2.0"),
        ("modulo", "7.5", "-0.0"), ("modulo", "-5.0", "np.inf"),
        ("added", "[1.0, 2.0]", "[0.5, 0.25]"), ("added", "[1.0, 2.0]", "[1.0, 2.0, 3.0]"),
        ("shifted", "np.arange(5.0)"), ("reversed_twice", "np.arange(6.0).reshape(2, 3)"),
        ("reshaped", "6", "3"), ("reshaped", "6", "4"),
        ("empty", "3"), ("empty", "-1"), ("empty", "2**61"), ("empty", "2**46"),
        ("inverse_sum", "np.arange(50000) + 1"), ("inverse_sum", "np.arange(50000) - 40000"),
        ("norms", "30000"), ("norms", "3"), ("histogram", "np.arange(40000) % 4"),
        ("histogram", "np.arange(8)"),
    ],
    "emit_rt.src": [("say", "4"), ("draw", "7"), ("rounded", "2.675")],
}

C_NAMES = {"bool": ctypes.c_bool, "int8_t": ctypes.c_int8, "int16_t": ctypes.c_int16,
           "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint8_t": ctypes.c_uint8,
           "uint16_t": ctypes.c_uint16, "uint32_t": ctypes.c_uint32,
           "uint64_t": ctypes.c_uint64, "float": ctypes.c_float, "double": ctypes.c_double,
           "JrStatus": ctypes.c_int}
DTYPES = ["", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
          "float32", "float64"]


class Frame(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char_p), ("file", ctypes.c_char_p),
                ("line", ctypes.c_int32), ("column", ctypes.c_int32)]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("name", ctypes.c_char_p),
                ("message", ctypes.c_char_p), ("count", ctypes.c_size_t),
                ("frames", ctypes.POINTER(Frame)), ("dropped", ctypes.c_size_t),
                ("len", ctypes.c_size_t)]


class ArrayValue(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int), ("ndim", ctypes.c_uint32), ("data", ctypes.c_void_p),
                ("shape", ctypes.c_int64 * MAX_DIMS), ("strides", ctypes.c_int64 * MAX_DIMS),
                ("owner", ctypes.c_void_p), ("readonly", ctypes.c_bool)]

    def copy(self):
        """The elements, as an array of Python's own."""
        dtype = np.dtype(DTYPES[self.dtype])
        shape, strides = self.shape[:self.ndim], self.strides[:self.ndim]
        if 0 in shape:
            return np.zeros(shape, dtype)
        low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides))
        high = sum(max(0, (n - 1) * s) for n, s in zip(shape, strides))
        memory = (ctypes.c_char * ((high - low + 1) * dtype.itemsize)).from_address(
            self.data + low * dtype.itemsize)
        flat = np.frombuffer(memory, dtype)
        return np.lib.stride_tricks.as_strided(
            flat[-low:], shape, [s * dtype.itemsize for s in strides]).copy()


def run(command, **kwargs):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300, **kwargs)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


# ---- Prototypes ----

class Prototype:
    """What a line of the header says: `double dot(const double *x, int64_t x_len);`"""

    def __init__(self, line):
        match = re.fullmatch(r"(\w+) (\w+)\((.*)\);", line)
        self.result, self.name, params = match.groups()
        self.params = [] if params == "void" else params.split(", ")

    def c_type(self, param):
        base = param.replace("const ", "").rsplit(" ", 1)[0]
        return ctypes.c_void_p if "*" in param else C_NAMES[base]


def prototypes(header):
    lines = re.findall(r"^\w+ \w+\(.*\);$", header, re.M)
    return {p.name: p for p in map(Prototype, lines)}


# ---- Calls ----

def value_of(text):
    value = eval(text, {"np": np})  # noqa: S307: our own table above
    return np.array(value) if isinstance(value, list) else value


def flatten(value, param_is_array):
    """A value as C arguments: of an array its address, its shape and its strides."""
    if isinstance(value, tuple):
        return [item for part in value for item in flatten(part, False)]
    if not param_is_array:
        return [value]
    strides = [s // value.itemsize for s in value.strides]
    return [value.ctypes.data, list(value.shape), strides]


def c_arguments(prototype, values):
    """The C arguments for these values, and the out-parameters' storage."""
    params = list(prototype.params)
    args = []
    for value in values:
        is_array = bool(params) and "*" in params[0]
        for piece in flatten(value, is_array):
            if isinstance(piece, list):  # as many as the prototype has for this array
                for number in piece:
                    if params and re.search(r"_(len|dim\d|stride\d?)_*$", params[0]):
                        args.append(number)
                        params.pop(0)
            else:
                args.append(piece)
                params.pop(0)
    outs = []
    for param in params:
        base = param.split(" *")[0]
        outs.append(ArrayValue() if base == "JrArrayValue" else C_NAMES[base]())
    return args, outs


def python_value(out, library):
    if isinstance(out, ArrayValue):
        array = out.copy()
        library.jr_array_clear(ctypes.byref(out))
        return array
    return out.value


def scalar_text(value, c_type):
    if c_type is ctypes.c_float:
        return str(np.float32(value))
    return str(value)


def call(library, prototype, texts, changes):
    """What the command would print: the result, or the error as its JSON."""
    values = [value_of(text) for text in texts]
    args, outs = c_arguments(prototype, values)
    function = getattr(library, prototype.name)
    function.restype = C_NAMES[prototype.result]
    function.argtypes = [prototype.c_type(param) for param in prototype.params]
    if library.jr_error:
        library.jr_error_clear()
    got = function(*args, *map(ctypes.byref, outs))
    error = library.jr_error()[0] if library.jr_error else None
    if error and error.status:
        if prototype.result == "JrStatus":
            assert got == error.status, f"{got} is not {error.status}"
        else:
            assert got == 0, f"{got} is no zero"
        frames = [{"function": f.function.decode(), "file": f.file.decode(), "line": f.line,
                   "column": f.column} for f in error.frames[:error.count]]
        assert error.len == len(error.message)
        return {"name": error.name.decode(), "message": error.message.decode(),
                "frames": frames}
    if changes:
        return str(values[0])
    if prototype.result != "JrStatus":
        return scalar_text(got, C_NAMES[prototype.result])
    results = [python_value(out, library) for out in outs]
    return str(results[0]) if len(results) == 1 else str(tuple(results))


def wanted(jitrun, source, name, texts):
    done = subprocess.run([jitrun, "--backend", "interp", "--format", "json", "-e", name, source,
                           "--", *texts], capture_output=True, text=True, timeout=60)
    if done.returncode == 1:
        error = json.loads(done.stderr)
        return {key: error[key] for key in ("name", "message", "frames")}
    if done.returncode:
        sys.exit(f"{name}{texts}: {done.stderr}")
    return done.stdout.rstrip("\n")


def same(got, expected):
    if isinstance(expected, str) or isinstance(got, str):
        return got == expected
    if got["name"] == "RecursionError":  # how deep is each one's own
        return got["message"] == expected["message"] and bool(got["frames"])
    return got == expected


def load(path):
    library = ctypes.CDLL(str(path))
    try:
        library.jr_error.restype = ctypes.POINTER(Error)
    except AttributeError:
        library.jr_error = None
    return library


def check_library(way, path, header, source, expected):
    library, wrong = load(path), 0
    known = prototypes(header)
    for (name, *texts), want in expected.items():
        if name == "say":
            continue  # it writes to this process's standard output: see check_printing
        got = call(library, known[name], texts, name == "scale")
        if name == "scale":
            want = str(np.array([1, 1, 1, 1], np.float32)[::-2] * np.float32(2.5))
        if not same(got, want):
            print(f"{source.name}, {way}: {name}{tuple(texts)}:\nexpected {want}\ngot      {got}")
            wrong += 1
    return wrong


# ---- Ways ----

def ways(args, jitrun, source, folder, needs_rt):
    """Names and shared libraries: every way from the source to one."""
    runtime = args.build / "libjitrun_rt.a"
    text, engines = folder / "kernels.c", args.engines.split(",")
    flags = ["-shared", "-fPIC", "-Wl,--no-undefined"]
    compilers = [c for c in ("gcc", "clang-19") if shutil.which(c)] or [args.cc]
    if "tcc" in engines:
        run([jitrun, "--emit", "c", "-o", text, source])
        builds = [(cc, "-O3 -march=native", True) for cc in compilers]
        builds += [(args.cc, "-O0", True), (args.cc, "-O2", False)]
        for cc, level, alone in builds:
            if alone and needs_rt:
                continue
            way = f"{cc} {level} {'alone' if alone else 'with the runtime'}"
            extra = [] if alone else ["-DJITRUN_RT", runtime]
            path = folder / f"{len(list(folder.iterdir()))}.so"
            run([cc, "-std=c11", "-Wall", "-Wextra", "-Werror", *level.split(), *flags, text,
                 *extra, "-lm", "-pthread", "-o", path])
            yield way, path
    if "llvm" not in engines:
        return
    for level in "03":
        path = folder / f"so{level}.so"
        run([jitrun, "--emit", "so", "-O", level, "-o", path, source],
            env={**os.environ, "CC": args.cc})
        yield f"--emit so -O{level}", path
    obj, path = folder / "generic.o", folder / "generic.so"
    run([jitrun, "--emit", "obj", "--cpu", "generic", "-o", obj, source])
    run([args.cc, *flags, obj, runtime, "-lm", "-pthread", "-o", path])
    yield "--emit obj --cpu generic", path


# ---- Programs ----

PROGRAM = r"""
#include "kernels.h"
#include <stdio.h>

int main(void) {
    double x[] = {1, 2, 3}, y[] = {4, 5, 6};
    int64_t whole;
    bool positive;
    JrArrayValue array;
    printf("%g\n", dot(x, 3, y, 3));
    if (split(2.5, &whole, NULL, &positive) == JR_OK) printf("%d %d\n", (int)whole, positive);
    if (squares(4, &array) == JR_OK) printf("%d\n", (int)((int64_t *)array.data)[3]);
    jr_array_clear(&array);
    printf("%d\n", same_memory(x, 3, (int64_t *)(void *)x, 3) == 0x3ff0000000000000);
    outer(-1);
    printf("%s in %s, line %d, called from %s\n", jr_error()->message,
           jr_error()->frames[0].function, jr_error()->frames[0].line,
           jr_error()->frames[1].function);
    return jr_error()->status != JR_ZERO_DIVISION_ERROR;
}
"""
PRINTED = ("32\n2 1\n9\n1\ninteger division or modulo by zero in inner, line 106, "
           "called from outer\n")


def check_program(way, command, folder):
    program = folder / "program"
    run([*command, "-lm", "-pthread", "-o", program])
    linked = run(["ldd", program])
    assert not re.search("jitrun|LLVM|tcc", linked), f"{way} links {linked}"
    got = run([program])
    if got == PRINTED:
        return 0
    print(f"{way}: expected:\n{PRINTED}got:\n{got}")
    return 1


def programs(args, jitrun, folder, header):
    source, wrong = HERE / "emit.src", 0
    (folder / "kernels.h").write_text(header)
    (folder / "main.c").write_text(PROGRAM)
    strict = ["-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", f"-I{folder}"]
    if "tcc" in args.engines:
        run([jitrun, "--emit", "c", "-o", folder / "k.c", source])
        run([args.cc, "-std=c11", "-O2", "-c", folder / "k.c", "-o", folder / "c.o"])
        # a second file of the same kind: they share the error slot
        run([jitrun, "--emit", "c", "-e", "dot(float32[::1], float32[::1])", "-o",
             folder / "k2.c", ROOT / "tests/embed/emit_untyped.src"])
        run([args.cc, "-std=c11", "-O2", "-c", folder / "k2.c", "-o", folder / "c2.o"])
        run(["objcopy", "--redefine-sym", "dot=dot2", folder / "c2.o"])
        wrong += check_program("C from --emit c", [
            args.cc, "-std=c11", *strict, folder / "main.c", folder / "c.o", folder / "c2.o"],
            folder)
        if args.cxx:
            wrong += check_program("C++ from --emit c", [
                args.cxx, "-x", "c++", "-std=c++17", *strict, folder / "main.c", "-x", "none",
                folder / "c.o"], folder)
    if "llvm" in args.engines:
        run([jitrun, "--emit", "obj", "-o", folder / "k.o", source])
        wrong += check_program("C from --emit obj", [
            args.cc, "-std=c11", *strict, folder / "main.c", folder / "k.o",
            args.build / "libjitrun_rt.a"], folder)
        # what cannot fail needs nothing at all
        run([jitrun, "--emit", "obj", "-e", "contracted", "-o", folder / "leaf.o", source])
        (folder / "leaf.c").write_text(
            "double contracted(double, double, double);\n"
            "int main(void) { return contracted(2, 3, -6) != 0; }\n")
        run([args.cc, folder / "leaf.c", folder / "leaf.o", "-o", folder / "leaf"])
        run([folder / "leaf"])
    return wrong


def check_printing(way, path):
    """A kernel's print goes to standard output, in a process of its own."""
    got = run([sys.executable, "-c",
               "import ctypes, sys\nk = ctypes.CDLL(sys.argv[1])\nk.say.restype = ctypes.c_int64\n"
               "k.say.argtypes = [ctypes.c_int64]\nassert k.say(4) == 5\nctypes.CDLL(None).fflush("
               "None)\n", path])
    if got == "n is 4 0.4 True\n":
        return 0
    print(f"{way}: say printed {got!r}")
    return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx")
    parser.add_argument("--engines", default="interp,tcc,llvm")
    args = parser.parse_args()
    jitrun, wrong, count = args.build / "jitrun", 0, 0
    for file, calls in CALLS.items():
        source = HERE / file
        header = run([jitrun, "--emit", "header", source])
        expected = {c: wanted(jitrun, source, c[0], c[1:]) for c in calls}
        with tempfile.TemporaryDirectory() as folder:
            for way, path in ways(args, jitrun, source, pathlib.Path(folder),
                                  file == "emit_rt.src"):
                wrong += check_library(way, path, header, source, expected)
                if file == "emit_rt.src":
                    wrong += check_printing(way, path)
                count += 1
        if file == "emit.src":
            with tempfile.TemporaryDirectory() as folder:
                wrong += programs(args, jitrun, pathlib.Path(folder), header)
    print(f"{count} ways, {wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
