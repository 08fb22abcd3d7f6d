"""The layers of the two packages, their sizes, and that no imports go round in a circle. Read from the source.

An import counts wherever it stands: at a module's top, for type checkers only, or inside a function.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
LONGEST_MODULE, LONGEST_FUNCTION, MOST_ENTRIES = 290, 50, 12  # lines; lines without the docstring; in realtime/

LAYERS = [  # a module may import from the layers below its own
    ["models.root_package", "realtime.__main__"],
    ["realtime.commands"],
    ["realtime"],  # its __init__: the public names
    ["realtime.session"],
    ["realtime.pipeline"],
    ["realtime.settings"],
    ["realtime.tables"],
    ["realtime.faces", "realtime.lips", "realtime.sinks", "realtime.outputs"],
    ["realtime.video", "models.training"],
    ["models"],
    ["realtime.records", "realtime.system", "models.errors", "models.lazy_names"],
]
EXTRA = {  # an import that the layers forbid, by module or by part, and why it is right
    ("realtime.sinks", "realtime.lips"): "intervals are made of what the lips do",
    ("realtime.outputs", "realtime.lips"): "an output that has one slot follows the face that was chosen",
    ("realtime.records", "models.face"): "a reading holds the face that the detector found, as the detector gives it",
}


@cache
def modules() -> dict[str, Path]:
    """Each module's file, by its name below ``mouth_live``; a package by its folder's name."""
    files = [path for top in ("models", "realtime") for path in sorted((REPOSITORY / top).rglob("*.py"))]
    parts = {path: path.relative_to(REPOSITORY).with_suffix("").parts for path in files}
    return {".".join(part for part in parts[path] if part != "__init__"): path for path in files}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports() -> set[tuple[str, str]]:
    """Each import of one of our modules by another: (who imports, what)."""
    return {(name, target) for name in modules() for target in targets(name) if target != name}


def targets(name: str) -> Iterator[str]:
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    if name == "models.root_package":
        package = ""  # it is installed as mouth_live
    for node in ast.walk(tree(modules()[name])):
        if isinstance(node, ast.ImportFrom):
            yield from from_import(node, package.split(".") if package else [])
        elif isinstance(node, ast.Import):
            yield from (known(a.name.split(".")[1:]) for a in node.names if a.name.split(".")[0] == "mouth_live")


def from_import(node: ast.ImportFrom, package: list[str]) -> Iterator[str]:
    module = node.module.split(".") if node.module else []
    if node.level:
        module = package[: len(package) - node.level + 1] + module
    elif module[0] == "mouth_live":
        module = module[1:]
    else:
        return
    yield from (known([*module, alias.name]) for alias in node.names)


def known(parts: list[str]) -> str:
    """The module of this name, or the one that holds the name."""
    name = ".".join(parts)
    return name if name in modules() else ".".join(parts[:-1])


def layer(module: str) -> tuple[int, str]:
    """A module's layer, from the top, and the part of it that the module is in: the longest name that fits."""
    fits = [
        (len(part), number, part)
        for number, parts in enumerate(LAYERS)
        for part in parts
        if module == part or (module.startswith(part + ".") and part != "realtime")
    ]
    assert fits, f"{module} is in none of the layers"
    _, number, part = max(fits)
    return number, part


def test_the_imports_are_found():
    assert ("realtime.__main__", "realtime.commands.cli") in imports()
    assert ("realtime.records", "models.face") in imports()
    assert ("models.root_package", "realtime") in imports()  # an __init__
    assert ("realtime", "realtime.records") in imports()  # for type checkers only
    assert ("realtime.commands.train", "models.training.train") in imports()  # inside a function
    assert {target for _, target in imports()} <= modules().keys()


def test_imports_run_down_the_layers():
    against = [
        {(one, other), (layer(one)[1], layer(other)[1])}
        for one, other in imports()
        if layer(one)[1] != layer(other)[1] and layer(one)[0] >= layer(other)[0]
    ]
    assert [names for names in against if not names & EXTRA.keys()] == []
    assert EXTRA.keys() <= set().union(*against)  # each is still needed


def test_models_never_import_realtime():
    assert [
        (one, other)
        for one, other in imports()
        if one.startswith("models") and one != "models.root_package" and other.startswith("realtime")
    ] == []


def test_the_imports_make_no_circle():
    arrows = imports()
    while free := {name for arrow in arrows for name in arrow} - ({a for a, _ in arrows} & {b for _, b in arrows}):
        arrows = {arrow for arrow in arrows if not free.intersection(arrow)}  # those can be on no circle
    assert arrows == set()


def test_realtime_has_a_dozen_entries_at_most():
    entries = [
        path.name
        for path in (REPOSITORY / "realtime").iterdir()
        if not path.name.startswith("__") and path.name != "py.typed"
    ]
    assert len(entries) <= MOST_ENTRIES, entries


@pytest.mark.parametrize("name", modules())
def test_modules_and_functions_stay_short(name):
    path = modules()[name]
    assert path.read_text(encoding="utf-8").count("\n") < LONGEST_MODULE
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or body[-1].end_lineno - body[0].lineno < LONGEST_FUNCTION, node.name
