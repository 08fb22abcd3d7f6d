"""Tests of long recordings that several processes analyse: the products are those of one process, byte for byte."""

import os
import signal
import subprocess
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND

from mouth_live.models.errors import StretchError
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings.plan import Job
from mouth_live.realtime.commands.recordings.products import ProductOptions, Target
from mouth_live.realtime.commands.recordings.stretches import Stretch, analyse_stretch
from mouth_live.realtime.commands.recordings.work import do_job
from mouth_live.realtime.faces.following import FaceFollower
from mouth_live.realtime.faces.stretches import LENGTH, StretchFollower, StretchRecord, stretches_at
from mouth_live.realtime.session import open_session
from mouth_live.realtime.settings import Networks, load_networks


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(AnalysisSettings())


@pytest.fixture(scope="module")
def alone(ten_minutes, networks) -> bytes:
    """The table that one process makes."""
    return table(ten_minutes, networks)


def table(video: Path, networks: Networks, split: object = None) -> bytes:
    out = video.with_suffix(".csv")
    do_job(Job(video, (Target("table", "csv", out),)), ProductOptions(), AnalysisSettings(), networks, split=split)  # type: ignore[arg-type]
    return out.read_bytes()


@pytest.mark.slow
def test_several_processes_make_the_same_products(mouth_live, ten_minutes, tmp_path, alone):
    command = ["process", str(ten_minutes), "--events", "csv", "--annotate"]
    for folder, jobs in (("one", "1"), ("three", "3")):
        (tmp_path / folder).mkdir()
        done = mouth_live(*command, "-o", folder, "--jobs", jobs)
        assert done.returncode == 0, done.stderr
    made = [{path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("one", "three")]
    assert set(made[0]) == set(made[1])
    for name in ("long.csv", "long.events.csv", "long.annotated.mp4"):
        assert made[0][name] == made[1][name]
    assert made[0]["long.csv"] == alone
    assert alone.count(b"\n") > 150


def test_a_stretch_is_analysed_by_itself(ten_minutes, networks, alone, tmp_path):
    """That it was, and that its record is used: with another value in it, the table has that value."""
    stretch = Stretch(ten_minutes, None, 2, tmp_path / "2.npz")
    analyse_stretch(stretch, networks)
    record = StretchRecord.load(stretch.record)
    first = next(i for i, time in enumerate(record.times) if time >= 2 * LENGTH)
    assert record.times[first] == 2 * LENGTH
    assert record.times[0] == 2 * LENGTH - 2
    record.values[record.counts[:first].sum() :, 0] = 0.9876
    changed = table(ten_minutes, networks, split_of({2: record}))
    assert b"0.9876" in changed
    assert changed.splitlines()[:100] == alone.splitlines()[:100]


def split_of(records: dict[int, StretchRecord]):
    def split(_source: object, _video: object) -> AbstractContextManager[object]:
        return nullcontext(records.get)

    return split


@pytest.mark.slow
def test_a_record_of_other_pictures_is_not_used(ten_minutes, networks, alone, tmp_path, caplog):
    stretch = Stretch(ten_minutes, None, 1, tmp_path / "1.npz")
    analyse_stretch(stretch, networks)
    record = StretchRecord.load(stretch.record)
    other = replace(record, prints=record.prints + np.uint32(1))
    assert table(ten_minutes, networks, split_of({1: other})) == alone
    record.times[20] += 1e-6  # the first frames are the same
    caplog.set_level("INFO", "mouth_live")
    assert table(ten_minutes, networks, split_of({1: record})) == alone
    assert "it is analysed again by one process" in caplog.text


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_workers_change_nothing(ten_minutes, tmp_path, alone):
    run, out = started(ten_minutes, tmp_path)
    for _ in range(3):
        time.sleep(0.3)
        for worker in workers_of(run):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    assert run.wait(120) == 0
    assert out.read_bytes() == alone


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_the_workers(ten_minutes, tmp_path):
    run, out = started(ten_minutes, tmp_path)
    workers = workers_of(run)
    assert workers
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 130
    assert not out.exists()
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("mouth-live-*/*.npz"))


def started(video: Path, folder: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    """Start to process a video in three processes, and return when they run."""
    out = folder / "out.csv"
    run = subprocess.Popen([*COMMAND, "process", str(video), "-o", str(out), "--jobs", "3"])
    until = time.monotonic() + 20
    while len(workers_of(run)) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    return run, out


def workers_of(run: "subprocess.Popen[bytes]") -> list[int]:
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    tasks = Path(f"/proc/{run.pid}/task").glob("*/children") if children.exists() else ()
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_times_belong_to_their_stretch_and_warm_the_next_one_up():
    assert list(stretches_at(0)) == [0]
    assert list(stretches_at(117.999)) == [0]
    assert list(stretches_at(118)) == [0, 1]
    assert list(stretches_at(119.999)) == [0, 1]
    assert list(stretches_at(120)) == [1]
    assert list(stretches_at(1000 * 120)) == [1000]


def test_a_gap_longer_than_a_stretch(networks):
    picture = np.zeros((48, 64, 3), np.uint8)
    follower = StretchFollower(lambda: FaceFollower(networks.finder))
    assert [follower.find(picture, time) for time in (0.0, 119.0, 400.0)] == [[], [], []]


def test_a_record_that_is_too_short_is_an_error(ten_minutes, networks, tmp_path):
    stretch = Stretch(ten_minutes, None, 0, tmp_path / "0.npz")
    analyse_stretch(stretch, networks)
    record = StretchRecord.load(stretch.record)
    short = StretchRecord.load(stretch.record)
    short = replace(short, times=short.times[:5], prints=short.prints[:5], cuts=short.cuts[:5], counts=short.counts[:5])
    assert len(record.times) == LENGTH / 2
    with pytest.raises(StretchError, match="is not the one that another process decoded"):
        replayed(ten_minutes, networks, short)


def replayed(video: Path, networks: Networks, record: StretchRecord) -> None:
    with open_session(str(video), networks=networks, record_of={0: record}.get) as session:
        for _ in session:
            pass
