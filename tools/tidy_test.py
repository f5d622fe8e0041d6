#!/usr/bin/env python3
"""Plants a violation of every rule of tidy.py and expects it, and nothing else, to be reported."""
import os
import tempfile
import unittest

import cpp_functions
import tidy

guard = "#pragma once\n"
use = '#include "base/a.h"\n'


def found_in(files):
    """The rules that a project of these files breaks."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        tree, _ = tidy.tidy(root)
        return [rule for rule, _ in tree.problems]


def function_of(lines):
    return "void f() {\n" + "  g();\n" * (lines - 2) + "}\n"


class Planted(unittest.TestCase):
    def test_clean(self):
        self.assertEqual(found_in({
            "src/base/a.h": guard + function_of(70), "src/kafka/partition.cc": use + "// a catch (...) in words\n",
            "tests/x.cc": 'auto s = "std::endl; new X"; auto p = R"(delete p;)"; X(const X&) = delete;\n',
            "src/base/task_group.cc": "void f() {\n  try {\n  } catch (...) {\n  }\n}\n",
            "src/cli/run_main.cc": 'int main() { printf("x"); }\n',
            "src/net/b.cc": "void f() {\n  ctx.sleep_for(1);\n  static auto* x = new X;\n  snprintf(a);\n  static_assert(true);\n}\n",
        }), [])

    def test_each_banned_word(self):
        for code in ["os << std::endl;", 'printf("x");', "std::cerr << 1;", "std::this_thread::sleep_for(1s);",
                     "::usleep(1);", "std::thread t(f);", "t.detach();", "strcpy(a, b);", "auto n = atoi(s);",
                     "auto p = new X;", "auto p = new (std::nothrow) X;", "delete p;", "delete[] p;", "assert(x);",
                     "using namespace std;", "try {} catch (...) {}", "volatile int x;", "auto n = rand();",
                     'TEST_CASE("x" * doctest::skip()) {}']:
            with self.subTest(code):
                self.assertEqual(found_in({"src/kafka/a.cc": f"void f() {{\n  {code}\n}}\n"}), ["banned"])

    def test_direction(self):
        for own, other, rules in [("kafka", "net", []), ("base", "net", ["direction"]), ("kafka", "archive", ["direction"]),
                                  ("net", "kafka", ["direction"]), ("engine", "net", ["direction"]), ("cli", "engine", []),
                                  ("storage", "engine", ["direction"]), ("api", "storage", ["direction"])]:
            with self.subTest(f"{own} includes {other}"):
                files = {f"src/{other}/x.h": guard, f"src/{own}/y.cc": f'#include "{other}/x.h"\n'}
                self.assertEqual(found_in(files), rules)

    def test_include_path(self):
        for target in ["a.h", "../base/a.h"]:
            files = {"src/base/a.h": guard, "src/base/b.cc": f'#include "{target}"\n'}
            self.assertEqual(found_in(files), ["include-path"])

    def test_headers(self):
        self.assertEqual(found_in({"src/base/a.h": guard}), ["dead-header"])
        self.assertEqual(found_in({"src/base/a.h": "int f();\n", "src/base/a.cc": use}), ["pragma-once"])

    def test_unknown_folder(self):
        self.assertEqual(found_in({"src/things/a.cc": ""}), ["folder"])

    def test_unfinished(self):
        for word in ["TO" + "DO", "FIX" + "ME", "X" + "XX"]:
            self.assertEqual(found_in({"src/base/a.cc": f"// {word} later\n"}), ["unfinished"])
            self.assertEqual(found_in({"tools/a.sh": f"# {word}: later\n"}), ["unfinished"])

    def test_names(self):
        for path in ["src/base/util.cc", "src/base/string_helpers.cc", "src/kafka/fetch_part.cc", "tests/common/a.cc",
                     "tools/misc.py"]:
            self.assertEqual(found_in({path: ""}), ["name"])

    def test_lengths(self):
        self.assertEqual(found_in({"src/base/a.cc": "int x;\n" * 600}), [])
        self.assertEqual(found_in({"src/base/a.cc": "int x;\n" * 601}), ["file-length"])
        self.assertEqual(found_in({"src/base/a.cc": function_of(71)}), ["function-length"])
        self.assertEqual(found_in({"src/base/a.cc": "//" + "x" * 108 + "\n"}), [])
        self.assertEqual(found_in({"src/base/a.cc": "//" + "x" * 109 + "\n"}), ["columns"])

    def test_architecture(self):
        self.assertEqual(found_in({"src/base/a.cc": "", "ARCHITECTURE.md": "about base/"}), [])
        self.assertEqual(found_in({"src/base/a.cc": "", "ARCHITECTURE.md": "about"}), ["architecture"])


class Functions(unittest.TestCase):
    def measure(self, text):
        return [(function.name, function.line, function.lines) for function in cpp_functions.functions(text)]

    def test_what_is_a_function(self):
        self.assertEqual(self.measure("""namespace a {
struct B : C<int> {
  int x{0};
  B() : x{1}, y(2) {
    f();
  }
  bool operator==(const B& other) const { return x == other.x; }
  template <class T = int, class U = std::vector<T>>
  auto g(T t = {}) -> int {
    if (t) {
    }
    return [] { return 1; }();
  }
};
enum class E { one, two };
constexpr int table[] = {1, 2};
const auto lambda = [](int x) {
  return x;
};
void* operator()(int) { return "}"; /* } */ }
#define MACRO {
TEST_CASE("}") {
  SUBCASE("x") {
  }
}
}  // namespace a
extern "C" {
int h(struct stat s)
{ char c = '}'; long n = 1'000; return R"x(} )" )x"; }
}
"""), [("B", 4, 3), ("operator==", 7, 1), ("g", 8, 6), ("operator()", 20, 1), ("TEST_CASE", 22, 4), ("h", 28, 2)])


if __name__ == "__main__":
    unittest.main()
