"""The URLs of ``--to``, taken apart and checked; each mistake has one line that says what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from ...models.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """A URL's parts.

    Attributes:
        name: the URL without its password, for messages.
        scheme: what kind of output.
        host: where to; empty where the URL names none.
        port: the URL's own, or None.
        path: what follows, without its first slash, decoded.
        user: name to log in with, or None.
        password: or None.
        options: what follows the question mark, decoded.
        kind: of event that drives it where the options name none.
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

    def wrong(self, what: str) -> UsageError:
        """The error for this URL."""
        return UsageError(f"--to {self.name}: {what}")

    def check_options(self, known: Sequence[str]) -> None:
        """Refuse an option that this kind of output does not have.

        Raises:
            UsageError: there is one; the message lists those that are known.
        """
        for option in self.options:
            if option not in known:
                listed = ", ".join(known) if known else "it has none"
                raise self.wrong(f"unknown option '{option}'; known: {listed}")

    def need_host(self, default_port: int | None, example: str) -> tuple[str, int]:
        """Host and port of a receiver; the host is this machine where the URL leaves it out.

        Raises:
            UsageError: no port, and none is usual.
        """
        port = self.port or default_port
        if port is None:
            raise self.wrong(f"the port is missing; write for example {example}")
        return self.host or "127.0.0.1", port

    def no_path(self) -> None:
        """Refuse a path.

        Raises:
            UsageError: there is one.
        """
        if self.path:
            raise self.wrong(f"nothing may follow the port but ?options, got '/{self.path}'")

    def choice(self, option: str, choices: Sequence[str], default: str) -> str:
        """An option that is one of a few words.

        Raises:
            UsageError: it is another.
        """
        value = self.options.get(option, default)
        if value not in choices:
            raise self.wrong(f"{option}: expected {' or '.join(choices)}, got '{value}'")
        return value

    def event_kind(self) -> str:
        """The kind of event that drives it: its option ``kind``.

        Raises:
            UsageError: there is no such kind.
        """
        return self.choice("kind", ("activity", "open"), self.kind)

    def flag(self, option: str, default: bool) -> bool:
        """An option that is yes or no.

        Raises:
            UsageError: it is neither.
        """
        return self.choice(option, ("yes", "no"), "yes" if default else "no") == "yes"

    def text(self, option: str, default: str) -> str:
        """An option that is any text but none.

        Raises:
            UsageError: it is empty.
        """
        value = self.options.get(option, default)
        if option in self.options and not value:
            raise self.wrong(f"{option}: is empty")
        return value


def parse_address(url: str) -> Address:
    """Take a URL apart.

    Raises:
        UsageError: it is no URL, its port is no port, or an option is given twice or without a value.
    """
    split = urlsplit(url)
    netloc = split.netloc.rpartition("@")
    name = url.replace(split.netloc, f"{netloc[0].partition(':')[0]}@{netloc[2]}", 1) if netloc[1] else url
    bare = Address(name, split.scheme, "", None, "", None, None, {})
    try:
        host, port = split.hostname or "", split.port
    except ValueError:
        raise bare.wrong("the port is no number from 1 to 65535") from None
    if port == 0 or split.netloc.endswith(":"):
        raise bare.wrong("the port is no number from 1 to 65535")
    try:
        pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=True) if split.query else []
    except ValueError:
        raise bare.wrong("options are written ?name=value&name=value") from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise bare.wrong("an option is given twice")
    user, password = (None if part is None else unquote(part) for part in (split.username, split.password))
    path = unquote(split.path.removeprefix("/"))
    return Address(name, split.scheme, host, port, path, user, password, options)
