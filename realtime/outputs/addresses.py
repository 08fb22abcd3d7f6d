"""The URLs of ``--to``, parsed and checked; each mistake gives one line that says what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from ...models.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL.

    Attributes:
        name: the URL without its password, for messages.
        scheme: names the kind of output, in lower case.
        host: of the receiver; empty if the URL has none.
        port: of the receiver; None if the URL has none.
        path: decoded, without its first slash.
        user: to log in as; None if the URL has none.
        password: to log in with; None if the URL has none.
        options: after the question mark, by name, decoded.
        kind: of event that drives the output where the options name none.
    """

    name: str
    scheme: str
    host: str
    port: int | None
    path: str
    user: str | None
    password: str | None
    options: Mapping[str, str]
    kind: str = "activity"

    def error(self, what: str) -> UsageError:
        """Return the error to raise for this URL."""
        return UsageError(f"--to {self.name}: {what}")

    def check_options(self, known: Sequence[str]) -> None:
        """Check that each option is one that this kind of output has.

        Raises:
            UsageError: one is not; the message lists those that are known.
        """
        for option in self.options:
            if option not in known:
                listed = ", ".join(known) if known else "it has none"
                raise self.error(f"unknown option '{option}'; known: {listed}")

    def host_and_port(self, default_port: int | None, example: str) -> tuple[str, int]:
        """Return the receiver's host and port; without a host it is this machine.

        Args:
            default_port: the usual port; None if there is none.
            example: a right URL, for the message.

        Raises:
            UsageError: there is no port, and no usual one.
        """
        port = self.port or default_port
        if port is None:
            raise self.error(f"the port is missing; write for example {example}")
        return self.host or "127.0.0.1", port

    def refuse_path(self) -> None:
        """Check that the URL has no path.

        Raises:
            UsageError: it has one.
        """
        if self.path:
            raise self.error(f"nothing may follow the port but ?options, got '/{self.path}'")

    def choice(self, option: str, choices: Sequence[str], default: str) -> str:
        """Return an option that must be one of a few words.

        Raises:
            UsageError: it is not one of them.
        """
        value = self.options.get(option, default)
        if value not in choices:
            raise self.error(f"{option}: expected {' or '.join(choices)}, got '{value}'")
        return value

    def event_kind(self) -> str:
        """Return the kind of event that drives the output: its option ``kind``, else :attr:`kind`.

        Raises:
            UsageError: there is no such kind.
        """
        return self.choice("kind", ("activity", "open"), self.kind)

    def flag(self, option: str, default: bool) -> bool:
        """Return an option that must be yes or no.

        Raises:
            UsageError: it is neither.
        """
        return self.choice(option, ("yes", "no"), "yes" if default else "no") == "yes"

    def text(self, option: str, default: str) -> str:
        """Return an option that may be any text but an empty one.

        Raises:
            UsageError: it is empty.
        """
        value = self.options.get(option, default)
        if option in self.options and not value:
            raise self.error(f"{option}: is empty")
        return value


def parse_address(url: str) -> Address:
    """Parse a URL.

    Raises:
        UsageError: its port is no port, or an option is given twice or without a value.
    """
    split = urlsplit(url)
    netloc = split.netloc.rpartition("@")
    name = url.replace(split.netloc, f"{netloc[0].partition(':')[0]}@{netloc[2]}", 1) if netloc[1] else url
    bare = Address(name, split.scheme, "", None, "", None, None, {})
    try:
        host, port = split.hostname or "", split.port
    except ValueError:
        raise bare.error("the port is no number from 1 to 65535") from None
    if port == 0 or split.netloc.endswith(":"):
        raise bare.error("the port is no number from 1 to 65535")
    try:
        pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=True) if split.query else []
    except ValueError:
        raise bare.error("options are written ?name=value&name=value") from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise bare.error("an option is given twice")
    user, password = (None if part is None else unquote(part) for part in (split.username, split.password))
    path = unquote(split.path.removeprefix("/"))
    return Address(name, split.scheme, host, port, path, user, password, options)
