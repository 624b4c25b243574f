#!/usr/bin/env python3
"""Writes the tables of docs/language.md from the compiler's own: builtins.def, frontend/numpy, unsupported.def.

usage: generate.py          rewrite what lies between the markers
       generate.py --check  exit 1 if that would change anything (a test does this)
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "language.md"
LETTERS = {"0": "number", "1": "1-D", "2": "2-D", "3": "3-D", "a": "array", "m": "mask", "d": "type", "x": "number or array", "t": "tuple"}
STRING = r'"((?:[^"\\]|\\.)*)"'
GROUPS = (("Python's own", lambda p: "." not in p), ("`jitrun`", lambda p: p.startswith("jitrun.")),
          ("`math`", lambda p: p.startswith("math.")),
          ("`random`", lambda p: p.startswith("random.")),
          ("`collections`", lambda p: p.startswith("collections.")),
          ("`numpy.random`", lambda p: p.startswith("np.random.")),
          ("`numpy`", lambda p: p.startswith("np.")),
          ("Attributes and methods of arrays", lambda p: p.startswith("array.")),
          ("`operator`", lambda p: p.startswith("operator.")),
          ("`time`", lambda p: p.startswith("time.")))


def text(literal):
    return literal.replace('\\"', '"').replace("\\\\", "\\")


def cell(string):
    return " ".join(string.split()).replace("|", "\\|").replace("*", "\\*")


def rows(name, macro, fields):
    source = (ROOT / "frontend" / name).read_text()
    source = re.sub(r'"\s*\n\s*"', "", source)
    for line in re.finditer(rf"^{macro}\((.*)\)\s*(?:/\*.*)?$", re.sub(r",\n\s+", ", ", source), re.M):
        yield tuple(text(m) for m in re.findall(STRING, line.group(1)))[:fields], line.group(1)


def builtins():
    out, seen = [], set()
    later = []
    for (path, signature, doc), raw in rows("infer/builtins.def", "FE_BUILTIN", 3):
        kind = re.search(r",\s*([A-Z]+),\s*\w+,\s*\"[^\"]*\"$", raw)
        later.append((path, signature, doc, kind.group(1) if kind else ""))
    for title, belongs in GROUPS:
        mine = [r for r in later if r[0] not in seen and belongs(r[0])]
        seen.update(r[0] for r in mine)
        out += [f"\n### {title}\n", "| name | what |", "|---|---|"]
        for path, signature, doc, _ in mine:
            shown = path.replace("array.", "a.", 1) if path.startswith("array.") else path
            if signature.startswith("(a, "):
                signature = "(" + signature[4:] if path.startswith("array.") else signature
            elif path.startswith("array.") and signature == "(a)":
                signature = "()"
            out.append(f"| `{shown}{signature}` | {cell(doc)} |")
    return "\n".join(out) + "\n"


def library():
    """NumPy's functions that are written in the language; of several definitions the first is shown."""
    out, seen = ["", "| name | of | what |", "|---|---|---|"], set()
    files = sorted((ROOT / "frontend" / "numpy").glob("*.src"))
    nodes = [node for path in files for node in ast.parse(path.read_text()).body]
    found = [f for f in nodes if isinstance(f, ast.FunctionDef) and f.name[0] != "_"]
    for function in found:
        name = re.sub("^(linalg|random)_", r"\1.", function.name.split("__")[0])
        ranks = [(f.name + "__").split("__")[1] for f in found if f.name.split("__")[0] == function.name.split("__")[0]]
        takes = " or ".join(dict.fromkeys(", ".join(LETTERS[letter] for letter in r if letter not in "nFT") for r in ranks))
        if name not in seen:
            seen.add(name)
            signature = f"`np.{name}({ast.unparse(function.args)})`"
            out.append(f"| {signature} | {takes} | {cell(ast.get_docstring(function))} |")
    return "\n".join(out) + "\n"


def unsupported():
    out = ["", "| not supported | write instead |", "|---|---|"]
    for (what, instead), _ in rows("syntax/unsupported.def", "JR_UNSUPPORTED", 2):
        out.append(f"| {cell(re.sub(r' (is|are)$', '', what))} | {cell(instead)} |")
    return "\n".join(out) + "\n"


def main():
    page = PAGE.read_text()
    fresh = page
    for name, make in (("builtins", builtins), ("library", library), ("unsupported", unsupported)):
        pattern = rf"(<!-- {name}: made by docs/generate.py -->\n).*?(<!-- end -->)"
        fresh = re.sub(pattern, lambda m: m.group(1) + make() + m.group(2), fresh, flags=re.S)
    if "--check" in sys.argv:
        good = fresh == page
        print("1 passed, 0 failed" if good else "docs/language.md is behind the tables: run docs/generate.py")
        return not good
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
