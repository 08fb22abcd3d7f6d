"""Coloured lamps and little light: the face is found as in good light, its mouth read as well; other pictures stay."""

import cv2
import numpy as np
import pytest
import skimage.data
from lamps import lit

from mouth_live.models import crop_faces
from mouth_live.models.face import iou
from mouth_live.models.light import LEAST, network_input, well_lit
from mouth_live.realtime import Frame, Pipeline
from mouth_live.realtime.video.sources import open_video

ASTRONAUT = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])  # BGR
TRIED = ("blue", "violet", "magenta", "green", "cyan", "red", "pale green", "night", "blue night")


@pytest.mark.parametrize("lamp", TRIED)
def test_the_face_is_found_where_it_is_in_good_light(finder, lamp):
    (white,) = finder.find(ASTRONAUT)
    (coloured,) = finder.find(lit(ASTRONAUT, lamp))
    assert iou(white.box, coloured.box) > 0.7
    assert np.abs(white.keypoints - coloured.keypoints).max() < 0.1 * white.box[2]


@pytest.mark.parametrize("lamp", ["blue", "magenta", "green", "night"])
def test_a_video_in_bad_light_has_its_face_in_every_frame(demo_clip, finder, model, lamp):
    def frames(seen):
        return (Frame(f.index, f.time, seen(f.image)) for f, _ in zip(open_video(demo_clip), range(90), strict=False))

    white = list(Pipeline(finder, model).run(frames(lambda image: image)))
    coloured = list(Pipeline(finder, model).run(frames(lambda image: lit(image, lamp))))
    assert [len(a.readings) for a in coloured] == [1] * len(white)
    values = np.array([[a.readings[0].openness for a in run] for run in (white, coloured)])
    assert values[0].max() > 0.5 > 0.1 > values[0].min()  # the mouth opens and closes in it
    assert np.sqrt(np.mean((values[0] - values[1]) ** 2)) < 0.2
    assert np.corrcoef(values)[0, 1] > 0.85


def test_what_is_no_face_stays_none_in_any_light(finder):
    cuts = [ASTRONAUT[260:], skimage.data.coffee()[..., ::-1], skimage.data.camera()[240:, :, None].repeat(3, axis=2)]
    assert not any(finder.find(lit(cut, lamp)) for cut in cuts for lamp in TRIED)


@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.8, 0.6), (1, 0.7, 0.05)], ids=["white", "lamp", "candle"])
def test_pictures_in_white_and_warm_light_stay_as_they_are(tint):
    grey = np.random.default_rng(0).integers(0, 256, (40, 60, 1)).repeat(3, axis=2)
    picture = (grey * np.array(tint)).astype(np.uint8)
    assert well_lit(picture) is picture


@pytest.mark.parametrize("lamp", TRIED)
def test_no_channel_of_skin_is_missing_afterwards(lamp):
    seen = np.ascontiguousarray(lit(ASTRONAUT, lamp)[..., ::-1])
    means = np.array(cv2.mean(well_lit(seen))[:3])
    lacking = np.array(LEAST) - means / means.max()
    assert lacking[:2].max() < 0.15
    assert lacking[2] < 0.15 or "red" in lamp


def test_light_of_one_colour_becomes_grey_and_darkness_stays_dark():
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[..., 2] = np.arange(64).reshape(8, 8) * 4
    seen = well_lit(blue).astype(int)
    assert np.array_equal(seen[..., 0], blue[..., 2])
    assert np.abs(seen[..., 1] - 0.6 * blue[..., 2]).max() <= 1
    assert not well_lit(np.zeros((8, 8, 3), np.uint8)).any()


def test_a_lit_face_before_a_black_wall_is_not_made_brighter():
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[30:60, 60:84] = (180, 130, 110)
    assert well_lit(picture) is picture
    dark = (picture * 0.1).astype(np.uint8)
    assert well_lit(dark).max() > 2 * dark.max()


def test_each_crop_has_a_light_of_its_own(finder):
    (face,) = finder.find(ASTRONAUT)
    white, blue = (crop_faces(picture, [face])[0] for picture in (ASTRONAUT, lit(ASTRONAUT, "blue")))
    pictures = network_input(np.stack([white, blue]))
    assert pictures.dtype == np.float32
    assert pictures.shape == (2, 60, 60, 3)
    assert np.array_equal(pictures[0], white / np.float32(255))
    assert pictures[1, ..., 0].mean() > 4 * blue[..., 0].mean() / 255
