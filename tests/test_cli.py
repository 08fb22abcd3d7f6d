"""Tests of the command line as a user sees it: outputs, exit codes, and one line for each error."""

import csv
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import COMMAND

COLUMNS = (
    "frame,timestamp,face_id,confidence,success,x,y,width,height,openness_raw,openness,active,reliability,activity"
)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def one_line(done):
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in lines[0]
    return lines[0]


def test_process_writes_the_documented_csv(mouth_live, demo_clip, tmp_path):
    done = mouth_live("process", demo_clip)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "demo.csv").read_bytes()
    assert text.startswith(COLUMNS.encode() + b"\n")
    assert b"\r" not in text
    rows = rows_of(tmp_path / "demo.csv")
    assert [int(row["frame"]) for row in rows] == list(range(len(rows)))
    assert {row["face_id"] for row in rows} == {"0"}
    assert rows[0]["timestamp"] == "0.000000"
    assert list(tmp_path.glob("*.part")) == []


def test_an_existing_output_is_skipped_and_overwrite_replaces_it(mouth_live, short_clip, tmp_path):
    (tmp_path / "short.csv").write_text("kept")
    done = mouth_live("process", short_clip)
    assert (done.returncode, (tmp_path / "short.csv").read_text()) == (0, "kept")
    assert "short.csv: exists already, kept" in one_line(done)
    assert mouth_live("process", short_clip, "--overwrite").returncode == 0
    assert (tmp_path / "short.csv").read_text().startswith(COLUMNS)


def test_a_folder_keeps_its_structure_and_a_failure_is_listed(mouth_live, short_clip, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    shutil.copy(short_clip, tmp_path / "in" / "a.mp4")
    shutil.copy(short_clip, tmp_path / "in" / "deep" / "b.mp4")
    (tmp_path / "in" / "text.mp4").write_text("no video at all")
    done = mouth_live("process", "in", "-o", "out")
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].endswith("1 of 3 inputs failed: in/text.mp4; out/failed.csv says why")
    made = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.csv"))
    assert made == ["a.csv", "deep/b.csv", "failed.csv"]


def test_a_glob_whose_inputs_all_fail_is_1(mouth_live, tmp_path):
    for name in ("x.mp4", "y.mp4"):
        (tmp_path / name).write_text("no video")
    done = mouth_live("process", "*.mp4", "-o", "out")
    assert done.returncode == 1
    assert "2 of 2 inputs failed" in done.stderr


