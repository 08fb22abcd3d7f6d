"""When a level counts as an event: the numbers of the event engine.

Source of the shape (start above one limit, end below a lower one and after a silence, padding): Silero VAD.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Literal

Kind = Literal["open", "activity"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a level counts as on: for ``open`` the openness, for ``activity`` the lips' to-and-fro in widest gaps.

    Attributes:
        on: from this level on it may start ...
        off: ... and below this it may stop, never above ``on``.
        min_on: seconds at or above ``on`` until it starts.
        min_off: seconds below ``off`` until it stops.
        pad: seconds by which the event begins earlier and ends later than what was seen.
    """

    on: float
    off: float
    min_on: float
    min_off: float
    pad: float = 0.03

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ValueError: a number that is not finite, off above on, or a negative time.
        """
        if not all(isfinite(v) for v in (self.on, self.off, self.min_on, self.min_off, self.pad)):
            raise ValueError(f"limits: expected finite numbers, got {self}")
        if self.off > self.on:
            raise ValueError(f"off: expected at most on ({self.on:g}), got {self.off:g}")
        for name, seconds in (("min_on", self.min_on), ("min_off", self.min_off), ("pad", self.pad)):
            if seconds < 0:
                raise ValueError(f"{name}: expected seconds from 0 up, got {seconds:g}")


OPEN = Limits(on=0.5, off=0.35, min_on=0.25, min_off=0.1)
# Tuned by tests/benchmarks/lip_activity.py on the GRID clips and on photos moved as by hand: about as right from 0.1
# to 0.2, but with half as many false alarms in the photos at 0.2 as at 0.1; from 0.25 on words are missed. A min_off of
# 0.15 would be more right on single sentences, but end at each pause between words.
ACTIVITY = Limits(on=0.2, off=0.03, min_on=0.0, min_off=0.2)

DEFAULT: Mapping[Kind, Limits] = MappingProxyType({"activity": ACTIVITY, "open": OPEN})
PRESETS: Mapping[str, Mapping[Kind, Limits]] = MappingProxyType(
    {
        # Lips moving as in talking: push-to-talk, speech intervals.
        "talk": MappingProxyType({"activity": ACTIVITY}),
        # The mouth as a switch: opened on purpose, not in passing, and wider than lips that are parted at rest.
        "switch": MappingProxyType({"open": Limits(on=0.65, off=0.45, min_on=0.3, min_off=0.15)}),
        # Held wide for over a second.
        "yawn": MappingProxyType({"open": Limits(on=0.75, off=0.6, min_on=1.0, min_off=0.3)}),
    }
)


def preset(name: str) -> Mapping[Kind, Limits]:
    """The limits of a preset, for :class:`mouth_live.realtime.LipActivity`.

    Args:
        name: ``"talk"``, ``"switch"`` or ``"yawn"``.

    Raises:
        ValueError: no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]
