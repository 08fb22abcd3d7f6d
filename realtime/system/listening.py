"""Take a TCP port to serve at, with one clear line where that cannot be."""

import os
import socket
from errno import EADDRNOTAVAIL


def listening_socket(
    host: str, port: int, send_buffer: int, name: str = "", options: tuple[str, str] = ("host", "port")
) -> socket.socket:
    """Take a port.

    Args:
        host: the address, or a name of this machine.
        port: the TCP port; 0 takes any free one.
        send_buffer: bytes of the system for one client; by default it would hold megabytes of stale messages.
        name: what listens, for the message; by default host and port.
        options: what the user calls the host and the port, for the message.

    Raises:
        OSError: the port is taken, or the address is none of this machine; its message says so, and what to do.
    """
    of_host, of_port = options
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:  # Unicode: a name that no network has, such as "a..b"
        reason = error.strerror if isinstance(error, socket.gaierror) else "not a host name"
        raise OSError(f"{host}: no such address ({reason}); choose another {of_host}, such as 127.0.0.1") from None
    try:
        taken = socket.create_server(where[:2], family=family)
    except OSError as error:
        if error.errno == EADDRNOTAVAIL:
            raise OSError(f"{host}: not an address of this machine; choose another {of_host}") from None
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror  # create_server's own repeats the address
        raise OSError(f"{name or f'{host}:{port}'}: cannot listen there ({reason}); choose another {of_port}") from None
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)  # its clients inherit it
    return taken
