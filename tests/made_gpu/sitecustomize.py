"""Makes a GPU in each process of Python whose ``PYTHONPATH`` names this folder: one on which this machine's CPU works.

``MADE_GPU`` chooses what runs on it: ``keras``, or ``litert`` in its place. Each process that uses it writes its number
and the GPUs that it sees into a file of the folder ``MADE_GPU_LOG``.
"""

import os
from pathlib import Path

from device_on_cpu import cpu_device

from mouth_live.models import FaceFinder, load_openness_model, openness
from mouth_live.realtime import settings
from mouth_live.realtime.commands.recordings import device_choice
from mouth_live.realtime.faces.batches.device import Device, keras_device


def _made(model: str, min_score: float, min_face: int, memory: int | None = None) -> Device:
    log = Path(os.environ["MADE_GPU_LOG"]) / str(os.getpid())
    log.write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
    if os.environ["MADE_GPU"] == "keras":
        device = keras_device(model, min_score, min_face, memory)
        from mouth_live.models.gpu.backend import backend_name

        log.write_text(backend_name())
        return device
    return cpu_device(FaceFinder(min_score, min_face=min_face), load_openness_model(model), min_face)


openness._gpu_problem = device_choice.missing_for_gpu = lambda: ""
settings.keras_device = _made
