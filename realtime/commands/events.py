"""``mouth-live events``: lip events for other programs."""

from pathlib import Path
from typing import Any

import click

from .options import analysis_options, face_option, output_options, take_outputs, take_settings

JSON = "json"
FORMATS = (JSON, "textgrid", "audacity", "vtt", "srt", "elan", "csv")


@click.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="One JSON line for each reading too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=JSON,
    show_default=True,
    help="JSON lines as they happen, or at the end intervals, one tier a face, in the time of the media's sound. "
    "Intervals are of --kind activity, where no other is asked for.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="A file; default: stdout.")
@analysis_options(events=True)
@face_option
@output_options
@click.pass_context
def events(
    ctx: click.Context,
    file: str | None,
    camera: str | None,
    output: Path | None,
    form: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """Lip events for other programs: when lips move as in talking (activity), and when a mouth is held open (open).

    The limits (--on ... --pad) are those of the one kind that --preset or --kind asks for, else those of open. Without
    --face everyone's events are written, each under its own face_id; --face anyone gives one stream under null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 --format textgrid -o talk.TextGrid     for Praat
    """  # noqa: D301
    if file and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    if file and output and output.resolve() == Path(file).resolve():
        raise click.UsageError(f"{output}: the output would overwrite the input; give another -o")
    if options["values"] and form != JSON:
        raise click.UsageError("--values goes with JSON lines; for a table of values: mouth-live process")
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout anyway, or to -o OUT")
    preset = options["preset"] or ""
    if form != JSON and not preset:
        options["kind"] = options["kind"] or "activity"
    settings = take_settings(options)
    outputs = take_outputs(options, settings.limits)
    from .event_run import EventProduct, write_events

    product = EventProduct(form, output, preset=preset, **options)
    write_events(camera or "0" if file is None else Path(file), product, settings, outputs)
