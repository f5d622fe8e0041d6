#!/usr/bin/env python3
"""Checks the rules of the source that no compiler knows, and prints how long files and functions are.

    tidy.py [ROOT]

The table `may_include` is the architecture: change it in a commit of its own, with a page in docs/decisions.
tools/tidy_test.py plants a violation of every rule and expects it to be found.
"""
import os
import re
import subprocess
import sys

from cpp_functions import blank, functions

may_include = {
    "base": [],
    "net": ["base"],
    "schema": ["base"],
    "kafka": ["net", "base"],
    "kube": ["net", "schema", "base"],
    "storage": ["net", "base"],
    "archive": ["storage", "schema", "base"],
    "api": ["schema", "base"],
    "engine": ["kafka", "archive", "storage", "api", "schema", "base"],
    "operator": ["kube", "api", "net", "schema", "base"],
    "cli": ["engine", "operator", "kube", "kafka", "archive", "storage", "api", "net", "schema", "base"],
}
file_lines_max, function_lines_max, columns_max = 600, 70, 110
banned_names = {"util", "utils", "helper", "helpers", "misc", "common", "part", "parts"}

# (what, in which files, except in, what to do instead); looked for in code without comments and literals.
everywhere, sources, programs = r"", r"^src/", r"^src/cli/|_main\.cc$"
banned = [
    (r"\bstd::endl\b", everywhere, None, "'\\n'"),
    (r"\b(?:f?printf|puts|fputs)\s*\(|\bstd::(?:cout|cerr)\b", sources, programs + r"|^src/base/(?:error|log)\.cc$",
     "LOG_*, or return the text"),
    (r"\bthis_thread::sleep_(?:for|until)\b|(?<![\w.>])(?:u|nano)?sleep\s*\(", everywhere, r"^tests/support/",
     "ctx.sleep_for, or in a test wait for a condition"),
    (r"\bstd::thread\b(?!::)|\.detach\s*\(", everywhere, None, "TaskGroup or std::jthread, which join"),
    (r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof)\s*\(", everywhere, None,
     "std::string, fmt::format, std::from_chars"),
    (r"(?<!operator )\bnew\s+[\w:(]|(?<!= )(?<!operator )\bdelete\b", everywhere, None,
     "std::make_unique or a container; `static auto* x = new X` for what must outlive all threads"),
    (r"\bassert\s*\(|<cassert>|<assert\.h>", everywhere, None, "CHECK, which is always on"),
    (r"\busing\s+namespace\s+std\s*;", everywhere, None, "std::"),
    (r"\bcatch\s*\(\s*\.\.\.\s*\)", everywhere, r"^src/base/task_group\.cc$|_main\.cc$",
     "catch Error; only TaskGroup and main catch everything"),
    (r"\bvolatile\b", everywhere, None, "std::atomic"),
    (r"\bs?rand\s*\(|\bstd::rand\b", everywhere, None, "<random> with a seed"),
    (r"\bdoctest::(?:skip|may_fail|should_fail|expected_failures)\b", everywhere, None, "a test that runs"),
    (r"\bGTEST_\w+|\bDISABLED_", everywhere, None, "doctest"),
]
immortal = re.compile(r"\bstatic auto\* \w+ = new\b")
unfinished = re.compile("|".join(r"\b" + a + b + r"\b" for a, b in [("TO", "DO"), ("FIX", "ME"), ("X", "XX")]))


