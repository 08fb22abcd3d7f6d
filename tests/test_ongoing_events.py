"""Which lip events are on: the one account of starts without a stop."""

from mouth_live.realtime import LipEvent
from mouth_live.realtime.lips.ongoing_events import OngoingEvents


def start(kind="activity", face=0, at=0.0):
    return LipEvent("start", kind, face, at)


def stop(kind="activity", face=0, at=1.0):
    return LipEvent("stop", kind, face, at)


def test_a_stop_ends_the_start_of_its_kind_and_face_alone():
    ongoing = OngoingEvents()
    starts = [start(), start("open"), start(face=1), start(face=None)]
    assert [ongoing.take(each) for each in starts] == [None] * 4
    assert list(ongoing) == starts
    assert ongoing.take(stop("open")) == starts[1]
    assert ongoing.take(stop("open")) is None
    assert list(ongoing) == [starts[0], starts[2], starts[3]]
    assert stop() in ongoing
    assert start("open") not in ongoing
    assert (ongoing.kinds(0), ongoing.kinds(1), ongoing.kinds(2)) == ({"activity"}, {"activity"}, set())
    assert ongoing.kinds(None) == {"activity"}


def test_stops_are_never_earlier_than_their_starts_and_end_nothing_by_themselves():
    ongoing = OngoingEvents([start(at=1.0), LipEvent("start", "open", 1, 3.0, decided=3.5)])
    stops = ongoing.stops(2.0)
    assert stops == [LipEvent("stop", "activity", 0, 2.0, 2.0), LipEvent("stop", "open", 1, 3.0, 3.0)]
    assert ongoing.stops(2.0) == stops
    for each in stops:
        ongoing.take(each)
    assert (len(ongoing), ongoing.stops(2.0)) == (0, [])


def test_a_copy_is_independent():
    ongoing = OngoingEvents([start()])
    copy = OngoingEvents(ongoing)
    copy.clear()
    assert (len(ongoing), len(copy)) == (1, 0)
