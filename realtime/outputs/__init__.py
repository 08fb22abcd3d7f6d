"""Outputs to apps: what ``--to``, ``--on-start`` and ``--on-stop`` name.

:mod:`.fan_out` turns each frame into an update (:mod:`.update`) and puts it into a mailbox (:mod:`.mailbox`) for each
output. A worker thread (:mod:`.worker`) for each output takes updates out and sends them, so that the capture loop
never waits. Each output is a class of its own (:mod:`.output`). :mod:`.schemes` lists the outputs by URL scheme and
:mod:`.addresses` parses their URLs.

The names below are what an author of an output needs. They load on first use (PEP 562).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...models.errors import ReceiverError, RefusedError, SinkError, UsageError
    from ..lips.event_json import event_json, value_json
    from .addresses import Address
    from .libraries import require
    from .mailbox import Mailbox
    from .output import Output
    from .update import FaceValue, Slot, Update

    __version__: str
else:
    from ...models.lazy_names import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "...models.errors": ["ReceiverError", "RefusedError", "SinkError", "UsageError"],
            "..lips.event_json": ["event_json", "value_json"],
            ".addresses": ["Address"],
            ".libraries": ["require"],
            ".mailbox": ["Mailbox"],
            ".output": ["Output"],
            ".update": ["FaceValue", "Slot", "Update"],
        },
    )

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
