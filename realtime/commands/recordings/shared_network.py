"""One openness network for several processes, which reads the crops of all of them in common batches.

A worker process sends requests through one pipe and gets replies through another. A request is the number of crops
(4 bytes, little-endian) and the crops (uint8). A reply is two values for each crop (float32, little-endian): openness
and reliability. So no port and no file is needed.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ....models.crop import CROP_SIZE
from ....models.errors import MouthLiveError
from ....models.openness import OpennessModel
from ...system.threads import new_thread

log = logging.getLogger("mouth_live")

MAX_BATCH = 256  # crops; requests that arrive while a batch is read go into the next one
NO_REPLY = "the process that runs the network gives no reply; try again with --jobs 1"
_CROP = (CROP_SIZE, CROP_SIZE, 3)
_COUNT = np.dtype("<u4")
_VALUE = np.dtype("<f4")

_Request = tuple[NDArray[np.uint8], IO[bytes]]
"""Crops (n, 60, 60, 3) uint8 RGB, and the stream for the reply."""


class SharedNetwork:
    """A network that serves several worker processes."""

    def __init__(self, model: OpennessModel) -> None:
        """Start the thread that serves requests.

        Args:
            model: the network. From now on only this object's thread uses it.
        """
        self._model = model
        self._requests: SimpleQueue[_Request | None] = SimpleQueue()
        self._thread = new_thread("shared network", self._serve_all)
        self._thread.start()

    def serve(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        """Serve the requests of a worker process until it ends; the streams are then closed."""
        new_thread("listener", self._receive, requests, replies).start()

    def close(self) -> None:
        """Serve the waiting requests, then stop."""
        self._requests.put(None)
        self._thread.join()

    def _receive(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        with requests:
            while len(count := requests.read(_COUNT.itemsize)) == _COUNT.itemsize:
                size = int(np.frombuffer(count, _COUNT)[0]) * int(np.prod(_CROP))
                content = requests.read(size)
                if len(content) < size:  # the worker ended in the middle of a request
                    break
                self._requests.put((np.frombuffer(content, np.uint8).reshape(-1, *_CROP), replies))
        _close(replies)

    def _serve_all(self) -> None:
        while (request := self._requests.get()) is not None:
            batch = [request, *self._pending(MAX_BATCH - len(request[0]))]
            try:
                read = self._model.read(np.concatenate([crops for crops, _ in batch]))
            except Exception as error:  # noqa: BLE001 - a GPU out of memory, a driver error: no worker may wait for ever
                log.error("the network failed: %s", " ".join(str(error).split()) or type(error).__name__)
                for _, replies in batch:
                    _close(replies)
                continue
            values = np.stack([read.openness, read.reliability], axis=1).astype(_VALUE)
            for crops, replies in batch:
                _send(replies, values[: len(crops)].tobytes())
                values = values[len(crops) :]

    def _pending(self, room: int) -> list[_Request]:
        """Return further waiting requests, until they have ``room`` crops or more."""
        found: list[_Request] = []
        while room > 0:
            try:
                request = self._requests.get_nowait()
            except Empty:
                break
            if request is None:
                self._requests.put(None)  # the end, which the next call must find
                break
            found.append(request)
            room -= len(request[0])
        return found


def _send(replies: IO[bytes], content: bytes) -> None:
    try:
        replies.write(content)
        replies.flush()
    except (OSError, ValueError):  # the worker has ended; the code that started it reports that
        _close(replies)


def _close(replies: IO[bytes]) -> None:
    with suppress(OSError):
        replies.close()


def network_client(requests: IO[bytes], replies: IO[bytes]) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Return a function for a worker process that reads crops with the parent's network.

    Args:
        requests: the stream for requests.
        replies: the stream with the replies.

    Returns:
        A function from crops (n, 60, 60, 3) uint8 RGB to (n, 2) float32: openness and reliability. It raises
        MouthLiveError when there is no reply.
    """

    def read_remotely(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Send crops to the parent and return its values."""
        try:
            requests.write(np.array(len(crops), _COUNT).tobytes() + crops.tobytes())
            requests.flush()
        except OSError:
            raise MouthLiveError(NO_REPLY) from None
        size = len(crops) * 2 * _VALUE.itemsize
        content = replies.read(size)
        if len(content) < size:
            raise MouthLiveError(NO_REPLY)
        return np.frombuffer(content, _VALUE).reshape(-1, 2).astype(np.float32)

    return read_remotely
