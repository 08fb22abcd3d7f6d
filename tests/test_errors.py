"""The error tree that is drawn in models/errors.py, compared with the classes of the whole package."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from mouth_live.models import errors

REPOSITORY = Path(__file__).parent.parent
LINE = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>\w+Error)  +(?P<text>.*\S)$", re.MULTILINE)
BRANCH_WIDTH = 4  # "├── "


class Drawn(NamedTuple):
    """A line of the drawing."""

    parent: str | None
    text: str

    @property
    def exit_code(self) -> int | None:
        """The exit code that the line names."""
        found = re.search(r"exit code (\d+)", self.text)
        return int(found[1]) if found else None


def drawn(drawing: str) -> dict[str, Drawn]:
    """Each error of a drawing, in its order."""
    found: dict[str, Drawn] = {}
    above: list[str] = []  # the errors from the root down to the line before
    for match in LINE.finditer(drawing):
        depth, rest = divmod(len(match["branch"]), BRANCH_WIDTH)
        assert rest == 0 and depth <= len(above), match[0]
        above = [*above[:depth], match["name"]]
        assert match["name"] not in found, match[0]
        found[match["name"]] = Drawn(above[-2] if depth else None, match["text"])
    return found


def defined() -> dict[str, tuple[str, list[str]]]:
    """Each class of the two packages: its module's path and its bases' names."""
    return {
        node.name: (path.relative_to(REPOSITORY).as_posix(), [ast.unparse(base).split(".")[-1] for base in node.bases])
        for top in ("models", "realtime")
        for path in sorted((REPOSITORY / top).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }


@pytest.fixture(scope="module")
def tree() -> dict[str, Drawn]:
    return drawn(errors.__doc__)


def test_a_drawing_is_read():
    lines = ["RootError  all", "├── AError  a (exit code 3)", "│   └── BError  b", "└── CError  c"]
    text = "Words\n\n" + "".join(f"    {line}\n" for line in lines)
    assert {name: line.parent for name, line in drawn(text).items()} == {
        "RootError": None, "AError": "RootError", "BError": "AError", "CError": "RootError",
    }  # fmt: skip
    assert drawn(text)["AError"].exit_code == 3


def test_every_error_is_drawn_at_its_place(tree):
    classes, ours = defined(), {"MouthLiveError"}
    while more := {name for name, (_, bases) in classes.items() if ours.intersection(bases)} - ours:
        ours |= more
    assert {name: bases for name, (_, bases) in classes.items() if name in ours} == {
        name: [line.parent or "Exception"] for name, line in tree.items()
    }
    assert {classes[name][0] for name in ours} == {"models/errors.py"}


def test_the_classes_are_as_drawn(tree):
    for name, line in tree.items():
        error = getattr(errors, name)
        parent = getattr(errors, line.parent) if line.parent else Exception
        assert error.__bases__ == (parent,), name


def test_the_exit_codes_are_as_drawn(tree):
    codes = {name: getattr(errors, name).exit_code for name in tree}
    assert codes["MouthLiveError"] == tree["MouthLiveError"].exit_code == 1
    for name, line in tree.items():
        inherited = codes[line.parent] if line.parent else None
        assert codes[name] == (line.exit_code or inherited), name


def test_the_children_are_drawn_in_the_order_of_the_alphabet(tree):
    for parent in tree:
        children = [name for name, line in tree.items() if line.parent == parent]
        assert children == sorted(children)
