"""``mouth-live doctor``: what it says of good and bad links, and how it ends."""

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


def look(*readings, count=60, brightness=128, seconds=2.0, dropped=0):
    """So many frames with these faces; the picture is of one brightness."""
    made = Observation()
    made.seconds, made.dropped = seconds, dropped
    for i in range(count):
        image = np.full((300, 300, 3), brightness, np.uint8)
        made.write(Analysis(Frame(i, i / 30, image), tuple(readings)))
    return made


def test_all_is_fine():
    seen = look(reading())
    checks = [check_rate(seen), check_light(seen), check_face(seen), check_value(seen)]
    assert [check.state for check in checks] == ["fine"] * 4
    assert str(checks[0]).startswith("fine    frame rate  30 frames/s")


@pytest.mark.parametrize(
    ("check", "seen", "state", "says"),
    [
        (check_rate, look(reading(), count=20), "look", "--size"),
        (check_rate, look(reading(), count=20, dropped=40), "look", "close other programs"),
        (check_light, look(reading(), brightness=3), "broken", "cover"),
        (check_light, look(reading(), brightness=40), "look", "lamp"),
        (check_light, look(reading(), brightness=240), "look", "too bright"),
        (check_light, look(count=0), "broken", "no picture"),
        (check_face, look(), "broken", "none seen"),
        (check_face, look(reading(width=40)), "look", "come nearer"),
        (check_face, look(reading(nose=1.4)), "look", "turned away"),
        (check_value, look(), "look", "not checked"),
        (check_value, look(reading(reliability=0.1)), "look", "nothing before the mouth"),
    ],
)
def test_what_is_not_fine_says_what_to_do(check, seen, state, says):
    found = check(seen)
    assert (found.state, says in found.text) == (state, True), found
    assert "\n" not in str(found)


def test_a_face_that_comes_and_goes():
    seen = look(reading())
    seen.readings[30:50] = [None] * 20
    assert "44 % of the frames" in check_face(seen).text
    assert check_face(look(reading(), reading(face_id=1))).text.startswith("2 seen")


class Made(Output):
    name = "made://here"

    def __init__(self, failure=None):
        self.failure, self.closed = failure, False

    def open(self, ending):
        if self.failure:
            raise self.failure

    def close(self):
        self.closed = True


@pytest.mark.parametrize("failure", [None, ReceiverError("does not answer"), ConnectionRefusedError(111, "refused")])
def test_an_output_is_reached_and_closed_again(failure):
    output = Made(failure)
    check = check_output(output)
    assert (check.state, output.closed) == ("broken" if failure else "fine", True)
    assert check.text.startswith("made://here: ")


def test_every_link_is_a_line_and_a_broken_one_is_1(mouth_live, demo_clip, tmp_path):
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
