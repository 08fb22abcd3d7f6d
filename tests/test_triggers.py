"""Tests of the event engine: its events and their times, at any frame rate."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from mouth_live.models import Face
from mouth_live.models.face import head_turn
from mouth_live.models.scale import GAP_RATIOS, OPENNESSES
from mouth_live.realtime.lips.activity import LipActivity, LipSample
from mouth_live.realtime.lips.gates import Gates
from mouth_live.realtime.lips.limits import ACTIVITY, DEFAULT_LIMITS, OPEN, PRESETS, Limits
from mouth_live.realtime.lips.movement import LipMovement, relative_gap

RATES = pytest.mark.parametrize("rate", [15, 25, 30, 60])


def run(openness, rate=30, until=6.0, limits=DEFAULT_LIMITS, begin=0.0):
    """Return the events of one face.

    ``openness`` returns its openness at a time, a pair of the openness and whether it is trusted, or None for no face.
    """
    engine, events = LipActivity(limits), []
    for i in range(round((until - begin) * rate)):
        time = begin + i / rate
        value = openness(time)
        value, trusted = value if isinstance(value, tuple) else (value, True)
        events += engine.update([] if value is None else [LipSample(0, value, value, trusted)], time)
    return events


def kinds(events, kind):
    return [e for e in events if e.kind == kind]


def talk(time, begin=2.0, end=4.0, base=0.1, size=0.35, rate=3.0):
    return base + (size * abs(math.sin(math.pi * rate * time)) if begin <= time < end else 0.0)


@RATES
def test_open_is_decided_after_its_hold_time_and_has_the_times_of_begin_and_end(rate):
    start, stop = kinds(run(lambda t: 0.9 if 1 <= t < 3 else 0.0, rate), "open")
    frame = 1 / rate
    assert (start.type, stop.type, start.face_id) == ("start", "stop", 0)
    assert start.decided == pytest.approx(1.25, abs=frame + 1e-6)
    assert start.time == pytest.approx(1 - OPEN.pad, abs=frame)
    assert stop.decided == pytest.approx(3 + OPEN.min_off, abs=1.01 * frame)
    assert stop.time == pytest.approx(3 + OPEN.pad, abs=frame)


def test_a_time_of_zero_is_a_time_like_any_other():
    start, stop = kinds(run(lambda t: 0.9 if t < 1 else 0.0), "open")
    assert start.time == 0.0
    assert start.decided == pytest.approx(0.25, abs=0.04)
    assert stop.time == pytest.approx(1.03, abs=0.04)


def test_between_the_two_limits_nothing_changes():
    between = (OPEN.on + OPEN.off) / 2
    assert kinds(run(lambda t: between), "open") == []
    events = kinds(run(lambda t: 0.9 if 1 <= t < 2 else between if t >= 2 else 0.0), "open")
    assert [e.type for e in events] == ["start"]


def test_levels_shorter_than_the_hold_times_neither_start_nor_stop():
    assert kinds(run(lambda t: 0.9 if 1 <= t < 1.2 else 0.0), "open") == []
    gap = kinds(run(lambda t: 0.0 if t < 1 or 2 <= t < 2.07 or t > 4 else 0.9), "open")
    assert [e.type for e in gap] == ["start", "stop"]


@RATES
def test_talking_is_active_from_its_first_to_its_last_movement(rate):
    start, stop = kinds(run(talk, rate), "activity")
    assert start.time == pytest.approx(2.0, abs=0.12)
    assert start.decided < 2.5
    assert stop.time == pytest.approx(4.0, abs=0.2)
    assert stop.decided < 4.9


def test_movement_is_measured_on_the_gap_between_the_lips():
    for openness in np.linspace(0, 1, 21):
        expected = (np.interp(openness, OPENNESSES, GAP_RATIOS) - GAP_RATIOS[0]) / (GAP_RATIOS[-1] - GAP_RATIOS[0])
        assert relative_gap(openness) == pytest.approx(expected)
    assert kinds(run(lambda t: talk(t, base=0.0, size=0.2)), "activity") == []  # lips that hardly part
    assert len(kinds(run(lambda t: talk(t, base=0.6, size=0.2)), "activity")) == 2


def test_pauses_between_words_do_not_end_it():
    def words(time):
        return talk(time, 1, 5) if time % 1 < 0.65 else 0.1

    assert [e.type for e in kinds(run(words), "activity")] == ["start", "stop"]


@RATES
@pytest.mark.parametrize(
    "openness",
    [
        lambda t: 0.02,
        lambda t: 0.02 if t < 1 else 0.65,  # a smile, at once
        lambda t: min(0.65, max(0.02, 0.02 + (t - 1) * 2)),  # a smile, slower
        lambda t: 0.8 if 1 <= t < 3 else 0.0,  # a yawn
        lambda t: 0.4 + 0.3 * math.sin(2 * math.pi * 0.2 * t),  # drift
        lambda t: 0.3 + 0.006 * math.sin(90 * t),  # small tremble
        lambda t: 0.05 + 0.05 * math.sin(2 * math.pi * 1.25 * t),  # chewing with closed lips
    ],
    ids=["still", "smile", "slow smile", "yawn", "drift", "tremble", "chewing"],
)
def test_other_movements_are_not_active(rate, openness):
    assert kinds(run(openness, rate), "activity") == []


@pytest.mark.parametrize("noise", [0.005, 0.01])
def test_noise_is_not_talking_but_talking_in_noise_is(noise):
    rng = random.Random(0)
    assert kinds(run(lambda t: 0.4 + rng.gauss(0, noise), until=20), "activity") == []
    events = kinds(run(lambda t: talk(t, 3, 5, size=0.4) + rng.gauss(0, noise / 2), until=8), "activity")
    assert [e.type for e in events] == ["start", "stop"]


def test_a_lost_face_stops_its_events_at_the_time_of_its_last_reading():
    events = run(lambda t: 0.9 if 1 < t < 2 else None, until=3)
    assert [(e.type, e.kind) for e in events] == [("start", "open"), ("stop", "open")]
    assert events[1].decided == pytest.approx(2.3, abs=0.1)
    assert events[1].time == pytest.approx(1.97, abs=0.04)


def test_a_face_lost_for_a_moment_keeps_its_events():
    events = run(lambda t: None if 2 < t < 2.25 else 0.9 if 1 < t < 3 else 0.0, until=4)
    assert [(e.type, e.kind) for e in events] == [("start", "open"), ("stop", "open")]


def test_an_untrusted_reading_counts_as_no_reading():
    never = run(lambda t: (0.9, False))
    assert never == []
    events = run(lambda t: (0.9, t < 2), until=4)
    assert [(e.type, e.kind) for e in events] == [("start", "open"), ("stop", "open")]
    assert events[1].decided == pytest.approx(2.3, abs=0.1)


def test_a_gap_without_frames_loses_the_face_too():
    engine = LipActivity()
    for i in range(30):
        engine.update([LipSample(0, 0.9, 0.9)], i / 30)
    (stop,) = engine.update([LipSample(0, 0.9, 0.9)], 5.0)
    assert (stop.type, stop.kind) == ("stop", "open")
    assert stop.time == pytest.approx(1.0, abs=0.05)


def test_stop_all_stops_every_event():
    engine = LipActivity()
    for i in range(30):
        engine.update([LipSample(face, 0.9, 0.9) for face in (0, 1)], i / 30)
    stops = engine.stop_all(0.97)
    assert {(e.type, e.face_id) for e in stops} == {("stop", 0), ("stop", 1)}
    assert engine.stop_all(1.0) == []
    assert not engine.is_active(0)


def test_faces_do_not_mix():
    engine, events = LipActivity(), []
    for i in range(120):
        time = i / 30
        events += engine.update([LipSample(0, talk(time), 0.1), LipSample(7, 0.2, 0.2)], time)
        assert not engine.is_active(7)
    assert {e.face_id for e in events} == {0}


def test_starts_and_stops_alternate_and_their_times_never_decrease():
    rng = random.Random(1)
    phases = [rng.uniform(0.0, 1.0) for _ in range(200)]  # now talking, now open, now closed, now gone

    def openness(time):
        phase = phases[int(time)]
        return None if phase > 0.9 else 0.8 if phase > 0.7 else talk(time, 0, 999, rate=2 + 4 * phase)

    events = run(openness, until=200)
    for kind in ("open", "activity"):
        own = kinds(events, kind)
        assert len(own) > 20
        assert all(a.type != b.type for a, b in pairwise(own))
        assert all(a.time <= b.time for a, b in pairwise(own))
        assert all(e.time <= e.decided for e in own)


def test_presets():
    assert set(PRESETS) == {"talk", "switch", "yawn"}
    wide = run(lambda t: 0.9 if 1 <= t < 1.9 or 3 <= t < 4.5 else 0.0, limits=PRESETS["yawn"])
    assert [(e.type, e.kind) for e in wide] == [("start", "open"), ("stop", "open")]
    assert wide[0].time == pytest.approx(3, abs=0.1)
    assert kinds(run(talk, limits=PRESETS["talk"]), "activity") != []
    assert kinds(run(lambda t: 0.9 if t > 1 else 0.0, limits=PRESETS["talk"]), "open") == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.3, 0.5, 0, 0), "off"),
        ((0.5, 0.3, -1, 0), "min_on"),
        ((0.5, 0.3, 0, -1), "min_off"),
        ((0.5, 0.3, 0, 0, -0.1), "pad"),
        ((float("nan"), 0.3, 0, 0), "finite"),
    ],
)
def test_contradictory_limits_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Limits(*values)


def face(nose=0.0, score=0.9, roll=0.0):
    """Return a face with eyes 40 pixels apart, the nose that many eye distances off their middle, all rolled."""
    points = np.array([[-20, 0], [20, 0], [40 * nose, 25], [0, 40], [-40, 5], [40, 5]], float)
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    return Face((0, 0, 80, 80), (points @ turn.T + 100).astype(np.float32), score)


@pytest.mark.parametrize("roll", [0.0, 0.6, -1.5])
@pytest.mark.parametrize("nose", [0.0, 0.4, -0.8])
def test_head_turn_is_the_same_however_the_head_leans(nose, roll):
    assert head_turn(face(nose, roll=roll)) == pytest.approx(abs(nose), abs=1e-4)


def test_gates():
    gates, unknown = Gates(), float("nan")
    assert gates.trust(face(), unknown)
    assert gates.trust(face(), 0.9)
    assert not gates.trust(face(), 0.1)
    assert not gates.trust(face(nose=1.5), unknown)
    assert not gates.trust(face(score=0.3), unknown)
    together = Face((0, 0, 9, 9), np.zeros((6, 2), np.float32), 0.9)  # both eyes in one point
    assert head_turn(together) >= 0


def test_activity_begins_only_above_its_limit():
    small = ACTIVITY.on / 4
    assert kinds(run(lambda t: talk(t, size=small)), "activity") == []


def test_a_level_on_the_limit_counts_and_so_does_a_hold_time_that_is_just_reached():
    limits = {"open": Limits(on=0.5, off=0.25, min_on=0.5, min_off=0.5, pad=0.0)}

    def openness(time):
        return 0.5 if 1 <= time < 3 else 0.25 if time < 5 else 0.24

    start, stop = run(openness, rate=8, until=8, limits=limits)
    assert (start.time, start.decided) == (1.0, 1.5)
    assert (stop.time, stop.decided) == (5.0, 5.5)


def test_an_untrusted_face_does_not_hide_the_next():
    engine = LipActivity({"open": Limits(on=0.5, off=0.25, min_on=0.0, min_off=0.0)})
    samples = [LipSample(0, 0.9, 0.9, trusted=False), LipSample(1, 0.9, 0.9)]
    assert [event.face_id for event in engine.update(samples, 1.0)] == [1]


def test_no_event_begins_before_its_face_was_seen():
    limits = {"open": Limits(on=0.5, off=0.25, min_on=0.0, min_off=0.0, pad=0.5)}
    (start,) = run(lambda time: 0.9 if time >= 2 else None, until=3, limits=limits)
    assert start.time == 2.0


def test_a_lost_face_has_its_stops_once():
    limits = {"open": Limits(on=0.5, off=0.25, min_on=0.0, min_off=0.0)}
    events = run(lambda time: 0.9 if time < 1 else None, until=4, limits=limits)
    assert [event.type for event in events] == ["start", "stop"]


def movement_by_hand(values, times, *, settling=0.25, window=0.4):
    """The level of movement as its docstring says, step by step from the whole past, and the beginnings and ends."""
    gaps, kept, levels = [relative_gap(v) for v in values], [], []
    noise, held, since, steps, recent, begin, last = 0.0, None, 0.0, [], [], 0.0, 0.0
    for gap, time in zip(gaps, times, strict=True):
        if not recent or time > recent[-1][0]:
            since = since if recent else time
            recent.append((time, gap))
            if len(recent) >= 3:
                (_, a), (middle, b), (_, c) = recent[-3:]
                now = abs(a - 2 * b + c) / math.sqrt(6)
                duration = 0.3 if now < noise else 3.0
                noise += (now - noise) * min(1.0, (time - middle) / duration)
        half = min(0.036, max(0.03, 8 * noise)) / 2
        if held is None or time - since < settling:
            held, begin = gap, time
            levels.append((0.0, begin, last))
            continue
        moved = min(max(held, gap - half), gap + half)
        if moved != held:
            steps.append((time, moved - held))
            held, last = moved, time
        kept = [(t, step) for t, step in steps if time - t < window]
        begin = kept[0][0] if kept else time
        levels.append((sum(abs(s) for _, s in kept) - 0.99 * abs(sum(s for _, s in kept)), begin, last))
    return levels


def test_one_stroke_is_told_from_rest_but_the_widest_starts_and_keeps_up_no_event():
    movement = LipMovement()
    levels = [movement.update(0.0 if i < 30 else 1.0, i / 30) for i in range(40)]
    assert levels[29] == 0
    assert 0 < max(levels) < ACTIVITY.off


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.01, 0.05])
def test_movement_is_path_length_minus_most_of_the_net_displacement_outside_the_dead_band(noise):
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.choice([0.02, 0.04, 0.0, 0.1], 400)).tolist()
    values = [talk(time, 1.0, 4.0) + rng.normal(0, noise) for time in times]
    values = [min(1.0, max(0.0, value)) for value in values]
    movement = LipMovement()
    found = [(movement.update(v, t), movement.begin, movement.last) for v, t in zip(values, times, strict=True)]
    expected = movement_by_hand(values, times)
    assert [level for level, _, _ in found] == pytest.approx([level for level, _, _ in expected], abs=2e-3)
    assert np.mean([one[1:] == other[1:] for one, other in zip(found, expected, strict=True)]) > 0.98
    assert max(level for level, _, _ in found) > 0.05
