"""The options that several commands have, each with one meaning."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ..lips.limits import ACTIVITY, DEFAULT, PRESETS, Kind, Limits

if TYPE_CHECKING:
    from ..outputs.output import Output
    from ..settings import AnalysisSettings

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
Option = Callable[[AnyFunction], AnyFunction]

SECONDS = click.FloatRange(0)
OFF_SHARE = ACTIVITY.off / ACTIVITY.on


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """WIDTHxHEIGHT, such as 1280x720."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        """Return (width, height) in pixels."""
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        width, _, height = str(value).lower().partition("x")
        if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
            self.fail(f"expected WIDTHxHEIGHT such as 1280x720, got {value!r}", param, ctx)
        return int(width), int(height)


class FaceMode(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """Who drives an output with one slot."""

    name = "largest|centre|ID|anyone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Return the mode as it is, checked."""
        text = str(value).lower()
        if text not in ("largest", "centre", "anyone") and not (text.isascii() and text.isdigit()):
            self.fail(f"expected largest, centre, anyone or a face id such as 0, got {value!r}", param, ctx)
        return text


def _read_config(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        from .config_file import read_config

        ctx.default_map = read_config(path, cast("click.Group", ctx.find_root().command), ctx.command)


_PROFILE = click.option(
    "--profile",
    metavar="NAME",
    help="Fit openness to this person's own range, measured with: mouth-live calibrate --profile NAME. It is used for "
    "every face.",
)
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="Take options from this file; those given here win.",
)


def _analysis(device: str) -> list[Option[Any]]:
    return [
        click.option(
            "--model", default="openness_compact", show_default=True, help="Weights by name, or a .tflite file."
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "gpu"]),
            default=device,
            show_default=True,
            help="Where the openness network runs. A GPU pays for many videos at once; auto takes one that Keras sees.",
        ),
        click.option(
            "--backend",
            type=click.Choice(["litert", "mediapipe"]),
            default="litert",
            show_default=True,
            help="The face detector. mediapipe (extra [mediapipe]) reports its use to Google over the network; litert "
            "sends nothing.",
        ),
        click.option(
            "--min-score",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.5,
            show_default=True,
            help="Leave out faces that the detector scores lower.",
        ),
        click.option(
            "--min-face",
            type=click.IntRange(min=12),
            default=40,
            show_default=True,
            metavar="PIXELS",
            help="Find faces down to this width. Large frames are searched part by part, each every 2 s while it "
            "changes; smaller takes longer.",
        ),
    ]


_EVENTS: list[Option[Any]] = [
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="talk: lips moving as in talking. switch: opened on purpose. yawn: wide for over a second.",
    ),
    click.option("--kind", type=click.Choice(["activity", "open"]), help="Events of this kind alone."),
    click.option(
        "--on", type=float, help="Level from which an event starts (open: openness; activity: the lips' to-and-fro)."
    ),
    click.option(
        "--off",
        type=float,
        help=f"Level below which it stops; default: 0.15 below --on, activity: {OFF_SHARE:.2g} of it.",
    ),
    click.option("--min-on", type=SECONDS, help="Seconds above --on until it starts."),
    click.option("--min-off", type=SECONDS, help="Seconds below --off until it stops."),
    click.option("--pad", type=SECONDS, help="Seconds by which it begins earlier and ends later."),
]


def analysis_options(device: str = "cpu", *, events: bool = False, profile: bool = True) -> Option[AnyFunction]:
    """Add what every command that analyses frames has; :func:`take_settings` reads it.

    Args:
        device: the default of ``--device``: a GPU reads a single face later than a CPU, so that it is for recordings,
            which come in batches.
        events: add the limits of lip events.
        profile: add ``--profile``; ``calibrate`` has its own, the name to save.
    """
    options = [*_analysis(device), *([_PROFILE] if profile else []), *(_EVENTS if events else []), _CONFIG]
    return lambda function: _with(options, function)


def take_settings(options: dict[str, Any]) -> "AnalysisSettings":
    """Take the analysis options out of ``options`` and return them as settings.

    Args:
        options: as click gave them.

    Raises:
        click.UsageError: limits that do not go together.
    """
    from ..settings import AnalysisSettings

    given = {name: options.pop(name) for name in ("model", "device", "backend", "min_score", "min_face")}
    if "preset" in options:
        numbers = {name: options.pop(name) for name in ("on", "off", "min_on", "min_off", "pad")}
        given["limits"] = _limits(options.pop("preset"), options.pop("kind"), numbers)
    return AnalysisSettings(profile=options.pop("profile", None), **given)


def _limits(preset: str | None, kind: Kind | None, numbers: dict[str, float | None]) -> dict[Kind, Limits]:
    """Return the preset's limits, or the defaults, with the numbers that were given."""
    limits: dict[Kind, Limits] = dict(PRESETS[preset] if preset else DEFAULT)
    if kind is not None:
        if kind not in limits:
            raise click.UsageError(f"--preset {preset} has no {kind} events; leave --kind out")
        limits = {kind: limits[kind]}
    given = {name: value for name, value in numbers.items() if value is not None}
    if not given:
        return limits
    which: Kind = next(iter(limits)) if len(limits) == 1 else "open"
    old = limits[which]
    if "on" in given and "off" not in given:
        given["off"] = given["on"] - 0.15 if which == "open" else OFF_SHARE * given["on"]
    values = {"on": old.on, "off": old.off, "min_on": old.min_on, "min_off": old.min_off, "pad": old.pad} | given
    try:
        limits[which] = Limits(**values)
    except ValueError as error:
        raise click.UsageError(f"limits of {which}: {error}") from None
    return limits


face_option = click.option(
    "--face",
    type=FaceMode(),
    help="Who drives an output that has room for one face; kept until lost for 1 s. Default: largest.",
)

_OUTPUTS: list[Option[Any]] = [
    click.option(
        "--to",
        multiple=True,
        metavar="URL",
        help="Send to an app too, as often as wanted: udp:// ws:// osc:// vmc:// vts:// mqtt:// obs:// key: or - "
        "(JSON lines on stdout). docs/outputs.md has an example of each.",
    ),
    click.option("--on-start", metavar="CMD", help="Run this, without a shell, when a face's lips become active."),
    click.option("--on-stop", metavar="CMD", help="Run this when they cease to be."),
    click.option("--dry-run", is_flag=True, help="Print what would be sent, as JSON lines, and send nothing."),
]


def output_options(function: AnyFunction) -> AnyFunction:
    """Add ``--to``, ``--on-start``, ``--on-stop`` and ``--dry-run``; :func:`take_outputs` reads them."""
    return _with(_OUTPUTS, function)


def take_outputs(options: dict[str, Any], limits: Mapping[Kind, Limits] = DEFAULT) -> "list[Output]":
    """Take the output options out of ``options`` and return the outputs.

    Args:
        options: as click gave them.
        limits: the kinds of events that are watched for. Keys, scenes and commands that name no kind are driven by
            activity, where it is among them.

    Raises:
        UsageError: a URL or a command is wrong.
    """
    given = [options.pop(name) for name in ("to", "on_start", "on_stop", "dry_run")]
    if not any(given):
        return []
    from ..outputs.schemes import make_outputs

    return make_outputs(*given, kind="activity" if "activity" in limits else "open")


def _with(options: list[Option[Any]], function: AnyFunction) -> AnyFunction:
    for option in reversed(options):
        function = option(function)
    return function
