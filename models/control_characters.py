"""Control characters in names of files, which would split a line of a message or change the terminal's state."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # Unicode's category Cc, and its two line separators


def escape_control_characters(text: str) -> str:
    r"""Return a text with its control characters as Python writes them in a string: a line break as ``\n``."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)
