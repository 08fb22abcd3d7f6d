"""Tests of mouth-live label: the choice of frames, the table, the window and its keys."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mouth_live.models import DataError
from mouth_live.models.training.own_labels import OwnLabel, frames_of, read_own_labels, write_own_labels
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.labelling.candidates import (
    VIEW_EYE_DISTANCES,
    VIEW_SIZE,
    Candidate,
    find_candidates,
    spread_out,
)
from mouth_live.realtime.commands.labelling.table import Labelling, labelled_frames, video_name
from mouth_live.realtime.commands.labelling.view import FACE_SIZE, draw_candidate, gap_ratio_of
from mouth_live.realtime.video.frames_at import frames_at
from mouth_live.realtime.video.sources import open_video

HEADER = "video,frame,timestamp,x,y,width,height,openness\n"


def candidate(frame, openness=0.2, rate=25.0):
    view = cv2.imencode(".jpg", np.full((VIEW_SIZE, VIEW_SIZE, 3), 90, np.uint8))[1].tobytes()
    return Candidate(frame, frame / rate, (10.0, 20.0, 30.0, 40.0), openness, view, VIEW_SIZE / VIEW_EYE_DISTANCES)


# --- choice of frames


def test_frames_are_spread_over_time_and_over_values():
    rng = np.random.default_rng(0)
    values = np.clip(rng.normal(0.05, 0.03, 500), 0, 1)
    values[100:110] = np.linspace(0.3, 0.9, 10)  # a single wide-open moment
    chosen = spread_out([candidate(i, v) for i, v in enumerate(values)], 12)
    assert chosen[0].openness == pytest.approx(0.9)
    assert len({c.frame for c in chosen}) == 12
    assert sum(c.openness > 0.25 for c in chosen) >= 3
    assert np.ptp([c.time for c in chosen]) > 19
    first = spread_out([candidate(i, v) for i, v in enumerate(values)], 5)
    assert [c.frame for c in chosen[:5]] == [c.frame for c in first]  # the user may stop at any time


def test_labelled_frames_are_not_offered_again_and_count_as_chosen():
    candidates = [candidate(i, 0.0) for i in range(101)]
    chosen = [c.frame for c in spread_out(candidates, 2, taken=[0, 50])]
    assert chosen == [100, 25]
    assert len(spread_out(candidates, 500, taken=[3])) == 100


def test_candidates_of_a_real_face(short_clip):
    found = find_candidates(short_clip, AnalysisSettings())
    assert [c.frame for c in found] == list(range(len(found)))
    assert len(found) > 20
    view = cv2.imdecode(np.frombuffer(found[0].view, np.uint8), cv2.IMREAD_COLOR)
    assert view.shape == (VIEW_SIZE, VIEW_SIZE, 3)
    assert found[0].eyes == pytest.approx(VIEW_SIZE / VIEW_EYE_DISTANCES)


# --- labelling and its table


def test_labels_are_saved_at_once_and_continued(tmp_path):
    table, video = tmp_path / "mine.csv", tmp_path / "me.mp4"
    write_own_labels(table, [OwnLabel("other.mp4", 7, 0.28, (1, 2, 3, 4), 1.0)])
    session = Labelling(table, video, [candidate(i) for i in (30, 10, 20)])
    session.set_label(0.75)
    assert [(row.video, row.frame, row.openness) for row in read_own_labels(table)] == [
        ("other.mp4", 7, 1.0),
        ("me.mp4", 30, 0.75),
    ]
    session.set_label(None)
    assert (session.labelled, session.skipped, labelled_frames(table, video)) == (1, 1, [10, 30])
    again = Labelling(table, video, [candidate(i) for i in (20, 30, 10)])
    assert again.current.frame == 20
    again.go_back()
    again.go_back()
    again.go_back()  # the first: no further
    assert again.position == 0
    again.set_label(0.5)
    assert {row.frame: row.openness for row in read_own_labels(table)} == {7: 1.0, 30: 0.5, 10: None}
    again.set_label(0.25)
    again.set_label(0.0)
    assert again.current is None
    again.set_label(1.0)  # nothing left to label
    assert {row.frame: row.openness for row in read_own_labels(table)} == {7: 1.0, 30: 0.5, 10: 0.25, 20: 0.0}
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_the_table_names_the_video_from_its_own_folder(tmp_path):
    assert video_name(tmp_path / "videos" / "me.mp4", tmp_path / "labels" / "a.csv") == "../videos/me.mp4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,frame\n", "no column timestamp, x, y, width, height, openness"),
        (HEADER + "a.mp4,x,0,1,2,3,4,0\n", "line 2: .*'x'"),
        (HEADER + "a.mp4,1,0,1,2,3,4,1.5\n", r"line 2: .*openness 0\.\.1"),
        (HEADER + "a.mp4,1,0,1,2,nan,4,1\n", "line 2: .*'nan'"),
        (HEADER + ",1,0,1,2,3,4,1\n", "line 2: expected a video"),
    ],
)
def test_a_bad_table_is_an_error(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_own_labels(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot read it"):
        read_own_labels(tmp_path / "gone.csv")


def test_labelled_frames_are_those_that_process_counts(short_clip, tmp_path):
    labels = [OwnLabel("short.mp4", i, 0, (0, 0, 9, 9), 0.5) for i in (11, 0, 4)]
    table = tmp_path / "a.csv"
    with open_video(short_clip) as frames:
        expected = {frame.index: frame.image for frame in frames}
    read = list(frames_of(labels, table, frames_at, short_clip.parent))
    assert [index for index, _ in read] == [1, 2, 0]
    assert all(np.array_equal(image, expected[labels[index].frame]) for index, image in read)
    with pytest.raises(DataError, match=r"short\.mp4: not found beside .*--videos"):
        list(frames_of(labels, table, frames_at))
    with pytest.raises(DataError, match="has no frame 9000"):
        list(frames_of([OwnLabel("short.mp4", 9000, 0, (0, 0, 9, 9), 0.5)], table, frames_at, short_clip.parent))


# --- picture for the labeller


def test_bars_are_as_long_as_the_gap():
    assert [gap_ratio_of(o) for o in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0, 0.075, 0.12, 0.285, 0.45])
    plain, marked = (draw_candidate(candidate(3), 0, 9, label) for label in (None, 0.5))
    assert plain.shape == marked.shape
    assert not np.array_equal(plain, marked)
    open_bar = (plain[:, FACE_SIZE + 28 + 4 * 60 + 5] == (230, 200, 90)).all(axis=1).sum()
    assert open_bar == pytest.approx(0.45 * FACE_SIZE / VIEW_EYE_DISTANCES, abs=2)


# --- the command


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_it_is_one_line_and_nothing_is_written(mouth_live, short_clip, tmp_path):
    done = mouth_live("label", short_clip, "-o", "mine.csv")
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (1, "", [])
    assert done.stderr.startswith("mouth-live: error: no display for the window (DISPLAY is not set)")
    assert done.stderr.count("\n") == 1


class Labeller:
    """A process of mouth-live label under a virtual screen."""

    def __init__(self, display: str, folder: Path, clip: Path) -> None:
        self.environment = os.environ | {"DISPLAY": display}
        self.table = folder / "mine.csv"
        command = [
            sys.executable,
            "-c",
            "from mouth_live.realtime.commands.cli import main; main()",
            "label",
            str(clip),
        ]
        self.output = folder / "output.txt"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [*command, "-o", "mine.csv", "--count", "4"], cwd=folder, env=self.environment, stdout=file, stderr=file
            )
        self.window = self.xdotool("search", "--sync", "--onlyvisible", "--name", "^mouth-live label$").split()[0]

    def xdotool(self, *args: str) -> str:
        output = subprocess.run(
            ["xdotool", *args], env=self.environment, check=True, capture_output=True, text=True, timeout=30
        )
        return output.stdout

    def press(self, key: str, rows: int) -> None:
        """Press a key and wait until the table has this many rows."""
        self.xdotool("windowfocus", "--sync", self.window, "key", key)
        end = time.monotonic() + 20
        while (len(read_own_labels(self.table)) if self.table.exists() else 0) != rows:
            assert time.monotonic() < end, self.output.read_text()
            time.sleep(0.02)

    def end(self) -> str:
        assert self.process.wait(20) == 0, self.output.read_text()
        return self.output.read_text().strip().splitlines()[-1]


@pytest.mark.display
def test_keys_label_skip_go_back_stop_and_continue(screen: str, tmp_path: Path, short_clip: Path) -> None:
    first = Labeller(screen, tmp_path, short_clip)
    first.press("3", 1)
    first.press("s", 2)
    first.press("x", 2)  # no such key
    first.press("b", 2)
    first.press("4", 2)  # the skipped face, labelled now
    first.press("q", 2)
    assert first.end() == "mouth-live: mine.csv: 2 labelled, 0 skipped, 2 left"
    before = read_own_labels(tmp_path / "mine.csv")
    assert sorted(row.openness for row in before) == [0.75, 1.0]
    second = Labeller(screen, tmp_path, short_clip)
    second.press("0", 3)
    second.press("1", 4)
    assert second.end() == "mouth-live: mine.csv: 4 labelled, 0 skipped, 0 left"
    rows = read_own_labels(tmp_path / "mine.csv")
    assert set(before) < set(rows)
    assert sorted(row.openness for row in rows) == [0.0, 0.25, 0.75, 1.0]
    assert len({row.frame for row in rows}) == 4
    assert {Path(row.video).name for row in rows} == {short_clip.name}
