"""Tests of a second run: what is complete is skipped, what is not is made, and nothing of the user's is replaced."""

import csv
import json
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import COMMAND
from talking import wait_for


@pytest.fixture
def talk(short_clip, tmp_path):
    return Path(shutil.copy(short_clip, tmp_path / "talk.mp4"))


@pytest.fixture
def cut_off(cut_short):
    """A recording that ends before its time."""
    return cut_short(0.6)


def stamps(folder: Path) -> dict[str, int]:
    """When each file below a folder was changed, in nanoseconds."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def manifest(product: Path) -> dict[str, object]:
    return json.loads(Path(f"{product}.json").read_text())


def test_a_complete_product_is_skipped(mouth_live, talk, tmp_path):
    assert mouth_live("process", "talk.mp4").returncode == 0
    before = stamps(tmp_path)
    again = mouth_live("process", "talk.mp4")
    assert (again.returncode, stamps(tmp_path)) == (0, before)
    assert "talk.mp4: is complete already, skipped (--overwrite makes it again)" in again.stderr
    mouth_live("process", "talk.mp4", "--overwrite")
    assert stamps(tmp_path)["talk.csv"] != before["talk.csv"]


def test_the_manifest_says_what_the_product_was_made_from(mouth_live, talk, tmp_path):
    (tmp_path / "out").mkdir()
    mouth_live("process", "talk.mp4", "-o", "out/talk.csv", "--time", "media", "--min-face", "60")
    found = manifest(tmp_path / "out" / "talk.csv")
    assert (found["input"], found["finished"], found["whole"], found["reason"]) == ("../talk.mp4", True, True, "")
    assert found["content"]["size"] == talk.stat().st_size
    assert (found["frames"], found["rows"], found["seconds"]) == (25, 25, pytest.approx(1.0, abs=0.05))
    assert (found["settings"]["media_time"], found["settings"]["min_face"]) == (True, 60)
    assert found["size"] == (tmp_path / "out" / "talk.csv").stat().st_size


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--min-face", "60"], "is made again, for --min-face changed"),
        (["--model", "openness_reference"], "is made again, for the weights changed"),
        (["--kind", "open"], "is made again, for the limits of events changed"),
    ],
)
def test_other_settings_or_weights_make_it_again(mouth_live, talk, tmp_path, change, says):
    mouth_live("process", "talk.mp4")
    before = stamps(tmp_path)["talk.csv"]
    again = mouth_live("process", "talk.mp4", *change)
    assert again.returncode == 0
    assert f"talk.csv: {says}" in again.stderr
    assert stamps(tmp_path)["talk.csv"] != before


def test_a_recording_that_changed_is_processed_again(mouth_live, talk, demo_clip, tmp_path):
    mouth_live("process", "talk.mp4")
    shutil.copy(demo_clip, talk)
    again = mouth_live("process", "talk.mp4")
    assert "is made again, for the recording changed" in again.stderr
    assert manifest(tmp_path / "talk.csv")["frames"] == 200


def test_a_recording_that_was_renamed_is_known_by_its_content(mouth_live, talk, tmp_path):
    mouth_live("process", "talk.mp4", "-o", "x.csv")
    talk.rename(tmp_path / "moved.mp4")
    assert "skipped" in mouth_live("process", "moved.mp4", "-o", "x.csv").stderr


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_text("mine"), "x.csv: was changed after it was made, kept"),
        (lambda path: Path(f"{path}.json").unlink(), "x.csv: exists already, kept"),
        (lambda path: Path(f"{path}.json").write_text("mine"), "x.csv: exists already, kept"),
    ],
)
def test_a_file_of_the_users_is_kept(mouth_live, talk, tmp_path, make, says):
    mouth_live("process", "talk.mp4", "-o", "x.csv")
    make(tmp_path / "x.csv")
    before = (tmp_path / "x.csv").read_bytes()
    done = mouth_live("process", "talk.mp4", "-o", "x.csv", "--min-face", "60")
    assert done.returncode == 0
    assert says in done.stderr
    assert (tmp_path / "x.csv").read_bytes() == before


def test_the_table_of_another_recording_is_kept(mouth_live, talk, demo_clip, tmp_path):
    mouth_live("process", "talk.mp4", "-o", "x.csv")
    before = (tmp_path / "x.csv").read_bytes()
    done = mouth_live("process", demo_clip, "-o", "x.csv")
    assert (done.returncode, (tmp_path / "x.csv").read_bytes()) == (0, before)
    assert "x.csv: was made from talk.mp4, kept (--overwrite replaces it)" in done.stderr


@pytest.mark.parametrize("command", [["process"], ["events", "--format", "vtt", "-o", "cut.vtt"]])
def test_a_cut_off_recording_is_reported_again_on_every_run(mouth_live, cut_off, command):
    first = mouth_live(*command, "cut.mp4")
    again = mouth_live(*command, "cut.mp4")
    assert (first.returncode, again.returncode) == (1, 1)
    assert "cut.mp4: cut off, " in again.stderr
    assert first.stderr.splitlines()[-1] == again.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_recording_with_lost_frames_is_reported_again_on_every_run(mouth_live, demo_clip, tmp_path):
    data = bytearray(demo_clip.read_bytes())
    middle = slice(len(data) // 2, len(data) // 2 + 30_000)
    data[middle] = random.Random(1).randbytes(30_000)
    (tmp_path / "damaged.mp4").write_bytes(data)
    first = mouth_live("process", "damaged.mp4", "--events", "csv")
    again = mouth_live("process", "damaged.mp4", "--events", "csv")
    several = mouth_live("process", "damaged.mp4", "missing.mp4", "--events", "csv", "-o", ".")
    assert (first.returncode, again.returncode) == (0, 0)
    for done in (first, again, several):
        assert done.stderr.count("damaged.mp4: about") == 1, done.stderr
        assert "frames are missing in it; the longest gap is from" in done.stderr


def test_one_of_several_that_is_cut_off_is_reported_again(mouth_live, cut_off, talk):
    first = mouth_live("process", "cut.mp4", "talk.mp4", "-o", "out")
    again = mouth_live("process", "cut.mp4", "talk.mp4", "-o", "out")
    assert (first.returncode, again.returncode) == (3, 3)
    assert "cut.mp4: cut off, " in again.stderr
    assert "0 done, 1 skipped, 1 failed" in again.stderr


def test_failures_are_listed_and_can_be_tried_again(mouth_live, talk, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"")
    assert mouth_live("process", "talk.mp4", "bad.mp4", "-o", "out").returncode == 3
    with (tmp_path / "out" / "failed.csv").open(newline="") as file:
        assert [(row["input"], "an empty file" in row["reason"]) for row in csv.DictReader(file)] == [("bad.mp4", True)]
    shutil.copy(talk, tmp_path / "bad.mp4")
    (tmp_path / "out" / "talk.csv").unlink()
    done = mouth_live("process", "talk.mp4", "bad.mp4", "-o", "out", "--retry-failed")
    assert done.returncode == 0, done.stderr
    assert "1 done, 0 skipped, 0 failed" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bad.csv", "bad.csv.json", "talk.csv.json"}


@pytest.mark.slow
def test_several_products_are_made_in_one_pass_as_in_several(mouth_live, talk, tmp_path):
    done = mouth_live("process", "talk.mp4", "--events", "textgrid", "--events", "json", "--annotate")
    assert done.returncode == 0, done.stderr
    names = {"talk.csv", "talk.TextGrid", "talk.events.jsonl", "talk.annotated.mp4"}
    assert {path.name for path in tmp_path.iterdir()} == {"talk.mp4", *names, *(f"{name}.json" for name in names)}
    mouth_live("events", "talk.mp4", "--format", "textgrid", "-o", "alone.TextGrid")
    mouth_live("events", "talk.mp4", "-o", "alone.jsonl")
    mouth_live("process", "talk.mp4", "-o", "alone.csv")
    for made, alone in (("TextGrid", "TextGrid"), ("events.jsonl", "jsonl"), ("csv", "csv")):
        assert (tmp_path / f"talk.{made}").read_bytes() == (tmp_path / f"alone.{alone}").read_bytes()
    (tmp_path / "talk.TextGrid").unlink()
    before = stamps(tmp_path)
    again = mouth_live("process", "talk.mp4", "--events", "textgrid", "--events", "json", "--annotate")
    assert again.returncode == 0
    assert {name for name, stamp in stamps(tmp_path).items() if before.get(name) != stamp} == {
        "talk.TextGrid",
        "talk.TextGrid.json",
    }


@pytest.mark.slow
def test_events_and_annotated_videos_of_a_folder_keep_its_structure(mouth_live, talk, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    shutil.copy(talk, tmp_path / "in" / "sub" / "b.mp4")
    shutil.move(talk, tmp_path / "in" / "a.mp4")
    assert mouth_live("events", "in", "--format", "elan", "-o", "out").returncode == 0
    assert mouth_live("process", "in", "-o", "out", "--annotate").returncode == 0
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    products = {f"{name}{suffix}" for name in ("a", "sub/b") for suffix in (".csv", ".eaf", ".annotated.mp4")}
    assert found == products | {f"{name}.json" for name in products}


def test_products_beside_the_recordings_are_no_recordings(mouth_live, talk, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.move(talk, tmp_path / "in")
    for _ in range(2):
        done = mouth_live("process", "in", "-o", "in", "--annotate")
        assert done.returncode == 0, done.stderr
    assert "0 done, 1 skipped, 0 failed" in done.stderr


@pytest.mark.slow
def test_a_folder_of_pictures_is_one_table(mouth_live, talk, tmp_path):
    (tmp_path / "in" / "pictures").mkdir(parents=True)
    frames = ["ffmpeg", "-v", "error", "-i", str(talk), "-frames:v", "3", str(tmp_path / "in" / "pictures" / "%d.png")]
    subprocess.run(frames, check=True)
    shutil.move(talk, tmp_path / "in")
    assert mouth_live("process", "in", "-o", "out").returncode == 0
    assert mouth_live("process", "in/pictures").returncode == 0
    assert (tmp_path / "pictures.csv").read_bytes() == (tmp_path / "out" / "pictures.csv").read_bytes()
    assert manifest(tmp_path / "pictures.csv")["frames"] == 3


def test_exclude_and_dry_run(mouth_live, talk, tmp_path):
    for name in ("a/x.mp4", "a/y.mp4", "b/x.mp4"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(talk, tmp_path / "in" / name)
    done = mouth_live("process", "in", "-o", "out", "--exclude", "b", "--exclude", "*y.mp4", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "in/a/x.mp4 -> out/a/x.csv\n")
    assert not (tmp_path / "out").exists()
    mouth_live("process", "in", "-o", "out", "--exclude", "b")
    assert mouth_live("process", "in", "-o", "out", "--dry-run").stdout == "in/b/x.mp4 -> out/b/x.csv\n"


def test_shards_together_are_all_recordings_each_once(mouth_live, talk, tmp_path):
    names = [f"{k}.mp4" for k in range(5)]
    for name in names:
        shutil.copy(talk, tmp_path / name)
    shards = [mouth_live("process", *names, "-o", "out", "--shard", f"{k}/2", "--dry-run").stdout for k in (1, 2)]
    assert [shard.count("\n") for shard in shards] == [3, 2]
    everything = mouth_live("process", *names, "-o", "out", "--dry-run").stdout
    assert sorted("".join(shards).splitlines()) == everything.splitlines()


def test_a_task_of_a_slurm_array_takes_its_shard(mouth_live, talk, tmp_path, monkeypatch):
    names = [f"{k}.mp4" for k in range(3)]
    for name in names:
        shutil.copy(talk, tmp_path / name)
    for variable, value in {"ID": "14", "COUNT": "3", "MIN": "10", "STEP": "2"}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{variable}", value)
    done = mouth_live("process", *names, "-o", "out", "--dry-run", env=None)
    assert done.stdout == "2.mp4 -> out/2.csv\n"
    assert "shard 3 of 3 (SLURM_ARRAY_TASK_ID): 1 of 3 recordings" in done.stderr
    assert mouth_live("process", *names, "-o", "out", "--dry-run", "--shard", "1/1", env=None).stdout.count("\n") == 3
    assert mouth_live("process", "0.mp4", "--dry-run", env=None).stdout == "0.mp4 -> 0.csv\n"  # a single input is whole


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_wrong_shard_is_wrong_usage(mouth_live, talk, text):
    assert mouth_live("process", "talk.mp4", "--shard", text).returncode == 2


@pytest.mark.slow
def test_after_ctrl_c_the_same_command_goes_on(long_clip, short_clip, tmp_path):
    shutil.copy(short_clip, tmp_path / "a.mp4")
    shutil.copy(long_clip, tmp_path / "b.mp4")
    command = [*COMMAND, "process", "a.mp4", "b.mp4", "-o", "out", "--jobs", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    wait_for((tmp_path / "out" / "b.csv.part").exists, 60)
    process.send_signal(signal.SIGINT)
    stderr = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 130
    assert "1 done, 0 skipped, 0 failed" in stderr
    assert "the same command goes on from here" in stderr
    assert not (tmp_path / "out" / "failed.csv").exists()
    again = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False, text=True)
    assert "1 done, 1 skipped, 0 failed" in again.stderr


@pytest.mark.slow
def test_two_runs_on_one_folder_do_not_hurt_each_other(long_clip, short_clip, tmp_path):
    shutil.copy(long_clip, tmp_path / "a.mp4")
    shutil.copy(short_clip, tmp_path / "b.mp4")
    command = [*COMMAND, "process", "a.mp4", "b.mp4", "-o", "out", "--jobs", "1"]
    first = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    wait_for((tmp_path / "out" / "a.csv.part").exists, 60)
    second = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False, text=True)
    assert second.returncode == 0, second.stderr
    assert "out/a.csv: is being written by another run" in second.stderr
    assert "1 done, 1 skipped, 0 failed" in second.stderr
    assert first.communicate(timeout=120)[1].decode().count("failed in") == 1
    assert first.returncode == 0
    assert manifest(tmp_path / "out" / "a.csv")["frames"] == manifest(tmp_path / "out" / "a.csv")["rows"] == 4200


def test_a_link_that_leads_nowhere_is_a_failure(mouth_live, short_clip, tmp_path):
    """As of a disk that is not mounted, or of data that were not fetched."""
    (tmp_path / "in").mkdir()
    shutil.copy(short_clip, tmp_path / "in" / "a.mp4")
    (tmp_path / "in" / "b.mp4").symlink_to("/nowhere/b.mp4")
    done = mouth_live("process", "in", "-o", "out")
    assert done.returncode == 3
    assert "in/b.mp4: a link to /nowhere/b.mp4, which is not there" in done.stderr
    assert "in/b.mp4" in (tmp_path / "out" / "failed.csv").read_text()


def test_nothing_is_retried_in_a_folder_that_is_not_there(mouth_live, short_clip, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(short_clip, tmp_path / "in" / "a.mp4")
    done = mouth_live("process", "in", "-o", "mistyped", "--retry-failed")
    assert done.returncode == 2
    assert "mistyped: no such folder, so nothing has failed in it" in done.stderr
    assert not (tmp_path / "mistyped").exists()
