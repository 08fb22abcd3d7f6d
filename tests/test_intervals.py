"""Intervals for people: each format read back by a reader that is not ours."""

import csv
import json
import re
import shutil
import subprocess
import wave
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pympi
import pytest

from mouth_live.realtime.lips.intervals import Interval, IntervalCollector, Intervals
from mouth_live.realtime.records import LipEvent
from mouth_live.realtime.sinks.events.interval_formats import FORMATS

FOUND = Intervals(
    faces=(0, 1, 12),
    intervals=(
        Interval(0, "activity", 0.0, 1.25),
        Interval(1, "activity", 0.5, 2.0),
        Interval(0, "activity", 1.25, 3.5),
        Interval(1, "activity", 3661.5, 3662.75),
    ),
    duration=3700.04,
    media="talk.mp4",
)


def written(path, form, found=FOUND):
    path.write_text(FORMATS[form](found), encoding="utf-8")
    return path


def spans(found, face):
    return [(i.start, i.end) for i in found.of(face)]


def test_textgrid_in_praatio(tmp_path):
    from praatio import textgrid

    grid = textgrid.openTextgrid(str(written(tmp_path / "x.TextGrid", "textgrid")), includeEmptyIntervals=False)
    assert grid.tierNames == ("face 0", "face 1", "face 12")
    assert grid.maxTimestamp == pytest.approx(3700.04)
    for face in (0, 1, 12):
        entries = grid.getTier(f"face {face}").entries
        assert [(e.start, e.end) for e in entries] == spans(FOUND, face)
        assert {e.label for e in entries} <= {"lips active"}


def test_elan_in_pympi(tmp_path):
    import pympi

    eaf = pympi.Elan.Eaf(str(written(tmp_path / "x.eaf", "elan")))
    assert [name for name in eaf.get_tier_names() if name != "default"] == ["face 0", "face 1", "face 12"]
    for face in (0, 1, 12):
        made = sorted((a[0], a[1], a[2]) for a in eaf.get_annotation_data_for_tier(f"face {face}"))
        assert made == [(round(s * 1000), round(e * 1000), "lips active") for s, e in spans(FOUND, face)]
    assert eaf.media_descriptors[0]["RELATIVE_MEDIA_URL"] == "./talk.mp4"


@pytest.mark.parametrize("form", ["vtt", "srt"])
def test_subtitles_in_webvtt(tmp_path, form):
    import webvtt

    path = written(tmp_path / f"x.{form}", form)
    read = webvtt.read(str(path)) if form == "vtt" else webvtt.from_srt(str(path))
    assert [(c.start, c.end) for c in read][-1] == ("01:01:01.500", "01:01:02.750")
    assert [c.start_in_seconds for c in read] == [0, 0, 1, 3661]
    assert len(read) == 4
    said = [(c.voice, c.text) for c in read] if form == "vtt" else [tuple(c.text.split(": ")) for c in read]
    assert said[1] == ("face 1", "lips active")


def test_audacity_and_csv(tmp_path):
    labels = [line.split("\t") for line in FORMATS["audacity"](FOUND).splitlines()]
    assert [(float(a), float(b)) for a, b, _ in labels] == [(i.start, i.end) for i in FOUND.intervals]
    assert labels[1][2] == "face 1: lips active"
    rows = list(csv.DictReader(FORMATS["csv"](FOUND).splitlines()))
    assert [(int(r["face_id"]), float(r["start"]), float(r["end"])) for r in rows] == [
        (i.face_id, i.start, i.end) for i in FOUND.intervals
    ]


