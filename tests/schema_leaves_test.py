#!/usr/bin/env python3
"""Every leaf of deploy/crds/all.yaml acts, and a test shows it; or it waits for a step that is named.

    schema_leaves_test.py [--counts | TEST...]

tests/data/api/acting.txt says which; its head explains its lines. What the program refuses is read from the pages in
docs/reference, which are made of the table in src/api/not_yet.cc (unit/api fails when they are old).
"""
import collections
import itertools
import os
import re
import shlex
import sys
import tempfile
import unittest

import yaml

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
crds, lines_of_leaves = "deploy/crds/all.yaml", "tests/data/api/acting.txt"
steps = {"3", "4", "5"}
Line = collections.namedtuple("Line", "number pattern how arguments")


def leaves_below(schema, path, above=()):
    """(path, descriptions from the outermost to its own) of each leaf; lists are written a[], maps a{}."""
    texts = (*above, schema.get("description", ""))
    if schema.get("properties"):
        for name, member in schema["properties"].items():
            yield from leaves_below(member, f"{path}.{name}", texts)
    elif schema.get("type") == "array":
        yield from leaves_below(schema["items"], path + "[]", texts)
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from leaves_below(schema["additionalProperties"], path + "{}", texts)
    else:
        yield path, texts


def leaves_of(text):
    found = {}
    for definition in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        for version in definition["spec"]["versions"]:
            whole = version["schema"]["openAPIV3Schema"]["properties"]
            for half in "spec", "status":
                found.update(leaves_below(whole[half], f"{definition['spec']['names']['kind']}.{half}"))
    return found


