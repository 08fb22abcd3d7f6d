"""When a level counts as an event: the limits of the event engine and the presets.

An event starts above one limit, stops below a lower one that must hold for a time, and is padded. Source: Silero VAD.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Literal

Kind = Literal["open", "activity"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one kind of event.

    The level of ``open`` is the openness, 0..1. The level of ``activity`` is the lips' movement, in widest gaps.

    Attributes:
        on: the level from which an event may start.
        off: the level below which it may stop; never above ``on``.
        min_on: the seconds at or above ``on`` until it starts.
        min_off: the seconds below ``off`` until it stops.
        pad: the seconds by which the event begins earlier and ends later than the movement.
    """

    on: float
    off: float
    min_on: float
    min_off: float
    pad: float = 0.03

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ValueError: a number is not finite, ``off`` is above ``on``, or a time is negative.
        """
        if not all(isfinite(v) for v in (self.on, self.off, self.min_on, self.min_off, self.pad)):
            raise ValueError(f"limits: expected finite numbers, got {self}")
        if self.off > self.on:
            raise ValueError(f"off: expected at most on ({self.on:g}), got {self.off:g}")
        for name, seconds in (("min_on", self.min_on), ("min_off", self.min_off), ("pad", self.pad)):
            if seconds < 0:
                raise ValueError(f"{name}: expected seconds from 0 up, got {seconds:g}")


OPEN = Limits(on=0.5, off=0.35, min_on=0.25, min_off=0.1)
# Tuned by tests/benchmarks/lip_activity.py on the GRID clips and on photos moved as if by hand. The accuracy is about
# the same for an `on` from 0.1 to 0.2, but 0.2 has half as many false alarms in the photos as 0.1. From 0.25 words are
# missed. A min_off of 0.15 is more accurate on single sentences, but ends the event at each pause between words.
ACTIVITY = Limits(on=0.2, off=0.03, min_on=0.0, min_off=0.2)


def activity_score(movement: float) -> float:
    """Return a movement on the scale 0..1 of the column ``activity``: 0 at rest, 0.5 at the default limit.

    The map rises everywhere, so that each limit on the score is one on the movement, and the other way round.

    Args:
        movement: the level of ``activity``, in widest gaps; NaN stays NaN.
    """
    return movement / (movement + ACTIVITY.on)


ACTIVITY_LIMIT = activity_score(ACTIVITY.on)
"""The default limit, 0.2, on the scale of the column ``activity``: 0.5."""


HIGHEST_LEVEL: Mapping[Kind, float] = MappingProxyType(
    {
        "open": 1.0,
        # 8 openings and closings per second, the fastest talking, each between closed lips and the widest gap, in the
        # 0.4 s that movement is measured over.
        "activity": 6.4,
    }
)
"""The highest level that each kind can reach: a higher ``on`` would never fire."""

DEFAULT_LIMITS: Mapping[Kind, Limits] = MappingProxyType({"activity": ACTIVITY, "open": OPEN})
PRESETS: Mapping[str, Mapping[Kind, Limits]] = MappingProxyType(
    {
        # Lips moving as in talking: push-to-talk, speech intervals.
        "talk": MappingProxyType({"activity": ACTIVITY}),
        # The mouth as a switch: opened on purpose, not in passing, and wider than lips that are parted at rest.
        "switch": MappingProxyType({"open": Limits(on=0.65, off=0.45, min_on=0.3, min_off=0.15)}),
        # The mouth held wide open for over a second.
        "yawn": MappingProxyType({"open": Limits(on=0.75, off=0.6, min_on=1.0, min_off=0.3)}),
    }
)


def preset(name: str) -> Mapping[Kind, Limits]:
    """Return the limits of a preset, for :class:`mouth_live.realtime.LipActivity`.

    Args:
        name: ``"talk"``, ``"switch"`` or ``"yawn"``.

    Raises:
        ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]