def boris_problems(path):
    """What BORIS would not load, by its own rules; [] for none.

    BORIS needs a display, Qt and libmpv, which is too much for a test. These are the keys that its
    ``open_project_json``, ``check_project_integrity``, ``check_state_events_obs`` and its observation window read
    without a default, and their rules: states are paired by their order for each subject, behavior and modifier.
    """
    project = json.loads(path.read_text(encoding="ascii"))  # BORIS opens it in the system's own encoding
    assert project["project_format_version"] == "7.0"  # a later one than its own is refused
    problems = [key for key in ("time_format", "behavioral_categories", "independent_variables") if key not in project]
    behaviors = {behavior["code"] for behavior in project["behaviors_conf"].values()}
    for behavior in project["behaviors_conf"].values():
        assert behavior["type"] == "State event"
        assert {"key", "description", "category", "excluded", "coding map", "color"} <= behavior.keys()
        assert behavior["modifiers"] == {}
    subjects = {subject["name"] for subject in project["subjects_conf"].values()}
    for name, observation in project["observations"].items():
        assert name == name.strip() != ""
        assert datetime.strptime(observation["date"], "%Y-%m-%dT%H:%M:%S")
        assert {"description", "time offset", "independent_variables"} <= observation.keys()
        for media in observation["file"].get("1", []):
            info = observation["media_info"]
            assert min(info["length"][media], info["fps"][media]) > 0
            assert info["hasVideo"][media] is info["hasAudio"][media] is True
            assert info["offset"] == {"1": 0.0}
        assert (observation["type"] == "MEDIA") is bool(observation["file"])
        assert observation["events"] == sorted(observation["events"])  # BORIS sorts them when they are edited
        open_states = set()
        for _, subject, code, modifier, comment, frame in observation["events"]:
            assert (modifier, comment, frame) == ("", "", "NA")
            problems += [item for item in (subject, code) if item not in subjects | behaviors]
            open_states ^= {(subject, code)}
        problems += open_states
    return problems


def test_boris_reads_states_in_pairs(tmp_path):
    path = written(tmp_path / "x.boris", "boris")
    assert boris_problems(path) == []
    project = json.loads(path.read_text())
    assert [subject["name"] for subject in project["subjects_conf"].values()] == ["face 0", "face 1", "face 12"]
    assert {b["code"]: b["description"] for b in project["behaviors_conf"].values()} == {
        "activity": "lips active",
        "open": "mouth open",
    }
    (observation,) = project["observations"].values()
    assert list(project["observations"]) == ["talk"]
    assert observation["file"] == {"1": [str(Path("talk.mp4").absolute())]}
    for face in (0, 1, 12):
        times = [event[0] for event in observation["events"] if event[1] == f"face {face}"]
        assert list(zip(times[::2], times[1::2], strict=True)) == spans(FOUND, face)


def test_boris_has_a_live_observation_for_a_camera(tmp_path):
    found = Intervals((None,), (Interval(None, "open", 0.1234567, 0.2),), 1.0)
    path = written(tmp_path / "x.boris", "boris", found)
    assert boris_problems(path) == []
    observation = json.loads(path.read_text())["observations"]["camera"]
    assert (observation["type"], observation["file"]) == ("LIVE", {})
    assert observation["events"] == [
        [0.123, "anyone", "open", "", "", "NA"],
        [0.2, "anyone", "open", "", "", "NA"],
    ]


@pytest.mark.slow
def test_boris_gets_both_kinds_of_a_recording(mouth_live, demo_clip, tmp_path):
    done = mouth_live("events", demo_clip, "--format", "boris", "-o", "demo.boris")
    assert done.returncode == 0, done.stderr
    assert boris_problems(tmp_path / "demo.boris") == []
    (observation,) = json.loads((tmp_path / "demo.boris").read_text())["observations"].values()
    assert observation["file"] == {"1": [str(demo_clip)]}
    assert observation["media_info"]["length"] == {str(demo_clip): pytest.approx(8.0)}
    assert observation["media_info"]["fps"] == {str(demo_clip): 25.0}
    for kind in ("activity", "open"):
        events = mouth_live("events", demo_clip, "--format", "csv", "--kind", kind).stdout.splitlines()
        expected = [float(cell) for row in csv.DictReader(events) for cell in (row["start"], row["end"])]
        assert [event[0] for event in observation["events"] if event[2] == kind] == expected
        assert expected
    activity = mouth_live("events", demo_clip, "--format", "boris", "--kind", "activity").stdout
    assert {event[2] for o in json.loads(activity)["observations"].values() for event in o["events"]} == {"activity"}


