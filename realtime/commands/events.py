"""``mouth-live events``: lip events for other programs."""

from pathlib import Path
from typing import Any

import click

from .file_formats import EVENTS, FORMAT_NAMES, JSON, format_of_output
from .options import analysis_options, face_option, output_options, take_outputs, take_settings
from .output_files import dated, keep_existing, refuse_input
from .recordings_options import recordings_options, take_run_options


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT...]")
@click.option("--camera", metavar="SOURCE", help="A camera instead of recordings.")
@click.option("--values", is_flag=True, help="Write a JSON line for each reading too.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    help="JSON lines at once, or intervals at the end: one tier for each face, in the time of the media's sound. "
    "Default: what the ending of OUT says, else json. Intervals are of --kind activity unless another kind is given; "
    "boris has both.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help=f"A camera or one recording: a file, whose ending chooses the format: {' '.join(EVENTS.endings)}; default: "
    "stdout. Several: a folder; default: the current one.",
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
    format_name: str | None,
    values: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write lip events for other programs: lips move as in talking (activity), or a mouth is held open (open).

    The limits (--on ... --pad) apply to the one kind that --preset or --kind selects, otherwise to open. Without --face
    everyone's events are written, each under its own face_id; --face anyone gives one stream with the face_id null.

    \b
    mouth-live events talk.mp4                                    JSON lines: {"type": "start", ...
    mouth-live events --camera 0 --preset talk --face largest     for a push-to-talk key
    mouth-live events talk.mp4 -o talk.TextGrid                   for Praat; .eaf for ELAN, .srt for subtitles
    mouth-live events recordings/ --format elan -o marks/         a folder, its structure kept
    """  # noqa: D301
    if inputs and camera and ctx.get_parameter_source("camera") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give a FILE or --camera, not both")
    from ..video.recording_files import recording_path
    from .recordings.inputs import names_several

    several = bool(inputs) and names_several(inputs)
    source = recording_path(inputs[0]) if inputs else camera or "0"
    if output is not None and not several:
        refuse_input([Path(output)], [source])
    chosen = format_of_output(output, EVENTS, _format_to_keep(ctx, format_name), several) or JSON
    if values and chosen != JSON:
        raise click.UsageError(f"--values needs the format json, not {chosen}; for a table use mouth-live process")
    if "-" in options["to"]:
        raise click.UsageError("--to -: events writes its lines to stdout already, or to -o OUT; leave it out")
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
        write_recordings(inputs, Wanted("events", chosen, output), several, products, settings, run, exclude)
        return
    outputs = take_outputs(options | {"dry_run": dry_run}, settings.limits)
    target = Target("events", chosen, "-" if output in (None, "-") else dated(Path(output)))
    keep_existing([Path(target.path)], run.overwrite)
    write_events(source, target, products, settings, outputs)


def _format_to_keep(ctx: click.Context, given: str | None) -> str | None:
    """Return the format that was asked for by name; None where it gives way to -o on the command line."""
    sources = [ctx.get_parameter_source(name) for name in ("format_name", "output")]
    from_file, typed = click.core.ParameterSource.DEFAULT_MAP, click.core.ParameterSource.COMMANDLINE
    return None if sources == [from_file, typed] else given
