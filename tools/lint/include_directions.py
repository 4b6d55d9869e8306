#!/usr/bin/env python3
"""Checks which folder includes which, and that headers stay light.

Dependencies point one way (ARCHITECTURE.md):

    base <- engine <- store, caller <- runtime <- api, admin <- server

A new edge is a design decision: it goes into ALLOWED here and into ARCHITECTURE.md. A test, that is a
file *_test.cc, may also use what it tests through test/support.
"""

import pathlib
import re
import sys

# Folder -> folders it may include besides itself.
ALLOWED = {
    "base": set(),
    "engine": {"base"},
    "metrics": {"base"},
    "net": {"base"},
    "config": {"base"},
    "wire": {"engine", "base"},
    "store": {"wire", "engine", "base"},
    "discovery": {"net", "base"},
    "caller": {"engine", "net", "discovery", "metrics", "base"},
    "runtime": {"engine", "store", "caller", "net", "metrics", "base"},  # net: a shard lives on its event loop
    "api": {"runtime", "wire", "engine", "net", "store", "config", "metrics", "base"},
    "admin": {"runtime", "engine", "net", "store", "config", "base"},
    "server": {"api", "admin", "runtime", "caller", "store", "wire", "engine", "discovery", "net", "config",
               "metrics", "base"},
    "client": {"net", "discovery", "base"},
}

# Folders that include no library and nothing of the operating system: only ours and C++'s, whose
# headers are the ones without a dot in the name. Threads and clocks are C++'s too, but not for them.
PURE = {"engine"}
PURE_NEVER = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "fstream",
              "filesystem", "iostream", "random"}

# Headers that cost seconds in every file that includes them. They belong in .cc files; a header
# declares (class DB;) or hides them behind a pointer. A header <name>_internal.h may include them,
# because only the .cc files and internal headers of its own folder may include it.
HEAVY = re.compile(
    r"^(boost/beast|boost/asio\.hpp|boost/asio/ssl|boost/json\.hpp|boost/json/src|openssl/|rocksdb/"
    r"|google/protobuf/|spdlog/|yaml-cpp/|CLI/)|\.pb\.h$")

# Header under the source root -> (pattern of what it may include, why).
HEAVY_EXCEPTIONS = {
    "store/rocksdb_impl.h": (r"^rocksdb/", "the RocksDB store from inside, shared by its .cc files"),
    "store/rocksdb_tuning.h": (r"^rocksdb/", "RocksDB's options, for the same .cc files"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

FIRST_PARTY = set(ALLOWED) | {"web"}


def includes(text):
    """Yields (line number, included path) for each include of a C++ text."""
    in_comment = False
    for number, line in enumerate(text.splitlines(), start=1):
        if in_comment:
            if "*/" not in line:
                continue
            line = line.split("*/", 1)[1]
            in_comment = False
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)
        elif "/*" in line and "*/" not in line.split("/*", 1)[1]:
            in_comment = True


def problems_of_file(path, text):
    """The problems of one file; path is relative to the root, e.g. src/engine/engine.h."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "src":
        folder, inner = parts[1], "/".join(parts[1:])
    else:
        folder, inner = parts[0], "/".join(parts)
    if folder not in ALLOWED:
        yield f"{path}: the folder {folder} is not in ALLOWED of tools/lint/include_directions.py"
        return

    is_test = path.endswith("_test.cc")
    for number, included in includes(text):
        where = f"{path}:{number}"
        target = included.split("/", 1)[0] if "/" in included else None
        if included.startswith(("./", "../")):
            yield f"{where}: includes {included}; includes read from src/"
        elif target in FIRST_PARTY and target != folder and target not in ALLOWED[folder]:
            yield f"{where}: {folder} must not include {included}"
        elif target == "test" and not is_test:
            yield f"{where}: only tests include {included}"
        if folder in PURE and not is_test and target not in FIRST_PARTY:
            if "." in included or included in PURE_NEVER:
                yield f"{where}: {folder} is pure and must not include {included}"
        is_public = path.endswith(".h") and not path.endswith("_internal.h")
        if included.endswith("_internal.h") and (target != folder or is_public):
            yield f"{where}: only .cc files and internal headers of {target}/ include {included}"
        if is_public and HEAVY.search(included):
            allowed = HEAVY_EXCEPTIONS.get(inner)
            if allowed is None or not re.search(allowed[0], included):
                yield (f"{where}: {included} is too heavy for a header; include it in the .cc file "
                       "(or name a reason in HEAVY_EXCEPTIONS)")


def check(root):
    found = []
    for top in ("src", "client"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cc") or not path.is_file():
                continue
            relative = path.relative_to(root).as_posix()
            if relative.startswith("client/examples/"):
                continue
            found.extend(problems_of_file(relative, path.read_text(encoding="utf-8")))
    for header in HEAVY_EXCEPTIONS:
        if not (root / "src" / header).is_file():
            found.append(f"HEAVY_EXCEPTIONS names {header}, which does not exist")
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/../../..").resolve()
    found = check(root)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