class Tree:
    """The files of a project and what was found in them."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(list_files(root))
        self.texts = {path: read(os.path.join(root, path)) for path in self.paths if is_text(path)}
        self.code = {path: blank(text) for path, text in self.texts.items() if is_cpp(path)}
        self.problems = []

    def report(self, rule, path, line, text):
        self.problems.append((rule, f"{path}:{line}: {text}"))


def list_files(root):
    if os.path.exists(os.path.join(root, ".git")):  # a file in a worktree
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-co", "--exclude-standard"], check=True, text=True,
                                capture_output=True).stdout.splitlines()
        return [path for path in listed if os.path.isfile(os.path.join(root, path))]
    return [os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names]


def is_cpp(path):
    return path.endswith((".cc", ".h", ".c"))


def is_text(path):
    return is_cpp(path) or path.endswith((".py", ".sh", ".cmake", ".java", ".go", ".md", ".txt", "Makefile", ".ci/run"))


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_includes(tree):
    """Downwards only; by the path from src/; headers guarded, and included by somebody."""
    included = set()
    for path in tree.code:
        own = path.split("/")[1] if path.startswith("src/") else None
        if own is not None and own not in may_include:
            tree.report("folder", path, 1, f"src/{own} is not in the table of tools/tidy.py")
        for match in re.finditer(r'^[ \t]*#[ \t]*include "([^"\n]+)"', tree.texts[path], re.M):
            target, line = match.group(1), line_of(tree.texts[path], match.start())
            beside = os.path.normpath(os.path.join(os.path.dirname(path), target))
            if f"src/{target}" in tree.code:
                included.add(f"src/{target}")
                folder = target.split("/")[0]
                if own is not None and folder != own and folder not in may_include.get(own, may_include):
                    tree.report("direction", path, line, f"src/{own} must not include {target}")
            elif path.startswith("src/") and beside in tree.code:
                tree.report("include-path", path, line, f'include "{beside.removeprefix("src/")}", the path from src/')
            included.add(beside)
            included.add(f"tests/support/{target}")
    for path in tree.code:
        if path.endswith(".h") and path not in included:
            tree.report("dead-header", path, 1, "no file includes this header")
        if path.endswith(".h") and "#pragma once" not in tree.code[path]:
            tree.report("pragma-once", path, 1, "a header begins with #pragma once")


def check_banned(tree):
    for path, text in tree.code.items():
        code = immortal.sub(lambda allowed: " " * len(allowed.group()), text)
        for pattern, where, except_in, instead in banned:
            if not re.search(where, path) or (except_in and re.search(except_in, path)):
                continue
            for match in re.finditer(pattern, code):
                tree.report("banned", path, line_of(code, match.start()), f"{match.group().strip()}: use {instead}")


def check_words(tree):
    for path, text in tree.texts.items():
        for match in unfinished.finditer(text):
            tree.report("unfinished", path, line_of(text, match.start()), f"{match.group()}: do it, or file an issue")


def check_names(tree):
    for path in tree.paths:
        words = set(re.split(r"[/_.-]", path.lower()))
        if words & banned_names and (is_cpp(path) or path.endswith((".py", ".sh"))):
            tree.report("name", path, 1, f"'{(words & banned_names).pop()}' names no concept")


def check_sizes(tree):
    """Returns the lengths of files and functions."""
    files, all_functions = [], []
    for path, text in tree.texts.items():
        if not (is_cpp(path) or path.endswith((".py", ".sh", ".java", ".go"))):
            continue
        lines = text.split("\n")
        files.append(len(lines) - 1)
        if files[-1] > file_lines_max:
            tree.report("file-length", path, 1, f"{files[-1]} lines, at most {file_lines_max}: split it by concept")
        if not is_cpp(path):
            continue
        for number, line in enumerate(lines, 1):
            if len(line) > columns_max and not line.lstrip().startswith("#include"):
                tree.report("columns", path, number, f"{len(line)} columns, at most {columns_max}")
        for function in functions(text):
            all_functions.append(function.lines)
            if function.lines > function_lines_max:
                tree.report("function-length", path, function.line,
                            f"{function.name} has {function.lines} lines, at most {function_lines_max}")
    return files, all_functions


def check_folders_described(tree):
    text = tree.texts.get("ARCHITECTURE.md")
    for folder in may_include if text is not None else []:
        if any(path.startswith(f"src/{folder}/") for path in tree.paths) and f"{folder}/" not in text:
            tree.report("architecture", "ARCHITECTURE.md", 1, f"does not say what {folder}/ is")


def figures(name, lengths):
    lengths = sorted(lengths) or [0]
    at = lambda share: lengths[min(len(lengths) - 1, int(share * len(lengths)))]
    return f"{name}: {len(lengths)}, lines: median {at(0.5)}, p90 {at(0.9)}, max {lengths[-1]}"


def tidy(root):
    """The tree with its problems, and lines with figures."""
    tree = Tree(root)
    check_includes(tree)
    check_banned(tree)
    check_words(tree)
    check_names(tree)
    check_folders_described(tree)
    files, all_functions = check_sizes(tree)
    return tree, [figures("files", files), figures("functions", all_functions)]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    tree, lines = tidy(root)
    for rule, problem in tree.problems:
        print(f"{problem} [{rule}]")
    print("\n".join(lines))
    sys.exit(1 if tree.problems else 0)


if __name__ == "__main__":
    main()
