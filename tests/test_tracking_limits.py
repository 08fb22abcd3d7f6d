"""The limits within which a face is the one before: each is met from both sides, with two rates of size and place."""

import numpy as np
import pytest

from mouth_live.models import Face
from mouth_live.realtime.faces.tracking import Tracker

GREY = np.full((1000, 1000, 3), 128, np.uint8)
RNG = np.random.default_rng(0)
NOISE, OTHER_NOISE = (RNG.integers(0, 256, (1000, 1000, 3), np.uint8) for _ in range(2))
POINTS = np.array([(0.35, 0.4), (0.65, 0.4), (0.5, 0.55), (0.5, 0.75), (0.2, 0.45), (0.8, 0.45)], np.float32)


def face(x: float, y: float = 500.0, width: float = 100.0, height: float | None = None) -> Face:
    """A face by its centre."""
    height = width if height is None else height
    left, top = x - width / 2, y - height / 2
    return Face((left, top, width, height), (POINTS * (width, height) + (left, top)).astype(np.float32), 0.9)


def crops(*values: float) -> np.ndarray:
    """Flat crops of these grey values."""
    return np.stack([np.full((60, 60, 3), value, np.uint8) for value in values])


def ids(
    *frames: tuple[float, list[Face], list[float]], pictures: tuple[np.ndarray, ...] | None = None
) -> list[list[int]]:
    """The ids that a tracker gives to frames of (time, faces, grey values of their crops)."""
    tracker = Tracker()
    pictures = pictures or (GREY,) * len(frames)
    return [
        tracker.update(picture, faces, crops(*values) if values else np.zeros((0, 60, 60, 3), np.uint8), time)
        for picture, (time, faces, values) in zip(pictures, frames, strict=True)
    ]


def is_same(then: Face, now: Face, gap: float = 0.04, values: tuple[float, float] = (128, 128), **more) -> bool:
    return ids((1.0, [then], [values[0]]), (1.0 + gap, [now], [values[1]]), **more) == [[0], [0]]


@pytest.mark.parametrize(("gap", "reach"), [(0.04, 0.72), (0.1, 0.9), (0.2, 1.2), (0.5, 2.1)])
@pytest.mark.parametrize("across", [1.0, 0.0, -1.0])
def test_a_face_may_be_so_many_widths_away(gap, reach, across):
    down = 1.0 - abs(across)
    for share, expected in ((0.97, True), (1.03, False)):
        step = share * reach * 100
        assert is_same(face(500), face(500 + across * step, 500 + down * step), gap) is expected


def test_the_distance_is_counted_in_the_mean_width_of_the_two():
    assert is_same(face(500, width=100), face(500 + 0.97 * 0.72 * 150, width=200))
    assert not is_same(face(500, width=100), face(500 + 1.03 * 0.72 * 150, width=200))


def test_the_place_of_a_face_is_the_middle_of_its_box():
    tall = face(500, 500, width=100, height=300)
    assert is_same(face(500, 500), tall)
    assert not is_same(face(500, 400), tall)
    assert not is_same(face(430, 500), face(505, 500))


@pytest.mark.parametrize(("factor", "expected"), [(2.4, True), (2.6, False), (1 / 2.4, True), (1 / 2.6, False)])
def test_a_face_may_be_so_many_times_larger_or_smaller(factor, expected):
    assert is_same(face(500), face(500, width=100 * factor)) is expected


@pytest.mark.parametrize(("gap", "expected"), [(1.0, True), (1.001, False)])
def test_a_face_is_remembered_for_a_second(gap, expected):
    assert is_same(face(500), face(500), gap) is expected


@pytest.mark.parametrize(("gap", "change", "expected"), [(0.26, 45, True), (0.26, 47, False), (0.24, 47, True)])
def test_after_a_gap_the_crop_may_differ_by_so_much(gap, change, expected):
    """0.18 of 255 is 45.9. Without a gap the light may have changed: the picture around is the same."""
    pictures = (NOISE, NOISE)
    assert is_same(face(500), face(500), gap, values=(100, 100 + change), pictures=pictures) is expected


@pytest.mark.parametrize(("change", "expected"), [(12, True), (14, False)])
def test_a_sudden_change_is_another_person_where_the_picture_is_another(change, expected):
    """0.05 of 255 is 12.75."""
    pictures = (NOISE, OTHER_NOISE)
    assert is_same(face(500), face(500), values=(100, 100 + change), pictures=pictures) is expected
    assert is_same(face(500), face(500), values=(100, 100 + change), pictures=(NOISE, NOISE))


def test_a_face_outside_the_picture_breaks_nothing():
    assert ids((1.0, [face(-300)], [0]), (1.04, [face(-300)], [99]), pictures=(NOISE, NOISE))[0] == [0]


