"""Change options in a configuration file, and keep the rest of it as it is, comments too."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ...models.errors import SinkError
from ...models.whole_file import whole_file

_TABLE = re.compile(r"^\s*\[")


def save_options(path: Path, options: Mapping[str, float | str], table: str) -> None:
    """Write options into a file: in ``[table]`` where they are set there, else at the top.

    Args:
        path: the file; it is made where it is missing.
        options: values by option name.
        table: the command's name.

    Raises:
        SinkError: the file cannot be read, written, or changed in this way.
    """
    try:
        old = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SinkError(f"{path}: cannot read this config file ({error})") from None
    new = changed(old, options, table)
    try:
        content = tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        content = {}
    found = content | content.get(table, {})
    if any(found.get(name) != value for name, value in options.items()):
        raise SinkError(f"{path}: cannot change this config file; write the options one a line")
    with whole_file(path, error=SinkError, keep_suffix=False) as part:
        part.write_text(new, encoding="utf-8")


def changed(text: str, options: Mapping[str, float | str], table: str) -> str:
    """Return a file's text with other values of options."""
    lines = text.splitlines()
    top = next((number for number, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    for name, value in options.items():
        line = f"{name} = {_toml(value)}"
        places = [number for number in range(len(lines)) if _sets(lines[number], name)]
        own = [number for number in places if _table_of(lines, number) == table]
        general = [number for number in places if number < top]
        if place := own or general:
            lines[place[0]] = line
        else:
            lines.insert(top, line)
            top += 1
    return "\n".join(lines) + "\n"


def _sets(line: str, name: str) -> bool:
    return re.match(rf"\s*{re.escape(name)}\s*=", line) is not None


def _table_of(lines: list[str], number: int) -> str:
    """Return the name of the table that a line stands in; empty at the top."""
    heads = [line for line in lines[:number] if _TABLE.match(line)]
    return heads[-1].split("#")[0].strip(" \t[]") if heads else ""


def _toml(value: float | str) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
