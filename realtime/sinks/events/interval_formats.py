"""Interval formats for Praat, Audacity, subtitles, ELAN, BORIS and tables: for each a function that makes the text."""

import json
import mimetypes
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from ...lips.intervals import Interval, Intervals
from ...video.plain_name import is_utf8

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
LABELS = {"activity": "lips active", "open": "mouth open"}


def face_name(face_id: int | None) -> str:
    """Return the name of a face's tier."""
    return "anyone" if face_id is None else f"face {face_id}"


def textgrid(found: Intervals) -> str:
    """Return a Praat TextGrid in the long text form, with one interval tier for each face.

    Source: Praat manual, "TextGrid file formats".
    """
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    lines += ["xmin = 0", f"xmax = {found.duration:.6f}", "tiers? <exists>", f"size = {len(found.faces)}", "item []:"]
    for number, face in enumerate(found.faces, 1):
        parts = list(_without_gaps(found.of(face), found.duration))
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{face_name(face)}"']
        lines += ["        xmin = 0", f"        xmax = {found.duration:.6f}", f"        intervals: size = {len(parts)}"]
        for i, (start, end, text) in enumerate(parts, 1):
            lines += [f"        intervals [{i}]:", f"            xmin = {start:.6f}", f"            xmax = {end:.6f}"]
            lines += [f'            text = "{text}"']
    return "\n".join(lines) + "\n"


def _without_gaps(intervals: list[Interval], duration: float) -> Iterator[tuple[float, float, str]]:
    """Yield (start, end, text) from 0 to the end without gaps, as a tier requires; the text of a pause is empty."""
    at = 0.0
    for interval in intervals:
        start = round(interval.start, 6)
        if start > at:
            yield at, start, ""
        at = round(interval.end, 6)
        yield start, at, LABELS[interval.kind]
    if round(duration, 6) > at:
        yield at, round(duration, 6), ""


def audacity(found: Intervals) -> str:
    """Return an Audacity label track: start, end and label, separated by tabs.

    Source: Audacity manual, "Importing Labels".
    """
    return "".join(f"{i.start:.6f}\t{i.end:.6f}\t{face_name(i.face_id)}: {LABELS[i.kind]}\n" for i in found.intervals)


def vtt(found: Intervals) -> str:
    """Return WebVTT, with one voice for each face. Source: W3C WebVTT."""
    cues = (
        f"{_clock(i.start, '.')} --> {_clock(i.end, '.')}\n<v {face_name(i.face_id)}>{LABELS[i.kind]}</v>\n"
        for i in found.intervals
    )
    return "\n".join(["WEBVTT\n", *cues])


