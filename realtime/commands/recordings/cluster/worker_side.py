"""What a worker of a Dask cluster does: check that it fits the user's machine, and do jobs one at a time.

The functions are called by their names, so a worker needs the same version of this program.
"""

import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .....models.errors import MouthLiveError
from .....models.face_embedding import find_weights
from ....records import Analysis
from ....settings import AnalysisSettings
from ....sinks.sink import Sink
from ....sinks.tables.formats import PARQUET
from ....system.signals import Terminated
from ..manifest import manifest_path, settings_data, weights_hashes
from ..outcome import Outcome
from ..places import Places
from ..plan import Job
from ..stretches import Stretch
from ..task_runner import TaskRunner, task_runner

PACKAGES = ("mouth-live", "numpy", "opencv-python", "ai-edge-litert")
"""Those on whose versions values depend."""
TABLE_PACKAGES = {PARQUET: "pyarrow"}
"""Those on whose versions a table's bytes depend, by the format."""
PEOPLE_PACKAGES = ("dlib", "dlib-bin")
"""Those on whose version it depends which tracks are one person; one of the two is installed."""

_one_at_a_time = threading.Lock()  # networks serve one thread; a Dask worker may have several
_loaded: dict[str, TaskRunner] = {}  # what does the jobs of the last run, by what these have in common


def requirements(settings: AnalysisSettings, formats: Iterable[str], *, merge_ids: bool = False) -> dict[str, Any]:
    """Return what decides on products and must be the same on all machines, as data that JSON can hold.

    Args:
        settings: the settings of the analysis.
        formats: those of the products.
        merge_ids: whether tracks of one person get one id.

    Raises:
        MouthLiveError: the weights or the profile cannot be read.
    """
    tables = (TABLE_PACKAGES[name] for name in formats if name in TABLE_PACKAGES)
    packages = *PACKAGES, *tables, *(PEOPLE_PACKAGES if merge_ids else ())
    profile = settings_data(settings)["profile"]
    return {"versions": _versions(packages), "weights": weights_hashes(settings), "profile": profile}


def misfit(common: Mapping[str, Any]) -> str:
    """Return what differs on this worker from the user's machine, in words; empty where nothing does.

    Args:
        common: what all jobs have in common, with the :func:`requirements` of the user's machine.
    """
    wanted = common["requirements"]
    if text := other_versions(_versions(wanted["versions"]), wanted["versions"]):
        return text
    settings = replace(AnalysisSettings.from_data(common["settings"]), model=common["loaded"]["model"])
    try:
        if common["options"]["merge_ids"]:
            find_weights()
        found = requirements(settings, ())
    except MouthLiveError as error:
        return str(error)
    for task, theirs in found["weights"].items():
        if theirs != wanted["weights"][task]:
            hashes = f"SHA-256 {theirs[:12]}..., here {wanted['weights'][task][:12]}..."
            return f"has other weights for {task} ({hashes}); give it the same"
    if found["profile"] != wanted["profile"]:
        return f"has another profile {settings.profile!r} ({found['profile']}, here {wanted['profile']}); copy it there"
    return ""


def other_versions(found: Mapping[str, str | None], wanted: Mapping[str, str | None]) -> str:
    """Return the first package whose version differs, in words; empty where none does."""
    for name, here in wanted.items():
        if found.get(name) != here:
            return f"has {name} {found.get(name) or '(none)'}, here is {here}; install the same on all workers"
    return ""


def unseen(paths: Sequence[str]) -> str:
    """Return the first of these paths that this worker cannot see; empty where it sees all."""
    return next((path for path in paths if not os.path.exists(path)), "")  # noqa: PTH110 - of another machine


def check_worker(common: Mapping[str, Any], paths: Sequence[str]) -> str:
    """Return why this worker cannot do these jobs, in words; empty where it can."""
    return misfit(common) or (_not_seen(path) if (path := unseen(paths)) else "")


def do_in_place(key: str, common: str, job: Mapping[str, Any], places: Places, needed: Sequence[str]) -> dict[str, Any]:
    """Do a job on a file system that the worker shares with the user's machine.

    Args:
        key: Dask's name of this task.
        common: what all jobs have in common, as JSON.
        job: the job as data.
        places: where its files are here.
        needed: paths here that the user's machine can see.

    Returns:
        The outcome as data; ``misfit`` and the reason where this worker does not fit; nothing where it was stopped.
    """
    with _one_at_a_time:
        if reason := _load(common):
            return {"misfit": f"{worker_name()}: {reason}"}
        if path := unseen(needed):
            return Outcome(f"{job['source']}: {worker_name()}: {_not_seen(path)}").as_data()
        outcome = _do(key, common, Job.from_data(job), places)
        return {} if outcome is None else outcome.as_data()


