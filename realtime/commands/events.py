"""``mouth-live events``: lip events for other programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..lips.limits import ACTIVITY, DEFAULT, PRESETS, Kind, Limits
from .options import face_option, model_option, profile_option
from .output_options import config_option, output_options, take_outputs

FORMATS = ("json", "textgrid", "audacity", "vtt", "srt", "elan", "csv")
SECONDS = click.FloatRange(0)
OFF_SHARE = ACTIVITY.off / ACTIVITY.on


@click.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="One JSON line for each reading too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="json",
    show_default=True,
    help="JSON lines as it happens, or at the end intervals, one tier a face, in the media's time as its sound.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="A file; default: stdout.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="talk: lips moving as in talking. switch: opened on purpose. yawn: wide for over a second.",
)
@click.option("--kind", type=click.Choice(["activity", "open"]), help="This kind alone; intervals: default activity.")
@click.option("--on", type=float, help="Level from which it starts (open: openness; activity: the lips' to-and-fro).")
@click.option(
    "--off",
    type=float,
    help=f"Level below which it stops; default: 0.15 below --on, activity: {OFF_SHARE:.2g} of it.",
)
@click.option("--min-on", type=SECONDS, help="Seconds above --on until it starts.")
@click.option("--min-off", type=SECONDS, help="Seconds below --off until it stops.")
@click.option("--pad", type=SECONDS, help="Seconds by which it begins earlier and ends later.")
@face_option
@profile_option
@model_option
@output_options
@config_option
@click.pass_context
def events(
    ctx: click.Context,
    file: str | None,
    camera: str | None,
    preset: str | None,
    kind: Kind | None,
    form: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """Lip events for other programs: when lips move as in talking (activity), and when a mouth is held open (open).

    The limits (--on ... --pad) are those of the one kind that --preset or --kind asks for, else those of open. Without
    --face everyone's events are told, each under its own face_id; --face anyone tells one stream under null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 --format textgrid -o talk.TextGrid     for Praat
    """  # noqa: D301
    from .event_lines import EventSettings, write_events

    if file and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    output: Path | None = options.pop("output")
    if file and output and output.resolve() == Path(file).resolve():
        raise click.UsageError(f"{output}: the output would overwrite the input; give another -o")
    if options["values"] and form != "json":
        raise click.UsageError("--values goes with JSON lines; for a table of values: mouth-live process")
    numbers = {name: options.pop(name) for name in ("on", "off", "min_on", "min_off", "pad")}
    if form != "json" and preset is None:
        kind = kind or "activity"
    limits = _limits(preset, kind, numbers)
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout anyway, or to -o OUT")
    outputs = take_outputs(options, kind=_kind_of_outputs(limits))
    write_events(
        EventSettings(
            file,
            camera or "0",
            limits=limits,
            format=form,
            output=None if str(output) == "-" else output,
            preset=preset or "",
            outputs=outputs,
            **options,
        )
    )


def _kind_of_outputs(limits: Mapping[Kind, Limits]) -> Kind:
    """What drives keys, scenes and commands that name no kind: activity where it is watched for."""
    return "activity" if "activity" in limits else "open"


def _limits(preset: str | None, kind: Kind | None, numbers: dict[str, float | None]) -> dict[Kind, Limits]:
    """The preset's limits, or the defaults, with the numbers that were given."""
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
