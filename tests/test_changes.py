"""Detecting only where the frame changed: nothing new is missed, and nothing is searched for nothing."""

import cv2
import numpy as np
import pytest
import skimage.data

from mouth_live.models import FaceFinder
from mouth_live.models.rectangle import Rectangle
from mouth_live.realtime import Frame, Pipeline
from mouth_live.realtime.faces.changes import changed, mosaic, renewed

ASTRONAUT = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])  # BGR
SIZE = (1280, 720)
NOISE = [np.random.default_rng(n).normal(0, 2.5, (SIZE[1], SIZE[0], 3)).astype(np.int8) for n in range(5)]


class Counting(FaceFinder):
    """A finder that counts its passes."""

    whole = tiles_seen = 0

    def detect(self, image):
        self.whole += 1
        return super().detect(image)

    def detect_in_tile(self, image, area):
        self.tiles_seen += 1
        return super().detect_in_tile(image, area)


def head(width, flipped=False):
    """The astronaut's head and shoulders, the face so many pixels wide."""
    part = ASTRONAUT[10:230, 114:334]  # the face's middle lies in its middle
    scale = width / 99
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return small[:, ::-1] if flipped else small


def scene(*heads):
    """A room with a camera's noise; each head is (picture, left, top)."""
    background = cv2.resize(skimage.data.stereo_motorcycle()[0][..., ::-1], SIZE)
    for picture, left, top in heads:
        height, width = picture.shape[:2]
        height, width = min(height, SIZE[1] - top), min(width, SIZE[0] - left)
        background[top : top + height, left : left + width] = picture[:height, :width]
    return background


def film(seconds, draw, rate=30):
    for n in range(round(seconds * rate)):
        yield Frame(n, n / rate, cv2.add(draw(n / rate), NOISE[n % len(NOISE)], dtype=cv2.CV_8U))


def first_seen(analyses, place):
    """When the first face with this point in its box was read."""
    for analysis in analyses:
        for x, y, width, height in (reading.face.box for reading in analysis.readings):
            if x < place[0] < x + width and y < place[1] < y + height:
                return analysis.frame.time
    return None


def test_a_still_scene_is_hardly_looked_at(model):
    finder, still = Counting(), scene((head(200), 300, 100))
    analyses = list(Pipeline(finder, model).run(film(4.0, lambda _: still)))
    assert all(len(analysis.readings) == 1 for analysis in analyses)
    assert finder.whole < 4.0 / 0.1 * 0.65
    assert finder.tiles_seen <= 2 * len(finder.tiles(still))


def test_an_empty_room_is_hardly_looked_at(model):
    finder, empty = Counting(), scene()
    analyses = list(Pipeline(finder, model).run(film(2.0, lambda _: empty)))
    assert not any(analysis.readings for analysis in analyses)
    assert finder.whole <= 5


@pytest.mark.parametrize("came", [0.81, 0.86, 0.92, 0.97])
@pytest.mark.parametrize(
    ("width", "left", "top"),
    [(110, 950, 300), (110, 600, 150), (260, 660, 60)],
    ids=["small", "beside the known one", "large"],
)
def test_a_new_face_beside_a_known_one_is_read_within_a_tenth_of_a_second(model, came, width, left, top):
    known, new = head(200), head(width, flipped=True)
    before, after = scene((known, 150, 200)), scene((known, 150, 200), (new, left, top))
    analyses = Pipeline(FaceFinder(), model).run(film(1.2, lambda time: after if time >= came else before))
    shown = next(n / 30 for n in range(100) if n / 30 >= came)
    seen = first_seen(analyses, (left + new.shape[1] / 2, top + new.shape[0] / 2))
    assert seen is not None
    assert 0 <= seen - shown <= 0.1 + 1e-9


@pytest.mark.parametrize("came", [0.81, 0.9, 0.97])
def test_a_face_that_turns_to_the_camera_in_a_still_room_is_read_within_a_tenth_of_a_second(model, came):
    # Before it turns there is hair where its face will be: nothing but that changes.
    face = head(150)
    turned = face.copy()
    turned[80:270, 80:260] = cv2.resize(face[30:80, 110:220], (180, 190))
    known = (head(200, flipped=True), 700, 100)
    before, after = scene(known, (turned, 200, 200)), scene(known, (face, 200, 200))
    assert len(FaceFinder().find(before)) == 1
    analyses = Pipeline(FaceFinder(), model).run(film(1.2, lambda time: after if time >= came else before))
    shown = next(n / 30 for n in range(100) if n / 30 >= came)
    seen = first_seen(analyses, (200 + face.shape[1] / 2, 200 + face.shape[0] / 2))
    assert seen is not None
    assert shown <= seen <= shown + 0.1 + 1e-9


def test_a_face_that_fades_in_is_found_as_early_as_by_looking_at_every_frame(model):
    known, new = head(200), head(110, flipped=True)
    pictures = scene((known, 150, 200)), scene((known, 150, 200), (new, 950, 300))
    before, after = (picture.astype(np.float32) for picture in pictures)

    def draw(time):
        share = min(1.0, max(0.0, (time - 0.8) / 1.5))
        return (before * (1 - share) + after * share).astype(np.uint8)

    every, seldom = (
        first_seen(Pipeline(FaceFinder(), model, detect_interval=detect_interval).run(film(2.3, draw)), (1072, 422))
        for detect_interval in (0, 0.1)
    )
    assert every is not None and seldom is not None
    assert seldom <= every + 0.1 + 1e-9


def test_noise_is_no_change_and_a_small_face_is():
    still, other = scene(), scene((head(50), 900, 300))
    noisy = [mosaic(cv2.add(still, noise, dtype=cv2.CV_8U)) for noise in NOISE]
    assert all(changed(noisy[0], other_noise, SIZE) is None for other_noise in noisy)
    area = changed(noisy[0], mosaic(other), SIZE)
    assert area is not None
    face = Rectangle(920, 320, 60, 60)
    assert area.left <= face.left and area.left + area.width >= face.left + face.width
    assert area.top <= face.top and area.top + area.height >= face.top + face.height


def test_only_changes_that_matter_count():
    before, now = mosaic(scene()), mosaic(scene((head(200), 300, 100)))
    place = Rectangle(300, 100, head(200).shape[1] + 14, head(200).shape[0] + 14)
    assert changed(before, now, SIZE, known=[Rectangle(280, 80, place.width + 40, place.height + 40)]) is None
    assert changed(before, now, SIZE, known=[Rectangle(320, 120, 100, 100)]) is not None
    assert changed(before, now, SIZE, within=Rectangle(1000, 0, 280, 720)) is None
    assert changed(before, now, SIZE, within=Rectangle(0, 0, 400, 720)) is not None
    assert changed(renewed(before, now, SIZE, place), now, SIZE) is None
    assert changed(before, now, SIZE) is not None  # the picture given is left as it was
