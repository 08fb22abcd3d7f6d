"""Who drives an output with one slot."""

import numpy as np
import pytest

from mouth_live.models import Face
from mouth_live.realtime import Analysis, Frame, LipEvent, Reading
from mouth_live.realtime.lips.face_choice import FaceChoice

IMAGE = np.zeros((200, 400, 3), np.uint8)


def reading(face_id, x=0.0, size=50.0, openness=0.2, active=False):
    face = Face((x, 75.0, size, size), np.zeros((6, 2), np.float32), 0.9)
    return Reading(face_id, face, openness, openness, active, float("nan"))


def at(time, *readings, events=()):
    return Analysis(Frame(0, time, IMAGE), tuple(readings), tuple(events))


def chosen(choice, *analyses):
    found = [choice.choose(analysis) for analysis in analyses]
    return [None if r is None else r.face_id for r in found]


def test_the_largest_is_kept_when_another_grows():
    frames = [at(0, reading(0, size=50), reading(1, size=40)), at(0.1, reading(0, size=50), reading(1, size=90))]
    assert chosen(FaceChoice("largest"), *frames) == [0, 0]


def test_a_lost_face_is_kept_for_one_second_then_another_takes_over_and_keeps():
    other = reading(1)
    frames = [at(0, reading(0, size=90), other), at(0.5, other), at(0.99, other), at(1.0, other)]
    assert chosen(FaceChoice(), *frames, at(1.1, reading(0, size=90), other)) == [0, None, None, 1, 1]


def test_a_face_back_within_the_second_is_still_chosen():
    frames = [at(0, reading(0)), at(0.8), at(0.9, reading(0), reading(1, size=200)), at(1.8), at(1.85, reading(0))]
    assert chosen(FaceChoice(), *frames) == [0, None, 0, None, 0]


def test_centre_is_nearest_to_the_middle_of_the_picture():
    assert chosen(FaceChoice("centre"), at(0, reading(0, x=0, size=90), reading(1, x=170))) == [1]


def test_an_id_is_that_face_and_no_other():
    frames = [at(0, reading(0)), at(5, reading(0), reading(1)), at(9, reading(0))]
    assert chosen(FaceChoice("1"), *frames) == [None, 1, None]


def test_anyone_is_the_widest_mouth_and_active_if_any_is():
    found = FaceChoice("anyone").choose(at(0, reading(0, openness=0.1, active=True), reading(1, openness=0.7)))
    assert (found.face_id, found.openness, found.active) == (1, 0.7, True)
    assert FaceChoice("anyone").choose(at(0)) is None


@pytest.mark.parametrize("mode", ["biggest", "-1", "", "1.5", "²"])
def test_another_mode_is_refused(mode):
    with pytest.raises(ValueError, match="largest"):
        FaceChoice(mode)


def told(choice, *analyses):
    return [(e.type, e.kind, e.face_id, e.time) for a in analyses for e in choice.events(a)]


def test_events_are_the_chosen_faces_alone():
    one, two = reading(0, size=90), reading(1)
    start, other = LipEvent("start", "activity", 0, 0.1), LipEvent("start", "activity", 1, 0.1)
    frames = [at(0, one, two), at(0.1, one, two, events=[start, other])]
    assert told(FaceChoice(), *frames) == [("start", "activity", 0, 0.1)]


def test_when_the_choice_passes_on_the_first_is_stopped_and_a_running_one_is_started():
    one, two = reading(0, size=90), reading(1)
    frames = [
        at(0, one, two, events=[LipEvent("start", "open", 0, 0.0), LipEvent("start", "open", 1, 0.0)]),
        at(0.5, two),
        at(1.5, two),
    ]
    choice = FaceChoice()
    assert told(choice, *frames) == [("start", "open", 0, 0.0), ("stop", "open", 0, 1.5), ("start", "open", 1, 1.5)]
    assert [(e.type, e.face_id, e.time) for e in choice.stops(2.0)] == [("stop", 1, 2.0)]
    assert choice.stops(3.0) == []


def test_anyone_starts_with_the_first_and_stops_with_the_last():
    def event(what, face, time):
        return LipEvent(what, "activity", face, time)

    frames = [
        at(0, events=[event("start", 0, 0)]),
        at(1, events=[event("start", 1, 1)]),
        at(2, events=[event("stop", 0, 2)]),
        at(3, events=[event("stop", 1, 3), event("start", 2, 3)]),
        at(4, events=[event("stop", 2, 4)]),
    ]
    assert told(FaceChoice("anyone"), *frames) == [("start", "activity", None, 0), ("stop", "activity", None, 4)]
