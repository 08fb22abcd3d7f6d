"""The protocol that every output keeps."""

from collections.abc import Callable

from .mailbox import Mailbox
from .moments import Moment


class Output:
    """One place that moments go to. Its methods but ``prepare`` are called from one thread, its worker's.

    Attributes:
        name: what messages call it: its URL, without a password.
        heartbeat: seconds after which the last state is sent again when there is no news; None never.
        newest_only: whether older values that wait may be left out.
        uses_stdout: whether it writes to stdout.
    """

    name: str = ""
    heartbeat: float | None = None
    newest_only: bool = False
    uses_stdout: bool = False

    def prepare(self) -> None:
        """Load what it needs and check what can be checked; called once, before the capture starts.

        Raises:
            MissingExtraError: its library is not installed.
            SinkError: it can never work here: its port is taken, there is no display.
        """

    def open(self, ending: Callable[[], bool]) -> None:
        """Connect; called again after a failure.

        Args:
            ending: whether the program ends; a long wait looks at it.

        Raises:
            ReceiverError, OSError: the receiver does not answer; it will be tried again.
            RefusedError: it said no; it will not be tried again.
        """

    def take(self, mailbox: Mailbox, timeout: float) -> Moment | None:
        """Wait for the next moment, ``timeout`` seconds at most; an output with a loop of its own runs it meanwhile."""
        return mailbox.take(timeout)

    def send(self, moment: Moment) -> None:
        """Pass a moment on.

        Raises:
            ReceiverError, OSError: the receiver has gone; :meth:`open` comes next.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release everything; called after each failure and at the end. Raises nothing."""

    def render(self, moment: Moment) -> list[str]:
        """What :meth:`send` would send, as text for ``--dry-run``."""
        raise NotImplementedError