@pytest.mark.parametrize("form", list(FORMATS))
def test_nothing_found_is_still_a_file_of_its_kind(tmp_path, form):
    import pympi
    import webvtt
    from praatio import textgrid

    path = written(tmp_path / "empty", form, Intervals((0,), (), 2.0))
    if form == "textgrid":
        assert textgrid.openTextgrid(str(path), includeEmptyIntervals=False).getTier("face 0").entries == ()
    elif form == "elan":
        assert pympi.Elan.Eaf(str(path)).get_annotation_data_for_tier("face 0") == []
    elif form == "vtt":
        assert len(webvtt.read(str(path))) == 0
    elif form == "csv":
        assert path.read_text() == "face_id,kind,start,end\n"
    elif form == "boris":
        assert boris_problems(path) == []
    else:
        assert path.read_text() == ""


def test_starts_are_paired_with_their_own_stops():
    collector = IntervalCollector(offset=10)
    for what, kind, face, at in [
        ("start", "activity", 0, 1),
        ("start", "open", 0, 1.5),
        ("start", "activity", 1, 2),
        ("stop", "activity", 1, 2),  # of no length
        ("stop", "open", 0, 3),
        ("stop", "activity", 0, 4),
    ]:
        collector.take(LipEvent(what, kind, face, at))
    found = collector.intervals(5)
    assert [(i.kind, i.face_id, i.start, i.end) for i in found.intervals] == [
        ("activity", 0, 11, 14),
        ("open", 0, 11.5, 13),
    ]
    assert (found.faces, found.duration) == ((0, 1), 15)


def test_they_lie_on_the_sound(mouth_live, demo_clip, tmp_path):
    """A clip whose picture begins 0.72 s late, with a tone where the demo opens its mouth wide (5.2 to 6.9 s of it)."""
    from praatio import textgrid

    late, rate = 0.72, 8000
    t = np.arange(0, 9, 1 / rate)
    tone = (np.sin(2000 * t) * ((t > late + 5.4) & (t < late + 6.7)) * 20000).astype(np.int16)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    mux = ["ffmpeg", "-v", "error", "-itsoffset", late, "-i", demo_clip, "-i", tmp_path / "tone.wav", "-map", "0:v"]
    mux += ["-map", "1:a", "-c:v", "copy", "-c:a", "aac", tmp_path / "late.mp4"]
    subprocess.run(list(map(str, mux)), check=True)
    done = mouth_live("events", "late.mp4", "--format", "textgrid", "--kind", "open", "-o", "late.TextGrid")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    grid = textgrid.openTextgrid(str(tmp_path / "late.TextGrid"), includeEmptyIntervals=False)
    start, end, label = grid.getTier("face 0").entries[-1]
    assert label == "mouth open"
    assert start == pytest.approx(late + 5.4, abs=0.2)
    assert end == pytest.approx(late + 6.7, abs=0.3)
    assert not list(tmp_path.glob("*.part"))


def test_every_format_can_be_chosen_and_every_choice_is_a_format():
    from mouth_live.realtime.commands.file_formats import FORMAT_NAMES, JSON

    assert {JSON, *FORMATS} == set(FORMAT_NAMES)


def test_intervals_are_ordered_by_start_then_anyone_then_face_then_kind():
    collector = IntervalCollector()
    starts = [("open", 2, 1.0), ("activity", 2, 1.0), ("open", 0, 1.0), ("open", None, 1.0), ("open", 1, 0.5)]
    for kind, face_id, start in starts:
        collector.take(LipEvent("start", kind, face_id, start))
    collector.stop_all(2.0)
    found = collector.intervals(3.0).intervals
    order = [(i.start, i.face_id, i.kind) for i in found]
    assert order == [(0.5, 1, "open"), (1.0, None, "open"), (1.0, 0, "open"), (1.0, 2, "activity"), (1.0, 2, "open")]
    assert collector.intervals(3.0).faces == (None, 0, 1, 2)


