"""The options that several commands share, each with one meaning."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ..lips.limits import DEFAULT_LIMITS, Kind, Limits
from ..sinks.drawing.themes import DEFAULT_THEME, THEMES
from .completion import complete_models, complete_profiles
from .limit_options import LIMIT_OPTIONS, take_limits
from .option_types import Bytes, FaceMode, Number

if TYPE_CHECKING:
    from ..outputs.output import Output
    from ..settings import AnalysisSettings

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
Option = Callable[[AnyFunction], AnyFunction]


CONFIG_PATH = "mouth_live.config_path"  # in a context's meta: the file of --config


def _read_config(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        from .config_file import read_config

        ctx.meta[CONFIG_PATH] = path
        ctx.default_map = read_config(path, cast("click.Group", ctx.find_root().command), ctx.command)


_PROFILE = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profiles,
    help="Rescale openness to this person's own range, measured with: mouth-live calibrate --profile NAME. It applies "
    "to every face. Limits that serve's page saved in it hold where no option gives others.",
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
            "--model",
            default="openness_compact",
            show_default=True,
            shell_complete=complete_models,
            help="Weights by name, or a .tflite file.",
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "gpu"]),
            default=device,
            show_default=True,
            help="Where the networks run; of live video, the openness network only. auto takes a GPU for much recorded "
            "video if Keras finds one.",
        ),
        click.option(
            "--gpu-memory",
            type=Bytes(),
            help="The most memory to take of each GPU, from 1M to 1024G, such as 4G; default: what the work needs.",
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
            type=Number(0, 1, min_open=True, max_open=True),
            default=0.4,
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


def analysis_options(device: str = "cpu", *, events: bool = False, profile: bool = True) -> Option[AnyFunction]:
    """Return a decorator that adds the options of the analysis; :func:`take_settings` reads them.

    Args:
        device: the default of ``--device``. A GPU takes longer than a CPU for a single face, so it is for recordings,
            which are read in batches.
        events: add the options for the limits of lip events.
        profile: add ``--profile``; ``calibrate`` has its own, the name to save under.
    """
    options = [*_analysis(device), *([_PROFILE] if profile else []), *(LIMIT_OPTIONS if events else []), _CONFIG]
    return lambda function: add_options(options, function)


def take_settings(options: dict[str, Any]) -> "AnalysisSettings":
    """Take the analysis options out of ``options`` and return them as settings.

    Args:
        options: the values of click; the analysis options are removed.

    Raises:
        click.UsageError: no weights have this name, or the limits contradict each other.
        ProfileError: there is no such profile.
    """
    from ..settings import AnalysisSettings

    given = {name: options.pop(name) for name in ("model", "device", "gpu_memory", "backend", "min_score", "min_face")}
    refuse_unknown_model(given["model"])
    if "preset" in options:
        given["limits"] = take_limits(options, _usual_limits(options.get("profile")))
    return AnalysisSettings(profile=options.pop("profile", None), **given)


def _usual_limits(profile: str | None) -> Mapping[Kind, Limits]:
    """Return the default limits, or in their place those of a profile that has some."""
    if profile is None:
        return DEFAULT_LIMITS
    from ..lips.profiles import load_profile

    return {**DEFAULT_LIMITS, **load_profile(profile).limits}


def refuse_unknown_model(name: str, option: str = "--model") -> None:
    """Raise a usage error where no shipped openness network has this name; a ``.tflite`` file is left to the loader."""
    if Path(name).suffix == ".tflite":
        return
    from ...models.weights_file import shipped_names

    known = shipped_names("openness")
    if name not in known:
        raise click.UsageError(f"{option} {name}: expected {', '.join(known)} or the path of a .tflite file")


face_option = click.option(
    "--face",
    type=FaceMode(),
    help="Who drives an output that has room for one face; kept until lost for 1 s. Default: largest.",
)

theme_option = click.option(
    "--theme",
    type=click.Choice(THEMES),
    default=DEFAULT_THEME,
    show_default=True,
    help="What is drawn. minimal: a bar below each face. broadcast: large values at the lower edge. debug: key points, "
    "the mouth as the network sees it, raw and smoothed curves, reliability.",
)


def refuse_unused_theme(is_used: bool, advice: str) -> None:
    """Refuse ``--theme`` on the command line where nothing is drawn.

    Args:
        is_used: whether something is drawn.
        advice: what to add, for the message.

    Raises:
        click.UsageError: it is given for nothing.
    """
    source = click.get_current_context().get_parameter_source("theme")
    if not is_used and source is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError(f"--theme: nothing is drawn; {advice}")


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
