"""Draws the rooms of Graft and what imports what, from the imports, into ARCHITECTURE.md.

`./dev python docs/draw_architecture.py` writes the drawing; with `--check` it only says whether the
one that is there is up to date, by its exit code.
"""

import sys
from pathlib import Path

import grimp

DOCUMENT = Path(__file__).with_name("ARCHITECTURE.md")
BEGIN, END = "```mermaid\n", "```\n"
ROOTS = ("graft", "pipeline", "components", "models", "serving", "monitoring")
INSIDE = "models"
"""The package whose rooms are drawn one by one."""


def room(module: str) -> str:
    """The box that a module is drawn in."""
    parts = module.split(".")
    return f"{INSIDE}.{parts[1]}" if parts[0] == INSIDE and len(parts) > 1 else parts[0]


def arrows() -> set[tuple[str, str]]:
    """Which room imports from which, without the modules that are no part of a room."""
    graph = grimp.build_graph(*ROOTS)
    rooms = {room(module) for module in graph.modules if graph.find_children(room(module))}
    found = {
        (room(module), room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(a, b) for a, b in found if a != b and {a, b} <= rooms - {INSIDE}}


def without_shortcuts(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The arrows that do not follow from others: a → c goes where a → b and b → c are."""
    below: dict[str, set[str]] = {a: set() for pair in found for a in pair}
    for _ in below:  # as often as the longest way has steps, at most
        for a, b in found:
            below[a] |= {b} | below[b]
    return {
        (a, c) for a, c in found if not any(c in below[b] for x, b in found if x == a and b != c)
    }


def drawing() -> str:
    """The drawing, in the language of Mermaid."""
    kept = sorted(without_shortcuts(arrows()))
    rooms = sorted({name for pair in kept for name in pair})
    inside = [name for name in rooms if name.startswith(f"{INSIDE}.")]
    lines = ["flowchart TD", f"    subgraph {INSIDE}", *(f"        {name}" for name in inside)]
    lines += ["    end", *(f"    {a} --> {b}" for a, b in kept)]
    return "".join(f"{line}\n" for line in lines).replace(f"{INSIDE}.", "")


def main() -> int:
    """Writes the drawing, or checks it; returns the exit code."""
    text = DOCUMENT.read_text("utf-8")
    head, begin, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    expected = f"{head}{begin}{drawing()}{END}{tail}"
    if text == expected:
        return 0
    if "--check" in sys.argv:
        print(f"{DOCUMENT}: the drawing is not that of the imports. Run {__file__} to draw it.")
        return 1
    DOCUMENT.write_text(expected, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
