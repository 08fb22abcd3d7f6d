"""Compare the workers of a cluster with this machine, before any work."""

import logging
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .....models.errors import ClusterError, SinkError
from ..plan import Job
from .options import ClusterOptions
from .worker_side import check_worker, other_versions

log = logging.getLogger("mouth_live")


def check_workers(client: Any, cluster: ClusterOptions, common: Mapping[str, Any], jobs: Sequence[Job]) -> None:  # noqa: ANN401 - of Dask
    """Compare versions, weights and the profile of all workers with those here, and what files they see.

    Args:
        client: Dask's client.
        cluster: which cluster, and how files get there.
        common: what all jobs have in common, with the requirements.
        jobs: the jobs, at least one.

    Raises:
        ClusterError: a worker does not fit; the first such one is named, with the difference.
        SinkError: the output folder cannot be written.
    """
    # By Dask's own means, because a worker without this version of the program cannot call its functions.
    wanted: Mapping[str, str | None] = common["requirements"]["versions"]
    found: Mapping[str, Any] = client.get_versions(packages=list(wanted))["workers"]
    _refuse({worker: other_versions(them["packages"], wanted) for worker, them in found.items() if them})
    with _shown(jobs[0], cluster) as paths:
        replies: Mapping[str, Any] = client.run(check_worker, common, paths, on_error="return")
    # An exception is that of a worker which has just left, as it may.
    _refuse({worker: reply for worker, reply in replies.items() if isinstance(reply, str)})


def warn_of_threads(workers: Mapping[str, Any]) -> None:
    """Say which workers have several threads, of which only one works at a time."""
    several = [worker for worker, known in workers.items() if known["nthreads"] > 1]
    if several:
        more = f" ({len(several) - 1} more likewise)" if len(several) > 1 else ""
        log.warning(
            "worker %s has %d threads, but does one recording at a time%s; start a worker for each core, with: "
            "dask worker ADDRESS --nworkers N --nthreads 1",
            several[0],
            workers[several[0]]["nthreads"],
            more,
        )


@contextmanager
def _shown(job: Job, cluster: ClusterOptions) -> Generator[list[str]]:
    """Give the paths on the workers of a recording and of a new file beside its product; none where files are sent."""
    if cluster.send:
        yield []
        return
    folder = Path(job.targets[0].path).absolute().parent
    try:
        with tempfile.NamedTemporaryFile(prefix=".mouth-live-", dir=folder) as file:
            paths = [folder, Path(file.name), *([job.source] if job.source.exists() else [])]
            yield [cluster.there(path) for path in paths]
    except OSError as error:
        raise SinkError(f"{folder}: cannot write in this folder ({error.strerror}); give another -o") from None


def _refuse(problems: Mapping[str, str]) -> None:
    """Raise an error where a worker has a problem."""
    found = {worker: problem for worker, problem in problems.items() if problem}
    if found:
        worker, problem = next(iter(found.items()))
        more = f" ({len(found) - 1} more do not fit either)" if len(found) > 1 else ""
        raise ClusterError(f"worker {worker}: {problem}{more}")
