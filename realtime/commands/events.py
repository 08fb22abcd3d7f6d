"""``mouth-live events``: lip events for other programs."""

from pathlib import Path
from typing import Any

import click

from .options import (
    BORIS,
    FORMAT_NAMES,
    JSON,
    analysis_options,
    dated,
    face_option,
    keep_existing,
    output_options,
    overwrite_option,
    take_outputs,
    take_settings,
)


@click.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="Write a JSON line for each reading too.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    default=JSON,
    show_default=True,
    help="JSON lines at once, or intervals at the end: one tier for each face, in the time of the media's sound. "
    "Intervals are of --kind activity unless another kind is given; boris has both.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="A file; default: stdout.")
@overwrite_option
@analysis_options(events=True)
@face_option
@output_options
@click.pass_context
def events(
    ctx: click.Context,
    file: str | None,
    camera: str | None,
    output: Path | None,
    format_name: str,
    overwrite: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write lip events for other programs: lips move as in talking (activity), or a mouth is held open (open).

    The limits (--on ... --pad) apply to the one kind that --preset or --kind selects, otherwise to open. Without --face
    everyone's events are written, each under its own face_id; --face anyone gives one stream with the face_id null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 --format textgrid -o talk.TextGrid     for Praat
    """  # noqa: D301
    if file and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    from ..video.recording_files import recording_path

    source, output = camera or "0" if file is None else recording_path(file), dated(output)
    if options["values"] and format_name != JSON:
        raise click.UsageError("--values needs --format json; for a table of values use mouth-live process")
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout already, or to -o OUT; leave it out")
    preset = options["preset"] or ""
    if format_name not in (JSON, BORIS) and not preset:  # on a tier, intervals of two kinds would overlap
        options["kind"] = options["kind"] or "activity"
    keep_existing(source, [output], overwrite)
    settings = take_settings(options)
    outputs = take_outputs(options, settings.limits)
    from .event_run import EventProduct, write_events

    product = EventProduct(format_name, output, preset=preset, **options)
    write_events(source, product, settings, outputs)
