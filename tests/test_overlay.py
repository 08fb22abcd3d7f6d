"""Tests of the overlay: readable on any picture, in any size and for any colour vision."""

from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import pytest

from mouth_live.models.blazeface import BlazeFace
from mouth_live.models.face import Face
from mouth_live.realtime.records import Analysis, Frame, Reading
from mouth_live.realtime.sinks.drawing.overlay import draw
from mouth_live.realtime.sinks.drawing.primitives import PALETTE, text_size

SIZES = [(320, 240), (1280, 720), (3840, 2160)]
TONES = [0, 128, 255]


def reading(
    face_id: int, box: tuple[float, float, float, float], openness: float = 0.5, active: bool = False
) -> Reading:
    return Reading(face_id, Face(box, np.zeros((6, 2), np.float32), 0.9), openness, openness, active, 0.9)


def analysis(size: tuple[int, int], tone: int, *readings: Reading) -> Analysis:
    return Analysis(Frame(0, 0.0, np.full((size[1], size[0], 3), tone, np.uint8)), readings)


def luminance(picture: np.ndarray) -> np.ndarray:
    """Return the relative luminance as WCAG 2 defines it, 0..1."""
    part = picture.astype(float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ [0.0722, 0.7152, 0.2126]


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 12).nonzero()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tone", TONES)
def test_text_stands_out_on_any_picture(size: tuple[int, int], tone: int) -> None:
    shown = draw(analysis(size, tone), rate=29.97, dropped=3)
    rows, columns = np.nonzero((shown != tone).any(axis=2))
    plate = luminance(shown[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    contrast = (plate.max() + 0.05) / (np.median(plate) + 0.05)
    assert contrast > 7  # WCAG AAA for text
    # The plate contains text of the height for this picture.
    text = np.nonzero((plate > 0.8).any(axis=1))[0]
    assert text.max() - text.min() >= 0.6 * text_size(shown)
    assert columns.max() < size[0] / 1.5  # the status leaves the middle free


@pytest.mark.parametrize("size", SIZES)
def test_text_and_lines_grow_with_the_picture(size: tuple[int, int]) -> None:
    assert text_size(np.zeros((size[1], size[0], 3), np.uint8)) == {240: 12, 720: 20, 2160: 60}[size[1]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [(-0.2, -0.2), (0.9, 0.9), (0.9, -0.2), (-0.2, 0.9), (0.0, 0.0)])
def test_a_face_at_the_edge_keeps_its_whole_plate_in_the_picture(
    size: tuple[int, int], place: tuple[float, float]
) -> None:
    middle = (size[0] * 0.4, size[1] * 0.4, size[1] * 0.3, size[1] * 0.3)
    edge = (size[0] * place[0], size[1] * place[1], size[1] * 0.3, size[1] * 0.3)
    ink = [
        int((draw(analysis(size, 0, reading(5, box, 0.37)), rate=None, dropped=None) > 250).all(axis=2).sum())
        for box in (middle, edge)
    ]
    assert ink[1] == ink[0] > 20  # as much white text as in the middle: none of it is cut off


def test_the_frame_itself_is_never_drawn_into() -> None:
    for mirror in (False, True):
        seen = analysis((320, 240), 77, reading(0, (100, 80, 90, 90)))
        shown = draw(seen, rate=10.0, dropped=0, mirror=mirror)
        assert (seen.frame.image == 77).all()
        assert shown.shape == seen.frame.image.shape
        assert shown.dtype == np.uint8


def test_without_faces_and_status_the_picture_is_the_frame() -> None:
    seen = analysis((321, 241), 0)
    seen.frame.image[:, :100] = 200
    assert (draw(seen, rate=None, dropped=None) == seen.frame.image).all()
    assert (draw(seen, rate=None, dropped=None, mirror=True) == seen.frame.image[:, ::-1]).all()


def test_mirror_flips_picture_and_boxes_but_not_the_text() -> None:
    seen = analysis((1280, 720), 0, reading(1, (100, 200, 200, 200), active=True))
    seen.frame.image[600:, :100] = 255
    shown = draw(seen, rate=29.9, dropped=1, mirror=True)
    assert (shown[600:, -100:] == 255).all()
    _, columns = near(shown[190:410], PALETTE[1])
    assert columns.min() == pytest.approx(1280 - 300, abs=4)
    assert columns.max() == pytest.approx(1280 - 100, abs=4)
    plain = draw(analysis((1280, 720), 0), rate=29.9, dropped=1)
    assert (shown[:60, :400] == plain[:60, :400]).all()  # the status, same place, same letters


def test_the_bar_is_as_long_as_the_openness() -> None:
    lengths = []
    for openness in (0.0, 0.25, 0.5, 1.0):
        shown = draw(analysis((1280, 720), 0, reading(0, (400, 300, 250, 250), openness)), rate=None, dropped=None)
        rows, columns = near(shown[:296, :], PALETTE[0])
        bar = rows > 280  # below the id's chip
        lengths.append(int(columns[bar].max() - columns[bar].min() + 1) if bar.any() else 0)
    assert lengths[0] == 0
    assert lengths[1] == pytest.approx(lengths[3] / 4, abs=2)
    assert lengths[2] == pytest.approx(lengths[3] / 2, abs=2)
    assert lengths[3] > 60


def test_active_lips_are_marked_by_shape_not_only_by_colour() -> None:
    box = (400.0, 300.0, 250.0, 250.0)
    quiet, active = (
        draw(analysis((1280, 720), 0, reading(0, box, active=on)), rate=None, dropped=None) for on in (False, True)
    )
    middle_left = (slice(420, 430), slice(396, 405))  # half way down the box, where corners leave it free
    assert not quiet[middle_left].any()
    assert len(near(active[middle_left], PALETTE[0])[0]) > 0
    assert (active > 250).all(axis=2).sum() > (quiet > 250).all(axis=2).sum() + 40  # and the white dot


def test_colours_of_eight_ids_differ_in_lightness_or_hue_for_any_eye() -> None:
    # Vienot 1999 for the missing red or green cone, in linear light: all pairs must stay apart.
    linear = (np.array(PALETTE, float)[:, ::-1] / 255) ** 2.2
    for row in ([0.11238, 0.88762, 0.0], [0.29275, 0.70725, 0.0]):
        blind = linear @ np.array([row, row, [0.004, -0.004, 1.0]]).T
        seen = cv2.cvtColor(np.clip(blind, 0, 1)[None].astype(np.float32) ** np.float32(1 / 2.2), cv2.COLOR_RGB2LAB)[0]
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2) + 100 * np.eye(len(PALETTE))
        assert apart.min() > 10


@pytest.mark.clips
@pytest.mark.parametrize("size", SIZES[:2])
def test_plates_of_eight_real_faces_do_not_cover_each_other(shared: Path, size: tuple[int, int]) -> None:
    clip = cv2.VideoCapture(str(shared / "clips" / "grid_tile8_speakers.mp4"))
    image = clip.read()[1]
    clip.release()
    faces = BlazeFace().detect(image)
    assert len(faces) == 8
    scale = np.tile([size[0] / image.shape[1], size[1] / image.shape[0]], 2)
    boxes = [tuple(float(v) for v in np.array(face.box) * scale) for face in faces]
    readings = tuple(reading(i, box, 0.5) for i, box in enumerate(boxes))
    black = np.zeros((size[1], size[0], 3), np.uint8)
    alone = sum(
        int((draw(Analysis(Frame(0, 0.0, black), (one,)), rate=None, dropped=None) == 255).all(axis=2).sum())
        for one in readings
    )
    together = int((draw(Analysis(Frame(0, 0.0, black), readings), rate=None, dropped=None) == 255).all(axis=2).sum())
    assert together > 0.97 * alone  # no value is hidden


@pytest.mark.slow
def test_drawing_is_fast() -> None:
    seen = analysis((1280, 720), 128, reading(0, (400, 300, 250, 250), 0.7, active=True))
    times = []
    for _ in range(30):
        began = perf_counter()
        draw(seen, rate=29.9, dropped=2)
        times.append(perf_counter() - began)
    assert sorted(times)[5] < 0.006  # 1.6 ms measured; the rest is for busy machines
