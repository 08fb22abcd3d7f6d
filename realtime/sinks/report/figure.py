"""The curves as a figure for a paper: PNG or SVG, by matplotlib."""

from importlib import import_module
from pathlib import Path
from typing import Any

from .colours import on_light
from .libraries import new_figure
from .recording import LEVELS, Recording, Track
from .thinning import thinned

MOST = 24  # faces, those that were seen longest: more are no figure
_STEPS = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000)  # s, between labels
_INCHES, _LANE, _COLUMNS = 7.0, 0.9, 1400
_SOFT, _SHADE = "#6b7280", "#ece7dc"


def write_figure(recording: Recording, path: Path, file_format: str) -> None:
    """Write one row for each face: its smoothed openness, when its lips were active, and where it is not reliable.

    Args:
        recording: the table.
        path: the file.
        file_format: ``"png"`` or ``"svg"``.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: it cannot be written.
    """
    tracks = recording.longest(MOST)
    count = max(1, len(tracks))
    figure = new_figure(_INCHES, 0.55 + _LANE * count)
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for axis, track in zip(axes, tracks, strict=False):
        _draw(axis, recording, track)
    axes[-1].set_xlim(float(recording.times[0]), recording.end)
    axes[-1].set_xlabel("time (s)" if recording.end < 60 else "time (min:s)")
    if recording.end >= 60:
        step = next((step for step in _STEPS if recording.summary.seconds / step <= 9), _STEPS[-1])
        axes[-1].xaxis.set_major_locator(import_module("matplotlib.ticker").MultipleLocator(step))
        axes[-1].xaxis.set_major_formatter(_clock_text)
    figure.savefig(path, format=file_format, dpi=300)


def _clock_text(seconds: float, _place: int) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _draw(axis: Any, recording: Recording, track: Track) -> None:  # noqa: ANN401 - as new_figure
    colour = on_light()[track.summary.face_id % len(on_light())]
    times, levels = thinned(recording, track, _COLUMNS)
    for start, end in track.doubtful.tolist():
        axis.axvspan(start, end, color=_SHADE, linewidth=0)
    axis.plot(times, levels / LEVELS, color=colour, linewidth=0.8, solid_joinstyle="round")
    for spans, low, tone in ((track.active, -0.2, colour), (track.opened, -0.32, _SOFT)):
        axis.broken_barh([(start, end - start) for start, end in spans.tolist()], (low, 0.09), color=tone, linewidth=0)
    axis.set_ylim(-0.36, 1.04)
    axis.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.set_ylabel(f"face {track.summary.face_id}", rotation=0, ha="right", va="center")
    axis.tick_params(labelsize=8, colors=_SOFT)
    axis.spines[["top", "right"]].set_visible(False)
