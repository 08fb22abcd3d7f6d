"""Events and values as JSON."""

import json
from math import isnan, nan

from ..records import LipEvent

PROTOCOL = 1  # rises where a message that exists changes its meaning; new types and keys may come at any time


def hello_json(**more: object) -> str:
    """Return the first message to a WebSocket client as a JSON object: type, program, protocol, and more keys."""
    return json.dumps({"type": "hello", "program": "mouth-live", "protocol": PROTOCOL, **more})


def event_json(event: LipEvent, preset: str = "") -> str:
    """Return an event as a JSON object: type, kind, face_id, timestamp, decided, and the preset where there is one."""
    decided = event.time if event.decided is None else event.decided
    line: dict[str, str | float | None] = {"type": event.type, "kind": event.kind, "face_id": event.face_id}
    line |= {"timestamp": round(event.time, 6), "decided": round(decided, 6)}
    return json.dumps(line | ({"preset": preset} if preset else {}))


def value_json(
    face_id: int | None, time: float, openness: float, raw: float, activity: float = nan, **more: object
) -> str:
    """Return a reading as a JSON object: type, face_id, timestamp, openness, openness_raw, activity, and more keys."""
    values = {"openness": round(openness, 4), "openness_raw": round(raw, 4)}
    values |= {"activity": None if isnan(activity) else round(activity, 4)}
    return json.dumps({"type": "value", "face_id": face_id, "timestamp": round(time, 6), **values, **more})
