"""Who may talk to the server: this machine's own pages, or whoever knows the token.

A page of another site that the user happens to open must learn nothing. It is stopped by its Origin; where it has
pointed a name of its own at this machine (DNS rebinding), by the Host header.
"""

import secrets
import socket
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs
from aiohttp.web import Request

TOKEN_BYTES = 16
MIN_TOKEN_LENGTH = 16  # of a token that the user chose
UNSPECIFIED = ("0.0.0.0", "::", "")  # all addresses of the machine


def is_loopback(host: str) -> bool:
    """Return whether an address to listen at can be reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def new_token() -> str:
    """Return a random token, as it stands in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Access:
    """The rules for one server."""

    def __init__(self, host: str, token: str = "") -> None:
        """Set the rules.

        Args:
            host: the address to listen at.
            token: the first part of each path; empty for none.
        """
        self._token = token
        self._names = {"localhost"}
        if not is_loopback(host):
            name = socket.gethostname().lower()
            self._names |= {host.lower(), name, f"{name}.local"}
        self._only_loopback = is_loopback(host)

    @property
    def prefix(self) -> str:
        """The part of each path that comes before the page's name, ending in a slash."""
        return f"/{self._token}/" if self._token else "/"

    def allows(self, request: Request) -> bool:
        """Return whether a request may be answered."""
        return self._knows_token(request.path) and self._is_for_us(request) and self._is_from_us(request)

    def _knows_token(self, path: str) -> bool:
        return not self._token or compare_digest(path.split("/")[1].encode(), self._token.encode())

    def _is_for_us(self, request: Request) -> bool:
        """Return whether the request names this machine: by address, or by a name that nobody else can own."""
        hosts = request.headers.getall(hdrs.HOST, [])
        if len(hosts) != 1:
            return False
        name = _hostname(f"//{hosts[0]}")
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._only_loopback

    def _is_from_us(self, request: Request) -> bool:
        """Return whether no page of another origin makes the request; opening ours by a link is no such request."""
        origins = request.headers.getall(hdrs.ORIGIN, [])
        own = f"http://{request.headers[hdrs.HOST]}".lower()
        if any(origin.lower() != own for origin in origins):
            return False
        from_elsewhere = request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
        return not from_elsewhere or request.headers.get("Sec-Fetch-Mode") == "navigate"


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
