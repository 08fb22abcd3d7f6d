"""The kinds of values that options take, each checked where it is given."""

import re
from math import isfinite
from typing import Any, cast

import click


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A picture size, such as 1280x720."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        """Return (width, height) in pixels."""
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            self.fail(f"expected WIDTHxHEIGHT such as 1280x720, got {value!r}", param, ctx)
        return int(width), int(height)


class FaceMode(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A choice of the face that drives an output with room for one face."""

    name = "largest|centre|ID|anyone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Return the mode in lower case, after checking it."""
        text = str(value).lower()
        if text not in ("largest", "centre", "anyone") and not (text.isascii() and text.isdecimal()):
            self.fail(f"expected largest, centre, anyone or a face id such as 0, got {value!r}", param, ctx)
        return text


class Number(click.FloatRange):
    """A finite number in a range; NaN lies in no range, but passes every comparison that looks for its ends."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"expected a finite number, got {value!r}", param, ctx)
        return number


SECONDS = Number(0)


class Bytes(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """An amount of memory in bytes, with a unit: from 1M to 1024G."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Return the number of bytes of ``4G`` or ``900M``."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MG])i?B?", str(value).strip(), re.IGNORECASE | re.ASCII)
        amount = float(found[1]) * (1 << (30 if found[2].upper() == "G" else 20)) if found else 0.0
        if not 1 << 20 <= amount <= 1 << 40:
            self.fail(f"expected an amount from 1M to 1024G, such as 4G or 900M, got {value!r}", param, ctx)
        return int(amount)