def do_sent(
    key: str, common: str, job: Mapping[str, Any], folder: str, content: Sequence[tuple[str, bytes]]
) -> dict[str, Any]:
    """Do a job whose recording is sent, in a temporary folder.

    Args:
        key: Dask's name of this task.
        common: what all jobs have in common, as JSON.
        job: the job as data.
        folder: the user's current folder.
        content: each file of the recording, by its path in the recording's folder; of a single file, by its name.

    Returns:
        The outcome as data, and under ``products`` the bytes and the manifest of each product; None where it was not
        made. ``misfit`` and the reason where this worker does not fit; nothing where it was stopped.
    """
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="mouth-live-", dir=_dask_worker().local_directory) as made:
        if reason := _load(common):
            return {"misfit": f"{worker_name()}: {reason}"}
        wanted = Job.from_data(job)
        files = {str(wanted.source): str(Path(made, "recording", wanted.source.name))}
        for number, target in enumerate(wanted.targets):
            files[str(target.path)] = str(Path(made, "products", str(number), Path(target.path).name))
            Path(files[str(target.path)]).parent.mkdir(parents=True)
        for name, data in content:
            file = Path(made, "recording", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        places = Places(folder, files)
        outcome = _do(key, common, wanted, places)
        if outcome is None:
            return {}
        products = [_product(places.local(Path(target.path))) for target in wanted.targets]
        return outcome.as_data() | {"products": products}


def do_stretch(common: str, source: str, track: int | None, number: int) -> bytes:
    """Analyse a stretch of a long recording on a file system that the worker shares with the user's machine.

    Args:
        common: what all jobs have in common, as JSON.
        source: the recording, as this machine names it.
        track: the number of its video track; None: the file's default.
        number: the stretch.

    Returns:
        Its record, as the bytes of a ``.npz`` file; nothing where it could not be analysed here.
    """
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="mouth-live-", dir=_dask_worker().local_directory) as made:
        record = Path(made, "record.npz")
        if _load(common) or _loaded[common](Stretch(Path(source), track, number, record)).error:
            return b""
        return record.read_bytes()


def dask_setup(_worker: object) -> None:
    """Prepare a worker that this program started: Ctrl-C at the terminal reaches it too, and is not for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def worker_name() -> str:
    """Return the worker's address and its machine's name, for messages."""
    return f"worker {_dask_worker().address} ({socket.gethostname()})"


class _Watch(Sink):
    """Ends a job that is not wanted any more, because Dask cannot: the run was stopped, or the scheduler is gone."""

    def __init__(self, key: str) -> None:
        """Watch over the task of this name."""
        self._key, self._worker = key, _dask_worker()

    def write(self, analysis: Analysis) -> None:
        """Do nothing while the job is wanted.

        Raises:
            Terminated: it is not.
        """
        task = self._worker.state.tasks.get(self._key)
        if task is None or task.state == "cancelled" or self._worker.status.name in ("closing", "closed", "failed"):
            raise Terminated


def _do(key: str, common: str, job: Job, places: Places) -> Outcome | None:
    """Do a job; None where it was stopped."""
    try:
        return _loaded[common](job, places, [_Watch(key)])
    except Terminated:
        return None


def _load(common: str) -> str:
    """Load the networks for these jobs, unless they are; return why this worker cannot do the jobs."""
    if common in _loaded:
        return ""
    data = json.loads(common)
    if reason := misfit(data):
        return reason
    _loaded.clear()
    try:
        _loaded[common] = task_runner(data)
    except MouthLiveError as error:
        return str(error)
    return ""


def _product(path: Path) -> tuple[bytes, str] | None:
    manifest = manifest_path(path)
    if not (path.is_file() and manifest.is_file()):
        return None
    return path.read_bytes(), manifest.read_text(encoding="utf-8")


def _versions(packages: Iterable[str]) -> dict[str, str | None]:
    return {name: _version(name) for name in packages}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _not_seen(path: str) -> str:
    return f"cannot see {path}; share the file system, or give --map HERE=THERE or --send"


def _dask_worker() -> Any:  # noqa: ANN401 - distributed is typed only where it is installed
    return import_module("distributed").get_worker()
