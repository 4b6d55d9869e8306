#!/usr/bin/env python3
"""perf script | bench/flamegraph.py TITLE > flame.svg

Draws where CPU time went: a box is a function, as wide as its share of the samples, on top of who called it.
A box tells its whole name and share when the pointer rests on it. Reads what `perf script` prints.
"""

import html
import re
import sys

WIDTH = 1200
ROW = 17
TOP = 40
MARGIN = 10
NARROWEST = 0.4  # pixels; what is narrower is left out
CHARACTER = 6.6  # pixels of the font

FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<name>.+?)(?:\+0x[0-9a-f]+)? \((?P<file>[^()]*)\)$")


class Node:
    def __init__(self):
        self.samples = 0
        self.callees = {}

    def add(self, stack):
        node = self
        node.samples += 1
        for name in stack:
            node = node.callees.setdefault(name, Node())
            node.samples += 1


def around_lambda(name):
    """The function that a lambda is written in: it says more than std::function around it."""
    end = name.rfind("::$_")
    if end < 0 or name[end - 1] != ")":
        return name
    depth, start = 0, end
    while start > 0:  # back to the parenthesis that opens the function's parameters
        start -= 1
        depth += {")": 1, "(": -1}.get(name[start], 0)
        if depth == 0:
            break
    return re.split(r"[<, ]", name[:start])[-1] + "::lambda"


def short(name):
    """A C++ name without its parameters and template arguments."""
    name = around_lambda(name.replace("(anonymous namespace)::", ""))
    kept, depth = [], 0
    for character in name:
        if character in "<(":
            depth += 1
        if depth == 0:
            kept.append(character)
        if character in ">)":
            depth = max(0, depth - 1)
    text = "".join(kept).strip()
    return text.split(" ")[-1] if text else name


def read_stacks(lines):
    """Yields each sample's stack, the outermost function first."""
    thread, frames = None, []
    for line in lines:
        if not line.strip():
            if thread is not None:
                yield [thread] + frames[::-1]
            thread, frames = None, []
        elif match := FRAME.match(line):
            if match["name"] == "[unknown]":
                continue
            kernel = "[kernel" in match["file"]
            frames.append(("k:" if kernel else "") + short(match["name"]))
        elif not line[0].isspace():
            thread = re.split(r"\s+\d+", line)[0]


def color(name):
    """The kernel in blue, our code in orange, libraries in yellow; neighbours differ a little."""
    shade = sum(map(ord, name)) % 30
    if name.startswith("k:"):
        return f"rgb({110 + shade},{150 + shade},{200 + shade})"
    if "troth" in name:
        return f"rgb({225 + shade},{120 + shade},{60 + shade})"
    return f"rgb({220 + shade},{190 + shade},{90 + shade})"


def depth_of(node):
    return 1 + max((depth_of(callee) for callee in node.callees.values()), default=0)


def boxes(node, total, left, level, height):
    """SVG of the callees of a node, whose left edge is at `left`."""
    for name, callee in sorted(node.callees.items()):
        width = (WIDTH - 2 * MARGIN) * callee.samples / total
        if width >= NARROWEST:
            y = height - MARGIN - (level + 1) * ROW
            share = 100 * callee.samples / total
            label = html.escape(name)
            yield (f'<g><title>{label}: {share:.2f} %</title><rect x="{left:.1f}" y="{y}" width="{width:.1f}" '
                   f'height="{ROW - 1}" fill="{color(name)}" rx="1"/>')
            room = int((width - 4) / CHARACTER)
            if room >= 3:
                text = name if len(name) <= room else name[: room - 1] + "…"
                yield f'<text x="{left + 2:.1f}" y="{y + 12}">{html.escape(text)}</text>'
            yield "</g>\n"
            yield from boxes(callee, total, left, level + 1, height)
        left += width


def main():
    root = Node()
    for stack in read_stacks(sys.stdin):
        root.add(stack)
    if root.samples == 0:
        sys.exit("flamegraph: no samples in the input")
    height = TOP + depth_of(root) * ROW + MARGIN
    title = html.escape(f"{' '.join(sys.argv[1:])} ({root.samples} samples)")
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
          f'font-family="monospace" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
          f'<text x="{WIDTH / 2}" y="24" font-size="15" text-anchor="middle">{title}</text>')
    sys.stdout.writelines(boxes(root, root.samples, MARGIN, 0, height))
    print("</svg>")


if __name__ == "__main__":
    main()
