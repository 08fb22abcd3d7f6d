"""Tests of the session: sources of every kind, sinks, settings, and every way in which it can end."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from conftest import COMMAND

from mouth_live.models.errors import SourceError
from mouth_live.realtime import AnalysisSettings, CsvSink, Frame, Limits, Sink, analyze, open_session, open_video
from mouth_live.realtime.commands.cli import cli


class Kept(Sink):
    """A sink that keeps its analyses, and is finished after ``most`` of them."""

    def __init__(self, most=10**9):
        self.analyses, self.most, self.left_by = [], most, "not left"

    def write(self, analysis):
        self.analyses.append(analysis)

    @property
    def is_finished(self):
        return len(self.analyses) >= self.most

    def __exit__(self, kind, error, trace):
        self.left_by = kind


# --- sources


def readings(analyses):
    return [
        (a.frame.index, a.frame.time, r.face_id, r.face.box, r.raw, r.openness) for a in analyses for r in a.readings
    ]


@pytest.fixture(scope="module")
def pictures(short_clip):
    with open_video(short_clip) as video:
        return [(frame.time, frame.image) for frame in video]


def test_a_file_and_its_arrays_give_the_same_readings(short_clip, pictures):
    from_file = list(analyze(short_clip))
    assert len(from_file) == len(pictures) > 20
    assert readings(from_file) == readings(analyze(pictures)) == readings(analyze(str(short_clip)))
    assert readings(from_file) == readings(analyze(Frame(i, t, image) for i, (t, image) in enumerate(pictures)))


def test_arrays_without_times_are_25_a_second_and_read_in_the_callers_thread(pictures):
    threads = set()

    def loop():
        for _, image in pictures[:5]:
            threads.add(threading.current_thread())
            yield image

    assert [a.frame.time for a in analyze(loop())] == [0, 0.04, 0.08, 0.12, 0.16]
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (None, TypeError, "got NoneType"),
        (np.zeros((40, 40, 3), np.uint8), TypeError, "put a single picture into a list"),
        ([None], TypeError, "got None, which cv2.imread returns where it cannot read the file"),
        ([np.zeros((40, 40, 4), np.uint8)], ValueError, r"got uint8 \(40, 40, 4\)"),
        ([np.zeros((40, 40, 3))], ValueError, "float64"),
        ([(1.0, np.zeros((9, 9, 3), np.uint8)), (0.5, np.zeros((9, 9, 3), np.uint8))], ValueError, "at least 1 s"),
        ("gone.mp4", SourceError, "no such file"),
    ],
)
def test_an_unusable_source_is_an_error_of_one_line(source, error, message):
    with pytest.raises(error, match=message):
        list(analyze(source))


def test_the_detector_runs_on_each_of_frames_far_apart(short_clip):
    with open_session(short_clip, max_frames=5) as session:
        found = list(session)
        assert session.frame_count == len(found) <= 5
    assert all(a.readings for a in found)
    steps = np.diff([a.frame.index for a in found])
    assert set(steps) == {steps[0]}
    assert steps[0] > 1


def test_leaving_early_leaves_no_thread(short_clip, program_threads):
    for _ in analyze(short_clip):
        break
    with open_session(short_clip) as session:
        next(iter(session))


# --- sinks


def test_sinks_get_every_analysis_and_are_completed(short_clip, tmp_path, pictures):
    kept = Kept()
    with open_session(short_clip) as session:
        session.run([kept, CsvSink(tmp_path / "out.csv")])
    assert [a.frame.index for a in kept.analyses] == list(range(len(pictures)))
    assert kept.left_by is None
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(len(pictures)))


def test_a_sink_that_is_finished_ends_the_session(short_clip, program_threads):
    kept = Kept(most=3)
    with open_session(short_clip) as session:
        session.run([kept])
    assert (len(kept.analyses), kept.left_by) == (3, None)


def test_a_sink_that_fails_ends_the_session_and_leaves_nothing(short_clip, tmp_path, program_threads):
    class Full(Kept):
        def write(self, analysis):
            super().write(analysis)
            if len(self.analyses) == 4:
                raise OSError("no room")

    full = Full()
    with pytest.raises(OSError, match="no room"), open_session(short_clip) as session:
        session.run([full, CsvSink(tmp_path / "out.csv")])
    assert full.left_by is OSError
    assert list(tmp_path.iterdir()) == []


# --- signals


def start(tmp_path, *args):
    command = [*COMMAND, *map(str, args)]
    return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, size: int) -> None:
    end = time.monotonic() + 20
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < end
        time.sleep(0.02)


RHYTHMS = [(0.0,), (0.0, 0.005), (0.0, 0.1), (0.0, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)]


@pytest.mark.parametrize("rhythm", RHYTHMS, ids=["once", "5 ms", "0.1 s", "ten times"])
@pytest.mark.parametrize(("first", "then", "code"), [("SIGINT", "SIGINT", 0), ("SIGTERM", "SIGINT", 143)])
def test_signals_in_any_rhythm_leave_a_complete_live_table(long_clip, tmp_path, rhythm, first, then, code):
    process = start(tmp_path, "--camera", long_clip, "--no-window", "--csv", "take.csv")
    wait_for(tmp_path / "take.csv.part", 1)
    begin = time.monotonic()
    for number, at in enumerate(rhythm):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        if process.poll() is None:
            process.send_signal(getattr(signal, first if number == 0 else then))
    output = process.communicate(timeout=20)[1]
    assert process.returncode == code, output
    assert "Traceback" not in output
    assert [path.name for path in tmp_path.iterdir()] == ["take.csv"]
    last = (tmp_path / "take.csv").read_text().splitlines()[-1]
    assert last.count(",") == 13


@pytest.mark.parametrize("rhythm", RHYTHMS, ids=["once", "5 ms", "0.1 s", "ten times"])
def test_signals_in_any_rhythm_leave_the_part_file_of_a_recording(long_clip, tmp_path, rhythm):
    process = start(tmp_path, "process", long_clip, "-o", "out.csv")
    wait_for(tmp_path / "out.csv.part", 1)
    begin = time.monotonic()
    for at in rhythm:
        time.sleep(max(0.0, begin + at - time.monotonic()))
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=20)[1]
    assert (process.returncode, output.count("interrupted")) == (130, 1), output
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv.part"]


def test_a_session_leaves_the_callers_handlers_as_they_were(short_clip):
    code = (
        "import signal, sys; from mouth_live.realtime import open_session\n"
        "mine = lambda *_: None\n"
        "signal.signal(signal.SIGTERM, mine); before = signal.getsignal(signal.SIGINT)\n"
        "with open_session(sys.argv[1]) as session: session.run()\n"
        "print(signal.getsignal(signal.SIGTERM) is mine, signal.getsignal(signal.SIGINT) is before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(short_clip)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


# --- settings and options


def test_all_settings_survive_the_way_to_a_child_process():
    limits = {"open": Limits(on=0.6, off=0.4, min_on=0.2, min_off=0.3, pad=0.1)}
    other = AnalysisSettings("mine.tflite", "gpu", "mediapipe", 0.7, 20, "anna", limits, 1 << 30)
    default = AnalysisSettings()
    for item in dataclasses.fields(AnalysisSettings):  # a field that is added must be given another value here
        assert getattr(other, item.name) != getattr(default, item.name), item.name
    assert AnalysisSettings.from_data(json.loads(json.dumps(other.as_data()))) == other


ANALYSIS = {"model", "device", "gpu_memory", "backend", "min_score", "min_face", "profile", "config"}
EVENTS = {"preset", "kind", "on", "off", "min_on", "min_off", "pad"}


def options_of(command: click.Command) -> dict[str, click.Parameter]:
    return {option.name or "": option for option in command.params}


def described(option: click.Parameter) -> dict[str, object]:
    """Return all that a user can see of an option."""
    return option.to_info_dict()


def test_every_command_that_analyses_has_the_same_options():
    commands = {"live": cli} | {
        name: cli.commands[name] for name in ("process", "events", "demo", "doctor", "calibrate", "label")
    }
    live = options_of(cli)
    for name, command in commands.items():
        own = options_of(command)
        here = {key for key in ANALYSIS | EVENTS if key in own}
        # A calibration is saved under --profile, labels come from the network's own scale, and neither makes events.
        expected = ANALYSIS | (EVENTS if name in ("live", "process", "events", "demo") else set())
        assert here == expected - ({"profile"} if name == "label" else set()), name
        for key in here - ({"profile"} if name == "calibrate" else set()):
            there, mine = described(live[key]), described(own[key])
            if key == "device":  # recordings come in batches, which is where a GPU pays
                assert mine.pop("default") == ("auto" if name == "process" else there["default"])
                there.pop("default")
            assert mine == there, (name, key)


@pytest.mark.slow
def test_parallel_jobs_get_all_settings(mouth_live, short_clip, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        os.link(short_clip, tmp_path / "in" / name)
    options = ["--preset", "switch", "--on", "0.1", "--min-on", "0", "--min-face", "60", "--min-score", "0.96"]
    for folder, jobs in (("one", "1"), ("two", "2")):
        done = mouth_live("process", "in", "-o", folder, "--jobs", jobs, *options)
        assert done.returncode == 0, done.stderr
    tables = [(tmp_path / folder / "a.csv").read_text() for folder in ("one", "two")]
    assert tables[0] == tables[1]
    plain = mouth_live("process", "in/a.mp4", "-o", "-").stdout
    assert plain != tables[0]  # the options do change something here


def test_a_config_file_works_for_process_too(mouth_live, short_clip, tmp_path):
    (tmp_path / "mine.toml").write_text("min-face = 5000\n[process]\ntime = 'media'\n")
    done = mouth_live("process", short_clip, "-o", "-", "--config", "mine.toml", "--min-face", "50")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") > 20


def test_a_still_picture_and_a_folder_are_sessions_too(tmp_path, pictures):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), pictures[i][1])
    assert [a.frame.index for a in analyze(tmp_path)] == [0, 1, 2]
    assert len(list(analyze(tmp_path / "1.png"))) == 1


# --- nothing overwritten


@pytest.mark.parametrize("name", ["talk.mp4", "./talk.mp4", "link.mp4", "hard.mp4", "sub/../talk.mp4"])
@pytest.mark.parametrize(
    "command",
    [
        ["--camera", "talk.mp4", "--no-window", "--csv", "OUT"],
        ["--camera", "talk.mp4", "--no-window", "--record", "OUT"],
        ["process", "talk.mp4", "--overwrite", "-o", "OUT"],
        ["process", "talk.mp4", "--annotate", "OUT"],
        ["events", "talk.mp4", "--overwrite", "-o", "OUT"],
        ["events", "--camera", "talk.mp4", "--overwrite", "-o", "OUT"],
    ],
    ids=" ".join,
)
def test_no_output_is_ever_the_input(mouth_live, short_clip, tmp_path, command, name):
    content = short_clip.read_bytes()
    (tmp_path / "talk.mp4").write_bytes(content)
    (tmp_path / "link.mp4").symlink_to("talk.mp4")
    (tmp_path / "hard.mp4").hardlink_to(tmp_path / "talk.mp4")
    (tmp_path / "sub").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    done = mouth_live(*[name if word == "OUT" else word for word in command])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "overwrite" in done.stderr
    assert (tmp_path / "talk.mp4").read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == before
