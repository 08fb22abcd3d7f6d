"""How a job gets to a worker of a cluster and back: by a shared file system, or with the bytes of its files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from .....models.errors import SinkError, SourceError
from .....models.whole_file import whole_file
from ....video.recording_files import is_hidden, is_picture_name
from ....video.sources import open_video
from ..manifest import Content, Manifest, content_of, write_manifest
from ..outcome import Outcome, outcome_of
from ..places import Places
from ..plan import Job
from ..products import Target
from ..work import Work
from .options import ClusterOptions
from .worker_side import do_in_place, do_sent

MEMORY_SHARE = 3  # a recording that is sent may take one part in so many of a worker's memory


class Transport(Protocol):
    """Hands jobs to a cluster and takes their products back."""

    def submit(self, client: Any, key: str, job: Job, memory: int) -> Any:  # noqa: ANN401 - of Dask
        """Hand a job over; return Dask's future, whose task has this name.

        Args:
            client: Dask's client.
            key: the name of the task.
            job: the job.
            memory: the bytes that a worker may use; 0 where it has no limit.

        Raises:
            SourceError: the recording cannot be read, or is too large to be sent.
            OSError, TimeoutError: the cluster did not take it.
        """
        ...

    def take(self, job: Job, result: Mapping[str, Any]) -> Outcome:
        """Return the outcome of a job from what its task returned, once its products are in place."""
        ...


class InPlace:
    """The workers read recordings and write products on a file system that they share with this machine."""

    def __init__(self, cluster: ClusterOptions, common: str, model: str) -> None:
        """Prepare; ``common`` is what all jobs have in common as JSON, ``model`` the weights by name or path."""
        self._cluster, self._common = cluster, common
        self._model = {model: cluster.there_model(model)}

    def submit(self, client: Any, key: str, job: Job, memory: int) -> Any:  # noqa: ANN401
        """Hand a job over, with the paths of its files on the workers."""
        products = [Path(target.path) for target in job.targets]
        files = {str(path): self._cluster.there(path) for path in (job.source, *products)}
        places = Places(str(Path.cwd()), files | self._model)
        needed = [self._cluster.there(path) for path in (job.source, *(p.parent for p in products)) if path.exists()]
        return client.submit(do_in_place, key, self._common, job.as_data(), places, needed, key=key, pure=False)

    def take(self, job: Job, result: Mapping[str, Any]) -> Outcome:
        """Return the outcome; the products are in place."""
        return Outcome.from_data(result)


class Sent:
    """The workers get the bytes of recordings, and send those of products back."""

    def __init__(self, common: str) -> None:
        """Prepare; ``common`` is what all jobs have in common as JSON."""
        self._common = common
        self._contents: dict[Path, Content] = {}  # of the recordings that were sent

    def submit(self, client: Any, key: str, job: Job, memory: int) -> Any:  # noqa: ANN401
        """Hand a job over, with its recording."""
        if not job.source.is_dir() and not job.source.is_file():
            open_video(job.source)  # it says what is wrong
        try:
            self._contents[job.source] = content_of(job.source)
            content = _packed(job.source, memory)
        except OSError as error:
            raise SourceError(f"{job.source}: cannot read it ({error.strerror}); check its permissions") from None
        # Not as an argument: that would stay in the scheduler's memory.
        try:
            (sent,) = client.scatter([content], hash=False)
        except KeyError:  # of Dask's scheduler: the worker that got it has left meanwhile
            raise ConnectionError("a worker left") from None
        data, folder = job.as_data(), str(Path.cwd())
        return client.submit(do_sent, key, self._common, data, folder, sent, key=key, pure=False)

    def take(self, job: Job, result: Mapping[str, Any]) -> Outcome:
        """Return the outcome, and write the products, each with its manifest."""
        data = dict(result)
        products: Sequence[tuple[bytes, str] | None] = data.pop("products")
        outcome, content = Outcome.from_data(data), self._contents.pop(job.source)

        def write() -> Work:
            """Write the products that came."""
            for target, product in zip(job.targets, products, strict=True):
                if product is not None:
                    manifest = Manifest.from_data(json.loads(product[1]))
                    _write(target, product[0], replace(manifest, content=content))
            return Work(0, 0, 0.0)

        written = outcome_of(write)
        return written if written.error else outcome


def _packed(source: Path, memory: int) -> list[tuple[str, bytes]]:
    """Return each file of a recording: its name on the worker, and its bytes.

    Args:
        source: the recording.
        memory: the bytes that a worker may use; 0 where it has no limit.

    Raises:
        SourceError: it is too large.
        OSError: it cannot be read.
    """
    files = {source.name: source}
    if source.is_dir():
        pictures = sorted(file for file in source.iterdir() if is_picture_name(file) and not is_hidden(file.name))
        files = {f"{source.name}/{file.name}": file for file in pictures}
    size = sum(file.stat().st_size for file in files.values())
    if memory and size * MEMORY_SHARE > memory:
        raise SourceError(
            f"{source}: {size / 2**30:.2g} GB are too much to send to a worker with {memory / 2**30:.2g} GB of memory; "
            "use a shared file system"
        )
    return [(name, file.read_bytes()) for name, file in files.items()]


def _write(target: Target, data: bytes, manifest: Manifest) -> None:
    path = Path(target.path)
    with whole_file(path, keep_suffix=target.kind == "video", error=SinkError) as part:
        part.write_bytes(data)
        write_manifest(path, replace(manifest, finished=False))
    write_manifest(path, manifest.of_product(path))
