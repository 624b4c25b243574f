"""IPython's magics: `%load_ext jitrun`.

    %%jitrun --parallel         the cell's functions become kernels
    %jitbench f(x, 3)           a kernel on every engine, and beside CPython
"""

import ast

from .dispatcher import Dispatcher, njit

_FLAGS = {"--parallel": "parallel", "--fastmath": "fastmath", "--cache": "cache"}


def _options(line):
    """njit's options from the magic's line."""
    options, words = {}, line.split()
    while words:
        word = words.pop(0)
        if word in _FLAGS:
            options[_FLAGS[word]] = True
        elif word == "--unchecked":
            options["boundscheck"] = False
        elif word == "--engine" and words:
            options["engine"] = words.pop(0)
        else:
            raise ValueError(
                "%%%%jitrun takes --parallel, --fastmath, --unchecked, --cache and --engine NAME, "
                "not %r" % word
            )
    return options


def run_cell(shell, line, cell):
    """%%jitrun: runs the cell with every function in it that is not decorated made a kernel. What
    the last line gives, if it is an expression, is the cell's result."""
    options = _options(line)
    tree = ast.parse(cell)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            decorator = ast.copy_location(ast.Name("__jitrun__", ast.Load()), node)
            node.decorator_list = [decorator]
    # Where Python, and so njit, finds the cell's text.
    name = shell.compile.cache(cell, shell.execution_count)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    scope = shell.user_ns
    scope["__jitrun__"] = njit(**options)
    try:
        exec(compile(tree, name, "exec"), scope)
        return eval(compile(last, name, "eval"), scope) if last else None
    finally:
        del scope["__jitrun__"]


def bench(shell, line):
    """%jitbench: the Bench of a call of a kernel, on every engine and beside CPython."""
    call = ast.parse(line.strip() or "None", mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError("%jitbench takes a call of a kernel: %jitbench f(x, 3)")

    def value(node):
        return eval(compile(ast.Expression(node), "<jitbench>", "eval"), shell.user_ns)

    kernel, args = value(call.func), [value(node) for node in call.args]
    kwargs = {word.arg: value(word.value) for word in call.keywords}
    if not isinstance(kernel, Dispatcher):
        raise TypeError("%%jitbench times kernels, functions with @njit, not %r" % (kernel,))
    return kernel.bench(*args, against="cpython", **kwargs)


def load(shell):
    """Registers the magics with an IPython shell."""
    shell.register_magic_function(lambda line, cell: run_cell(shell, line, cell), "cell", "jitrun")
    shell.register_magic_function(lambda line: bench(shell, line), "line", "jitbench")
