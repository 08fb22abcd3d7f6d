"""Tests of the frame reader: order, errors, early ends and stalls."""

import _thread
import logging
import threading
import time

import numpy as np
import pytest

from mouth_live.models.errors import SourceError
from mouth_live.realtime.records import Frame
from mouth_live.realtime.video.reader import FrameReader

pytestmark = pytest.mark.usefixtures("program_threads")


class FunctionSource:
    """A source that takes its frames from a function."""

    name, size, nominal_rate, duration, start_time = "made", (4, 4), 25.0, None, 0.0

    def __init__(self, make) -> None:
        self._make = make

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return

    def __iter__(self):
        return self._make()


class HangingSource(FunctionSource):
    """A camera whose driver hangs until it is opened again."""

    def __init__(self, comes_back: bool) -> None:
        self.reopened, self.comes_back, self.end = 0, comes_back, threading.Event()

    def __iter__(self):
        yield frame(self.reopened * 10)
        if not (self.reopened and self.comes_back):
            self.end.wait(20)
            yield frame(99)  # from the thread that hung: it must be dropped

    def reopen(self) -> None:
        self.reopened += 1
        if not self.comes_back:
            raise SourceError("made: gone")


def frame(index: int, side: int = 4) -> Frame:
    return Frame(index, index / 25, np.zeros((side, side, 3), np.uint8))


def count(n, side=4):
    return FunctionSource(lambda: (frame(i, side) for i in range(n)))


@pytest.mark.parametrize("depth", [1, 4])
def test_all_frames_come_in_order(depth, program_threads):
    with FrameReader(count(200), depth=depth) as reader:
        assert [f.index for f in reader] == list(range(200))
    assert reader.dropped == 0
    assert not program_threads()


def test_it_prefetches_no_more_than_its_depth():
    made = []

    def make():
        for i in range(100):
            made.append(i)
            yield frame(i)

    with FrameReader(FunctionSource(make), depth=3) as reader:
        frames = iter(reader)
        next(frames)
        time.sleep(0.2)
        assert 4 <= len(made) <= 5  # one taken, three in the queue, one held by the thread


def test_queued_pictures_are_bounded_in_bytes_but_one_always_fits():
    made = []

    def make():
        for i in range(20):
            made.append(i)
            yield frame(i, side=100)

    with FrameReader(FunctionSource(make), depth=10, max_bytes=2 * 30_000) as reader:
        time.sleep(0.2)
        assert len(made) == 3
        assert len(list(reader)) == 20
    with FrameReader(count(5, side=100), max_bytes=1) as reader:
        assert len(list(reader)) == 5


def test_the_newest_frame_wins_and_the_others_are_counted():
    done = threading.Event()

    def make():
        yield from (frame(i) for i in range(50))
        done.set()

    with FrameReader(FunctionSource(make), depth=1, drop=True) as reader:
        assert done.wait(5)
        assert [f.index for f in reader] == [49]
        assert reader.dropped == 49


def test_an_error_of_the_source_comes_after_the_frames_before_it():
    def make():
        yield from (frame(i) for i in range(3))
        raise SourceError("made: broken")

    seen = []
    with FrameReader(FunctionSource(make)) as reader, pytest.raises(SourceError, match="made: broken"):
        time.sleep(0.1)
        for f in reader:
            seen.append(f.index)
    assert seen == [0, 1, 2]


def test_leaving_early_leaves_no_thread(program_threads):
    with FrameReader(count(10_000), depth=1) as reader:
        for _ in reader:
            break
    assert not program_threads()
    with pytest.raises(ZeroDivisionError), FrameReader(count(10_000), depth=1) as reader:
        _ = 1 / 0
    assert not program_threads()


def test_leaving_a_source_that_hangs_takes_about_a_second():
    source = HangingSource(comes_back=False)
    begin = time.monotonic()
    with FrameReader(source) as reader:
        next(iter(reader))
    assert time.monotonic() - begin < 2
    source.end.set()


def test_ctrl_c_is_raised_while_the_source_hangs():
    source = HangingSource(comes_back=False)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    begin = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt), FrameReader(source) as reader:
        list(reader)
    assert time.monotonic() - begin < 2
    source.end.set()
    timer.join()


def test_a_source_that_hangs_is_reported_once_and_opened_again(caplog):
    source = HangingSource(comes_back=True)
    with FrameReader(source, stall=0.2) as reader:
        assert [f.index for f in reader] == [0, 10]
    assert source.reopened == 1
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert caplog.messages == ["made: no picture for 0.2 s; opening it again"]
    source.end.set()


def test_a_source_that_hangs_and_is_gone_is_an_error(caplog):
    source = HangingSource(comes_back=False)
    with FrameReader(source, stall=0.2) as reader, pytest.raises(SourceError, match="made: gone"):
        list(reader)
    source.end.set()


def test_a_source_that_hangs_again_after_it_was_opened_again_is_an_error(caplog):
    source = HangingSource(comes_back=True)
    source.reopen = source.end.wait
    with FrameReader(source, stall=0.2) as reader, pytest.raises(SourceError, match="gives no picture any more"):
        list(reader)
    source.end.set()


def test_a_pause_is_not_a_stall_and_the_reader_waits_for_a_source_that_cannot_be_reopened(caplog):
    def make():
        yield frame(0)
        time.sleep(0.5)
        yield frame(1)

    paced = FunctionSource(make)
    paced.pausing = True
    with FrameReader(paced, stall=0.1) as reader:
        assert len(list(reader)) == 2
    assert not caplog.records
    with FrameReader(FunctionSource(make), stall=0.1) as reader:
        assert len(list(reader)) == 2
    assert caplog.messages == ["made: no picture for 0.1 s; waiting for it to come back"]


def test_a_slow_consumer_is_not_a_stall(caplog):
    with FrameReader(count(6), depth=2, stall=0.1) as reader:
        for _ in reader:
            time.sleep(0.15)
    assert not caplog.records


def test_a_depth_below_one_is_refused():
    with pytest.raises(ValueError, match="depth"):
        FrameReader(count(1), depth=0)
