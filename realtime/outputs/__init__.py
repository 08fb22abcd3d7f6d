"""Outputs to apps: what ``--to``, ``--on-start`` and ``--on-stop`` name.

:mod:`.fan_out` turns each frame into an update (:mod:`.update`) and puts it into a mailbox (:mod:`.mailbox`) for each
output. A worker thread (:mod:`.worker`) for each output takes updates out and sends them, so that the capture loop
never waits. Each output is a class of its own (:mod:`.output`). :mod:`.schemes` lists the outputs by URL scheme and
:mod:`.addresses` parses their URLs.

The names below are what an author of an output needs. They load on first use (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...models.errors import ReceiverError, RefusedError, SinkError, UsageError
    from ..lips.event_json import event_json, value_json
    from .addresses import Address
    from .libraries import require
    from .mailbox import Mailbox
    from .output import Output
    from .update import FaceValue, Slot, Update

__all__ = [
    "Address",
    "FaceValue",
    "Mailbox",
    "Output",
    "ReceiverError",
    "RefusedError",
    "SinkError",
    "Slot",
    "Update",
    "UsageError",
    "event_json",
    "require",
    "value_json",
]

_HOMES = {
    "...models.errors": ["ReceiverError", "RefusedError", "SinkError", "UsageError"],
    "..lips.event_json": ["event_json", "value_json"],
    ".addresses": ["Address"],
    ".libraries": ["require"],
    ".mailbox": ["Mailbox"],
    ".output": ["Output"],
    ".update": ["FaceValue", "Slot", "Update"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first used."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
