"""Tests of prefetching in a thread: order, bounds, errors and an early end."""

import threading
import time

import pytest

from mouth_live.realtime.system.prefetch import Prefetch

pytestmark = pytest.mark.usefixtures("program_threads")


def numbers(count, made=None, closed=None):
    try:
        for n in range(count):
            if made is not None:
                made.append(n)
            yield n
    finally:
        if closed is not None:
            closed.append(threading.current_thread().name)


@pytest.mark.parametrize("depth", [1, 4])
def test_all_items_come_in_order(depth):
    with Prefetch(numbers(300), size=lambda _: 1, depth=depth) as prefetch:
        assert list(prefetch) == list(range(300))


def test_queued_items_are_bounded_in_number_and_in_bytes():
    for limits, most in (({"depth": 3}, 3), ({"depth": 9, "max_bytes": 20}, 2), ({"max_bytes": 1}, 1)):
        made = []
        with Prefetch(numbers(50, made), size=lambda _: 10, **limits) as prefetch:
            time.sleep(0.15)
            assert prefetch.waiting == most
            assert len(made) == most + 1  # and one held by the thread
            assert list(prefetch) == list(range(50))


def test_an_error_comes_after_the_items_before_it():
    def failing():
        yield from range(3)
        raise ZeroDivisionError("in the thread")

    seen = []
    with Prefetch(failing(), size=lambda _: 1) as prefetch, pytest.raises(ZeroDivisionError, match="in the thread"):
        time.sleep(0.05)
        for item in prefetch:
            seen.append(item)
    assert seen == [0, 1, 2]


def test_leaving_early_closes_the_generator_in_its_own_thread():
    closed = []
    with Prefetch(numbers(10_000, closed=closed), size=lambda _: 1, depth=1) as prefetch:
        assert next(iter(prefetch)) == 0
    assert closed == ["mouth-live worker"]
    with pytest.raises(KeyError), Prefetch(numbers(10_000, closed=closed), size=lambda _: 1, depth=1):
        raise KeyError
    assert len(closed) == 2


def test_a_depth_below_one_is_refused():
    with pytest.raises(ValueError, match="depth"):
        Prefetch(numbers(1), size=lambda _: 1, depth=0)
