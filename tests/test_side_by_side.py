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
from types import SimpleNamespace
from typing import IO

import numpy as np
import pytest
from conftest import COMMAND
from numpy.typing import NDArray

from mouth_live.models import Estimates, load_openness_model
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings.jobs import Products, plan_jobs
from mouth_live.realtime.commands.recordings.shared_network import SharedNetwork, network_client
from mouth_live.realtime.commands.recordings.side_by_side import process_side_by_side


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


def test_existing_outputs_are_skipped(mouth_live, recordings, tmp_path):
    (recordings / "text.mp4").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("kept")
    done = mouth_live("process", "in", "-o", "out", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stderr
    assert (tmp_path / "out" / "a.csv").read_text() == "kept"
    assert (tmp_path / "out" / "-b.csv").stat().st_size > 100


def test_a_missing_gpu_is_an_error(mouth_live, recordings):
    done = mouth_live("process", "in", "--jobs", "2", "--device", "gpu")
    assert done.returncode == 1
    assert "--device gpu" in done.stderr
    assert not list(recordings.parent.glob("*.csv"))


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
    (tmp_path / "together").mkdir()
    assert mouth_live("process", "in", "-o", "alone").returncode == 3
    jobs, model = plan_jobs(["in"], "together"), OnGpu()
    model.go_on.set()
    with closing(SharedNetwork(model)) as shared:
        failed = process_side_by_side(jobs, Products(), AnalysisSettings(), 3, shared)
    assert [job.source.name for job in failed] == ["text.mp4"]
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
            process = SimpleNamespace(stdin=open(answer_out, "wb"), stdout=open(ask_in, "rb"))  # noqa: PTH123, SIM115
            shared.serve(process)
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


def test_when_the_network_fails_no_process_waits_for_ever(recordings, tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.chdir(tmp_path)
    jobs = plan_jobs(["in"], ".")
    model = OnGpu(failing=True)
    model.go_on.set()
    with closing(SharedNetwork(model)) as shared:
        failed = process_side_by_side(jobs, Products(), AnalysisSettings(), 2, shared)
    assert len(failed) == 3
    assert "the network failed: out of memory" in caplog.text
    assert capfd.readouterr().err.count("gives no reply") == 2
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


def test_a_killed_process_is_reported_and_the_others_finish(mouth_live, recordings, tmp_path, monkeypatch):
    (recordings / "text.mp4").unlink()
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif '\"in/a.mp4\"' in sys.orig_argv[-1]:\n    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = mouth_live("process", "in", "-o", "out", "--jobs", "2")
    assert done.returncode == 3, done.stderr
    assert "in/a.mp4: its process was killed (signal 9)" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["-b.csv"]
