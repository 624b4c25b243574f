#!/usr/bin/env python3
"""Checks how the names that a part gives to the linker begin, for those who link it statically.

    check_names.py --nm NM --prefixes fe_,jr_ OBJECT...
"""
import argparse
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--prefixes", required=True)
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    out = subprocess.run([args.nm, "-g", "--defined-only", "-P", *args.objects], check=True,
                         capture_output=True, text=True).stdout
    names = {words[0] for words in map(str.split, out.splitlines()) if len(words) > 2}
    ours = {name for name in names if not name.startswith("__")}  # those are the sanitizers'
    wrong = [name for name in sorted(ours) if not name.startswith(tuple(args.prefixes.split(",")))]
    for name in wrong:
        print(f"{name}: linked names of this part begin with {args.prefixes}")
    print(f"{len(ours)} names, {len(wrong)} that begin in another way")
    return 1 if wrong or not ours else 0


if __name__ == "__main__":
    sys.exit(main())
