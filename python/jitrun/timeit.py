"""Times a statement on every engine, in the manner of the standard library's timeit.

    python -m jitrun.timeit [-s SETUP] [-t SECONDS] [-r ROWS] [-a NAME] [-p] [--json|--csv] STATEMENT...

    python -m jitrun.timeit -s "x = np.arange(1e6)" "np.sqrt(x).sum()"

The setup runs once, in Python, with NumPy as np. The statement becomes a kernel: what it reads of the
setup's names is passed to it (numbers, arrays) or frozen in it (functions with @njit, modules). The
value of its last line, if that is an expression, is the result that engines must agree on.
"""

import argparse
import ast
import itertools
import linecache
import sys
import textwrap
import types as pytypes

from .dispatcher import Dispatcher, njit
from .errors import JitrunError

_count = itertools.count(1)


def timeit(stmt="pass", setup="pass", globals=None, *, parallel=False, **options):
    """A Bench of the statement. `globals` are names it may use besides the setup's; `parallel`
    lets its prange loops and array expressions run on threads; the other options are
    Dispatcher.bench's."""
    names = _names(setup, globals)
    kernel, args = _kernel(stmt, names, parallel)
    title = "; ".join(line.strip() for line in stmt.splitlines() if line.strip())
    return kernel._bench(args, {}, title=title, **options)


def _names(setup, given):
    import numpy as np

    names = {"np": np, "__name__": "__main__"}
    names.update(given or {})
    exec(compile(textwrap.dedent(setup), "<setup>", "exec"), names)
    return names


def _kernel(stmt, names, parallel):
    """The statement as a kernel, and the arguments that it is to be called with."""
    body = ast.parse(textwrap.dedent(stmt), "<statement>").body
    lines = textwrap.dedent(stmt).strip("\n").split("\n")
    if body and isinstance(body[-1], ast.Expr) and not _is_print(body[-1].value):
        lines = _with_return(lines, body[-1])
    used = [n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name)]
    parameters = [n for n in dict.fromkeys(used) if n in names and not _is_frozen(names[n])]
    head = "def statement(%s):" % ", ".join(parameters)
    text = "\n".join([head] + ["    " + line for line in lines]) + "\n"
    file = "<statement %d>" % next(_count)
    linecache.cache[file] = len(text), None, text.splitlines(True), file
    exec(compile(text, file, "exec"), names)
    return njit(parallel=parallel)(names["statement"]), [names[p] for p in parameters]


def _is_print(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def _with_return(lines, last):
    line = lines[last.lineno - 1].encode()
    marked = line[: last.col_offset] + b"return " + line[last.col_offset :]
    return lines[: last.lineno - 1] + [marked.decode()] + lines[last.lineno :]


def _is_frozen(value):
    """Not passed but seen by the kernel as it sees its module's names."""
    return isinstance(value, (pytypes.ModuleType, Dispatcher)) or callable(value)


def _picture(path):
    """A PATH for --plot, whose ending says what is written there."""
    if not path.lower().endswith((".svg", ".html", ".htm")):
        raise argparse.ArgumentTypeError("a picture is named .svg or .html, not %r" % path)
    return path


def _show_progress(row, part):
    full = int(24 * part)
    sys.stderr.write("\r[%-24s] %3.0f%% %-16.16s" % ("#" * full, 100 * part, row))
    sys.stderr.flush()


def _write_picture(bench, path):
    """Whether it could be written; if not, standard error says so."""
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(bench.svg() if path.lower().endswith(".svg") else bench.html())
        return True
    except OSError as error:
        print("jitrun.timeit: error: cannot write %s: %s" % (path, error.strerror), file=sys.stderr)
        return False


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m jitrun.timeit", description="Times a statement on every engine of jitrun."
    )
    add = parser.add_argument
    add("-s", "--setup", action="append", default=[], help="run in Python before (may be repeated)")
    add("-t", "--seconds", type=float, default=1.0, help="for each row (default: 1)")
    add("-r", "--rows", help="some of interp, tcc, llvm, each also with -parallel behind it")
    add("-a", "--against", action="append", default=[], choices=["cpython", "numba"],
        help="measure that as well (may be repeated)")  # fmt: skip
    add("-p", "--parallel", action="store_true", help="prange loops may run on threads")
    add("--operations", type=float, default=0, help="that one run of the statement does")
    add("--json", action="store_true", help="write JSON")
    add("--csv", action="store_true", help="write CSV")
    add("--plot", metavar="PATH", type=_picture, help="write a picture: .svg, or .html with the table")
    add("statement", nargs="*", default=["pass"], help="its lines, one argument each")
    return parser


def main(arguments=None):
    """The command. Returns the exit code: 1 if rows differ or the statement fails."""
    options = _parser().parse_args(arguments)
    shown = sys.stderr.isatty()
    try:
        bench = timeit(
            "\n".join(options.statement),
            "\n".join(options.setup) or "pass",
            parallel=options.parallel,
            seconds=options.seconds,
            rows=options.rows,
            operations=options.operations,
            against=options.against,
            progress=_show_progress if shown else None,
        )
    except (JitrunError, ValueError, TypeError, ImportError, SyntaxError) as error:
        print("jitrun.timeit: error: %s" % error, file=sys.stderr)
        return 1
    finally:
        if shown:
            sys.stderr.write("\r%48s\r" % "")
    print(bench.json() if options.json else bench.csv() if options.csv else bench.text(), end="")
    if options.plot and not _write_picture(bench, options.plot):
        return 1
    return 0 if bench.agrees else 1


if __name__ == "__main__":
    sys.exit(main())
