"""One measurement in a process of its own: ``python measured.py WHAT CLIP``; prints one line of JSON.

Times leave out the start of Python and the imports, which are measured by themselves; they hold the loading of the
networks, the opening and closing of the files, and the writing of the CSV.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SPIN = 2_000_000
PREDICTIONS = 20


def decode(clip: Path) -> dict[str, float]:
    video, frames = cv2.VideoCapture(str(clip)), 0
    begin = time.perf_counter()
    while video.read()[0]:
        frames += 1
    return {"frames": frames, "seconds": time.perf_counter() - begin}


def process(clip: Path) -> dict[str, float]:
    """``mouth-live process CLIP -o CSV``."""
    import ai_edge_litert.interpreter  # noqa: F401  # its import belongs to the start

    from mouth_live.realtime.jobs import Job
    from mouth_live.realtime.process import Settings
    from mouth_live.realtime.process import process as run

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "out.csv"
        begin, cpu = time.perf_counter(), time.process_time()
        run([Job(clip, table)], Settings())
        seconds, used = time.perf_counter() - begin, time.process_time() - cpu
        rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    frames = len({row[0] for row in rows})
    return {"frames": frames, "seconds": seconds, "cpu_seconds": used, "readings": sum(row[4] == "1" for row in rows)}


def keras_predict(_clip: Path) -> dict[str, float]:
    """Half of the naive way: ``model.predict`` of the reference network for each face by itself."""
    import keras

    from mouth_live.models.weights_file import WEIGHTS_FOLDER

    model = keras.models.load_model(WEIGHTS_FOLDER / "openness_reference.keras", compile=False)
    inputs = [np.zeros((1, 60, 60, 3), np.float32), np.full((1, 2), 0.5, np.float32)]
    model.predict(inputs, verbose=0)
    begin = time.perf_counter()
    for _ in range(PREDICTIONS):
        model.predict(inputs, verbose=0)
    return {"readings": PREDICTIONS, "seconds": time.perf_counter() - begin}


def spin(_clip: Path) -> dict[str, float]:
    """A fixed loop, to tell how fast the machine was in this run."""
    begin, total = time.perf_counter(), 0
    for n in range(SPIN):
        total += n & 3
    return {"seconds": time.perf_counter() - begin}


def main() -> None:
    what, clip = sys.argv[1], Path(sys.argv[2])
    with contextlib.redirect_stdout(sys.stderr):
        result = {"decode": decode, "process": process, "keras": keras_predict, "spin": spin}[what](clip)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
