"""The options that several commands share, each with one meaning."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ...models.errors import SinkError, UsageError
from ...models.whole_file import same_file
from ..lips.limits import ACTIVITY, DEFAULT_LIMITS, PRESETS, Kind, Limits

if TYPE_CHECKING:
    from ..outputs.output import Output
    from ..settings import AnalysisSettings

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
Option = Callable[[AnyFunction], AnyFunction]

JSON, BORIS = "json", "boris"
EVENT_FORMATS = (JSON, "textgrid", "audacity", "vtt", "srt", "elan", BORIS, "csv")
TABLE_FORMATS = ("csv", "parquet", "jsonl")

SECONDS_TYPE = click.FloatRange(0)
OFF_SHARE = ACTIVITY.off / ACTIVITY.on


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A picture size, such as 1280x720."""

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
    """A choice of the face that drives an output with room for one face."""

    name = "largest|centre|ID|anyone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Return the mode in lower case, after checking it."""
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
    help="Rescale openness to this person's own range, measured with: mouth-live calibrate --profile NAME. It applies "
    "to every face.",
)
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="Read options from this file; those on the command line take precedence.",
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
            help="Where the openness network runs. A GPU is faster for many videos at once; auto uses one if Keras "
            "finds it.",
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
            help="Ignore faces with a lower detection score.",
        ),
        click.option(
            "--min-face",
            type=click.IntRange(min=12),
            default=40,
            show_default=True,
            metavar="PIXELS",
            help="Find faces down to this width. Large frames are searched part by part, each part every 2 s while it "
            "changes; smaller faces take longer.",
        ),
    ]


_EVENTS: list[Option[Any]] = [
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="talk: lips move as in talking. switch: opened on purpose. yawn: wide open for over a second.",
    ),
    click.option("--kind", type=click.Choice(["activity", "open"]), help="Only events of this kind."),
    click.option("--on", type=float, help="Level from which an event starts (open: openness; activity: lip movement)."),
    click.option(
        "--off",
        type=float,
        help=f"Level below which it stops; default: 0.15 below --on, for activity {OFF_SHARE:.2g} of it.",
    ),
    click.option("--min-on", type=SECONDS_TYPE, help="Seconds above --on until it starts."),
    click.option("--min-off", type=SECONDS_TYPE, help="Seconds below --off until it stops."),
    click.option("--pad", type=SECONDS_TYPE, help="Seconds by which it begins earlier and ends later."),
]


def analysis_options(device: str = "cpu", *, events: bool = False, profile: bool = True) -> Option[AnyFunction]:
    """Return a decorator that adds the options of the analysis; :func:`take_settings` reads them.

    Args:
        device: the default of ``--device``. A GPU takes longer than a CPU for a single face, so it is for recordings,
            which are read in batches.
        events: add the options for the limits of lip events.
        profile: add ``--profile``; ``calibrate`` has its own, the name to save under.
    """
    options = [*_analysis(device), *([_PROFILE] if profile else []), *(_EVENTS if events else []), _CONFIG]
    return lambda function: add_options(options, function)


def take_settings(options: dict[str, Any]) -> "AnalysisSettings":
    """Take the analysis options out of ``options`` and return them as settings.

    Args:
        options: the values of click; the analysis options are removed.

    Raises:
        click.UsageError: the limits contradict each other.
    """
    from ..settings import AnalysisSettings

    given = {name: options.pop(name) for name in ("model", "device", "backend", "min_score", "min_face")}
    if "preset" in options:
        numbers = {name: options.pop(name) for name in ("on", "off", "min_on", "min_off", "pad")}
        given["limits"] = _limits(options.pop("preset"), options.pop("kind"), numbers)
    return AnalysisSettings(profile=options.pop("profile", None), **given)


def _limits(preset: str | None, kind: Kind | None, numbers: dict[str, float | None]) -> dict[Kind, Limits]:
    """Return the preset's limits, or the default ones, with the given numbers in place of theirs."""
    limits: dict[Kind, Limits] = dict(PRESETS[preset] if preset else DEFAULT_LIMITS)
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


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace output files that exist already.")


def dated(path: Path) -> Path:
    """Return the name of an output with the time filled in, as in ``take-%Y%m%d-%H%M%S.csv``."""
    return path if "%" not in path.name else path.with_name(datetime.now().strftime(path.name))


def keep_existing(source: Path | str, paths: Sequence[Path | None], overwrite: bool) -> None:
    """Refuse to replace the source, and without ``--overwrite`` files of an earlier run.

    Args:
        source: what is read.
        paths: output files; None and ``-`` (stdout) are left out.
        overwrite: whether the user asked for it.

    Raises:
        UsageError: one of them is the source.
        SinkError: one of them exists.
    """
    for path in paths:
        if path is None or str(path) == "-":
            continue
        if same_file(path, Path(source)):
            raise UsageError(f"{path}: the output would overwrite the input; give another name")
        if path.is_file() and not overwrite:
            name = f"{path.stem}-%Y%m%d-%H%M%S{path.suffix}"
            raise SinkError(f"{path}: exists already; --overwrite replaces it, a name such as {name} tells runs apart")


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
        help="Send to an app too; may be repeated: udp:// ws:// osc:// vmc:// vts:// mqtt:// obs:// key: or - "
        "(JSON lines on stdout). docs/outputs.md has an example of each.",
    ),
    click.option("--on-start", metavar="CMD", help="Run this, without a shell, when a face's lips become active."),
    click.option("--on-stop", metavar="CMD", help="Run this when they stop being active."),
    click.option("--dry-run", is_flag=True, help="Print what would be sent, as JSON lines, and send nothing."),
]


def output_options(function: AnyFunction) -> AnyFunction:
    """Add ``--to``, ``--on-start``, ``--on-stop`` and ``--dry-run`` to a command; :func:`take_outputs` reads them."""
    return add_options(_OUTPUTS, function)


def take_outputs(options: dict[str, Any], limits: Mapping[Kind, Limits] = DEFAULT_LIMITS) -> "list[Output]":
    """Take the output options out of ``options`` and return the outputs.

    Args:
        options: the values of click; the output options are removed.
        limits: the kinds of events that are detected. Keys, scenes and commands without a kind are driven by activity,
            where it is among them.

    Raises:
        UsageError: a URL or a command is wrong.
    """
    given = [options.pop(name) for name in ("to", "on_start", "on_stop", "dry_run")]
    if not any(given):
        return []
    from ..outputs.schemes import make_outputs

    return make_outputs(*given, kind="activity" if "activity" in limits else "open")


def add_options(options: list[Option[Any]], function: AnyFunction) -> AnyFunction:
    """Add options to a command, in their order."""
    for option in reversed(options):
        function = option(function)
    return function
