"""A WebSocket connection to an app on this machine or in the local network: JSON objects both ways."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from ...models.errors import ClosedError, ReceiverError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

OPEN_TIMEOUT = 2.0  # s
CLOSE_TIMEOUT = 0.5  # s
ANSWER_TIMEOUT = 2.0  # s
END_CHECK_INTERVAL = 0.2  # s between checks whether the program ends

JsonObject = dict[str, Any]


class Connection:
    """An open connection."""

    def __init__(self, host: str, port: int, subprotocols: Sequence[str] = ()) -> None:
        """Connect.

        Raises:
            ReceiverError: nothing answers there as a WebSocket server.
        """
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect
        from websockets.typing import Subprotocol

        self._closing = ExitStack()
        where = f"[{host}]" if ":" in host else host
        try:
            opening = connect(
                f"ws://{where}:{port}",
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                compression=None,
                open_timeout=OPEN_TIMEOUT,
                close_timeout=CLOSE_TIMEOUT,
                proxy=None,  # directly to this address, whatever the environment says
            )
            self._connection: ClientConnection = self._closing.enter_context(opening)
        except (WebSocketException, ConnectionResetError):
            raise ReceiverError("something listens there, but does not answer as a WebSocket server") from None
        except ConnectionRefusedError:
            raise ReceiverError("nothing listens there") from None
        except TimeoutError:
            raise ReceiverError("no answer") from None

    def send(self, message: JsonObject) -> None:
        """Send an object.

        Raises:
            ReceiverError: the connection is closed.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(json.dumps(message))
        except ConnectionClosed as error:
            raise _closed(error) from None

    def receive(
        self, timeout: float = ANSWER_TIMEOUT, is_ending: Callable[[], bool] = lambda: False
    ) -> JsonObject | None:
        """Return the next object; None if none comes within ``timeout`` seconds, or if the program ends.

        Raises:
            ReceiverError: the connection is closed, or the message is no JSON object.
        """
        from websockets.exceptions import ConnectionClosed

        until = monotonic() + timeout
        while True:
            left = until - monotonic()
            try:
                text = self._connection.recv(timeout=max(0.0, min(left, END_CHECK_INTERVAL)))
            except TimeoutError:
                if left <= 0 or is_ending():
                    return None
                continue
            except ConnectionClosed as error:
                raise _closed(error) from None
            try:
                found: object = json.loads(text)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise ReceiverError("the answer is no JSON object")
            return cast("JsonObject", found)

    def close(self) -> None:
        """Close the connection."""
        self._closing.close()


def _closed(error: Any) -> ClosedError:  # noqa: ANN401
    frame = error.rcvd
    return ClosedError(frame.code, frame.reason) if frame else ClosedError(1006, "it broke off")
