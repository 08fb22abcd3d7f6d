"""The registry of outputs: from URL schemes to outputs. Each output is imported when a URL names it.

A package adds outputs with entry points in the group ``mouth_live.outputs``. Its name is the URL scheme, its value a
factory that takes an :class:`.Address` and returns an :class:`.Output`::

    [project.entry-points."mouth_live.outputs"]
    myscheme = "my_package:make_my_output"
"""

import importlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from ...models.errors import MouthLiveError, SinkError, UsageError
from .addresses import Address, parse_address
from .output import Output

log = logging.getLogger("mouth_live")

ENTRY_POINT_GROUP = "mouth_live.outputs"
STDOUT = "-"

# The built-in schemes; each module's make(address) makes the output.
MODULES = {
    "udp": "json_lines",
    "ws": "websocket_server",
    "osc": "osc",
    "vmc": "osc",
    "vts": "vtube_studio",
    "mqtt": "mqtt",
    "obs": "obs",
    "key": "keyboard",
    "stdout": "json_lines",
}

Factory = Callable[[Address], Output]


def make_output(url: str, kind: str = "activity") -> Output:
    """Make the output that a URL names; nothing is opened.

    Args:
        url: as on the command line; ``-`` is JSON lines on stdout.
        kind: of event that drives an output with room for one face, where the URL names none.

    Raises:
        UsageError: an unknown scheme, preset, option or key, or a missing port.
        SinkError: a package's output cannot be loaded, or two packages have the same scheme.
    """
    address = replace(parse_address("stdout:" if url == STDOUT else url), kind=kind)
    added = [found for found in entry_points(group=ENTRY_POINT_GROUP) if found.name == address.scheme]
    if address.scheme in MODULES:
        for entry_point in added:
            log.warning("--to %s: built in; the output of %s is not used", address.name, _package(entry_point))
        module = importlib.import_module(f".{MODULES[address.scheme]}", __package__)
        return cast("Factory", module.make)(address)
    if not added:
        raise UsageError(f"--to {address.name}: no such kind of output; known: {_known()}, and - for stdout")
    if len(added) > 1:
        packages = " and ".join(sorted(map(_package, added)))
        raise SinkError(f"--to {address.name}: {packages} both have this kind of output; uninstall one of them")
    return _make_added(added[0], address)


def make_outputs(
    to: Sequence[str],
    on_start: str | None = None,
    on_stop: str | None = None,
    dry_run: bool = False,
    kind: str = "activity",
) -> list[Output]:
    """Make all outputs of a run.

    Args:
        to: URLs.
        on_start: a command for each start of a face's events, as a shell would split it.
        on_stop: a command for each stop.
        dry_run: print what would be sent instead.
        kind: of event that drives the commands and the outputs with room for one face.

    Raises:
        UsageError, SinkError: as :func:`make_output`; a command that cannot be split; a dry run without outputs.
    """
    outputs = [make_output(url, kind) for url in to]
    if on_start or on_stop:
        from .event_commands import make_event_commands

        outputs.append(make_event_commands(on_start, on_stop, kind))
    if dry_run:
        from .dry_run import DryRun

        if not outputs:
            raise UsageError("--dry-run shows what --to, --on-start and --on-stop would send; none is given")
        return [DryRun(output) for output in outputs]
    return outputs


def _known() -> str:
    """Return the known schemes as a list for messages."""
    schemes = [scheme for scheme in MODULES if scheme != "stdout"]
    schemes += sorted({found.name for found in entry_points(group=ENTRY_POINT_GROUP)} - set(MODULES))
    return ", ".join(f"{scheme}:" if scheme == "key" else f"{scheme}://" for scheme in schemes)


def _make_added(entry_point: EntryPoint, address: Address) -> Output:
    """Make the output of another package.

    Raises:
        UsageError: as the package's factory raises it.
        SinkError: the package is broken.
    """
    try:
        made = cast("Callable[[Address], object]", entry_point.load())(address)
    except MouthLiveError:
        raise
    except Exception as error:  # noqa: BLE001  whatever another package may raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
    else:
        if isinstance(made, Output):
            if not made.name:
                made.name = address.name
            return made
        reason = f"expected an Output, got {type(made).__name__}"
    package = _package(entry_point)
    raise SinkError(f"--to {address.name}: the output of {package} is broken ({reason}); update or uninstall it")


def _package(entry_point: EntryPoint) -> str:
    """Return an entry point's package and version."""
    return f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist else entry_point.value
