"""One long recording on a cluster: the workers analyse its stretches, and this process joins them."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from ....faces.stretches import StretchRecord, stretch_count
from ....video.sources import VideoSource
from .dask_client import refuse_loss
from .options import ClusterOptions
from .worker_side import do_stretch


class SharedStretches:
    """Has stretches analysed by the workers of a cluster, which see the recording."""

    def __init__(self, client: Any, cluster: ClusterOptions, common: str, track: int | None) -> None:  # noqa: ANN401
        """Prepare it.

        Args:
            client: Dask's client.
            cluster: the cluster.
            common: what all jobs have in common, as JSON.
            track: the number of the video track to read; None: the file's default.
        """
        self._client, self._cluster, self._common, self._track = client, cluster, common, track

    @contextmanager
    def records(self, source: Path, video: VideoSource) -> Generator[Callable[[int], StretchRecord | None]]:
        """Analyse the stretches of an open recording in the background; yield what waits for the record of one."""
        there = self._cluster.there(source)
        futures = {
            number: self._client.submit(
                do_stretch, self._common, there, self._track, number, pure=False, priority=-number
            )
            for number in range(stretch_count(video.duration or 0))
        }
        try:
            yield lambda number: self._record(futures, number)
        finally:
            with suppress(Exception):  # Dask raises what it likes where the scheduler is gone
                self._client.cancel(list(futures.values()), force=True)

    def _record(self, futures: Mapping[int, Any], number: int) -> StretchRecord | None:
        """Wait for the record of a stretch; None where no worker could make it, so that this process must.

        Raises:
            ClusterError: the scheduler is gone.
        """
        future = futures.get(number)
        if future is None:
            return None
        try:
            content = future.result()
        except Exception:  # noqa: BLE001 - as above, and Dask passes on what a worker raised
            refuse_loss(self._client, self._cluster.address)
            return None
        return StretchRecord.load(BytesIO(content)) if content else None
