"""Tests of ``mouth-live doctor``: its results for good and bad links, and its exit codes."""

import numpy as np
import pytest

from mouth_live.models import Face
from mouth_live.models.errors import ReceiverError
from mouth_live.realtime import Analysis, Frame, Reading
from mouth_live.realtime.commands.checks import (
    Observation,
    check_face,
    check_light,
    check_output,
    check_rate,
    check_value,
)
from mouth_live.realtime.outputs.output import Output

NAN = float("nan")


def reading(width=200.0, nose=0.0, score=0.9, reliability=NAN, face_id=0):
    points = np.array([[-20, 0], [20, 0], [40 * nose, 25], [0, 40], [-40, 5], [40, 5]], np.float32)
    return Reading(face_id, Face((10, 10, width, width), points, score), 0.2, 0.2, False, reliability)


def observe(*readings, count=60, brightness=128, seconds=2.0, dropped=0):
    """Return the observation of ``count`` frames with these faces, of one brightness."""
    observation = Observation()
    observation.seconds, observation.dropped = seconds, dropped
    for i in range(count):
        image = np.full((300, 300, 3), brightness, np.uint8)
        observation.write(Analysis(Frame(i, i / 30, image), tuple(readings)))
    return observation


def test_good_links_are_fine():
    seen = observe(reading())
    checks = [check_rate(seen), check_light(seen), check_face(seen), check_value(seen)]
    assert [check.state for check in checks] == ["fine"] * 4
    assert str(checks[0]).startswith("fine    frame rate  30 frames/s")


@pytest.mark.parametrize(
    ("check", "seen", "state", "advice"),
    [
        (check_rate, observe(reading(), count=20), "warn", "--size"),
        (check_rate, observe(reading(), count=20, dropped=40), "warn", "close other programs"),
        (check_light, observe(reading(), brightness=3), "broken", "cover"),
        (check_light, observe(reading(), brightness=40), "warn", "lamp"),
        (check_light, observe(reading(), brightness=240), "warn", "too bright"),
        (check_light, observe(count=0), "broken", "no picture"),
        (check_face, observe(), "broken", "none seen"),
        (check_face, observe(reading(width=40)), "warn", "come nearer"),
        (check_face, observe(reading(nose=1.4)), "warn", "turned away"),
        (check_value, observe(), "warn", "not checked"),
        (check_value, observe(reading(reliability=0.1)), "warn", "keep the mouth uncovered"),
    ],
)
def test_a_link_that_is_not_fine_has_advice(check, seen, state, advice):
    found = check(seen)
    assert (found.state, advice in found.text) == (state, True), found
    assert "\n" not in str(found)


def test_a_face_that_comes_and_goes():
    seen = observe(reading())
    seen.readings[30:50] = [None] * 20
    assert "44 % of the frames" in check_face(seen).text
    assert check_face(observe(reading(), reading(face_id=1))).text.startswith("2 seen")


class FakeOutput(Output):
    name = "fake://here"

    def __init__(self, failure=None):
        self.failure, self.closed = failure, False

    def open(self, ending):
        if self.failure:
            raise self.failure

    def messages(self, update):
        return []

    def send(self, update):
        raise AssertionError("doctor sends nothing")

    def close(self):
        self.closed = True


@pytest.mark.parametrize("failure", [None, ReceiverError("does not answer"), ConnectionRefusedError(111, "refused")])
def test_an_output_is_opened_and_closed(failure):
    output = FakeOutput(failure)
    check = check_output(output)
    assert (check.state, output.closed) == ("broken" if failure else "fine", True)
    assert check.text.startswith("fake://here: ")


def test_every_link_is_a_line_and_a_broken_one_is_exit_code_1(mouth_live, demo_clip, tmp_path):
    links = ["camera", "frame rate", "light", "face", "value", "profile"]
    environment = {"env": {"MOUTH_LIVE_CONFIG": str(tmp_path), "PATH": "/usr/bin:/bin"}}
    done = mouth_live("doctor", "--camera", demo_clip, "--seconds", "1.5", **environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert [line[8:19].strip() for line in done.stdout.splitlines()] == links
    done = mouth_live(
        "doctor", "--camera", "gone.mp4", "--profile", "nobody", "--to", "udp://127.0.0.1:9", "--to", "mqtt://127.0.0.1:1/x",
        **environment,
    )  # fmt: skip
    lines = {line[8:].split()[0] + line[-8:]: line.split()[0] for line in done.stdout.splitlines()}
    assert done.returncode == 1
    assert done.stderr.strip().endswith("broken: camera, profile, output")
    assert len(lines) == 8
