"""Live video at 30 frames/s from a made source: when each frame's value is there, when it is drawn, what it costs.

    python tests/benchmarks/live_latency.py CLIP [SECONDS]

The source hands out the clip's frames, decoded before, when they are due: no camera and no decoding is in the figures,
and no real camera was tried. The way is that of ``mouth-live``: the relay (newest frame wins), the pipeline and the
drawing in the main thread beside it; the picture is drawn in full, but shown to no screen.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mouth_live.realtime import Frame, Pipeline
from mouth_live.realtime.sinks.drawing.overlay import draw
from mouth_live.realtime.system.prefetch import Prefetch
from mouth_live.realtime.video.reader import FrameReader
from mouth_live.realtime.video.sources import open_video

RATE = 30
MOST_KEPT = 60  # frames, played to and fro


class Made:
    """A camera of frames that lie in memory; notes when each arrived."""

    name, nominal_rate, duration, start, pausing = "made", float(RATE), None, 0.0, False

    def __init__(self, clip: Path, seconds: float) -> None:
        self._images = [frame.image for frame, _ in zip(open_video(clip), range(MOST_KEPT), strict=False)]
        self.size = self._images[0].shape[1::-1]
        self._count = round(seconds * RATE)
        self.arrived: dict[int, float] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return

    def __iter__(self) -> Iterator[Frame]:
        begin, last = time.perf_counter(), len(self._images) - 1
        for n in range(self._count):
            time.sleep(max(0.0, begin + n / RATE - time.perf_counter()))
            place = n % (2 * last)
            self.arrived[n] = time.perf_counter()
            yield Frame(n, n / RATE, self._images[min(place, 2 * last - place)])


def measure(clip: Path, seconds: float, window: bool) -> dict[str, float]:
    """Latencies in ms (median, 99th percentile), frames left out, and the share of one core used."""
    source, valued, drawn = Made(clip, seconds), {}, {}
    pipeline = Pipeline()

    def noted(analyses):
        for analysis in analyses:
            valued[analysis.frame.index] = time.perf_counter()
            yield analysis

    with FrameReader(source, depth=1, drop=True) as relay:
        cpu, begin = time.process_time(), time.perf_counter()
        with Prefetch(noted(pipeline.run(relay)), size=lambda a: a.frame.image.nbytes, depth=32) as analyses:
            for analysis in analyses:
                if window and not analyses.waiting:
                    draw(analysis, rate=30.0, dropped=relay.dropped)
                    drawn[analysis.frame.index] = time.perf_counter()
        used, lasted = time.process_time() - cpu, time.perf_counter() - begin
    result = {"frames": len(valued), "left_out": relay.dropped, "core_share": used / lasted}
    for name, there in (("value", valued), ("picture", drawn)):
        waits = [1000 * (there[n] - source.arrived[n]) for n in there if n >= RATE]  # the first second warms up
        if waits:
            result |= {f"{name}_ms_median": float(np.median(waits)), f"{name}_ms_p99": float(np.quantile(waits, 0.99))}
    return {key: round(value, 3) for key, value in result.items()}


if __name__ == "__main__":
    path, length = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    print(json.dumps({"without window": measure(path, length, False), "with window": measure(path, length, True)}))
