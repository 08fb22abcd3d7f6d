"""One measurement of ``device.py`` in a process of its own: ``device_measured.py WHAT ...`` prints one line of JSON."""

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

Result = dict[str, float]


def pretend() -> None:
    """Take the CPU for a GPU, where the benchmark itself is tried."""
    if os.environ.get("MOUTH_LIVE_PRETEND"):
        from mouth_live.models import openness
        from mouth_live.realtime.commands.recordings import device_choice

        openness._gpu_problem = device_choice.missing_for_gpu = lambda: ""


def first(clip: str, device: str) -> Result:
    """Seconds from the start of Python's imports to the first analysis."""
    begin = time.perf_counter()
    from mouth_live.realtime import AnalysisSettings, open_session

    pretend()
    with open_session(clip, AnalysisSettings(device=device)) as session:
        next(iter(session))
        return {"seconds": time.perf_counter() - begin}


def process(inputs: str, device: str, jobs: str) -> Result:
    """``mouth-live process``, starts of all processes included."""
    from mouth_live.models.errors import MouthLiveError
    from mouth_live.realtime import AnalysisSettings
    from mouth_live.realtime.commands.recordings.inputs import names_several
    from mouth_live.realtime.commands.recordings.plan import Wanted, plan_jobs
    from mouth_live.realtime.commands.recordings.products import ProductOptions
    from mouth_live.realtime.commands.recordings.run import RunOptions, process_recordings

    pretend()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "out"
        several = names_several((inputs,))
        table = folder if several else Path(made) / "out.csv"
        planned = plan_jobs([inputs], [Wanted("table", "csv", str(table))], several)
        begin = time.perf_counter()
        run = RunOptions(workers=int(jobs))
        settings = AnalysisSettings(device=device)
        try:
            process_recordings(planned, ProductOptions(), settings, run, folder if several else None)
        except MouthLiveError as error:
            reasons = [path.read_text().splitlines()[1] for path in folder.glob("failed.csv")]
            raise SystemExit("; ".join([str(error), *reasons])) from None
        seconds = time.perf_counter() - begin
        tables = [path.read_text().splitlines()[1:] for path in Path(made).rglob("*.csv") if path.name != "failed.csv"]
    frames = sum(len({line.split(",")[0] for line in lines}) for lines in tables)
    readings = sum(line.split(",")[4] == "1" for lines in tables for line in lines)
    return {"frames/s": frames / seconds, "seconds": seconds, "frames": frames, "readings": readings}


def decode(clip: str) -> Result:
    begin, frames = time.perf_counter(), 0
    video = cv2.VideoCapture(clip)
    while video.read()[0]:
        frames += 1
    return {"frames/s": frames / (time.perf_counter() - begin)}


def nvdec(clip: str, streams: str) -> Result:
    """Decoding alone, each stream by a thread."""
    import PyNvVideoCodec  # pyright: ignore[reportMissingImports]

    counts: list[int] = []

    def run() -> None:
        native = PyNvVideoCodec.OutputColorType.NATIVE
        decoder = PyNvVideoCodec.SimpleDecoder(clip, gpu_id=0, use_device_memory=True, output_color_type=native)
        frames = 0
        while part := decoder.get_batch_frames(32):
            frames += len(part)
        counts.append(frames)

    begin = time.perf_counter()
    threads = [threading.Thread(target=run) for _ in range(int(streams))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(counts) < len(threads):
        raise SystemExit("a stream could not be decoded")
    return {"frames/s": sum(counts) / (time.perf_counter() - begin), "frames": sum(counts)}


class Timed:
    """A device's finder or reader, or a function, that adds up the seconds it takes."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    def of(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            begin = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begin

        return run


class Parts:
    """Some methods under their names."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        vars(self).update(methods)


def stages(clip: str) -> Result:
    """Milliseconds a frame of each stage of one video in one thread, the second time that it is done."""
    from mouth_live.realtime import AnalysisSettings, open_video
    from mouth_live.realtime.faces.batches.device import keras_device
    from mouth_live.realtime.pipeline import Pipeline

    settings = AnalysisSettings()
    device = keras_device(settings.model, settings.min_score, settings.min_face)
    seconds: dict[str, float] = {}
    timed = Timed(seconds)
    finder, reader = device.finder, device.reader
    device = replace(
        device,
        finder=Parts(detect=timed.of("detecting", finder.detect), evidence=timed.of("checking", finder.evidence)),
        reader=Parts(read=timed.of("reading", reader.read), crops=timed.of("crops", reader.crops)),
        upload=timed.of("uploading", device.upload),
    )
    whole = frames = 0.0
    for _ in range(2):
        seconds.clear()
        begin, frames = time.perf_counter(), 0
        with open_video(clip) as video:
            for _ in Pipeline(device=device).run(_timed_frames(iter(video), seconds)):
                frames += 1
        whole = time.perf_counter() - begin
    seconds["all else"] = whole - sum(seconds.values())
    return {f"ms {name}": 1000 * taken / frames for name, taken in seconds.items()} | {
        "ms in all": 1000 * whole / frames
    }


def _timed_frames(frames: Iterator[Any], seconds: dict[str, float]) -> Iterator[Any]:
    while True:
        begin = time.perf_counter()
        frame = next(frames, None)
        seconds["decoding"] = seconds.get("decoding", 0.0) + time.perf_counter() - begin
        if frame is None:
            return
        yield frame


def batch(clip: str, count: str) -> Result:
    """Milliseconds a frame of the detector and of the reader in batches of so many frames, tuned and compiled."""
    from itertools import islice

    from mouth_live.models.gpu.passes import DetectorPass
    from mouth_live.models.rectangle import Rectangle
    from mouth_live.realtime import AnalysisSettings, open_video
    from mouth_live.realtime.faces.batches.device import keras_device

    settings, size = AnalysisSettings(), int(count)
    device = keras_device(settings.model, settings.min_score, settings.min_face)
    with open_video(clip) as video:
        images = [frame.image for frame in islice(video, size)]
    best: Result = {}
    for _ in range(4):
        marks = [time.perf_counter()]
        pictures = device.upload(images)
        marks.append(time.perf_counter())
        area = Rectangle(0, 0, pictures.width, pictures.height)
        found = device.finder.detect(pictures, [DetectorPass(n, area) for n in range(size)])
        marks.append(time.perf_counter())
        faces = [(n, face) for n, detected in enumerate(found) for face in detected]
        device.finder.evidence(pictures, faces)
        marks.append(time.perf_counter())
        device.reader.read(pictures, faces)
        marks.append(time.perf_counter())
        for name, begin, end in zip(("upload", "detect", "check", "read"), marks, marks[1:], strict=False):
            best[f"ms {name}"] = min(best.get(f"ms {name}", 1e9), 1000 * (end - begin) / size)
    return best


JOBS: dict[str, Callable[..., Result]] = {
    "first": first,
    "process": process,
    "decode": decode,
    "nvdec": nvdec,
    "stages": stages,
    "batch": batch,
}


def main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        result = JOBS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
