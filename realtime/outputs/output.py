"""The base class of all outputs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from .mailbox import Mailbox
from .update import Update


class Output(ABC):
    """Sends updates to one receiver: an app, a device, a stream.

    A subclass sends in :meth:`send` and describes in :meth:`messages` what it sends. The other methods have defaults
    that do nothing. All methods but :meth:`prepare` and :meth:`messages` are called from one worker thread.

    Attributes:
        name: names the output in messages: its URL without a password.
        heartbeat_interval: seconds without an update after which the last slot is sent again; None: never.
        newest_only: whether older values that wait may be dropped.
        uses_stdout: whether it writes to stdout.
        acknowledges: whether its receiver answers, so that :meth:`open` or :meth:`send` fails when nothing is there.
            A receiver of UDP, for example, does not.
    """

    name: str = ""
    heartbeat_interval: float | None = None
    newest_only: bool = False
    uses_stdout: bool = False
    acknowledges: bool = True

    def prepare(self) -> None:  # noqa: B027  optional
        """Load libraries and check what can be checked. Called once, before the capture starts.

        Raises:
            MissingExtraError: its library is not installed.
            SinkError: it can never work here: its port is taken, there is no display.
        """

    def open(self, is_ending: Callable[[], bool]) -> None:  # noqa: B027  optional
        """Connect. Called again after a failure.

        Args:
            is_ending: returns whether the program ends; check it during a long wait.

        Raises:
            ReceiverError, OSError: the receiver does not answer; it will be tried again.
            RefusedError: the receiver refuses; it will not be tried again.
        """

    def wait_for_update(self, mailbox: Mailbox, timeout: float) -> Update | None:
        """Return the next update; None after ``timeout`` seconds.

        Override it in an output with an event loop of its own, which runs while it waits.
        """
        return mailbox.take(timeout)

    @abstractmethod
    def messages(self, update: Update) -> Sequence[object]:
        """Return what :meth:`send` sends for an update, in order, without a change of state.

        ``--dry-run`` prints the ``str()`` of each. Where only changes are sent, compare ``update.slot`` with
        ``update.previous``.
        """

    @abstractmethod
    def send(self, update: Update) -> None:
        """Send an update.

        Raises:
            ReceiverError, OSError: the receiver is gone; :meth:`close` and :meth:`open` come next.
        """

    def close(self) -> None:  # noqa: B027  optional
        """Release everything. Called after each failure and at the end. Raises nothing."""
