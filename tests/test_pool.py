"""Tests of parallel processing: it gives the same files, lines and exit codes as one recording after the other."""

import csv
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from conftest import COMMAND
from numpy.typing import NDArray

from mouth_live.models import Estimates, load_openness_model
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings.outcome import Outcome
from mouth_live.realtime.commands.recordings.plan import Wanted, make_folders, plan_jobs
from mouth_live.realtime.commands.recordings.pool import Pool
from mouth_live.realtime.commands.recordings.products import ProductOptions
from mouth_live.realtime.commands.recordings.shared_network import SharedNetwork, network_client


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


class OnGpu:
    """The shipped network on the CPU instead of a GPU; it records the sizes of its batches."""

    name, device = "openness_compact", "gpu"

    def __init__(self, failing: bool = False) -> None:
        self.batches: list[int] = []
        self.go_on = threading.Event()
        self._model, self._failing = load_openness_model(), failing

    def read(self, crops: NDArray[np.uint8]) -> Estimates:
        self.batches.append(len(crops))
        assert self.go_on.wait(10)
        if self._failing:
            raise RuntimeError("out of\nmemory")
        return self._model.read(crops)


def test_one_network_for_all_gives_the_same_values(mouth_live, recordings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mouth_live("process", "in", "-o", "alone").returncode == 3
    model = OnGpu()
    model.go_on.set()
    with closing(SharedNetwork(model)) as shared:
        done = done_by(Pool(3, ProductOptions(), AnalysisSettings(), shared), ["in"], "together")
    assert {name for name, outcome in done.items() if outcome.error} == {"text.mp4"}
    for name in ("a.csv", "-b.csv"):
        alone, together = (rows(tmp_path / folder / name) for folder in ("alone", "together"))
        assert together == pytest.approx(alone, abs=2e-4, nan_ok=True)
    assert sum(model.batches) == 50


def test_requests_that_arrive_meanwhile_are_read_in_one_batch():
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (n, 60, 60, 3), np.uint8) for n in (1, 2, 3, 2)]
    model, sent = OnGpu(), threading.Semaphore(0)
    answers: dict[int, NDArray[np.float32]] = {}

    def ask(k: int, question: IO[bytes], answer: IO[bytes]) -> None:
        flush = question.flush
        question.flush = lambda: (flush(), sent.release())
        with question, answer:
            answers[k] = network_client(question, answer)(crops[k])

    with closing(SharedNetwork(model)) as shared:
        threads = list[threading.Thread]()
        for k in range(len(crops)):
            (ask_in, ask_out), (answer_in, answer_out) = os.pipe(), os.pipe()
            shared.serve(open(ask_in, "rb"), open(answer_out, "wb"))  # noqa: PTH123, SIM115
            ends = open(ask_out, "wb"), open(answer_in, "rb")  # noqa: PTH123, SIM115
            threads.append(threading.Thread(target=ask, args=(k, *ends)))
            threads[-1].start()
        assert all(sent.acquire(timeout=10) for _ in crops)
        time.sleep(0.3)  # the last request is still in the pipe
        model.go_on.set()
        for thread in threads:
            thread.join()
    assert sum(model.batches) == 8
    assert len(model.batches) <= 2  # the first request, and all that arrived while it was read
    plain = load_openness_model()
    for k, shown in enumerate(crops):
        assert answers[k][:, 0] == pytest.approx(plain.predict(shown), abs=1e-5)


def test_when_the_network_fails_no_process_waits_for_ever(recordings, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    model = OnGpu(failing=True)
    model.go_on.set()
    with closing(SharedNetwork(model)) as shared:
        done = done_by(Pool(2, ProductOptions(), AnalysisSettings(), shared), ["in"], ".")
    assert "the network failed: out of memory" in caplog.text
    assert ["gives no reply" in done[name].error for name in ("a.mp4", "-b.mp4", "text.mp4")] == [True, True, False]
    assert not list(tmp_path.glob("*.csv"))


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


def test_a_worker_does_several_recordings(short_clip, tmp_path, mouth_live):
    """It loads its networks once: three recordings by two workers are three processes in all."""
    for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4"):
        shutil.copy(short_clip, tmp_path / name)
    trace = ["strace", "-f", "-s", "200", "-e", "trace=execve", "-o", "trace"]
    command = [*trace, *COMMAND, "process", "a.mp4", "b.mp4", "c.mp4", "d.mp4", "-o", "out", "--jobs", "2"]
    subprocess.run(command, cwd=tmp_path, check=True)
    started = [line for line in (tmp_path / "trace").read_text().splitlines() if "recordings.worker" in line]
    assert len([line for line in started if "execve(" in line]) == 2
