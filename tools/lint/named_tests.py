#!/usr/bin/env python3
"""Checks that the tests docs/compatibility.md names exist; exits 1 and lists those that do not.

`TestName` is a Go test in test/interop, `folder/name.txt` a script in test/golden, `Suite.Name` a
GoogleTest.
"""

import pathlib
import re
import sys

PAGE = "docs/compatibility.md"
NAME = re.compile(r"`(Test\w+|[a-z]+/\w+\.txt|[A-Z]\w+\.[A-Z]\w+)`")
GO_TEST = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
GOOGLE_TEST = re.compile(r"^(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def names_in(text):
    """The tests a page names, in its order."""
    return NAME.findall(text)


def tests_under(root):
    """The names of all tests in a source tree, spelt as on the page."""
    names = set()
    for path in (root / "test" / "interop").glob("*_test.go"):
        names.update(GO_TEST.findall(path.read_text(encoding="utf-8")))
    golden = root / "test" / "golden"
    names.update(str(path.relative_to(golden)) for path in golden.glob("*/*.txt"))
    for folder in ("src", "test"):
        for path in (root / folder).rglob("*.cc"):
            found = GOOGLE_TEST.findall(path.read_text(encoding="utf-8"))
            names.update(suite + "." + name for suite, name in found)
    return names


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    named = names_in((root / PAGE).read_text(encoding="utf-8"))
    tests = tests_under(root)
    missing = [name for name in named if name not in tests] if named else ["(the page names none)"]
    for name in missing:
        print("%s: there is no test %s" % (PAGE, name))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
