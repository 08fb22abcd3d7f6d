"""Several recordings at once: what they leave behind is what they would one by one."""

import shutil
import signal
import subprocess
import time

import pytest
from conftest import COMMAND


@pytest.fixture
def recordings(short_clip, tmp_path):
    """A folder with two good videos and a bad one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "-b.mp4"):
        shutil.copy(short_clip, folder / name)
    (folder / "text.mp4").write_text("no video at all")
    return folder


def test_the_same_files_lines_and_exit_code_as_one_by_one(mouth_live, recordings, tmp_path):
    options = ["--time", "media", "--min-face", "80", "--min-score", "0.6"]
    alone = mouth_live("process", "in", "-o", "alone", *options)
    together = mouth_live("process", "in", "-o", "together", "--jobs", "2", *options)
    assert (alone.returncode, together.returncode) == (3, 3), together.stderr
    assert sorted(together.stderr.replace("together", "alone").splitlines()) == sorted(alone.stderr.splitlines())
    made = {path.name: path.read_bytes() for path in (tmp_path / "together").iterdir()}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir()}
    assert set(made) == {"a.csv", "-b.csv"}


def test_what_is_done_is_skipped(mouth_live, recordings, tmp_path):
    (recordings / "text.mp4").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("kept")
    done = mouth_live("process", "in", "-o", "out", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stderr
    assert (tmp_path / "out" / "a.csv").read_text() == "kept"
    assert (tmp_path / "out" / "-b.csv").stat().st_size > 100


def test_several_at_once_on_a_gpu_is_refused(mouth_live, recordings):
    done = mouth_live("process", "in", "--jobs", "2", "--device", "gpu")
    assert done.returncode == 2
    assert "--jobs" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_to_end_it_ends_them_all_and_waits(long_clip, tmp_path, number, code):
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(long_clip, tmp_path / name)
    command = [*COMMAND, "process", "a.mp4", "b.mp4", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    parts = {tmp_path / "a.csv.part", tmp_path / "b.csv.part"}
    waited = time.monotonic()
    while not all(part.exists() for part in parts) and time.monotonic() - waited < 30:  # both are at work
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=10)[1]
    sizes = {part: part.stat().st_size for part in parts}
    assert process.returncode == code
    assert b"Traceback" not in said
    time.sleep(0.5)
    assert {part: part.stat().st_size for part in parts} == sizes  # nobody goes on
    assert not list(tmp_path.glob("*.csv"))


def test_one_that_is_killed_is_told_and_the_others_are_done(mouth_live, recordings, tmp_path, monkeypatch):
    (recordings / "text.mp4").unlink()
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif sys.orig_argv[-1:] == ['in/a.mp4']:\n    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = mouth_live("process", "in", "-o", "out", "--jobs", "2")
    assert done.returncode == 3, done.stderr
    assert "in/a.mp4: its process was killed (signal 9)" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["-b.csv"]
