"""A live source that gives no picture any more: what was on is stopped half a second later, not when it ends."""

import threading
import time
from types import TracebackType
from typing import Self

from mouth_live.realtime import Frame, Limits, LipActivity, Pipeline, Session, analyze

LAST = 3.0  # s until the camera gives up


class StuckCamera:
    """A camera that shows an open mouth for half a second, then gives no picture until it is closed or gives up."""

    name, size, nominal_rate, duration, start_time = "stuck", (0, 0), 25.0, None, 0.0

    def __init__(self, image) -> None:
        self._image, self._closed = image, threading.Event()
        self.last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()

    def __iter__(self):
        for index in range(13):
            time.sleep(0.04)
            self.last = time.monotonic()
            yield Frame(index, index / 25, self._image)
        self._closed.wait(LAST)


def test_a_camera_without_a_picture_is_silent_after_half_a_second(demo_clip):
    analyses = (analysis for analysis in analyze(demo_clip) if analysis.readings)
    image = max(analyses, key=lambda analysis: analysis.readings[0].raw).frame.image
    camera = StuckCamera(image)
    lips = LipActivity({"open": Limits(on=0.2, off=0.1, min_on=0.1, min_off=0.1)})
    waited, events = None, []
    with Session(camera, Pipeline(lips=lips), live=True) as session:
        for analysis in session:
            events += analysis.events
            if analysis.silent:
                waited = time.monotonic() - camera.last
                break
    assert waited is not None
    assert 0.4 < waited < 1.5  # half a second, and room for a busy machine
    assert [(event.type, event.kind) for event in events] == [("start", "open"), ("stop", "open")]
