"""The options for outputs to apps, and for the config file that may hold them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from .options import AnyFunction

if TYPE_CHECKING:
    from ..outputs.output import Output


def output_options(function: AnyFunction) -> AnyFunction:
    """Add ``--to``, ``--on-start``, ``--on-stop`` and ``--dry-run``; :func:`take_outputs` reads them."""
    options = [
        click.option(
            "--to",
            multiple=True,
            metavar="URL",
            help="Send to an app too, as often as wanted: udp:// ws:// osc:// vmc:// vts:// mqtt:// obs:// key: or - "
            "(JSON lines on stdout). The README has an example of each.",
        ),
        click.option("--on-start", metavar="CMD", help="Run this, without a shell, when a face's lips become active."),
        click.option("--on-stop", metavar="CMD", help="Run this when they cease to be."),
        click.option("--dry-run", is_flag=True, help="Print what would be sent, as JSON lines, and send nothing."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def take_outputs(options: dict[str, Any], kind: str = "activity") -> "list[Output]":
    """Make the outputs and take their options out of ``options``.

    Args:
        options: as click gave them.
        kind: of event that drives keys, scenes and commands which do not name one.

    Raises:
        UsageError: a URL or a command is wrong.
    """
    given = [options.pop(name) for name in ("to", "on_start", "on_stop", "dry_run")]
    if not any(given):
        return []
    from ..outputs.schemes import make_outputs

    return make_outputs(*given, kind=kind)


def _read(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        from .config_file import read_config

        ctx.default_map = read_config(path, cast("click.Group", ctx.find_root().command), ctx.command)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    is_eager=True,
    expose_value=False,
    callback=_read,
    help="Take options from this file; those given here win.",
)
