"""Pictures in planes: the same parts, faces and nearly the same values as the BGR pictures that they stand for."""

import cv2
import numpy as np
import pytest

from mouth_live.models import FaceFinder, crop_faces
from mouth_live.models.picture import Yuv420
from mouth_live.realtime.changes import mosaic
from mouth_live.realtime.pipeline import Pipeline
from mouth_live.realtime.records import Frame
from mouth_live.realtime.sources import open_video


@pytest.fixture(scope="module")
def frames(demo_clip) -> list[Frame]:
    return [frame for frame, _ in zip(open_video(demo_clip), range(120), strict=False)]


@pytest.fixture(scope="module")
def picture(frames) -> Yuv420:
    assert isinstance(frames[0].picture, Yuv420)
    return frames[0].picture


def in_bgr(frame: Frame) -> Frame:
    return Frame(frame.index, frame.time, frame.image)


def test_colours_are_those_of_bt601():
    # 8-bit code values of 75 % colour bars. Source: ITU-R BT.601; R'G'B' 191 or 0.
    bars = {(180, 128, 128): (191, 191, 191), (65, 100, 212): (0, 0, 191), (35, 212, 114): (191, 0, 0)}
    for (y, u, v), bgr in bars.items():
        flat = Yuv420(*(np.full(size, value, np.uint8) for size, value in (((8, 8), y), ((4, 4), u), ((4, 4), v))))
        assert np.abs(flat.bgr.astype(int) - bgr).max() <= 2
        assert np.abs(flat.resized(lambda plane: cv2.resize(plane, (3, 3))).astype(int) - bgr).max() <= 2


@pytest.mark.parametrize(
    "part", [np.s_[10:20, 31:60], np.s_[11:20, 30:61], np.s_[11:12, 31:32], np.s_[-7:, :5], np.s_[:, 300:9000]]
)
def test_a_part_is_that_of_the_whole(picture, part):
    assert np.array_equal(picture[part], picture.bgr[part])


def test_no_rows_are_an_empty_picture(picture):
    assert picture[5:5, 0:9].shape == (0, 9, 3)
    assert picture[9000:9009, 0:9].size == 0


def test_a_shrunken_copy_is_the_shrunken_whole(picture):
    def smaller(plane):
        return cv2.resize(plane, (96, 54), interpolation=cv2.INTER_AREA)

    apart = np.abs(picture.resized(smaller).astype(int) - smaller(picture.bgr))
    assert apart.mean() < 1
    assert np.abs(mosaic(picture).astype(int) - mosaic(picture.bgr)).mean() < 1


def test_planes_that_do_not_fit_are_refused():
    y, u, v = (np.zeros(size, np.uint8) for size in ((8, 8), (4, 4), (4, 3)))
    with pytest.raises(ValueError, match="expected"):
        Yuv420(y, u, v)
    with pytest.raises(ValueError, match="expected"):
        Yuv420(y[:7], u, u)


def test_the_same_faces_and_crops(picture):
    finder = FaceFinder()
    ours, theirs = finder.find(picture), finder.find(picture.bgr)
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one.keypoints - other.keypoints).max() < 0.01 * other.box[2]
    assert np.abs(crop_faces(picture, theirs).astype(int) - crop_faces(picture.bgr, theirs)).max() <= 1


def test_values_and_ids_are_those_of_bgr_pictures(frames, finder, model):
    ours, theirs = (
        {(a.frame.index, r.face_id): r.raw for a in Pipeline(finder, model).run(given) for r in a.readings}
        for given in (frames, map(in_bgr, frames))
    )
    assert ours.keys() == theirs.keys()
    apart = [abs(ours[key] - theirs[key]) for key in ours]
    assert np.mean(apart) < 0.005
    assert max(apart) < 0.05


def test_bgr_is_made_of_a_small_part_alone(frames, finder, model):
    """What makes a recording fast: nothing asks for a whole frame."""
    fresh = [Frame(f.index, f.time, Yuv420(*f.picture.planes)) for f in frames[:30]]
    assert sum(len(a.readings) for a in Pipeline(finder, model).run(fresh)) > 0
    assert not any(frame.picture._bgr is not None for frame in fresh)