def test_stdout_has_only_data_and_a_closed_stdout_ends_silently(short_clip, mouth_live, demo_clip):
    done = mouth_live("process", short_clip, "-o", "-")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == COLUMNS
    process = subprocess.Popen(
        [*COMMAND, "process", str(demo_clip), "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (0, b"")
    process.stderr.close()


def test_a_still_picture_is_one_frame(mouth_live, tmp_path):
    import cv2
    import skimage.data

    cv2.imwrite(str(tmp_path / "astronaut.png"), skimage.data.astronaut()[..., ::-1])
    assert mouth_live("process", "astronaut.png").returncode == 0
    (row,) = rows_of(tmp_path / "astronaut.csv")
    assert (row["frame"], row["timestamp"], row["success"]) == ("0", "0.000000", "1")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["process", "missing.mp4"], 1, "missing.mp4"),
        (["process", "empty"], 1, "no videos"),
        (["process", "*.nothing"], 1, "no video or picture matches"),
        (["process", "text.mp4"], 1, "text.mp4"),
        (["process", "nothing.mp4"], 1, "nothing.mp4"),
        (["process", "sound.mp4"], 1, "sound.mp4"),
        (["process", "short.mp4", "-o", "nowhere/deep/out.csv"], 1, "nowhere"),
        (["process", "short.mp4", "--device", "gpu"], 1, "--device cpu"),
        (["--camera", "77"], 1, "no camera 77"),
        (["--camera", "short.mp4"], 1, "no display"),
        (["--camera", "7", "--no-window"], 1, "7"),
        (["--camera", "missing.mp4", "--no-window"], 1, "missing.mp4"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(mouth_live, short_clip, tmp_path, arguments, code, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "nothing.mp4").touch()
    shutil.copy(short_clip, tmp_path / "short.mp4")
    sound = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=1",
        "-c:a",
        "aac",
        str(tmp_path / "sound.mp4"),
    ]
    subprocess.run(sound, check=True)
    done = mouth_live(*arguments)
    assert done.returncode == code, done.stderr
    assert message in one_line(done)
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mirror", "process", "short.mp4"],
        ["--size", "big"],
        ["process"],
        ["process", "short.mp4", "--min-score", "2"],
        ["process", "short.mp4", "--model", "nonsense"],
        ["process", "short.mp4", "short.mp4", "-o", "-"],
        ["process", "a/x.mp4", "b/x.mov", "-o", "out"],
        ["process", "short.mp4", "-o", "short.mp4"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_2_before_any_work(mouth_live, short_clip, tmp_path, arguments):
    shutil.copy(short_clip, tmp_path / "short.mp4")
    before = sorted(tmp_path.iterdir())
    done = mouth_live(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_cut_off_video_keeps_its_readable_frames_and_reports_the_rest(mouth_live, cut_short, tmp_path):
    cut_short(0.6)
    done = mouth_live("process", "cut.mp4")
    assert done.returncode == 1
    assert "cut.mp4" in done.stderr.splitlines()[-1]
    assert 10 < len(rows_of(tmp_path / "cut.csv")) < 0.9 * 25 * 10


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupts_leave_only_the_part_file(long_clip, tmp_path, number, code):
    shutil.copy(long_clip, tmp_path)
    process = subprocess.Popen([*COMMAND, "process", "long.mp4"], cwd=tmp_path, stderr=subprocess.PIPE)
    part = tmp_path / "long.csv.part"
    waited = time.monotonic()
    while not part.exists() and time.monotonic() - waited < 30:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    asked = time.monotonic()
    process.wait(10)
    spent = time.monotonic() - asked
    assert process.stderr
    output = process.stderr.read().decode()
    process.stderr.close()
    assert process.returncode == code, output
    assert spent < 1.5  # a second, and some room for a busy machine
    assert "Traceback" not in output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["long.csv.part", "long.mp4"]


def test_live_without_a_window_ends_with_its_file_and_writes_its_csv(mouth_live, short_clip, tmp_path):
    done = mouth_live("--camera", short_clip, "--no-window", "--csv", "live.csv")
    assert done.returncode == 0, done.stderr
    assert {row["face_id"] for row in rows_of(tmp_path / "live.csv")} == {"0"}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_live_stopped_by_a_signal_completes_its_csv(demo_clip, tmp_path, number, code):
    command = [*COMMAND, "--camera", demo_clip, "--no-window", "--csv", "live.csv"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        part, deadline = tmp_path / "live.csv.part", time.monotonic() + 20
        while not (part.exists() and part.stat().st_size > 8000) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(number)
        assert running.wait(5) == code
    assert len(rows_of(tmp_path / "live.csv")) > 50
    assert not part.exists()


def test_demo_without_a_display_writes_its_files(mouth_live, tmp_path):
    done = mouth_live("demo")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mouth-live-demo" / "mouth-live-demo.mp4").stat().st_size > 10_000
    assert "mouth-live-demo.csv" in done.stderr
    assert "mouth-live-demo.mp4" in done.stderr


def test_events_are_json_lines_in_pairs(mouth_live, demo_clip):
    import json

    done = mouth_live("events", demo_clip, "--values")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds.count("start") == kinds.count("stop") > 0
    assert kinds.count("value") > 100


def test_help_loads_nothing_heavy_and_shows_examples(mouth_live):
    done = mouth_live("--help", env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"numpy", "cv2", "ai_edge_litert", "tensorflow", "keras", "mediapipe", "matplotlib", "asyncio"}
    assert "process talk.mp4" in done.stdout
    assert mouth_live("--version").stdout.startswith("mouth-live")
