"""Which outputs there are, and from URLs to outputs. Each is loaded when it is asked for."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from ...models.errors import UsageError
from .addresses import Address, parse_address
from .output import Output

# scheme: the module whose make(address) makes the output
SCHEMES = {
    "udp": "json_lines",
    "ws": "websocket_server",
    "osc": "osc",
    "vmc": "osc",
    "vts": "vtube_studio",
    "mqtt": "mqtt",
    "obs": "obs",
    "key": "keyboard",
}
STDOUT = "-"


def make_output(url: str, kind: str = "activity") -> Output:
    """The output that a URL names; nothing is opened.

    Args:
        url: as on the command line; ``-`` is JSON lines on stdout.
        kind: of event that drives an output which has one slot, where the URL names none.

    Raises:
        UsageError: no such scheme or preset, a missing port, an unknown option or key.
    """
    address = replace(parse_address("stdout:" if url == STDOUT else url), kind=kind)
    if url == STDOUT or address.scheme == "stdout":
        home = "json_lines"
    elif address.scheme in SCHEMES:
        home = SCHEMES[address.scheme]
    else:
        known = ", ".join(f"{scheme}{':' if scheme == 'key' else '://'}" for scheme in SCHEMES)
        raise UsageError(f"--to {address.name}: no such kind of output; known: {known}, and - for stdout")
    module = importlib.import_module(f".{home}", __package__)
    return cast("Callable[[Address], Output]", module.make)(address)


def make_outputs(
    to: Sequence[str],
    on_start: str | None = None,
    on_stop: str | None = None,
    dry_run: bool = False,
    kind: str = "activity",
) -> list[Output]:
    """All outputs of a run.

    Args:
        to: URLs.
        on_start: a command for each start of a face's lip activity, as a shell would split it.
        on_stop: a command for each stop.
        dry_run: print what would be sent instead.
        kind: of event that drives outputs with one slot and the commands.

    Raises:
        UsageError: as :func:`make_output`; a command that cannot be split; a dry run of nothing.
    """
    outputs = [make_output(url, kind) for url in to]
    if on_start or on_stop:
        from .commands import make_commands

        outputs.append(make_commands(on_start, on_stop, kind))
    if dry_run:
        from .dry_run import DryRun

        if not outputs:
            raise UsageError("--dry-run shows what --to, --on-start and --on-stop would send; none is given")
        return [DryRun(output) for output in outputs]
    return outputs
