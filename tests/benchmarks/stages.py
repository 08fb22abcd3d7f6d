"""Where the time of a frame goes, stage by stage, each by itself in one thread: milliseconds, median over frames."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from mouth_live import realtime
from mouth_live.models import FaceFinder, crop_faces, load_openness_model
from mouth_live.models.blazeface import INPUT_SIZE, InputWindow, window_input
from mouth_live.realtime import Analysis, Pipeline
from mouth_live.realtime.faces.changes import mosaic
from mouth_live.realtime.faces.motion import motion, upper_face
from mouth_live.realtime.faces.tracking import Tracker
from mouth_live.realtime.sinks.tables.csv_sink import csv_rows
from mouth_live.realtime.video.sources import open_video

EVERY = 5  # frames: of so many one is measured


def stages(clip: Path) -> dict[str, float]:
    """Milliseconds a call of each stage on a clip."""
    times: dict[str, list[float]] = {}

    def timed(stage: str, work: Callable[..., Any], *args: Any) -> Any:
        begin = time.perf_counter()
        result = work(*args)
        times.setdefault(stage, []).append((time.perf_counter() - begin) * 1000)
        return result

    finder, model, tracker = FaceFinder(), load_openness_model(device="cpu"), Tracker()
    pipeline, out = Pipeline(finder, model), io.StringIO()
    video = cv2.VideoCapture(str(clip))
    while timed("decode", video.read)[0]:
        pass
    before, patches = None, []
    for frame in open_video(clip):
        if frame.index % EVERY == 1 and before:
            for patch, face in zip(patches, before, strict=True):
                timed("follow, a face", motion, patch, frame.image, face.keypoints)
            crops = timed("crop, all faces", crop_faces, frame.image, before)
            timed("check, all faces", finder.evidence, frame.image, before)
            timed("openness, all faces", model.read, crops)
            timed("track, all faces", tracker.update, before, crops, frame.time)
        if frame.index % EVERY == 0:
            scale = max(frame.image.shape) / INPUT_SIZE
            timed(
                "shrink for the detector",
                window_input,
                InputWindow(frame.image, 0, 0, scale, (INPUT_SIZE, INPUT_SIZE), False),
            )
            timed("mosaic", mosaic, frame.image)
            before = timed("detect in the whole frame", finder.detect, frame.image)
            patches = [upper_face(frame.image, face.keypoints) for face in before]
    for analysis in pipeline.run(f for f in open_video(clip) if f.index < 60):
        timed("write", _write, out, analysis)
    return {stage: round(float(median(values)), 3) for stage, values in times.items()}


def threads() -> dict[str, float]:
    """Milliseconds of the two networks with 1 and 2 threads and several faces in a batch."""
    found: dict[str, float] = {}
    image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3)).astype(np.uint8)
    # A mouth that is read with certainty; what is none would be read twice.
    demo = next(iter(open_video(Path(realtime.__file__).parent / "commands" / "demo.mp4"))).image
    mouth = crop_faces(demo, FaceFinder().find(demo)[:1])
    for count in (1, 2):
        finder, model = FaceFinder(threads=count), load_openness_model(device="cpu", threads=count)
        for batch in (1, 5, 8):
            crops = np.repeat(mouth, batch, axis=0)
            found[f"openness, batch of {batch}, {count} thread(s)"] = _median(model.read, crops)
        found[f"detect, {count} thread(s)"] = _median(finder.detect, image)
    return found


def _write(out: io.StringIO, analysis: Analysis) -> None:
    out.write("".join(csv_rows(analysis)))


def _median(work: Callable[..., Any], *args: Any, repeats: int = 30) -> float:
    times: list[float] = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work(*args)
        times.append((time.perf_counter() - begin) * 1000)
    return round(float(median(times)), 3)
