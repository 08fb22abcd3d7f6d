"""Events and values as JSON, one object a line: on stdout and in UDP datagrams."""

import sys

from ...models.errors import SinkError
from ..lips.event_json import event_json, value_json
from .addresses import Address
from .output import Output
from .udp_sender import UdpSender
from .update import Update


def json_lines(update: Update, values: bool) -> list[str]:
    """Return an update's lines without line ends: its values, if wanted, then its events."""
    shown = update.values if values else ()
    lines = [value_json(v.face_id, update.time, v.openness, v.raw, v.activity) for v in shown]
    return lines + [event_json(event) for event in update.events]


class StdoutLines(Output):
    """JSON lines on stdout."""

    uses_stdout = True

    def __init__(self, name: str, values: bool) -> None:
        """Write values too, or events alone."""
        self.name, self._values = name, values

    def messages(self, update: Update) -> list[str]:
        """Return the lines."""
        return json_lines(update, self._values)

    def send(self, update: Update) -> None:
        """Write the lines and flush stdout.

        Raises:
            BrokenPipeError: the reader is gone.
            SinkError: they cannot be written, as where stdout is a file on a full disk.
        """
        lines = self.messages(update)
        if not lines:
            return
        try:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(f"{self.name}: cannot write it ({error.strerror}); free some space") from None


class UdpLines(Output):
    """One JSON object in each UDP datagram."""

    acknowledges = False

    def __init__(self, name: str, host: str, port: int, values: bool) -> None:
        """Send to a host and port, values too or events alone."""
        self.name, self._values = name, values
        self._sender = UdpSender(host, port)

    def open(self, is_ending: object) -> None:
        """Create the socket."""
        self._sender.open()

    def messages(self, update: Update) -> list[str]:
        """Return the text of each datagram."""
        return json_lines(update, self._values)

    def send(self, update: Update) -> None:
        """Send each line."""
        for line in self.messages(update):
            self._sender.send(line.encode())

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()


def make(address: Address) -> Output:
    """Make the output of ``udp://HOST:PORT?values=yes|no`` or ``stdout:?values=yes|no``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values",))
    address.refuse_path()
    if address.scheme == "stdout":
        return StdoutLines("stdout", address.flag("values", default=False))
    host, port = address.host_and_port(None, "udp://127.0.0.1:7000")
    return UdpLines(address.name, host, port, address.flag("values", default=True))
