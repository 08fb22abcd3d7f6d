"""The options in the address of the page for OBS: what each may be."""

import re
from collections.abc import Iterable

_OPTIONS = {  # by name: a pattern of the whole value, and the same in words
    "face": ("largest|0|[1-9][0-9]*", "largest or a face's id, such as 0"),
    "style": ("avatar|bar|glow", "avatar, bar or glow"),
    "mirror": ("[01]", "0 or 1"),
    "flip": ("[01]", "0 or 1"),
    "colour": ("[0-9a-fA-F]{6}", "six hexadecimal digits, such as e69f00"),
}


def option_problem(options: Iterable[tuple[str, str]]) -> str:
    """Return a line that says what is wrong with the options, (name, value) each; empty where nothing is."""
    for name, value in options:
        if name not in _OPTIONS:
            return f"{name!r}: no such option; known options: {', '.join(_OPTIONS)}"
        pattern, words = _OPTIONS[name]
        if not re.fullmatch(pattern, value):
            return f"{name}: expected {words}, got {value!r}"
    return ""
