"""Events and values as JSON, one object a line: on stdout and in UDP datagrams."""

import json
import sys

from ..records import LipEvent
from .addresses import Address
from .datagrams import Datagrams
from .moments import FaceValue, Moment
from .output import Output


def event_json(event: LipEvent) -> str:
    """An event as in the contract: type, kind, face_id, timestamp, decided."""
    decided = event.time if event.decided is None else event.decided
    line: dict[str, str | float | None] = {"type": event.type, "kind": event.kind, "face_id": event.face_id}
    return json.dumps(line | {"timestamp": round(event.time, 6), "decided": round(decided, 6)})


def value_json(value: FaceValue, time: float) -> str:
    """A reading as in the contract: type, face_id, timestamp, openness, openness_raw."""
    return json.dumps(
        {
            "type": "value",
            "face_id": value.face_id,
            "timestamp": round(time, 6),
            "openness": round(value.openness, 4),
            "openness_raw": round(value.raw, 4),
        }
    )


def json_lines(moment: Moment, values: bool) -> list[str]:
    """A moment's lines, without line ends: its values, if wanted, then its events."""
    lines = [value_json(value, moment.time) for value in moment.values] if values else []
    return lines + [event_json(event) for event in moment.events]


class StdoutLines(Output):
    """JSON lines on stdout."""

    uses_stdout = True

    def __init__(self, name: str, values: bool) -> None:
        """Say whether values are written too, or events alone."""
        self.name, self._values = name, values

    def send(self, moment: Moment) -> None:
        """Write and flush.

        Raises:
            BrokenPipeError: the reader has gone.
        """
        lines = self.render(moment)
        if lines:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()

    def render(self, moment: Moment) -> list[str]:
        """The lines."""
        return json_lines(moment, self._values)


class UdpLines(Output):
    """One JSON object in each UDP datagram."""

    def __init__(self, name: str, host: str, port: int, values: bool) -> None:
        """Say where to, and whether values are sent too, or events alone."""
        self.name, self._values = name, values
        self._datagrams = Datagrams(host, port)

    def open(self, ending: object) -> None:
        """Make the socket."""
        self._datagrams.open()

    def send(self, moment: Moment) -> None:
        """Send each line."""
        for line in self.render(moment):
            self._datagrams.send(line.encode())

    def close(self) -> None:
        """Close the socket."""
        self._datagrams.close()

    def render(self, moment: Moment) -> list[str]:
        """The lines."""
        return json_lines(moment, self._values)


def make(address: Address) -> Output:
    """From ``udp://HOST:PORT?values=yes|no`` or ``stdout:?values=yes|no``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values",))
    address.no_path()
    if address.scheme == "stdout":
        return StdoutLines("stdout", address.flag("values", default=False))
    host, port = address.need_host(None, "udp://127.0.0.1:7000")
    return UdpLines(address.name, host, port, address.flag("values", default=True))