def expanded(pattern):
    """{A,B}.spec.x stands for A.spec.x and B.spec.x; a{} is a map."""
    pieces = re.split(r"\{([^{}]+)\}", pattern)
    choices = [piece.split(",") if i % 2 else [piece] for i, piece in enumerate(pieces)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def parsed(text):
    for number, line in enumerate(text.splitlines(), 1):
        words = shlex.split(line, comments=line.startswith("#"))
        if words:
            yield from (Line(number, path, words[1] if words[1:] else "", tuple(words[2:])) for path in expanded(words[0]))


def bodies(path, text):
    """The tests of a file by name, each with what stands in it."""
    if path.endswith(".cc"):
        start = r'^TEST_CASE(?:_FIXTURE)?\(\s*(?:\w+,\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)'
        found = [("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m[1])), m.start()) for m in re.finditer(start, text, re.M)]
    elif path.endswith(".sh"):
        found = [(m[1], m.start()) for m in re.finditer(r"^(\w+)\(\) *\{", text, re.M)]
    else:
        found = [(m[1] or m[2], m.start()) for m in re.finditer(r'^(?: *def (test_\w+)|@case\("([^"]+)")', text, re.M)]
    ends = [start for _, start in found[1:]] + [len(text)]
    return {name: text[start:end] for (name, start), end in zip(found, ends)}


def spellings(leaf):
    """The last name of a leaf as users write it, and as C++ does."""
    name = re.sub(r"\[\]|\{\}", "", leaf.rsplit(".", 1)[-1])
    return [name, re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)]


def mentions(text, word):
    return re.search(r"(?<![A-Za-z0-9])" + re.escape(word) + r"(?![A-Za-z0-9_])", text) is not None


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.problems = []
        self.leaves = leaves_of(self.read(crds))
        self.lines = list(parsed(self.read(lines_of_leaves)))
        self.refused = {kind: self.refused_by(kind) for kind in {leaf.split(".")[0] for leaf in self.leaves}}
        self.step_of_row = {}
        self.lines_of = {leaf: self.deciding(leaf) for leaf in self.leaves}
        self.check()

    def read(self, path):
        with open(os.path.join(self.folder, path), encoding="utf-8") as file:
            return file.read()

    def report(self, rule, what):
        if (rule, what) not in self.problems:
            self.problems.append((rule, what))

    def refused_by(self, kind):
        page = self.read(f"docs/reference/{kind.lower()}.md")
        return set(re.findall(r"^- `([^`]+)`", page.partition("## Accepted, not supported")[2], re.M))

    def deciding(self, leaf):
        """The lines for the leaf itself, else those of the smallest subtree that has some."""
        own = [line for line in self.lines if line.pattern == leaf]
        if own:
            return own
        around = [line for line in self.lines if line.pattern.endswith(".*") and leaf.startswith(line.pattern[:-1])]
        longest = max((len(line.pattern) for line in around), default=0)
        return [line for line in around if len(line.pattern) == longest]

    def check(self):
        for leaf, lines in self.lines_of.items():
            if not lines:
                self.report("no-line", f"{leaf}: no line says which test shows it acting")
            if len(lines) > 1 and any(line.how not in ("unit", "e2e") for line in lines):
                self.report("twice", f"{leaf} stands in lines {[line.number for line in lines]}")
            for line in lines:
                self.check_line(leaf, line)
        deciding = {line for lines in self.lines_of.values() for line in lines}
        for line in self.lines:
            if line not in deciding:
                self.report("no-leaf", f"line {line.number}: the schema has no {line.pattern}")
        for kind, rows in self.refused.items():
            named = {line.arguments[-1] for line in deciding if line.how in ("waits", "refused") and line.arguments
                     and line.pattern.startswith(kind + ".")}
            for row in sorted(rows - named):
                self.report("row", f"{kind}: '{row}' is refused, and no leaf waits for it")

    def check_line(self, leaf, line):
        how, number = line.how, len(line.arguments)
        if how in ("unit", "e2e") and number in (2, 3, 4):
            self.check_test(leaf, line)
        elif how == "waits" and number == 2:
            self.check_step(line)
            self.check_row(leaf, line)
        elif how == "refused" and number == 1:
            self.check_row(leaf, line)
        elif how == "unused" and number == 0:
            own = leaf.split(".")[0] + ": "
            of_others = any(re.match(r"Kafka\w+: ", text) and not text.startswith(own) for text in self.leaves[leaf])
            if not of_others and not any(text.startswith("Accepted;") for text in self.leaves[leaf]):
                self.report("unused", f"{leaf}: its description does not say that it is accepted without effect")
        else:
            self.report("form", f"line {line.number}: {how} {line.arguments}")

    def check_step(self, line):
        step, row = line.arguments
        if step not in steps:
            self.report("step", f"line {line.number}: there is no step {step} to wait for")
        if self.step_of_row.setdefault(row, step) != step:
            self.report("step", f"line {line.number}: '{row}' waits for step {self.step_of_row[row]} elsewhere")

    def check_row(self, leaf, line):
        if line.arguments[-1] not in self.refused[leaf.split(".")[0]]:
            self.report("not-refused", f"{leaf}: '{line.arguments[-1]}' is not refused (any more); name its test")

    def check_test(self, leaf, line):
        path, test, *more = line.arguments
        if (line.how == "unit") != (re.fullmatch(r"src/\w+/\w+_test\.cc", path) is not None) or \
                (line.how == "e2e" and not path.startswith("tests/")):
            return self.report("form", f"line {line.number}: {path} holds no {line.how} tests")
        if line.pattern.endswith(".*") and more != ["whole"]:
            return self.report("form", f"line {line.number}: a test for a subtree has to be said to be for the whole")
        if more not in ([], ["whole"]) and more[0] != "as":
            return self.report("form", f"line {line.number}: {more}")
        tests = bodies(path, self.read(path)) if os.path.isfile(os.path.join(self.folder, path)) else {}
        if test not in tests:
            return self.report("no-test", f"line {line.number}: {path} has no test '{test}'")
        words = more[1:] if more[:1] == ["as"] else spellings(leaf)
        if not any(mentions(tests[test], word) for word in words):
            self.report("pretence", f"{leaf}: '{test}' of {path} does not mention {' or '.join(words)}")
        return None


class OurSchema(unittest.TestCase):
    def test_each_leaf_has_a_test_that_shows_it_acting_or_waits_for_its_step(self):
        project = Project(root)
        self.assertGreater(len(project.leaves), 500)
        if project.problems:
            self.fail("\n".join(["", *(f"{rule}: {text}" for rule, text in project.problems)]))


planted_schema = """
spec:
  names: {kind: KafkaBackup}
  versions:
  - schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              topics: {type: array, items: {type: string}}
              keepLast: {type: integer}
              tls: {properties: {caKey: {type: string}, certKey: {type: string}}}
              old: {type: string, description: "Accepted; nothing comes of it."}
          status: {properties: {phase: {type: string}}}
"""
planted = {
    crds: planted_schema,
    "docs/reference/kafkabackup.md": "- `spec.else`\n## Accepted, not supported by this version yet\n\n- `spec.tls`: later\n",
    "src/api/a_test.cc": 'TEST_CASE("chosen") {\n  spec.topics = 1;\n}\nTEST_CASE_FIXTURE(Fixture,\n'
                         '                  "kept " "back") {\n  keep_last = 2;\n}\nTEST_CASE("all") { ca_key, certKey }\n',
    "tests/e2e/a.sh": "test_phase() {\n\twait phase\n}\ntest_other() {\n}\n",
    lines_of_leaves: """# a comment
KafkaBackup.spec.topics[]  unit src/api/a_test.cc "chosen"
KafkaBackup.spec.keepLast  unit src/api/a_test.cc "kept back"
KafkaBackup.spec.tls.*     waits 3 "spec.tls"
KafkaBackup.spec.old       unused
KafkaBackup.status.phase   e2e tests/e2e/a.sh test_phase
""",
}


def found_in(*changes):
    """The rules that the planted project breaks after the changes (PATH, PIECE, NEW PIECE)."""
    files = dict(planted)
    for path, piece, new in changes:
        assert files[path].count(piece) == 1, piece
        files[path] = files[path].replace(piece, new)
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
        return sorted({rule for rule, _ in Project(folder).problems})


class Planted(unittest.TestCase):
    def breaks(self, rules, *changes):
        self.assertEqual(found_in(*changes), rules)

    def line(self, rules, piece, new):
        with self.subTest(new):
            self.breaks(rules, (lines_of_leaves, piece, new))

    def test_nothing_is_wrong(self):
        self.breaks([])

    def test_leaf_without_a_line(self):
        self.breaks(["no-line"], (crds, "keepLast: {", "keepFirst: {type: integer}\n              keepLast: {"))
        self.line(["no-line", "row"], 'KafkaBackup.spec.tls.*     waits 3 "spec.tls"\n', "")

    def test_line_without_a_leaf(self):
        self.breaks(["no-leaf"], (crds, "keepLast: {type: integer}\n", "\n"))
        self.line(["no-leaf"], "# a comment", "KafkaBackup.spec.gone.* unused")
        self.line(["no-leaf"], "KafkaBackup.status.phase", "KafkaBackup.{status,spec}.phase")

    def test_leaf_that_stands_twice(self):
        self.line(["twice"], "# a comment", 'KafkaBackup.spec.topics[] waits 3 "spec.tls"')
        self.line([], "# a comment", 'KafkaBackup.spec.topics[] e2e tests/e2e/a.sh test_phase as wait')

    def test_test_that_does_not_exist(self):
        self.line(["no-test"], '"chosen"', '"choosen"')
        self.line(["no-test"], "test_phase", "test_phases")
        self.line(["no-test"], "tests/e2e/a.sh", "tests/e2e/b.sh")

    def test_test_that_does_not_mention_the_leaf(self):
        self.line(["pretence"], '"chosen"', '"kept back"')
        self.line(["pretence"], "test_phase", "test_other")
        self.line(["pretence"], '"chosen"', '"chosen" as keep_last')
        self.line([], '"kept back"', '"chosen" as topics')

    def test_subtree_of_a_test(self):
        whole = 'KafkaBackup.spec.tls.* unit src/api/a_test.cc "all"'
        self.line(["form", "row"], 'KafkaBackup.spec.tls.*     waits 3 "spec.tls"', whole)
        self.line(["row"], 'KafkaBackup.spec.tls.*     waits 3 "spec.tls"', whole + " whole")
        self.breaks(["pretence"], ("src/api/a_test.cc", "ca_key, ", ""), ("docs/reference/kafkabackup.md", "- `spec.tls`: later\n", ""),
                    (lines_of_leaves, 'KafkaBackup.spec.tls.*     waits 3 "spec.tls"', whole + " whole"))

    def test_step_that_is_none(self):
        self.line(["step"], "waits 3", "waits 2")
        self.line(["step"], "# a comment", 'KafkaBackup.spec.tls.caKey waits 4 "spec.tls"')

    def test_feature_that_came_or_was_never_refused(self):
        self.breaks(["not-refused"], ("docs/reference/kafkabackup.md", "- `spec.tls`: later\n", ""))
        self.line(["not-refused", "row"], '3 "spec.tls"', '3 "spec.else"')
        self.line(["not-refused"], "unused", 'refused "spec.old"')

    def test_refused_feature_that_nobody_waits_for(self):
        self.breaks(["row"], ("docs/reference/kafkabackup.md", "- `spec.tls`", "- `spec.pitr`\n- `spec.tls`"))

    def test_effect_that_is_silently_missing(self):
        self.breaks(["unused"], (crds, "Accepted; nothing", "Nothing"))
        self.line(["unused"], 'unit src/api/a_test.cc "chosen"', "unused")

    def test_line_of_another_form(self):
        for new in ["", "unit", "units src/api/a_test.cc chosen", "e2e src/api/a_test.cc chosen", "unit tests/e2e/a.sh test_phase",
                    "unit src/api/a_test.cc chosen like topics"]:
            self.line(["form"], 'unit src/api/a_test.cc "chosen"', new)


def print_counts():
    counts = collections.Counter()
    for lines in Project(root).lines_of.values():
        for how in sorted({f"waits for step {line.arguments[0]}" if line.how == "waits" else line.how for line in lines}):
            counts[how] += 1
    print("\n".join(f"{number:5} {how}" for how, number in sorted(counts.items())))


if __name__ == "__main__":
    print_counts() if sys.argv[1:] == ["--counts"] else unittest.main()
