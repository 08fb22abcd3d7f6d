"""One measurement in a process of its own: ``python measured.py WHAT CLIP``; prints one line of JSON.

Times leave out the start of Python and the imports, which are measured by themselves; they hold the loading of the
networks, the opening and closing of the files (that of the video in decoding alone, too), and the writing of the CSV.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

SPIN = 2_000_000
PREDICTIONS = 20
LONG = 1_800  # seconds of video for the memory
SETTLED = 60.0  # s of it after which memory should grow no more

Result = dict[str, float]


def decode(clip: Path) -> Result:
    begin, frames = time.perf_counter(), 0
    video = cv2.VideoCapture(str(clip))
    while video.read()[0]:
        frames += 1
    return {"frames": frames, "seconds": time.perf_counter() - begin}


def process(clip: Path) -> Result:
    """``mouth-live process CLIP -o CSV``."""
    import ai_edge_litert.interpreter  # noqa: F401  # its import belongs to the start

    from mouth_live.realtime.commands.recordings.plan import Wanted, plan_jobs
    from mouth_live.realtime.commands.recordings.products import ProductOptions
    from mouth_live.realtime.commands.recordings.run import process_recordings
    from mouth_live.realtime.settings import AnalysisSettings

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "out.csv"
        begin, cpu = time.perf_counter(), time.process_time()
        jobs = plan_jobs([str(clip)], [Wanted("table", "csv", str(table))], several=False)
        process_recordings(jobs, ProductOptions(), AnalysisSettings(device="auto"))
        seconds, used = time.perf_counter() - begin, time.process_time() - cpu
        rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    frames = len({row[0] for row in rows})
    peak = _status_mb("VmHWM")
    readings = sum(row[4] == "1" for row in rows)
    return {"frames": frames, "seconds": seconds, "cpu_seconds": used, "readings": readings, "peak_mb": peak}


def side_by_side(clip: Path) -> Result:
    """Four videos by ``mouth-live process``, one by one and as many at once as there are cores, starts included."""
    program = [sys.executable, "-m", "mouth_live.realtime", "process"]
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as made:
        clips = [shutil.copy(clip, Path(made) / f"{k}.mp4") for k in range(4)]
        for at_once in (1, os.cpu_count() or 1):
            begin = time.perf_counter()
            subprocess.run([*program, *clips, "-o", f"{made}/{at_once}", f"--jobs={at_once}"], check=True)
            seconds.append(time.perf_counter() - begin)
    return {"one_by_one_seconds": seconds[0], "at_once_seconds": seconds[1], "times_faster": seconds[0] / seconds[1]}


def keras_predict(_clip: Path) -> Result:
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


def spin(_clip: Path) -> Result:
    """A fixed loop, to tell how fast the machine was in this run."""
    begin, total = time.perf_counter(), 0
    for n in range(SPIN):
        total += n & 3
    return {"seconds": time.perf_counter() - begin}


def memory(clip: Path) -> Result:
    """Half an hour of video: the clip decoded again and again through ``process``, its times running on."""
    from mouth_live.realtime.commands.recordings import work
    from mouth_live.realtime.commands.recordings.plan import Wanted, plan_jobs
    from mouth_live.realtime.commands.recordings.products import ProductOptions
    from mouth_live.realtime.commands.recordings.run import process_recordings
    from mouth_live.realtime.records import Frame
    from mouth_live.realtime.settings import AnalysisSettings
    from mouth_live.realtime.video.sources import open_video
    from mouth_live.realtime.video.video_file import VideoFile

    sizes: dict[float, float] = {}

    class Looped(VideoFile):
        """The clip over and over."""

        def __iter__(self) -> Iterator[Frame]:
            start = index = 0
            self._decoder.head.clear()  # read when it was opened, and of no use here
            while start < LONG:
                time = 0.0
                for frame in open_video(clip):
                    time = start + frame.time
                    if index % 300 == 0:
                        sizes[time] = _status_mb("VmRSS")
                    yield replace(frame, index=index, time=time)
                    index += 1
                start = time + 1 / 30

    work.open_video = lambda path, _track: Looped(path)
    with tempfile.TemporaryDirectory() as folder:
        jobs = plan_jobs([str(clip)], [Wanted("table", "csv", str(Path(folder) / "out.csv"))], several=False)
        process_recordings(jobs, ProductOptions(), AnalysisSettings())
    early = [size for time, size in sizes.items() if SETTLED <= time < 3 * SETTLED]
    late = [size for time, size in sizes.items() if time > LONG - 2 * SETTLED]
    peak = _status_mb("VmHWM")
    growth = float(np.median(late) - np.median(early))
    return {"frames": 30 * LONG, "peak_mb": peak, "growth_mb": growth}


def _status_mb(line: str) -> float:
    """Memory in MB (2**20 bytes): VmRSS now, VmHWM the most of this process so far (not ru_maxrss)."""
    for text in Path("/proc/self/status").read_text().splitlines():
        if text.startswith(f"{line}:"):
            return int(text.split()[1]) / 1024
    raise SystemExit(f"no {line}: the memory is measured on Linux only")


JOBS = {
    "decode": decode,
    "process": process,
    "folder": side_by_side,
    "keras": keras_predict,
    "spin": spin,
    "memory": memory,
}


def main() -> None:
    what, clip = sys.argv[1], Path(sys.argv[2])
    with contextlib.redirect_stdout(sys.stderr):
        result = JOBS[what](clip)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
