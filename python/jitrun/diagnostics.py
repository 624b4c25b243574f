"""What `parallel_diagnostics` prints of a prange loop."""

# By kind of name in the library's report, what it is called here.
_TITLES = {
    "reduction": "reductions",
    "position": "positions",
    "copies": "arrays accumulated in copies",
    "own elements": "arrays with elements of each iteration's own",
    "private": "private",
    "tested apart": "tested at entry, share no memory",
    "tested distinct": "tested at entry, every element has memory of its own",
}


def describe_loop(loop, level):
    """`file:line:col: prange in f(...): parallel`, or why it is serial; from level 2, names."""
    place = "%(file)s:%(line)d:%(column)d: prange in %(function)s: " % loop
    if not loop["parallel"]:
        because = " (line %d)" % loop["reason_line"] if loop["reason_line"] else ""
        return "%sserial: %s%s" % (place, loop["reason"], because)
    lines = [place + "parallel"]
    for kind, title in _TITLES.items() if level > 1 else ():
        names = [_describe_name(n) for n in loop["names"] if n["kind"] == kind]
        if names:
            lines.append("    %s: %s" % (title, ", ".join(names)))
    if level > 1 and loop["indices_tested"]:
        lines.append("    tested at entry, not negative: %(indices_tested)d indices" % loop)
    return "\n".join(lines)


def describe_whole(whole, level):
    """Likewise for a statement over whole arrays; from level 2, the array it makes on the way."""
    place = "%(file)s:%(line)d:%(column)d: whole arrays in %(function)s: " % whole
    parts = ["parallel where large"] if whole["parallel"] else []
    if whole["reason"]:
        parts.append("%sserial: %s" % ("in part " if parts else "", whole["reason"]))
    lines = [place + "; ".join(parts or ["serial"])]
    if level > 1 and whole["temporary"] != "none":
        maybe = ", if it turns out to be needed" if whole["temporary"] == "maybe" else ""
        lines.append("    temporary array%s: %s" % (maybe, whole["temporary_reason"]))
    return "\n".join(lines)


def _describe_name(name):
    if "operator" in name:
        return "%(name)s (%(operator)s)" % name
    if name["kind"] == "position":
        return "%(name)s (beside %(other)s)" % name
    return "%(name)s and %(other)s" % name if "other" in name else name["name"]
