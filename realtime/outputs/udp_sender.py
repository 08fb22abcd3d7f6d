"""UDP to one receiver."""

import socket

from ...models.errors import ReceiverError


class UdpSender:
    """A UDP socket that sends to one address, and notices when nothing listens there."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address; :meth:`open` resolves it."""
        self._host, self._port = host, port
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Resolve the host and create the socket.

        Raises:
            ReceiverError: the host has no address.
        """
        try:
            family, kind, _, _, where = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
        except socket.gaierror:
            raise ReceiverError(f"no host is called '{self._host}'") from None
        self._socket = socket.socket(family, kind)
        self._socket.connect(where)

    def send(self, data: bytes) -> None:
        """Send one datagram.

        Raises:
            ReceiverError: the receiver's machine reports that nothing listens there (this machine does so at once).
            OSError: the network is down, or the datagram is too large.
        """
        if self._socket is None:
            raise ReceiverError("is closed")
        try:
            self._socket.send(data)
            problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except (ConnectionRefusedError, ConnectionResetError):
            problem = 1
        if problem:
            raise ReceiverError("nothing listens there")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
