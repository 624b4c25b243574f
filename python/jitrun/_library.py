"""libjitrun and its C interface, as include/jitrun.h declares it.

The structures, enumerations and prototypes here are checked against the header by
tests/python/test_header.py. ctypes.CDLL releases the GIL during every call.
"""

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    Union,
    c_bool,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)

FILE_NAMES = ("libjitrun.so.0", "libjitrun.so")

# JrStatus
OK = 0
STATUS_EXCEPTIONS = {
    1: IndexError,
    2: ZeroDivisionError,
    3: ValueError,
    4: TypeError,
    5: OverflowError,
    6: ArithmeticError,
    7: FloatingPointError,
    8: AssertionError,
    9: RuntimeError,
    10: NotImplementedError,
    11: RecursionError,
    12: MemoryError,
    13: KeyError,
    14: LookupError,
    15: StopIteration,
    16: Exception,
    17: KeyboardInterrupt,
    18: TimeoutError,
}
KEYBOARD_INTERRUPT = 17
ERR_COMPILE = 100
ERR_ARGUMENT = 101
ERR_NOT_FOUND = 102
ERR_SIGNATURE = 103
ERR_ENGINE = 104
ERR_IO = 105
ERR_RACE = 106

# JrType
NONE = 0
BOOL, INT8, INT16, INT32, INT64 = 1, 2, 3, 4, 5
UINT8, UINT16, UINT32, UINT64 = 6, 7, 8, 9
FLOAT32, FLOAT64 = 10, 11
ARRAY, TUPLE = 64, 65
MAX_DIMS = 8

REPORT_TEXT, REPORT_JSON, REPORT_CSV = 0, 1, 2

# NumPy's flags of an array.
PY_CONTIGUOUS, PY_ALIGNED, PY_WRITEABLE = 0x1, 0x100, 0x400

Write = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t)


class JrFrame(Structure):
    _fields_ = [
        ("function", c_char_p),
        ("file", c_char_p),
        ("line", c_int32),
        ("column", c_int32),
    ]


class JrError(Structure):
    _fields_ = [
        ("status", c_int),
        ("name", c_char_p),
        ("message", c_void_p),
        ("frame_count", c_size_t),
        ("frames", POINTER(JrFrame)),
        ("frames_dropped", c_size_t),
        ("message_len", c_size_t),
    ]


class JrContextOptions(Structure):
    _fields_ = [("size", c_size_t), ("write", Write), ("write_user", c_void_p)]


class JrCompileOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", c_char_p),
        ("engine", c_char_p),
        ("opt_level", c_int),
        ("run_main", c_bool),
        ("parallel", c_bool),
        ("unchecked", c_bool),
        ("fastmath", c_bool),
        ("check_races", c_bool),
        ("cache", c_bool),
    ]


class JrCacheUse(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("hits", c_size_t),
        ("misses", c_size_t),
        ("folder", c_char_p),
        ("problem", c_char_p),
    ]


class JrArrayValue(Structure):
    _fields_ = [
        ("dtype", c_int),
        ("ndim", c_uint32),
        ("data", c_void_p),
        ("shape", c_int64 * MAX_DIMS),
        ("strides", c_int64 * MAX_DIMS),
        ("owner", c_void_p),
        ("readonly", c_bool),
    ]


class JrValue(Structure):
    pass


class _JrTuple(Structure):
    _fields_ = [("count", c_size_t), ("items", POINTER(JrValue))]


class _JrAs(Union):
    _fields_ = [
        ("b", c_bool),
        ("i", c_int64),
        ("u", c_uint64),
        ("f", c_double),
        ("array", POINTER(JrArrayValue)),
        ("tuple", _JrTuple),
    ]


JrValue._fields_ = [("type", c_int), ("owned", c_bool), ("value", _JrAs)]


class JrPyParam(Structure):
    _fields_ = [
        ("type", c_int),
        ("numpy", c_bool),
        ("count", c_uint32),
        ("python_type", c_void_p),
        ("item", c_int),
        ("type_num", c_int32),
        ("descr", c_void_p),
        ("flags", c_uint32),
        ("flags_mask", c_uint32),
    ]


# Calls it so many times, and says what that took and, the first time, what it left.
RivalRun = CFUNCTYPE(c_void_p, c_void_p, c_int64, POINTER(c_double), POINTER(JrValue))
Progress = CFUNCTYPE(None, c_void_p, c_char_p, c_double)


class JrBenchRival(Structure):
    _fields_ = [("name", c_char_p), ("run", RivalRun), ("user", c_void_p)]


class JrBenchOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", c_char_p),
        ("arg_count", c_size_t),
        ("args", c_void_p),
        ("rows", c_char_p),
        ("seconds", c_double),
        ("operations", c_double),
        ("bytes", c_double),
        ("rival_count", c_size_t),
        ("rivals", POINTER(JrBenchRival)),
        ("progress", Progress),
        ("progress_user", c_void_p),
        ("title", c_char_p),
    ]


# The functions that the package calls: result, then parameters. Handles are c_void_p.
PROTOTYPES = {
    "jr_version": (c_char_p,),
    "jr_error": (POINTER(JrError),),
    "jr_context_new": (c_void_p, POINTER(JrContextOptions)),
    "jr_cancel": (c_int, c_void_p, c_int),
    "jr_engine_available": (c_bool, c_void_p, c_char_p),
    "jr_compile": (c_int, c_void_p, c_char_p, POINTER(JrCompileOptions), POINTER(c_void_p)),
    "jr_module_free": (None, c_void_p),
    "jr_module_report": (c_char_p, c_void_p, c_int),
    "jr_module_dump": (c_int, c_void_p, c_char_p, Write, c_void_p),
    "jr_module_cache": (c_int, c_void_p, POINTER(JrCacheUse)),
    "jr_value_clear": (None, POINTER(JrValue)),
    "jr_function_for": (
        c_int,
        c_void_p,
        c_char_p,
        c_size_t,
        c_void_p,
        POINTER(c_void_p),
    ),
    "jr_function_signature": (c_char_p, c_void_p),
    "jr_error_report": (None, c_void_p, c_int, Write, c_void_p),
    "jr_module_explain": (c_int, c_void_p, c_int, Write, c_void_p),
    "jr_function_pointer": (c_int, c_void_p, POINTER(c_void_p)),
    "jr_function_prototype": (c_char_p, c_void_p),
    "jr_num_threads": (c_int,),
    "jr_set_num_threads": (c_int, c_int),
    "jr_bench": (c_int, c_void_p, POINTER(JrBenchOptions), POINTER(c_void_p)),
    "jr_bench_free": (None, c_void_p),
    "jr_bench_agrees": (c_bool, c_void_p),
    "jr_bench_report": (c_int, c_void_p, c_int, Write, c_void_p),
    "jr_bench_plot": (c_int, c_size_t, c_void_p, c_void_p, Write, c_void_p),
    "jr_call": (c_int, c_void_p, c_size_t, c_void_p, c_void_p),
}
# Those that are called with the GIL held.
PYTHON_PROTOTYPES = {
    "jr_python_open": (c_int, c_size_t, c_size_t, POINTER(c_void_p)),
    "jr_python_numpy": (c_int, c_void_p, POINTER(c_int32), c_size_t),
    "jr_python_loop_new": (
        c_int,
        c_void_p,
        c_void_p,
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        POINTER(c_void_p),
        POINTER(c_void_p),
    ),
    "jr_python_loop_free": (None, c_void_p),
    "jr_python_interrupts": (c_int, c_void_p, c_void_p, c_void_p, c_void_p),
    "jr_python_watch": (None,),
    "jr_python_output": (c_int, c_void_p),
    "jr_python_raise": (None,),
    "jr_python_calls_new": (c_void_p, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p),
    "jr_python_calls_free": (None, c_void_p),
    "jr_python_calls_add": (
        c_int,
        c_void_p,
        c_void_p,
        c_void_p,
        c_size_t,
        POINTER(JrPyParam),
    ),
}


def _candidates():
    """Paths to try, the first that exists is the one that is loaded."""
    named = os.environ.get("JITRUN_LIBRARY")
    if named:
        yield named
        return
    folders = [os.path.dirname(os.path.abspath(__file__))]
    build = os.environ.get("JITRUN_BUILD")
    if build:
        folders.insert(0, build)
    for folder in folders:
        for name in FILE_NAMES:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                yield path
    yield FILE_NAMES[0]
    import ctypes.util  # which takes long to import

    found = ctypes.util.find_library("jitrun")
    if found:
        yield found


def _open():
    errors = []
    for path in _candidates():
        try:
            return path, ctypes.CDLL(path)
        except OSError as error:
            errors.append(str(error))
    raise ImportError(
        "jitrun's library cannot be loaded: %s. Install jitrun, or set JITRUN_LIBRARY to the path "
        "of libjitrun.so, or JITRUN_BUILD to the folder it was built in" % "; ".join(errors)
    )


def _declare(library, prototypes):
    for name, (result, *parameters) in prototypes.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters


path, lib = _open()
python = ctypes.PyDLL(path)
_declare(lib, PROTOTYPES)
_declare(python, PYTHON_PROTOTYPES)
