#!/usr/bin/env python3
"""Checks which part includes which: what docs/architecture.md draws, as a test.

frontend and the backends know the IR and never each other; a backend knows nothing but the IR
and backend/engine.h; the command, the samples and the Python package know the public header
alone. The headers of LLVM, libtcc and libffi are each for one part. Quoted includes are written
from the root of the tree and exist.

    check_includes.py ROOT      prints file:line: for each include that is not allowed
"""

import pathlib
import re
import sys

# A part's folder: what its files may include, as prefixes of paths from the root. The longest
# folder that holds a file is its part.
ALLOWED = {
    "ir": ["ir/"],
    "ir/base": ["ir/base/"],
    "frontend/syntax": ["frontend/syntax/", "ir/base/"],
    "frontend/infer": ["frontend/syntax/", "frontend/infer/", "ir/"],
    "frontend/lower": ["frontend/", "ir/"],
    "backend": ["ir/", "backend/engine.h"],
    "backend/interp": ["backend/interp/", "backend/engine.h", "ir/"],
    "backend/tcc": ["backend/tcc/", "backend/engine.h", "ir/"],
    "backend/llvm": ["backend/llvm/", "backend/engine.h", "ir/"],
    "runtime": ["runtime/", "frontend/", "backend/engine.h", "ir/", "include/jitrun.h"],
    "cli": ["cli/", "include/jitrun.h"],
    "samples": ["samples/", "include/jitrun.h"],
    "python": ["python/", "include/jitrun.h"],
    "include": [],
}

# Foreign headers that only these parts may include.
FOREIGN = {
    "llvm-c/": ["backend/llvm"],
    "llvm/": ["backend/llvm"],
    "libtcc": ["backend/tcc"],
    "ffi": ["runtime"],
    "Python.h": [],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def part_of(path):
    """The part that holds a path written from the root, or None."""
    folders = [part for part in ALLOWED if path.startswith(part + "/")]
    return max(folders, key=len, default=None)


def full_path(name):
    """The public header is included as its users do, by its bare name."""
    return "include/jitrun.h" if name == "jitrun.h" else name


def judge(root, part, quote, name):
    """What is wrong with an include in a file of the part, or None."""
    if quote == "<":
        for prefix, parts in FOREIGN.items():
            if name.startswith(prefix) and part not in parts:
                return f"<{name}> is not for {part}"
        return None
    path = full_path(name)
    if not (root / path).is_file():
        return f'"{name}" does not exist; includes are written from the root'
    if not any(path.startswith(prefix) for prefix in ALLOWED[part]):
        return f'{part} may not include "{name}"'
    return None


def check_file(root, path):
    part = part_of(path.relative_to(root).as_posix())
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        wrong = match and judge(root, part, *match.groups())
        if wrong:
            yield f"{path}:{number}: {wrong}"


def sources(root):
    for part in ALLOWED:
        for pattern in ("*.c", "*.h", "*.def"):
            yield from sorted((root / part).glob(pattern if part == "backend" else "**/" + pattern))


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = set(sources(root))
    wrong = [line for path in sorted(files) for line in check_file(root, path)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(files)} files, {len(wrong)} includes that are not allowed")
    return 1 if wrong or len(files) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
