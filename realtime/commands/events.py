"""``mouth-live events``: lip events for other programs."""

from pathlib import Path
from typing import Any

import click

from .options import (
    EVENT_FORMATS,
    JSON,
    analysis_options,
    dated,
    face_option,
    keep_existing,
    output_options,
    take_outputs,
    take_settings,
)
from .recordings_options import recordings_options, take_run_options


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT...]")
@click.option("--camera", metavar="SOURCE", help="A camera instead of recordings.")
@click.option("--values", is_flag=True, help="Write a JSON line for each reading too.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(EVENT_FORMATS),
    default=JSON,
    show_default=True,
    help="JSON lines at once, or intervals at the end: one tier for each face, in the time of the media's sound. "
    "Intervals are of --kind activity unless another kind is given; boris has both.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="A camera or one recording: a file; default: stdout. Several: a folder; default: the current one.",
)
@recordings_options
@analysis_options(events=True)
@face_option
@output_options
@click.pass_context
def events(
    ctx: click.Context,
    inputs: tuple[str, ...],
    camera: str | None,
    output: str | None,
    format_name: str,
    values: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write lip events for other programs: lips move as in talking (activity), or a mouth is held open (open).

    The limits (--on ... --pad) apply to the one kind that --preset or --kind selects, otherwise to open. Without --face
    everyone's events are written, each under its own face_id; --face anyone gives one stream with the face_id null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 --format textgrid -o talk.TextGrid     for Praat
    mouth-live events recordings/ --format elan -o marks/         a folder, its structure kept
    """  # noqa: D301
    if inputs and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    if values and format_name != JSON:
        raise click.UsageError("--values needs --format json; for a table of values use mouth-live process")
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout already, or to -o OUT; leave it out")
    from ..video.recording_files import recording_path
    from .event_run import write_events, write_recordings
    from .recordings.plan import Wanted
    from .recordings.products import ProductOptions, Target

    sends = bool(options["to"] or options["on_start"] or options["on_stop"])
    if sends and len(inputs) > 1:
        raise click.UsageError("apps follow one recording at a time; give a single FILE with --to and --on-start")
    kind = options["kind"] or (None if options["preset"] else "activity")
    preset, dry_run = options["preset"] or "", options["dry_run"]
    settings = take_settings(options)
    run, exclude, track = take_run_options(options)
    products = ProductOptions(track=track, values=values, face=options["face"], preset=preset, interval_kind=kind)
    if run.cluster and (sends or not inputs):
        raise click.UsageError("--cluster is for recordings; leave out --camera, --to, --on-start and --on-stop")
    if inputs and not sends:
        write_recordings(inputs, Wanted("events", format_name, output), products, settings, run, exclude)
        return
    outputs = take_outputs(options | {"dry_run": dry_run}, settings.limits)
    source = recording_path(inputs[0]) if inputs else camera or "0"
    target = Target("events", format_name, "-" if output in (None, "-") else dated(Path(output)))
    keep_existing(source, [Path(target.path)], run.overwrite)
    write_events(source, target, products, settings, outputs)