@pytest.mark.parametrize("output", ["a.eaf", "out/sub/a.eaf", "clips/a.eaf"])
def test_elan_finds_the_recording_from_the_folder_of_its_file(mouth_live, short_clip, tmp_path, output):
    (tmp_path / "out" / "sub").mkdir(parents=True)
    (tmp_path / "clips").mkdir()
    shutil.copy(short_clip, tmp_path / "clips" / "a b.mp4")
    assert mouth_live("events", "clips/a b.mp4", "-o", output).returncode == 0
    (media,) = pympi.Elan.Eaf(str(tmp_path / output)).media_descriptors
    relative = media["RELATIVE_MEDIA_URL"]
    assert relative.startswith(".")
    assert ((tmp_path / output).parent / relative).resolve() == tmp_path / "clips" / "a b.mp4"


LATE = 3723.4567  # s: 1:02:03.457, so that hours and minutes differ


def test_a_textgrid_tier_is_without_gaps_from_0_to_the_end():
    """Praat takes no other; other readers fill gaps."""
    made = FORMATS["textgrid"](
        Intervals((0, None), (Interval(0, "activity", 0.0, 1.5), Interval(0, "open", 2.25, 3.0)), 4.0)
    )
    first, second = made.split("    item [")[1:]
    assert first.startswith("1]:")
    assert second.startswith("2]:")
    assert tier(first) == [
        (1, 0.0, 1.5, "lips active"),
        (2, 1.5, 2.25, ""),
        (3, 2.25, 3.0, "mouth open"),
        (4, 3.0, 4.0, ""),
    ]
    assert tier(second) == [(1, 0.0, 4.0, "")]
    ended = FORMATS["textgrid"](Intervals((0,), (Interval(0, "activity", 1.0000004, 4.0000004),), 4.0))
    assert tier(ended) == [(1, 0.0, 1.0, ""), (2, 1.0, 4.0, "lips active")]


def tier(text: str) -> list[tuple[int, float, float, str]]:
    """Return (number, start, end, text) of each interval as it stands in a TextGrid."""
    form = r'intervals \[(\d+)\]:\n +xmin = ([\d.]+)\n +xmax = ([\d.]+)\n +text = "(.*)"'
    return [(int(number), float(start), float(end), words) for number, start, end, words in re.findall(form, text)]


def test_subtitles_number_their_cues_and_count_hours():
    found = Intervals((0,), (Interval(0, "open", 0.5, 1.0), Interval(0, "open", LATE, LATE + 60)), LATE + 100)
    assert FORMATS["srt"](found) == (
        "1\n00:00:00,500 --> 00:00:01,000\nface 0: mouth open\n\n2\n01:02:03,457 --> 01:03:03,457\nface 0: mouth open\n"
    )
    assert "01:02:03.457 --> 01:03:03.457\n" in FORMATS["vtt"](found)


def test_elan_gives_every_annotation_and_time_slot_an_id_of_its_own():
    intervals = tuple(Interval(face, "open", start, start + 0.5) for start in (1.0, 2.0) for face in (0, 1))
    root = ElementTree.fromstring(FORMATS["elan"](Intervals((0, 1), intervals, 4.0, media="talk.mov")))
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "")) for slot in root.iter("TIME_SLOT")}
    assert list(slots) == [f"ts{number}" for number in range(1, 9)]
    annotations = list(root.iter("ALIGNABLE_ANNOTATION"))
    assert [one.get("ANNOTATION_ID") for one in annotations] == ["a1", "a2", "a3", "a4"]
    times = [(slots[one.get("TIME_SLOT_REF1")], slots[one.get("TIME_SLOT_REF2")]) for one in annotations]
    assert times == [(1000, 1500), (2000, 2500), (1000, 1500), (2000, 2500)]
    assert [one.get("MIME_TYPE") for one in root.iter("MEDIA_DESCRIPTOR")] == ["video/quicktime"]


def test_boris_has_a_key_for_each_behavior_and_no_offset():
    project = json.loads(FORMATS["boris"](Intervals((0,), (Interval(0, "open", 1.0, 2.0),), 4.0, media="talk.mp4")))
    behaviors = project["behaviors_conf"].values()
    assert [(one["code"], one["key"]) for one in behaviors] == [("activity", "a"), ("open", "o")]
    (observation,) = project["observations"].values()
    assert observation["time offset"] == 0
    assert observation["observation time interval"] == [0, 0]
    assert observation["scan_sampling_time"] == 0
    assert not observation["visualize_spectrogram"]
    assert not observation["visualize_waveform"]
