"""The messages to the pages: those of ``--to ws://`` with more keys, and those of the page alone."""

import json
import struct
from dataclasses import dataclass
from math import isnan

from ...lips.event_json import event_json, value_json
from ...records import Analysis, LipEvent, Reading

_PICTURE_HEAD = struct.Struct("<Id")  # the frame's index and its time in seconds


@dataclass(frozen=True, slots=True)
class FrameMessages:
    """What one frame gives the pages.

    Attributes:
        values: the messages with its values, and one that ends the frame. Newer ones may replace them.
        events: the starts and stops.
    """

    values: tuple[str, ...]
    events: tuple[LipEvent, ...]


@dataclass(frozen=True, slots=True)
class Meter:
    """How the session keeps up.

    Attributes:
        rate: analysed frames per second.
        dropped: frames dropped so far.
    """

    rate: float = 0.0
    dropped: int = 0


def frame_messages(analysis: Analysis, meter: Meter) -> FrameMessages:
    """Return the messages of one frame."""
    frame = analysis.frame
    values = [_value(reading, frame.index, frame.time) for reading in analysis.readings]
    end = {
        "type": "frame",
        "frame": frame.index,
        "timestamp": round(frame.time, 6),
        "faces": [reading.face_id for reading in analysis.readings],
        "silent": analysis.silent,
        "rate": round(meter.rate, 1),
        "dropped": meter.dropped,
    }
    return FrameMessages((*values, json.dumps(end)), analysis.events)


def event_message(event: LipEvent) -> str:
    """Return an event's message."""
    return event_json(event)


def picture_message(index: int, time: float, jpeg: bytes) -> bytes:
    """Return a picture's binary message: its frame's index (uint32) and time (float64), little-endian, then JPEG."""
    return _PICTURE_HEAD.pack(index & 0xFFFFFFFF, time) + jpeg


def _value(reading: Reading, index: int, time: float) -> str:
    return value_json(
        reading.face_id,
        time,
        reading.openness,
        reading.raw,
        reading.activity,
        frame=index,
        box=[round(float(number), 1) for number in reading.face.box],
        active=reading.active,
        movement=None if isnan(reading.movement) else round(reading.movement, 4),
        reliability=None if isnan(reading.reliability) else round(reading.reliability, 4),
    )