def srt(found: Intervals) -> str:
    """Return SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_clock(i.start, ',')} --> {_clock(i.end, ',')}\n{face_name(i.face_id)}: {LABELS[i.kind]}\n"
        for number, i in enumerate(found.intervals, 1)
    )


def csv_table(found: Intervals) -> str:
    """Return a CSV table with the columns face_id, kind, start and end; face_id is empty for anyone."""
    rows = (f"{'' if i.face_id is None else i.face_id},{i.kind},{i.start:.6f},{i.end:.6f}\n" for i in found.intervals)
    return "".join(["face_id,kind,start,end\n", *rows])


def elan(found: Intervals) -> str:
    """Return ELAN's EAF, with one tier for each face, times in milliseconds, and a link to the recording.

    Source: EAF 3.0 schema, MPI Nijmegen.
    """
    made = datetime.now(UTC).isoformat(timespec="seconds")
    root = ElementTree.Element("ANNOTATION_DOCUMENT", AUTHOR="mouth-live", DATE=made, FORMAT="3.0", VERSION="3.0")
    root.set(f"{{{_XSI}}}noNamespaceSchemaLocation", "http://www.mpi.nl/tools/elan/EAFv3.0.xsd")
    ElementTree.register_namespace("xsi", _XSI)
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if found.media:
        path = Path(found.media).absolute()
        kind = mimetypes.guess_type(path.name)[0] or "video/mp4"
        relative = _relative(path, Path(found.folder).absolute())
        ElementTree.SubElement(
            header, "MEDIA_DESCRIPTOR", MEDIA_URL=path.as_uri(), MIME_TYPE=kind, RELATIVE_MEDIA_URL=relative
        )
    order = ElementTree.SubElement(root, "TIME_ORDER")
    for face in found.faces:
        tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=face_name(face))
        for interval in found.of(face):
            _annotate(tier, order, interval)
    ElementTree.SubElement(
        root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="default-lt", TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false"
    )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _relative(path: Path, folder: Path) -> str:
    """Return the relative address of a file from a folder; its absolute one where they have nothing in common."""
    try:
        below = os.path.relpath(path.resolve(), folder.resolve())
    except ValueError:  # on another drive
        return path.as_uri()
    below = below.replace(os.sep, "/")
    below = below if is_utf8(below) else quote(os.fsencode(below))
    return below if below.startswith("../") else f"./{below}"


def _annotate(tier: ElementTree.Element, order: ElementTree.Element, interval: Interval) -> None:
    """Add one annotation to a tier, and its two time slots to the time order."""
    slots: list[str] = []
    for seconds in (interval.start, interval.end):
        slots.append(f"ts{len(order) + 1}")
        ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slots[-1], TIME_VALUE=str(round(seconds * 1000)))
    outer = ElementTree.SubElement(tier, "ANNOTATION")
    number = len(order) // 2
    inner = ElementTree.SubElement(
        outer, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}", TIME_SLOT_REF1=slots[0], TIME_SLOT_REF2=slots[1]
    )
    ElementTree.SubElement(inner, "ANNOTATION_VALUE").text = LABELS[interval.kind]


def boris(found: Intervals) -> str:
    """Return a BORIS project: state events as starts and stops, a subject for each face, one observation.

    BORIS tells a start from a stop by their order. Times are in seconds, of which it keeps milliseconds. A camera's
    observation is live, without a media file. Source: project files of BORIS 7 to 9, project format 7.0.
    """
    made = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    codes = dict.fromkeys([*LABELS, *(interval.kind for interval in found.intervals)])
    project: dict[str, object] = {
        "time_format": "hh:mm:ss",
        "project_date": made,
        "project_name": f"mouth-live: {_observation_name(found)}",
        "project_description": "Lip events found by mouth-live",
        "project_format_version": "7.0",
        "subjects_conf": {
            str(number): {"key": "", "name": face_name(face), "description": ""}
            for number, face in enumerate(found.faces)
        },
        "behaviors_conf": {str(number): _boris_behavior(code) for number, code in enumerate(codes)},
        "observations": {_observation_name(found): _boris_observation(found, made)},
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return json.dumps(project, indent=1) + "\n"


def _observation_name(found: Intervals) -> str:
    """Return the observation's id, which BORIS wants without spaces around it."""
    return os.fsencode(Path(found.media).stem).decode("utf-8", "replace").strip() or "camera"


def _boris_behavior(code: str) -> dict[str, object]:
    """Return one behavior of the ethogram: a state, which begins and ends."""
    names = {"type": "State event", "key": code[0], "code": code, "description": LABELS.get(code, code)}
    return {**names, "color": "", "category": "", "modifiers": {}, "excluded": "", "coding map": ""}


def _boris_observation(found: Intervals, made: str) -> dict[str, object]:
    """Return the one observation; an event is [time, subject, code, modifier, comment, frame]."""
    media = str(Path(found.media).absolute()) if found.media else ""
    ends = [(time, i) for i in found.intervals for time in (i.start, i.end)]
    events = sorted([round(time, 3), face_name(i.face_id), i.kind, "", "", "NA"] for time, i in ends)
    # Nothing here knows whether there is sound; without this BORIS would not offer its spectrogram.
    heard = {"hasVideo": {media: True}, "hasAudio": {media: True}}
    info = {"length": {media: found.duration}, "fps": {media: found.rate}, **heard, "offset": {"1": 0.0}}
    return {
        "type": "MEDIA" if media else "LIVE",
        "date": made,
        "description": "",
        "time offset": 0.0,
        "file": {"1": [media]} if media else {},
        "media_info": info if media else {"offset": {}},
        "events": events,
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "scan_sampling_time": 0,
    }


def _clock(seconds: float, mark: str) -> str:
    """Return a time as HH:MM:SS.mmm, with ``mark`` before the milliseconds."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{mark}{milliseconds:03d}"


FORMATS: dict[str, Callable[[Intervals], str]] = {
    "textgrid": textgrid,
    "audacity": audacity,
    "vtt": vtt,
    "srt": srt,
    "elan": elan,
    "boris": boris,
    "csv": csv_table,
}
