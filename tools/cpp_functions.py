"""Finds functions in C++ text formatted by clang-format, well enough to measure them; no compiler needed."""
import re
from typing import NamedTuple


class Function(NamedTuple):
    name: str
    line: int  # where its declaration begins
    lines: int  # from there to its closing brace


literal = re.compile(
    r"""//[^\n]*|/\*.*?\*/
    |R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"
    |"(?:\\.|[^"\\\n])*"
    |(?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])+'""", re.S | re.X)


def blank(text):
    """`text` with comments and literals replaced by spaces (of strings the quotes stay); lines keep their numbers."""

    def spaces(match):
        found = match.group()
        quote = '"' if found.endswith('"') else " "
        return quote + re.sub(r"[^\n]", " ", found[1:-1]) + quote

    return literal.sub(spaces, text)


def without_preprocessor(text):
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=re.M)


def collapse(text, opening, closing, mark):
    """Replaces each outermost pair of brackets and what is in it."""
    result, depth = [], 0
    for c in text:
        if c in opening:
            depth += 1
            result += mark if depth == 1 else ""
        elif c in closing:
            depth -= 1
        elif depth == 0:
            result.append(c)
    return "".join(result)


def scope_of(head):
    """What the brace after `head` opens: a namespace or type (searched), a function (measured), or something else."""
    if head.count("(") != head.count(")"):
        return "other"  # a brace in a parameter's default
    head = re.sub(r"\boperator\s*(\(\s*\)|[^\w\s(]+)", "operator_ ", head)
    head = collapse(re.sub(r"\balignas\b|\[\[.*?\]\]", "", head).replace("::", "__"), "({", ")}", "@")
    head = re.sub(r"^\s*@?\s*(template\s*)+", "", collapse(head, "<", ">", ""))
    if re.search(r"\bnamespace\b|\bextern\s+\"", head):
        return "searched"
    if re.match(r"\s*(typedef\s+)?(class|struct|union|enum)\b", head) and "@" not in head.split(":")[0].lstrip():
        return "searched"
    if "@" not in head or "=" in head:
        return "other"
    in_member_list = re.search(r"@[^@:]*:", head) and not head.rstrip().endswith("@")
    return "other" if in_member_list else "function"


def functions(text):
    code = without_preprocessor(blank(text))
    found = []
    scopes = []  # (kind, offset where its declaration begins)
    start = 0  # of what may become a declaration
    for match in re.finditer(r"[{};]|\b(?:public|private|protected)\s*:", code):
        searched = not scopes or scopes[-1][0] == "searched"
        if match.group() == "{":
            scopes.append((scope_of(code[start:match.start()]) if searched else "other", start))
            if scopes[-1][0] == "searched":
                start = match.end()
        elif match.group() == "}" and scopes:
            kind, declared = scopes.pop()
            if kind == "function":
                found.append(measured(code, declared, match.start()))
            if kind != "other":
                start = match.end()
        elif searched:
            start = match.end()
    return found


def measured(code, declared, end):
    begin = declared + len(code[declared:]) - len(code[declared:].lstrip())
    name = re.search(r"(operator\s*(?:\(\)|[^\w\s(]+)|[\w:~]+)\s*\(", code[begin:end])
    return Function(name.group(1) if name else "?", code.count("\n", 0, begin) + 1, code.count("\n", begin, end) + 1)
