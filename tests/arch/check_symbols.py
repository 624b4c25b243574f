#!/usr/bin/env python3
"""Checks what a shared library exports.

    check_symbols.py --nm NM --library FILE (--header FILE | --only NAME)

With --header: exactly the functions that the header marks JR_API, no more and no fewer. With
--only: that one symbol.
"""

import argparse
import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DECLARED = re.compile(r"^JR_API\b[^;{]*?\b(jr_\w+)\s*\(", re.M)


def declared(header):
    return set(DECLARED.findall(COMMENT.sub("", pathlib.Path(header).read_text())))


def exported(nm, library):
    out = subprocess.run([nm, "-D", "--defined-only", "-P", library], check=True,
                         capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in out.splitlines() if line.strip()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--library", required=True)
    parser.add_argument("--header")
    parser.add_argument("--only")
    args = parser.parse_args()
    wanted = declared(args.header) if args.header else {args.only}
    found = exported(args.nm, args.library)
    for name in sorted(found - wanted):
        print(f"{args.library}: exports {name}, which is internal: make it hidden")
    for name in sorted(wanted - found):
        print(f"{args.library}: does not export {name}")
    print(f"{len(found)} exported symbols")
    return 1 if found != wanted or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
