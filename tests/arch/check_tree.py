#!/usr/bin/env python3
"""Checks what holds for the tree as a whole, from its text alone.

  - every link in the documentation leads to something that is there
  - no source file has grown past what one sitting can read
  - nothing is left marked as to be done
  - every builtin of frontend/infer/builtins.def and every function of frontend/numpy
    stands in some program of tests/lang
  - every option of the command and every variable of the environment is in docs/cli.md

    check_tree.py ROOT      prints a line for each place where one of these does not hold
"""

import pathlib
import re
import sys

LONGEST = 700  # lines of a source file of the library or the command
PARTS = ("ir", "frontend", "backend", "runtime", "include", "cli", "python")
MARKS = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
BUILTIN = re.compile(r'^FE_BUILTIN\(\w+, "([^"]+)"', re.M)
KERNEL = re.compile(r"^def ([a-z]\w*?)__", re.M)


def tree(root, folders, suffixes):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def dead_links(root):
    pages = [*root.glob("*.md"), *tree(root, ("docs", "tests", "samples", "bench"), {".md"})]
    for page in pages:
        for number, line in enumerate(read(page).splitlines(), 1):
            for target in LINK.findall(line):
                outside = "://" in target or target.startswith("mailto:")
                if not outside and not (page.parent / target).exists():
                    yield f"{page}:{number}: the link to {target} leads nowhere"


def long_files(root):
    """All but jitrun.h, which is the only header of the interface and its manual."""
    for path in tree(root, [part for part in PARTS if part != "include"], {".c", ".h", ".py"}):
        lines = read(path).count("\n")
        if lines > LONGEST:
            yield f"{path}: {lines} lines; split what has more than {LONGEST}"


def leftovers(root):
    suffixes = {".c", ".h", ".def", ".py", ".md", ".src", ".txt", ".cmake"}
    for path in tree(root, PARTS + ("tests", "docs", "samples", "bench", "cmake"), suffixes):
        if path == pathlib.Path(__file__).resolve():
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if MARKS.search(line.replace("XXXXXX", "")):  # mkstemp's template
                yield f"{path}:{number}: do it now, or say in docs/ why not"


def used_as(path):
    """How a program writes the builtin of this path."""
    module, _, name = path.rpartition(".")
    if module == "array":
        return rf"\.{name}\b"
    if module == "jitrun":
        return rf"\b{name}\b"
    if module:
        return rf"\b{re.escape(path)}\b|\bfrom {re.escape(module)} import\b.*\b{name}\b"
    return rf"(?<![.\w]){name}\("


def untested_builtins(root):
    table = root / "frontend" / "infer" / "builtins.def"
    programs = "\n".join(read(path) for path in tree(root, ("tests/lang",), {".src"}))
    programs = re.sub(r"#.*", "", programs)
    library = "\n".join(read(path) for path in sorted(root.glob("frontend/numpy/*.src")))
    kernels = {"np." + re.sub("^(linalg|random)_", r"\1.", name) for name in KERNEL.findall(library)}
    for path in [*BUILTIN.findall(read(table)), *sorted(kernels)]:
        if not re.search(used_as(path), programs):
            yield f"{table}: no program of tests/lang uses {path}"


def undocumented(root):
    page = read(root / "docs" / "cli.md")
    options = read(root / "cli" / "options.def")
    for name in re.findall(r'^JR_OPTION\(\w+, [^,]+, "([^"]+)"', options, re.M):
        if f"`--{name}" not in page and name != "opt-level":  # which the page calls -O
            yield f"{root / 'docs/cli.md'}: does not mention --{name}"
    for path in tree(root, PARTS, {".c"}):
        for name in re.findall(r'getenv\("(\w+)"\)', read(path)):
            if f"`{name}" not in page:
                yield f"{root / 'docs/cli.md'}: does not mention {name} ({path.name})"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    checks = (dead_links, long_files, leftovers, untested_builtins, undocumented)
    found = [list(check(root)) for check in checks]
    for line in sum(found, []):
        print(line)
    failed = sum(1 for lines in found if lines)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
