"""The ctypes declarations agree with include/jitrun.h."""

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from jitrun import _library as c

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADER = os.path.join(ROOT, "include", "jitrun.h")
STRUCTURES = [
    c.JrFrame, c.JrError, c.JrContextOptions, c.JrCompileOptions, c.JrArrayValue, c.JrPyParam,
    c.JrBenchRival, c.JrCacheUse, c.JrBenchOptions,
]  # fmt: skip
CONSTANTS = {
    "JR_OK": c.OK, "JR_ERR_COMPILE": c.ERR_COMPILE, "JR_ERR_ARGUMENT": c.ERR_ARGUMENT,
    "JR_ERR_NOT_FOUND": c.ERR_NOT_FOUND, "JR_ERR_SIGNATURE": c.ERR_SIGNATURE,
    "JR_ERR_ENGINE": c.ERR_ENGINE, "JR_ERR_IO": c.ERR_IO,
    "JR_ERR_RACE": c.ERR_RACE, "JR_NONE": c.NONE, "JR_BOOL": c.BOOL,
    "JR_INT8": c.INT8, "JR_INT16": c.INT16, "JR_INT32": c.INT32, "JR_INT64": c.INT64,
    "JR_UINT8": c.UINT8, "JR_UINT16": c.UINT16, "JR_UINT32": c.UINT32, "JR_UINT64": c.UINT64,
    "JR_FLOAT32": c.FLOAT32, "JR_FLOAT64": c.FLOAT64, "JR_ARRAY": c.ARRAY, "JR_TUPLE": c.TUPLE,
    "JR_PY_CONTIGUOUS": c.PY_CONTIGUOUS, "JR_PY_ALIGNED": c.PY_ALIGNED,
    "JR_PY_WRITEABLE": c.PY_WRITEABLE, "JR_MAX_DIMS": c.MAX_DIMS, "JR_REPORT_TEXT": c.REPORT_TEXT, "JR_REPORT_JSON": c.REPORT_JSON, "JR_REPORT_CSV": c.REPORT_CSV,
}  # fmt: skip


def read_header():
    with open(HEADER, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def facts():
    """C expressions and the values that they are to have."""
    for name, value in CONSTANTS.items():
        yield name, value
    for code, exception in c.STATUS_EXCEPTIONS.items():
        words = re.findall("[A-Z][a-z]+", exception.__name__)
        yield "JR_" + "_".join(words).upper(), code
    for structure in STRUCTURES:
        for name, *_ in structure._fields_:
            yield (
                "offsetof(%s, %s)" % (structure.__name__, name),
                getattr(structure, name).offset,
            )
    for name in ("JrFrame", "JrError", "JrArrayValue", "JrPyParam", "JrValue"):
        yield "sizeof(%s)" % name, ctypes.sizeof(getattr(c, name))
    for name in ("type", "owned"):
        yield "offsetof(JrValue, %s)" % name, getattr(c.JrValue, name).offset
    yield "offsetof(JrValue, as)", c.JrValue.value.offset
    yield "offsetof(JrValue, as.tuple.items)", c.JrValue.value.offset + c._JrTuple.items.offset


class Header(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(HEADER), "the header is not there")
    def test_prototypes(self):
        text = read_header()
        for name, (result, *parameters) in {**c.PROTOTYPES, **c.PYTHON_PROTOTYPES}.items():
            found = re.search(r"JR_API ([\w\s*]+?)\b%s\(([^;]*)\);" % name, text)
            self.assertIsNotNone(found, name)
            declared = [p for p in found.group(2).split(",") if p.strip() != "void"]
            self.assertEqual(len(parameters), len(declared), name)
            for ours, theirs in zip(parameters, declared):
                pointer = "*" in theirs or "JrWrite" in theirs
                self.assertEqual(pointer, ctypes.sizeof(ours) == 8 and ours is not c.c_size_t, name)
            self.assertEqual(found.group(1).strip() == "void", result is None, name)

    def test_layout(self):
        compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
        if not compiler or not os.path.exists(HEADER):
            self.skipTest("no C compiler")
        checks = list(facts())
        lines = ["_Static_assert(%s == %d, \"%s\");" % (e, v, e) for e, v in checks]
        program = "#include <stddef.h>\n#include \"%s\"\n%s\n" % (HEADER, "\n".join(lines))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "layout.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(program)
            made = subprocess.run(
                [compiler, "-std=c11", "-fsyntax-only", path], capture_output=True, text=True
            )
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertGreater(len(checks), 60)


if __name__ == "__main__":
    unittest.main()
