"""Each start has its stop, whatever ends the source; no signal breaks a call off."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from mouth_live.realtime import Analysis, Frame, LipEvent, lip_events, watch_lips
from mouth_live.realtime.system.signals import held_signals

IMAGE = np.zeros((4, 4, 3), np.uint8)


def source(*steps):
    """Analyses with the given events; an exception in their place is raised."""
    for i, step in enumerate(steps):
        if isinstance(step, BaseException):
            raise step
        yield Analysis(Frame(i, float(i), IMAGE), (), tuple(step))


def start(kind="activity", face=0, at=0.0):
    return LipEvent("start", kind, face, at)


@pytest.mark.parametrize("failure", [OSError("unplugged"), KeyboardInterrupt(), SystemExit(143)])
def test_what_ends_the_source_comes_after_the_stops(failure):
    events, told = [], []
    with pytest.raises(type(failure)):
        for event in lip_events(source([start()], [start("open", 1, 1.0)], failure)):
            events.append(event)
    with pytest.raises(type(failure)):
        watch_lips(source([start()], [start("open", 1, 1.0)], failure), told.append)
    assert events == told
    assert [(e.type, e.kind, e.face_id, e.time) for e in events[2:]] == [
        ("stop", "activity", 0, 1.0),
        ("stop", "open", 1, 1.0),
    ]


def test_a_callback_that_fails_is_still_told_the_stop():
    told = []

    def callback(event):
        told.append(event.type)
        if event.type == "start":
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        watch_lips(source([start()]), callback)
    assert told == ["start", "stop"]


def test_ctrl_c_in_a_callback_waits_for_its_end():
    told = []

    def callback(event):
        os.kill(os.getpid(), signal.SIGINT)
        told.append(event.type)  # a call that was broken off would not get here

    with pytest.raises(KeyboardInterrupt):
        watch_lips(source([start()], []), callback)
    assert told == ["start", "stop"]


def test_a_second_ctrl_c_does_not_wait():
    with pytest.raises(KeyboardInterrupt), held_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("held twice")


def test_handlers_are_put_back_and_another_thread_is_left_alone():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with held_signals():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    seen = []

    def other():
        with held_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [before[1]]


def test_what_nobody_handles_still_ends_the_program_after_the_call():
    code = (
        "import os, signal\n"
        "from mouth_live.realtime.system.signals import held_signals\n"
        "with held_signals():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('whole', flush=True)\n"
        "print('never', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "whole\n"
    assert done.returncode == -signal.SIGTERM
