"""``mouth-live events``: lip events for other programs."""

from pathlib import Path
from typing import Any

import click

from .file_formats import EVENTS, FORMAT_NAMES, JSON, format_of
from .options import analysis_options, face_option, output_options, take_outputs, take_settings
from .output_files import OutputFile, keep_existing, overwrite_option, refuse_input


@click.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="Write a JSON line for each reading too.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    help="JSON lines at once, or intervals at the end: one tier for each face, in the time of the media's sound. "
    "Default: what the ending of OUT says, else json. Intervals are of --kind activity unless another kind is given.",
)
@click.option(
    "-o",
    "--output",
    type=OutputFile(),
    metavar="OUT",
    help=f"A file, whose ending chooses the format: {' '.join(EVENTS.endings)}; default: stdout.",
)
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
    format_name: str | None,
    overwrite: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write lip events for other programs: lips move as in talking (activity), or a mouth is held open (open).

    The limits (--on ... --pad) apply to the one kind that --preset or --kind selects, otherwise to open. Without --face
    everyone's events are written, each under its own face_id; --face anyone gives one stream with the face_id null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 -o talk.TextGrid                   for Praat; .eaf for ELAN, .srt for subtitles
    """  # noqa: D301
    if file and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    from ..video.recording_files import recording_path

    source = camera or "0" if file is None else recording_path(file)
    refuse_input([output], [source])
    format_name = format_of(output, EVENTS, _format_to_keep(ctx, format_name)) or JSON
    if options["values"] and format_name != JSON:
        raise click.UsageError(f"--values needs the format json, not {format_name}; for a table use mouth-live process")
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout already, or to -o OUT; leave it out")
    preset = options["preset"] or ""
    if format_name != JSON and not preset:
        options["kind"] = options["kind"] or "activity"
    keep_existing([output], overwrite)
    settings = take_settings(options)
    outputs = take_outputs(options, settings.limits)
    from .event_run import EventProduct, write_events

    product = EventProduct(format_name, output, preset=preset, **options)
    write_events(source, product, settings, outputs)


def _format_to_keep(ctx: click.Context, given: str | None) -> str | None:
    """Return the format that was asked for by name; None where it gives way to -o on the command line."""
    sources = [ctx.get_parameter_source(name) for name in ("format_name", "output")]
    from_file, typed = click.core.ParameterSource.DEFAULT_MAP, click.core.ParameterSource.COMMANDLINE
    return None if sources == [from_file, typed] else given
