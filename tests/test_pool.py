"""Tests of parallel processing: it gives the same files, lines and exit codes as one recording after the other."""

import csv
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND
from numpy.typing import NDArray

from mouth_live.realtime.commands.recordings.outcome import Outcome
from mouth_live.realtime.commands.recordings.plan import Wanted, make_folders, plan_jobs
from mouth_live.realtime.commands.recordings.pool import Pool


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
    alone = mouth_live("process", "in", "-o", "alone", "--jobs", "1", *options)
    together = mouth_live("process", "in", "-o", "together", "--jobs", "2", *options)
    assert (alone.returncode, together.returncode) == (3, 3), together.stderr
    assert lines_of(together.stderr.replace("together", "alone")) == lines_of(alone.stderr)
    made = {path.name: path.read_bytes() for path in (tmp_path / "together").iterdir() if path.suffix == ".csv"}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir() if path.suffix == ".csv"}
    assert set(made) == {"a.csv", "-b.csv", "failed.csv"}


def lines_of(stderr: str) -> list[str]:
    """The lines in any order, without the time that the run took."""
    return sorted(line.partition(" failed in ")[0] for line in stderr.splitlines())


def test_a_missing_gpu_is_an_error(mouth_live, recordings):
    done = mouth_live("process", "in", "--jobs", "2", "--device", "gpu")
    assert done.returncode == 1
    assert "--device gpu" in done.stderr
    assert not list(recordings.parent.glob("*.csv"))


def done_by(pool: Pool, inputs: list[str], output: str) -> dict[str, Outcome]:
    """How the recordings' jobs ended, by the recordings' names."""
    jobs = plan_jobs(inputs, [Wanted("table", "csv", output)], several=True)
    make_folders(Path(output), jobs)
    return {job.source.name: outcome for job, outcome in pool.run(jobs)}


def rows(path: Path) -> NDArray[np.float64]:
    with path.open(newline="", encoding="utf-8") as file:
        _, *lines = csv.reader(file)
    return np.array([[float(cell or "nan") for cell in line] for line in lines])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_processes_and_waits_for_them(long_clip, tmp_path, number, code):
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(long_clip, tmp_path / name)
    command = [*COMMAND, "process", "a.mp4", "b.mp4", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    parts = {tmp_path / "a.csv.part", tmp_path / "b.csv.part"}
    waited = time.monotonic()
    while not all(part.exists() for part in parts) and time.monotonic() - waited < 30:  # both have started
        time.sleep(0.05)
    process.send_signal(number)
    output = process.communicate(timeout=10)[1]
    sizes = {part: part.stat().st_size for part in parts}
    assert process.returncode == code
    assert b"Traceback" not in output
    time.sleep(0.5)
    assert {part: part.stat().st_size for part in parts} == sizes  # none continues
    assert not list(tmp_path.glob("*.csv"))


def children_of(process: "subprocess.Popen[bytes]") -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    threads = listed.parent.parent.iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


@pytest.mark.slow
def test_a_killed_process_is_reported_replaced_and_the_others_finish(long_clip, short_clip, tmp_path):
    """Its recording failed; the next run makes it."""
    shutil.copy(long_clip, tmp_path / "a.mp4")
    for name in ("b.mp4", "c.mp4", "d.mp4"):
        shutil.copy(short_clip, tmp_path / name)
    inputs = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    command = [*COMMAND, "process", *inputs, "-o", "out", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    killed: set[int] = set()
    until = time.monotonic() + 60
    while not killed and time.monotonic() < until:
        for child in children_of(process):
            if any("a.csv.part" in str(link.resolve()) for link in Path(f"/proc/{child}/fd").iterdir()):
                os.kill(child, signal.SIGKILL)
                killed.add(child)
        time.sleep(0.05)
    stderr = process.communicate(timeout=60)[1].decode()
    assert killed
    assert process.returncode == 3, stderr
    assert "a.mp4: its process was killed (signal 9)" in stderr
    assert {path.stem for path in (tmp_path / "out").glob("*.csv")} == {"b", "c", "d", "failed"}
    again = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False, text=True)
    assert again.returncode == 0, again.stderr
    assert "1 done, 3 skipped, 0 failed" in again.stderr
    assert not (tmp_path / "out" / "failed.csv").exists()


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_parent(long_clip, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(long_clip, tmp_path / name)
    process = subprocess.Popen([*COMMAND, "process", "a.mp4", "b.mp4", "-o", "out", "--jobs", "2"], cwd=tmp_path)
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("out/*.part"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    children = children_of(process)
    process.kill()
    process.wait()
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(children) == 2
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert not list(tmp_path.glob("out/*.csv"))


@pytest.mark.slow
def test_a_worker_does_several_recordings(short_clip, tmp_path, mouth_live):
    """It loads its networks once: three recordings by two workers are three processes in all."""
    for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4"):
        shutil.copy(short_clip, tmp_path / name)
    trace = ["strace", "-f", "-s", "200", "-e", "trace=execve", "-o", "trace"]
    command = [*trace, *COMMAND, "process", "a.mp4", "b.mp4", "c.mp4", "d.mp4", "-o", "out", "--jobs", "2"]
    subprocess.run(command, cwd=tmp_path, check=True)
    started = [line for line in (tmp_path / "trace").read_text().splitlines() if "recordings.worker" in line]
    assert len([line for line in started if "execve(" in line]) == 2
