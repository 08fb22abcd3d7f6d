"""One network for several processes: their crops are read in common batches, whoever they come from.

A process that reads a video asks through its stdout and is answered through its stdin: the number of crops (4 bytes,
little end first) and the crops as they are; the values as float32, two for each crop. Nothing else of the machine is
touched, no port and no file.
"""

import logging
import subprocess
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

MOST = 256  # crops in a batch; what waits while one is read goes into the next
NO_ANSWER = "the process that holds the network gives no answer"
_CROP = (CROP_SIZE, CROP_SIZE, 3)
_COUNT = np.dtype("<u4")
_VALUE = np.dtype("<f4")

_Question = tuple[NDArray[np.uint8], IO[bytes]]
"""Crops (n, 60, 60, 3), and where the answer goes."""


class SharedNetwork:
    """Answers several processes with one network."""

    def __init__(self, model: OpennessModel) -> None:
        """Start to wait for questions.

        Args:
            model: only this object's thread uses it from now on.
        """
        self._model = model
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._thread = new_thread("shared network", self._answer_all)
        self._thread.start()

    def answer(self, process: "subprocess.Popen[bytes]") -> None:
        """Answer this process too, for as long as it asks.

        Args:
            process: its stdin and stdout are pipes.
        """
        new_thread("listener", self._listen, process).start()

    def close(self) -> None:
        """Answer what was asked, and no more."""
        self._questions.put(None)
        self._thread.join()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        asks, answers = process.stdout, process.stdin
        assert asks is not None
        assert answers is not None
        with asks:
            while len(count := asks.read(_COUNT.itemsize)) == _COUNT.itemsize:
                size = int(np.frombuffer(count, _COUNT)[0]) * int(np.prod(_CROP))
                content = asks.read(size)
                if len(content) < size:  # it ended in the middle of a question
                    break
                self._questions.put((np.frombuffer(content, np.uint8).reshape(-1, *_CROP), answers))
        _hang_up(answers)

    def _answer_all(self) -> None:
        while (question := self._questions.get()) is not None:
            batch = [question, *self._more(MOST - len(question[0]))]
            try:
                read = self._model.read(np.concatenate([crops for crops, _ in batch]))
            except Exception as error:  # noqa: BLE001 - a GPU out of memory, a driver gone: nobody is to wait for ever
                log.error("the network failed: %s", " ".join(str(error).split()) or type(error).__name__)
                for _, answers in batch:
                    _hang_up(answers)
                continue
            values = np.stack([read.openness, read.reliability], axis=1).astype(_VALUE)
            for crops, answers in batch:
                _send(answers, values[: len(crops)].tobytes())
                values = values[len(crops) :]

    def _more(self, room: int) -> list[_Question]:
        """What else was asked meanwhile, up to so many crops."""
        found: list[_Question] = []
        while room > 0:
            try:
                question = self._questions.get_nowait()
            except Empty:
                break
            if question is None:
                self._questions.put(None)  # the end: for the next turn
                break
            found.append(question)
            room -= len(question[0])
        return found


def _send(answers: IO[bytes], content: bytes) -> None:
    try:
        answers.write(content)
        answers.flush()
    except (OSError, ValueError):  # it is gone; its end is told by who started it
        _hang_up(answers)


def _hang_up(answers: IO[bytes]) -> None:
    with suppress(OSError):
        answers.close()


def asking(asks: IO[bytes], answers: IO[bytes]) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """What stands for the network in a process that asks.

    Args:
        asks: where questions go.
        answers: where they are answered.

    Returns:
        A function from crops (n, 60, 60, 3) uint8 to (n, 2) float32; it raises MouthLiveError when there is no answer.
    """

    def ask(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            asks.write(np.array(len(crops), _COUNT).tobytes() + crops.tobytes())
            asks.flush()
        except OSError:
            raise MouthLiveError(NO_ANSWER) from None
        size = len(crops) * 2 * _VALUE.itemsize
        content = answers.read(size)
        if len(content) < size:
            raise MouthLiveError(NO_ANSWER)
        return np.frombuffer(content, _VALUE).reshape(-1, 2).astype(np.float32)

    return ask
