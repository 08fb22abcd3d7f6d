"""``--config FILE.toml``: options from a file. The options on the command line take precedence."""

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import click

from ...models.errors import SourceError, UsageError

Values = dict[str, Any]
_EXCLUDED = frozenset({"config", "help", "version"})


def read_config(path: Path, root: click.Group, command: click.Command) -> Values:
    """Read a command's options from a file.

    An option at the top of the file applies to every command that has it; one in the table ``[COMMAND]`` to that one::

        camera = 1
        to = ["key:space", "ws://127.0.0.1:8765"]
        [events]
        values = true

    Args:
        path: a TOML file; options have their names on the command line, without the leading dashes.
        root: the program's group, whose own options are those of live video.
        command: the command that runs.

    Returns:
        Values by click's parameter name, which click converts and checks as if given on the command line.

    Raises:
        SourceError: the file cannot be read.
        UsageError: it is not TOML, or contains an option that no command has.
    """
    try:
        content: Values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"{path}: cannot read this config file ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not a TOML file ({error})") from None
    tables = {
        name: cast("Values", value)
        for name, value in content.items()
        if name in root.commands and isinstance(value, dict)
    }
    common = {name: value for name, value in content.items() if name not in tables}
    everywhere = {name for each in (root, *root.commands.values()) for name in _options(each)}
    _refuse_other_tables(path, common, root)
    _check(f"{path}: ", common, everywhere, "mouth-live --help and mouth-live COMMAND --help list")
    for name, table in tables.items():
        _check(f"{path}: [{name}] ", table, _options(root.commands[name]), f"mouth-live {name} --help lists")
    own = _options(command)
    values = common | tables.get(command.name or "", {})
    return {own[name].name or name: _value(path, name, own[name], values[name]) for name in values if name in own}


def _options(command: click.Command) -> dict[str, click.Option]:
    """Return a command's options by their long names without dashes."""
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    names = {name[2:]: option for option in options for name in option.opts if name.startswith("--")}
    return {name: option for name, option in names.items() if name not in _EXCLUDED}


def _refuse_other_tables(path: Path, values: Values, root: click.Group) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            near = _nearest(name, root.commands)
            raise UsageError(f"{path}: [{name}]: no such command; {near}mouth-live --help lists them all")


def _check(where: str, values: Values, known: Iterable[str], listed: str) -> None:
    for name in values:
        if name not in known:
            raise UsageError(f"{where}{name}: no such option; {_nearest(name, known)}{listed} them all")


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return a question that names what may be meant; empty where nothing is near."""
    near = get_close_matches(name.lower(), known)
    return f"did you mean {' or '.join(near)}? " if near else ""


def _value(path: Path, name: str, option: click.Option, value: object) -> object:
    """Return an option's value as click can convert it."""
    items = cast("list[object]", value) if option.multiple and isinstance(value, list) else [value]
    allowed = (bool,) if option.is_flag else (str, int, float)
    for item in items:
        if not isinstance(item, allowed) or (isinstance(item, bool) and not option.is_flag):
            expected = "true or false" if option.is_flag else "a string or a number"
            raise UsageError(f"{path}: {name}: expected {expected}, got {item!r}")
    texts = items if option.is_flag else [str(item) for item in items]
    return texts if option.multiple else texts[0]