@pytest.mark.parametrize("speed", [(200.0, 0.0), (0.0, -300.0)])
def test_a_moving_face_is_expected_where_its_motion_leads(speed):
    """Of two faces at the same distance from where it was last, it is the one ahead."""
    path = [(n / 25, [face(500 + speed[0] * n / 25, 500 + speed[1] * n / 25)], [128]) for n in range(25)]
    last = path[-1][1][0].box
    x, y = last[0] + 50, last[1] + 50
    step = np.array(speed) * 0.2
    ahead, behind = face(x + step[0], y + step[1]), face(x - step[0], y - step[1])
    assert ids(*path, (24 / 25 + 0.2, [behind, ahead], [128, 128]))[-1] == [1, 0]


def test_an_unseen_face_is_expected_to_slow_down():
    """Its motion goes on for 0.4 s in all: it is not expected on the far side of the picture."""
    path = [(n / 25, [face(300 + 250 * n / 25)], [128]) for n in range(11)]
    x = 300 + 250 * 10 / 25
    coasted = 0.4 * (1 - np.exp(-0.8 / 0.4)) * 250
    near, far = face(x + coasted), face(x + 0.8 * 250 + 60)
    assert ids(*path, (0.4 + 0.8, [far, near], [128, 128]))[-1] == [1, 0]


def test_size_and_crop_decide_between_two_faces_at_the_same_distance():
    then = (1.0, [face(500)], [128])
    assert ids(then, (1.04, [face(460, width=150), face(540)], [128, 128]))[-1] == [1, 0]
    assert ids(then, (1.04, [face(460), face(540)], [120, 128]))[-1] == [1, 0]
    # A crop that differs by 0.03 counts as much as 0.18 widths.
    assert ids(then, (1.04, [face(500 - 20), face(500 + 35)], [128 - 8, 128]))[-1] == [1, 0]
    assert ids(then, (1.04, [face(500 - 20), face(500 + 45)], [128 - 8, 128]))[-1] == [0, 1]


def test_pictures_of_faces_out_of_sight_are_not_kept():
    import gc
    import weakref

    tracker, none = Tracker(), np.zeros((0, 60, 60, 3), np.uint8)
    picture = NOISE.copy()
    tracker.update(picture, [face(500)], crops(99), 0.0)
    kept = weakref.ref(picture)
    del picture
    tracker.update(GREY, [], none, 0.1)
    gc.collect()
    assert kept() is None
    assert tracker.update(NOISE, [face(500)], crops(99), 0.2) == [0]


@pytest.mark.parametrize(("around", "inside", "expected"), [("new", "same", [0]), ("same", "new", [1])])
def test_at_a_cut_what_the_box_contains_tells_too(around, inside, expected):
    """Where a detection is misaligned, the aligned face of one person differs from one frame to the next."""
    rng = np.random.default_rng(1)
    before, other = (rng.integers(0, 256, (260, 300, 3), dtype=np.uint8) for _ in range(2))
    now = other.copy() if around == "new" else before.copy()
    left, top, width, height = 60, 90, 48, 64
    part = (slice(top, top + height), slice(left, left + width))
    now[part] = before[part] if inside == "same" else other[part]
    points = np.float32([[70, 110], [100, 110], [85, 125], [85, 140], [62, 112], [106, 112]])
    then, later = (Face((left, top, width, height), keypoints, 0.9) for keypoints in (points, points[::-1].copy()))
    tracker = Tracker()
    tracker.update(before, [then], crops(128), 1.0)
    assert tracker.update(now, [later], crops(128), 1.04, is_cut=True) == expected


@pytest.mark.parametrize(("x", "expected"), [(605, True), (834, True), (594, False), (845, False)])
def test_a_velocity_is_averaged_over_its_memory(x, expected):
    """Three steps of ten widths a second: 0.63 of that is learned, and goes on for 0.16 s of the next 0.2."""
    frames = [(1 + 0.04 * i, [face(500 + 40 * i)], [128]) for i in range(4)]
    assert ids(*frames, (1.32, [face(x)], [128]))[-1] == [0 if expected else 1]


def test_widths_are_counted_not_heights():
    def tall(x: float) -> Face:
        return face(x, width=100, height=300)

    assert is_same(tall(500), tall(500 + 0.97 * 72))
    assert not is_same(tall(500), tall(500 + 1.03 * 72))


@pytest.mark.parametrize(("step", "expected"), [(30, [1, 0]), (10, [0, 1])])
def test_a_larger_face_weighs_as_a_fifth_of_a_width(step, expected):
    assert ids((1.0, [face(500)], [128]), (1.04, [face(500 + step), face(500, width=150)], [128] * 2))[1] == expected


@pytest.mark.parametrize(("step", "expected"), [(26, [1, 0]), (22, [0, 1])])
def test_another_crop_weighs_as_a_quarter_of_a_width(step, expected):
    """A difference of 0.04 counts for 0.24 widths."""
    changed = 128 + 0.04 * 255
    assert ids((1.0, [face(500)], [128]), (1.04, [face(500 + step), face(500)], [128, changed]))[1] == expected
