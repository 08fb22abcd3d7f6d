"""Where recordings are analysed with ``--device auto``: on the GPU only where it surely takes less time.

A GPU takes seconds to start, so little work stays on the CPU. The rates are of 720p with one face, on one NVIDIA H200
with 16 cores. Those of the CPU were measured. Of the GPU only decoding was measured; the whole is assumed to reach half
of that, until it is measured (``tests/benchmarks/device.py``).
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ....models.errors import DeviceError
from ....models.openness import has_gpu_driver, missing_for_gpu
from ...video.capture import stated_duration, usable_cores

CPU_ALONE = 281.0  # frames/s of one process that has the machine to itself, measured
CPU_EACH = 112.0  # frames/s of each process where all cores are busy, measured
GPU_ALONE = 780 / 2  # frames/s of one recording; 780 is decoding alone, measured
GPU_ALL = 5281 / 2  # frames/s of a GPU with many recordings; 5,281 is decoding alone, measured
GPU_START = 20.0  # s until the first value, assumed
USUAL_RATE = 30.0  # frames/s of a recording
WORKERS_A_GPU = 4  # processes that share a GPU: each has its own Python to follow faces and to write; assumed


@dataclass(frozen=True, slots=True)
class Choice:
    """Where to work.

    Attributes:
        device: ``"cpu"`` or ``"gpu"``.
        reason: one line that says why, for the user; empty where there was no choice.
    """

    device: Literal["cpu", "gpu"]
    reason: str = ""


def choose_device(sources: Sequence[Path], workers: int | None) -> Choice:
    """Choose the device for some recordings.

    Args:
        sources: the recordings.
        workers: the most processes; None: as many as there are cores.
    """
    names = gpus() if has_gpu_driver() else ()
    if not names:
        return Choice("cpu")
    lengths = [stated_duration(path) if path.is_file() else 0.0 for path in sources]
    choice, missing = choice_for(lengths, workers, len(names)), missing_for_gpu()
    if choice.device == "cpu":
        return Choice("cpu") if missing else choice
    problem = missing or _problem()
    return Choice("cpu", f"working on the CPU, for the GPU cannot be used: {problem}") if problem else choice


def choice_for(seconds: Sequence[float], workers: int | None, gpu_count: int) -> Choice:
    """Choose the device for recordings of some lengths.

    Args:
        seconds: the length of each; 0 where unknown, as of pictures.
        workers: the most processes; None: as many as there are cores.
        gpu_count: the number of GPUs.
    """
    count = min(sum(length > 0 for length in seconds), workers or usable_cores())
    frames, at_once = USUAL_RATE * sum(seconds), max(1, count)
    on_cpu = frames / (CPU_ALONE if at_once == 1 else max(CPU_ALONE, CPU_EACH * at_once))
    on_gpu = GPU_START + frames / min(GPU_ALONE * at_once, GPU_ALL * max(1, gpu_count))
    device: Literal["cpu", "gpu"] = "gpu" if on_gpu < on_cpu else "cpu"
    other = "CPU" if device == "gpu" else "GPU"
    reason = (
        f"working on the {device.upper()}, which takes about {_words(min(on_gpu, on_cpu))} for {sum(seconds) / 60:.0f} "
        f"minutes of video; the {other} would take {_words(max(on_gpu, on_cpu))} (--device {other.lower()})"
    )
    return Choice(device, reason)


def _problem() -> str:
    """Return why Keras cannot use a GPU; empty if it can. Another process tries, so that this one keeps its memory."""
    code = "from mouth_live.models.openness import usable_device; usable_device('gpu')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
    return said[-1].partition("--device gpu: ")[2].partition(";")[0] or said[-1] if done.returncode else ""


def gpus() -> Sequence[str]:
    """Return the names of the GPUs for ``CUDA_VISIBLE_DEVICES``; none where that variable hides them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(n) for n in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))] or ["0"]
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return [] if names[:1] == ["-1"] else names


def required_gpus() -> Sequence[str]:
    """Return the names of the GPUs as :func:`gpus`, of which there must be one.

    Raises:
        DeviceError: there is none, or Keras is missing.
    """
    names = gpus()
    problem = missing_for_gpu() or ("" if names else "CUDA_VISIBLE_DEVICES hides all GPUs")
    if problem:
        raise DeviceError(f"--device gpu: {problem}; use --device cpu")
    return names


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
