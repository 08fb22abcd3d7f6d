"""Heads that turn: the openness stays, and with the mouth closed no event starts."""

import csv
import random
import re

import cv2
import make_demo
import numpy as np
import pytest
from turned_heads import Head, head_of, turned

from mouth_live.models import Face, crop_faces
from mouth_live.models.face import head_turn
from mouth_live.realtime import Frame, Pipeline


@pytest.fixture(scope="module")
def heads(finder) -> dict[float, Head]:
    """The demo's head with a closed and with an open mouth."""
    photos = {value: make_demo.with_mouth(make_demo.portrait(), value) for value in (0.0, 0.7)}
    small = {value: cv2.resize(photo, (768, 768), interpolation=cv2.INTER_AREA) for value, photo in photos.items()}
    return {value: head_of(photo, finder.find(photo)[0]) for value, photo in small.items()}


@pytest.mark.parametrize("yaw", [-30, 0, 30])
def test_the_openness_stays_up_to_30_degrees(heads, finder, model, yaw):
    for value, head in heads.items():
        picture, keypoints = turned(head, yaw)
        (face,) = finder.find(picture)
        assert np.abs(face.keypoints[3] - keypoints[3]).max() < 16
        true = Face((0.0, 0.0, 1.0, 1.0), keypoints.astype(np.float32), 1.0)
        assert model.predict(crop_faces(picture, [face, true])) == pytest.approx([value] * 2, abs=0.15)


@pytest.mark.slow
def test_the_turn_of_photos_is_what_its_docstring_says(shared, finder):
    yaws, turns = re.findall(r"^ +(?:yaw, degrees|head_turn) +(.*)$", head_turn.__doc__, re.MULTILINE)
    with (shared / "faces" / "turned.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    random.Random(0).shuffle(rows)
    for yaw, turn in zip(yaws.split(), turns.split(), strict=True):
        low, high = map(int, yaw.split("-"))
        some = [row for row in rows if low <= abs(float(row["yaw"])) < high][:40]
        found = [turn_in_photo(shared / "faces", row, finder) for row in some]
        assert np.nanmedian(found) == pytest.approx(float(turn), abs=0.1), yaw


def turn_in_photo(folder, row, finder):
    """The turn of the labelled face; NaN where it is not found."""
    x, y, width, height = (float(row[name]) for name in ("x", "y", "width", "height"))
    for face in finder.find(cv2.imread(str(folder / row["file"]))):
        left, top, wide, high = face.box
        if np.hypot(left + wide / 2 - x - width / 2, top + high / 2 - y - height / 2) < width / 2:
            return head_turn(face)
    return np.nan


@pytest.mark.slow
def test_a_head_that_shakes_with_its_mouth_closed_starts_nothing(heads):
    angles = [0.0] * 25 + [40 * np.sin(2 * np.pi * n / 25) for n in range(50)]
    frames = (Frame(n, n / 25, turned(heads[0.0], yaw)[0]) for n, yaw in enumerate(angles))
    analyses = list(Pipeline().run(frames))
    assert sum(bool(analysis.readings) for analysis in analyses) > 60
    assert not [event for analysis in analyses for event in analysis.events]


@pytest.mark.parametrize(("yaw", "pitch"), [(70, 20), (73, 20), (79, 20)])
def test_a_turned_head_is_found_though_the_detector_is_unsure(heads, finder, yaw, pitch):
    picture, keypoints = turned(heads[0.0], yaw, pitch)
    (face,) = finder.find(picture)
    assert face.score < 0.5
    assert np.linalg.norm(face.keypoints[:4] - keypoints[:4], axis=1).mean() < 25
