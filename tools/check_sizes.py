#!/usr/bin/env python3
"""Prints the ten longest files and (roughly) functions, and warns where a budget is passed.

usage: check_sizes.py [ROOT]       always exit code 0: it warns, people decide.
"""
import pathlib
import re
import sys

# where, suffix, lines a file may have
BUDGETS = [
    ("src", ".cpp", 600), ("cli", ".cpp", 600), ("bench", ".cpp", 600), ("tests", ".cpp", 500),
    ("src", ".h", 200), ("cli", ".h", 200), ("tests", ".h", 200), ("include", ".h", 350),
]
FUNCTION = 60  # lines; a longer one needs a comment that says why
NOT_FUNCTIONS = re.compile(r"(namespace|class|struct|enum|union|extern|if|for|while|switch)\b")


def functions(lines):
    """Yields (first line, name, length) of what looks like a function laid out by clang-format: it
    opens a brace after a parameter list, and ends at the closing brace of the same indentation."""
    head, start, name, end = [], None, "", ""
    for number, line in enumerate(lines, 1):
        if start is not None:
            if line.startswith(end):
                yield start, name, number - start + 1
                start = None
            continue
        head.append(line.strip())
        declaration = " ".join(head)
        names = re.findall(r"([\w:~]+)\s*\(", declaration)
        if declaration.endswith("{") and names and not NOT_FUNCTIONS.match(declaration):
            start, name = number - len(head) + 1, names[0]
            first = lines[start - 1]
            end = first[: len(first) - len(first.lstrip())] + "}"
        if not head[-1] or re.search(r"[;:{}]$|^[#/]", head[-1]):
            head = []


def main(root):
    files, longest = [], []
    for top, suffix, budget in BUDGETS:
        for file in (root / top).rglob("*" + suffix):
            lines, name = file.read_text().splitlines(), file.relative_to(root)
            files.append((len(lines), name, budget))
            longest += [(size, f"{name}:{line} {what}") for line, what, size in functions(lines)]
    print("longest files:")
    for size, name, _ in sorted(files, reverse=True)[:10]:
        print(f"{size:6} {name}")
    print("longest functions:")
    for size, name in sorted(longest, reverse=True)[:10]:
        print(f"{size:6} {name}")
    for size, name, budget in sorted(files, reverse=True):
        if size > budget:
            print(f"warning: {name} has {size} lines; the budget is {budget}")
    for size, name in sorted(longest, reverse=True):
        if size > FUNCTION:
            print(f"warning: {name} has {size} lines; above {FUNCTION} say why in a comment")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]))
