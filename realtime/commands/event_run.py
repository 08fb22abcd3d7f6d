"""The work of ``mouth-live events``: recordings by the plan of a run, a camera by a session of its own."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...models.errors import IncompleteVideoError
from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..session import open_session
from ..settings import AnalysisSettings
from ..sinks.missing_face import MissingFace
from ..sinks.progress import Progress
from .file_formats import STDOUT
from .output_files import dated
from .recordings.plan import Wanted, plan_jobs
from .recordings.products import ProductOptions, Target, make_sink
from .recordings.run import RunOptions, process_recordings

log = logging.getLogger("mouth_live")


def write_recordings(
    inputs: Sequence[str],
    wanted: Wanted,
    several: bool,
    options: ProductOptions,
    settings: AnalysisSettings,
    run: RunOptions,
    exclude: Sequence[str] = (),
) -> None:
    """Write the events of recordings, of a single one to stdout unless a file is given.

    Args:
        inputs: the recordings, as :func:`.plan_jobs` takes them.
        wanted: the format, and where to.
        several: whether the inputs can name several recordings.
        options: how to write them.
        settings: the settings of the analysis.
        run: how to go about it.
        exclude: patterns of recordings to leave out.

    Raises:
        MouthLiveError: as :func:`.process_recordings`.
    """
    if not several:
        output = STDOUT if wanted.output in (None, STDOUT) else str(dated(Path(wanted.output)))
        wanted = replace(wanted, output=output)
    jobs = plan_jobs(inputs, [wanted], several, exclude)
    process_recordings(jobs, options, settings, run, Path(wanted.output or ".") if several else None)


def write_events(
    source: Path | str,
    target: Target,
    options: ProductOptions,
    settings: AnalysisSettings,
    outputs: Sequence[Output] = (),
) -> None:
    """Write the events of a camera, which Ctrl-C ends, or of a recording whose events go to apps as well.

    Args:
        source: the path of a recording, or a camera as text, as on the command line.
        target: what to write, and where.
        options: how to write it.
        settings: the settings of the analysis.
        outputs: the apps to send to as well.

    Raises:
        SourceError: the source cannot be read, or is cut off. All events before that are written.
        SinkError: the output cannot be written.
    """
    cut_off: IncompleteVideoError | None = None
    with open_session(source, settings, live=isinstance(source, str)) as session:
        sink = make_sink(target, options, settings, source, session)
        progress = Progress(session.source.name, session.frame_count, shown=sink.path is not None)
        try:
            session.run([sink, progress, MissingFace(options.face)], outputs, options.face or LARGEST)
        except IncompleteVideoError as error:
            cut_off = error
    if sink.path is not None:
        log.info("%s: %s, %s -> %s", source, progress.counts, sink.counts, sink.path)
    if cut_off:
        raise cut_off
