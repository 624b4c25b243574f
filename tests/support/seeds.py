"""What the makers of random test programs share: their options, and the loop over the seeds."""
import argparse
import collections
import concurrent.futures
import pathlib
import tempfile


def parser_of(doc, seeds):
    """The options that every maker has, with the seeds that ctest runs."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("--jitrun", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--seeds", default=seeds)
    parser.add_argument("--keep", help="a folder for the programs")
    parser.add_argument("--jobs", type=int, default=2)
    return parser


def run_seeds(args, check):
    """How many programs came to what, and how many failed; says both.

    `check(seed, path)` writes the program to the path, and gives what became of it and its problems.
    """
    first, last = map(int, args.seeds.split(":"))
    counts, failed = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as made, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        folder = pathlib.Path(args.keep or made)
        folder.mkdir(exist_ok=True)
        paths = {seed: folder / f"{seed}.src" for seed in range(first, last)}
        for seed, (kind, problems) in zip(paths, pool.map(check, paths, paths.values())):
            counts[kind] += 1
            if problems:
                failed += 1
                print(f"seed {seed}:\n    " + "\n    ".join(problems).replace("\n", "\n    "))
                print(paths[seed].read_text(), flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    print(f"{sum(counts.values()) - failed} passed, {failed} failed")
    return counts, failed
