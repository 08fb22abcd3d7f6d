"""Ids that stay with one face."""

import numpy as np
import pytest

from mouth_live.models import Face
from mouth_live.realtime.faces.tracking import Tracker

APPEARANCE = {  # two people, as flat crops with some structure
    "a": np.tile(np.linspace(60, 200, 60, dtype=np.uint8)[:, None, None], (1, 60, 3)),
    "b": np.tile(np.linspace(160, 20, 60, dtype=np.uint8)[None, :, None], (60, 1, 3)),
}

PICTURE = np.full((400, 900, 3), 128, np.uint8)


def face(x, y=200.0, size=100.0):
    return Face((x - size / 2, y - size / 2, size, size), np.zeros((6, 2), np.float32), 0.9)


def follow(paths, rate, seconds, noise=2.0):
    """Ids over time of people whose x positions are given as functions of time (None: out of sight)."""
    rng = np.random.default_rng(0)
    tracker, seen = Tracker(), {name: [] for name in paths}
    for t in np.arange(0, seconds, 1 / rate):
        present = [(name, x) for name, path in paths.items() if (x := path(t)) is not None]
        rng.shuffle(present)
        faces = [face(float(x) + rng.normal(0, noise)) for _, x in present]
        crops = np.stack([APPEARANCE[name] for name, _ in present]) if present else np.zeros((0, 60, 60, 3), np.uint8)
        for (name, _), face_id in zip(present, tracker.update(PICTURE, faces, crops, float(t)), strict=True):
            seen[name].append(face_id)
    return seen


rates = pytest.mark.parametrize("rate", [10, 30, 60])


@rates
def test_one_moving_face_is_one_id(rate):
    assert set(follow({"a": lambda t: 300 + 250 * np.sin(2 * t)}, rate, 6)["a"]) == {0}


@rates
def test_two_faces_that_cross_keep_their_ids(rate):
    seen = follow({"a": lambda t: 100 + 200 * t, "b": lambda t: 700 - 200 * t}, rate, 3)
    assert {len(set(ids)) for ids in seen.values()} == {1}
    assert seen["a"][0] != seen["b"][0]


@rates
def test_crossing_while_one_is_hidden_for_half_a_second(rate):
    seen = follow({"a": lambda t: 100 + 200 * t, "b": lambda t: None if 1.25 <= t < 1.75 else 700 - 200 * t}, rate, 3)
    assert {len(set(ids)) for ids in seen.values()} == {1}
    assert seen["a"][0] != seen["b"][0]


@rates
@pytest.mark.parametrize(("gap", "ids"), [(0.8, {0}), (1.3, {0, 1})])
def test_back_within_a_second_keeps_the_id_later_is_new(rate, gap, ids):
    seen = follow({"a": lambda t: None if 1 <= t < 1 + gap else 300 + 30 * t}, rate, 4)
    assert set(seen["a"]) == ids


def test_another_person_in_the_place_of_one_who_left_is_new():
    seen = follow({"a": lambda t: 300 if t < 1 else None, "b": lambda t: 300 if t > 1.5 else None}, 30, 3)
    assert set(seen["a"]) == {0}
    assert set(seen["b"]) == {1}


def test_an_id_is_never_used_again():
    seen = follow({"a": lambda t: 300 if t % 3 < 1 else None}, 30, 12)
    assert sorted(set(seen["a"])) == [0, 1, 2, 3]


def test_known_faces_are_forgotten_after_a_second():
    tracker = Tracker()
    tracker.update(PICTURE, [face(100)], APPEARANCE["a"][None], 0.0)
    none = np.zeros((0, 60, 60, 3), np.uint8)
    tracker.update(PICTURE, [], none, 0.9)
    assert tracker.known == {0}
    tracker.update(PICTURE, [], none, 1.1)
    assert tracker.known == set()


@pytest.mark.parametrize("rate", [10, 30])
def test_two_real_faces_on_crossing_paths_one_hidden_for_half_a_second(rate):
    # Seen through the whole pipeline: detector, face check, crop, tracker.
    from crossing import crossing_faces

    from mouth_live.realtime import Frame, Pipeline

    truth = list(crossing_faces(rate))
    frames = [Frame(i, time, image) for i, (time, image, _) in enumerate(truth)]
    ids: list[set[int]] = [set(), set()]
    found, present = 0, 0
    for (_, _, places), analysis in zip(truth, Pipeline().run(frames), strict=True):
        for person, place in enumerate(places):
            present += place is not None
            for reading in analysis.readings:
                x, y, w, h = reading.face.box
                if place is not None and np.hypot(x + w / 2 - place[0], y + h / 2 - place[1]) < 35:
                    ids[person].add(reading.face_id)
                    found += 1
    assert [len(seen) for seen in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert found > 0.9 * present
