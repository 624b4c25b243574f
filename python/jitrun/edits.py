"""Edits of a kernel's text: where parameters and arguments stand, by its tokens.

An edit is (span, text), a span a pair of (line, column in bytes), as in unit.py.
"""

import io
import tokenize


def more_parameters(text, definition, more):
    """Puts parameters behind those of a `def`."""
    tokens = _tokens(text)
    return _before(text, tokens, _parameters(tokens, definition)[1], more)


def without_parameters(text, definition, names):
    """The text with spaces instead of some parameters of a `def`, so that all else stays where it is."""
    tokens = _tokens(text)
    first, last = _parameters(tokens, definition)
    kept, gone = [], []
    for begin, end in _pieces(tokens, first + 1, last):
        name = next((t.string for t in tokens[begin:end] if t.type == tokenize.NAME), None)
        (gone if name in names else kept).append((begin, end))
    while kept and tokens[kept[0][0]].string == "/":
        gone.append(kept.pop(0))
    while kept and [t.string for t in tokens[kept[-1][0] : kept[-1][1]]] == ["*"]:
        gone.append(kept.pop())
    lines = text.split("\n")
    for begin, end in gone:
        for token in tokens[begin : min(end + 1, last)]:
            _blank(lines, token)
    return "\n".join(lines)


def _blank(lines, token):
    """Spaces where the token stands, as many as it has bytes; it may go over several lines."""
    for row in range(token.start[0] - 1, token.end[0]):
        line = lines[row]
        begin = token.start[1] if row == token.start[0] - 1 else 0
        end = token.end[1] if row == token.end[0] - 1 else len(line)
        lines[row] = line[:begin] + " " * len(line[begin:end].encode()) + line[end:]


def _parameters(tokens, definition):
    """Where in the tokens the brackets of a `def`'s parameters are."""
    start = definition.lineno, definition.col_offset
    first = at = next(i for i, t in enumerate(tokens) if t.start >= start and t.string == "(")
    depth = 0
    while True:
        depth += (tokens[at].string in _OPEN) - (tokens[at].string in _CLOSE)
        if depth == 0:
            return first, at
        at += 1


def _pieces(tokens, begin, end):
    """(begin, end) of what commas separate; tokens[end] is the comma, or what follows the last piece."""
    depth, at = 0, begin
    for i in range(begin, end + 1):
        if i == end or (tokens[i].string == "," and depth == 0):
            if at < i:
                yield at, i
            at = i + 1
        depth += (tokens[i].string in _OPEN) - (tokens[i].string in _CLOSE)


def more_arguments(text, call, more):
    """Puts arguments behind those of a call, which ends with its bracket."""
    line = text.split("\n")[call.end_lineno - 1].encode()
    end = call.end_lineno, len(line[: call.end_col_offset].decode())
    tokens = _tokens(text)
    return _before(text, tokens, next(i for i, t in enumerate(tokens) if t.end == end), more)


_OPEN, _CLOSE = ("(", "[", "{"), (")", "]", "}")
_NOTHING = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def _tokens(text):
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in found if token.type not in _NOTHING]


def _before(text, tokens, at, more):
    """An edit before the bracket that is tokens[at]."""
    row, column = tokens[at].start
    line = text.split("\n")[row - 1]
    place = row, len(line[:column].encode())
    return (place, place), more if tokens[at - 1].string in ("(", ",") else ", " + more
