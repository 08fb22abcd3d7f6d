"""Tests of what the public functions take: what is plainly meant is read, all else is one clear error."""

import re
import shutil
import timeit
from pathlib import Path

import cv2
import numpy as np
import pytest

from mouth_live.models import OpennessModel, crop_faces
from mouth_live.models.checked import checked_image
from mouth_live.realtime import (
    AnalysisSettings,
    FaceChoice,
    Frame,
    Limits,
    LipActivity,
    Pipeline,
    SourceError,
    analyze,
    draw,
    lip_events,
    open_camera,
    open_session,
    open_video,
    watch_lips,
)


@pytest.fixture(scope="module")
def image(demo_clip):
    with open_video(demo_clip) as video:
        return list(video)[60].image


@pytest.fixture(scope="module")
def faces(finder, image):
    found = finder.find(image)
    assert len(found) == 1
    return found


@pytest.fixture(scope="module")
def crops(image, faces):
    return crop_faces(image, faces)


WRONG_IMAGES = {
    "None": (lambda _: None, TypeError, "got None, which cv2.imread returns where it cannot read the file"),
    "a name": (lambda _: "a.jpg", TypeError, "got the str 'a.jpg'; read the file with cv2.imread first"),
    "a path": (lambda _: Path("a.jpg"), TypeError, "read the file with cv2.imread first"),
    "a list": (lambda image: image.tolist(), TypeError, "got list"),
    "0 to 1": (lambda image: image / 255, ValueError, "got float64 (*); use (image * 255).round().astype(np.uint8)"),
    "float32": (lambda image: (image / 255).astype("f4"), ValueError, "got float32 (*); use (image * 255)"),
    "0 to 255": (
        lambda image: image.astype(float),
        ValueError,
        "use image.astype(np.uint8) if its values are 0 to 255",
    ),
    "16 bits": (lambda image: image.astype("u2") * 257, ValueError, "use (image // 257).astype(np.uint8)"),
    "int64": (lambda image: image.astype(int), ValueError, "got int64"),
    "bool": (lambda image: image > 9, ValueError, "got bool"),
    "not a number": (lambda image: image * np.nan, ValueError, "got float64"),
    "four channels": (lambda image: np.dstack([image, image[..., 0]]), ValueError, "cv2.COLOR_BGRA2BGR"),
    "channels first": (lambda image: image.transpose(2, 0, 1), ValueError, "image.transpose(1, 2, 0)"),
    "a batch": (lambda image: image[None], ValueError, "one picture at a time"),
    "empty": (lambda image: image[:0], ValueError, "it is empty"),
}


def like(text: str) -> str:
    """A pattern of a message, in which (*) is any shape."""
    return re.escape(text).replace(re.escape("(*)"), r"\([\d, ]+\)")


@pytest.mark.parametrize("name", WRONG_IMAGES)
@pytest.mark.parametrize("door", ["find", "crop_faces", "analyze", "Pipeline.run"])
def test_a_wrong_image_is_one_clear_error(door, name, finder, image, faces):
    make, kind, says = WRONG_IMAGES[name]
    wrong = make(image)
    doors = {
        "find": lambda: finder.find(wrong),
        "crop_faces": lambda: crop_faces(wrong, faces),
        "analyze": lambda: list(analyze([wrong])),
        "Pipeline.run": lambda: list(Pipeline(finder).run([Frame(0, 0.0, wrong)])),
    }
    with pytest.raises(kind, match=like(says)) as caught:
        doors[door]()
    assert "image: expected an image (h, w, 3) uint8 BGR, got " in str(caught.value)


def test_a_grey_picture_is_read(finder, image):
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    expected = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    for picture in (grey, grey[..., None]):
        found = finder.find(picture)
        assert found[0].box == finder.find(expected)[0].box
        assert np.array_equal(crop_faces(picture, found), crop_faces(expected, found))
        (analysis,) = analyze([picture])
        assert len(analysis.readings) == 1
        assert draw(analysis).shape == image.shape


def test_views_and_read_only_pictures_are_read(finder, image):
    fixed = image.copy()
    fixed.setflags(write=False)
    assert finder.find(fixed)[0].box == finder.find(image)[0].box
    assert len(finder.find(image[::2, ::2])) == len(finder.find(np.ascontiguousarray(image[::2, ::2])))


def test_a_list_of_crops_is_a_batch(model: OpennessModel, crops):
    expected = model.predict(np.concatenate([crops, crops[:, :, ::-1]]))
    for batch in ([crops[0], crops[0, :, ::-1]], (crops[0], crops[0, :, ::-1])):
        assert np.array_equal(model.predict(batch), expected)
        assert np.array_equal(model.read(batch).openness, expected)
    for nothing in ([], (), crops[:0]):
        assert model.predict(nothing).shape == model.read(nothing).reliability.shape == (0,)


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda crops: None, TypeError, "got NoneType"),
        (lambda crops: "x", TypeError, "got str"),
        (lambda crops: [None], TypeError, "got a list with NoneType"),
        (lambda crops: crops.tolist(), TypeError, "got a list with list"),
        (lambda crops: crops[0], ValueError, "put a single crop into a list"),
        (lambda crops: crops / 255, ValueError, "got float64 (*); use (crops * 255).round().astype(np.uint8)"),
        (lambda crops: [crops[0] / 255], ValueError, "use (crops * 255).round().astype(np.uint8)"),
        (lambda crops: crops.astype("u2"), ValueError, "got uint16"),
        (lambda crops: crops[:, :30], ValueError, "got uint8 (*)"),
        (lambda crops: [crops[0], crops[0][:30]], ValueError, "got a list of the shapes [(30, 60, 3), (60, 60, 3)]"),
    ],
)
def test_wrong_crops_are_one_clear_error(model, crops, make, kind, says):
    for read in (model.predict, model.read):
        with pytest.raises(kind, match=like(says)) as caught:
            read(make(crops))
        assert "crops: expected crops (n, 60, 60, 3) uint8 RGB, as crop_faces returns them, " in str(caught.value)


@pytest.mark.parametrize("make", [lambda f: f[0], lambda f: None, lambda f: "x", lambda f: [1], iter])
def test_faces_that_are_no_list_of_faces_are_an_error(image, faces, make):
    with pytest.raises(TypeError, match=r"faces: expected a list of Face, "):
        crop_faces(image, make(faces))


@pytest.mark.parametrize("source", [None, True, 1.5, object()])
def test_a_source_that_is_none_is_an_error_at_once(source):
    for door in (analyze, open_session, open_camera):
        with pytest.raises(TypeError, match=r"source: expected a camera's index, a path"):
            door(source)
    with pytest.raises(TypeError, match=r"expected"):
        lip_events(source)


def test_a_single_picture_must_be_in_a_list(image):
    with pytest.raises(TypeError, match=r"got ndarray; put a single picture into a list: \[image\]"):
        analyze(image)


@pytest.mark.parametrize("kind", [str, Path, lambda path: str(path).encode()])
def test_paths_of_each_kind_are_read(short_clip, kind):
    assert len(list(analyze(kind(short_clip)))) == 25
    seen = []
    watch_lips(kind(short_clip), seen.append)
    assert seen == list(lip_events(kind(short_clip))) == list(lip_events(analyze(short_clip)))


def test_a_numpy_integer_is_a_camera():
    for door in (analyze, lip_events):
        with pytest.raises(SourceError, match=r"no camera 99"):
            list(door(np.int64(99)))


def test_pictures_are_no_analyses(image):
    with pytest.raises(TypeError, match=r"analyses: expected an Analysis, got ndarray; wrap pictures in analyze"):
        list(lip_events([image]))
    with pytest.raises(TypeError, match=r"frames: expected a Frame, got ndarray; pass pictures to analyze"):
        list(Pipeline().run([image]))


@pytest.mark.parametrize("times", [("a",), (), (0.0, 1), (float("nan"),)])
def test_a_wrong_pair_is_an_error(image, times):
    with pytest.raises(TypeError, match=r"expected pairs of a time in seconds and an image"):
        list(analyze([(*times, image)]))


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda: draw(None), TypeError, "analysis: expected an Analysis, got NoneType"),
        (lambda: FaceChoice().choose("x"), TypeError, "analysis: expected an Analysis, got str"),
        (lambda: FaceChoice().events(None), TypeError, "analysis: expected an Analysis, got NoneType"),
        (lambda: FaceChoice(None), ValueError, "face: expected largest, centre, anyone or a face id"),
        (lambda: LipActivity({"open": 3}), TypeError, "limits['open']: expected a Limits, got int"),
        (lambda: LipActivity({"no": Limits(1, 0, 0, 0)}), ValueError, "limits: expected the kinds activity, open"),
        (lambda: LipActivity(3), TypeError, "limits: expected a Mapping, got int"),
        (lambda: Pipeline("x"), TypeError, "finder: expected an object with the method detect, got str"),
        (lambda: watch_lips([], None), TypeError, "callback: expected a function that takes an event, got NoneType"),
        (lambda: watch_lips([], print, "largest"), TypeError, "choice: expected a FaceChoice, got str"),
        (lambda: analyze("x.mp4", "fast"), TypeError, "pipeline: expected a Pipeline, got str"),
        (lambda: open_session("x.mp4", {"min_face": 9}), TypeError, "settings: expected an AnalysisSettings, got dict"),
        (lambda: open_session("x.mp4", AnalysisSettings(min_face=1)), ValueError, "min_face: expected at least 12"),
    ],
)
def test_other_wrong_arguments_are_one_clear_error(call, kind, says):
    with pytest.raises(kind, match=re.escape(says)):
        call()


def test_a_face_id_may_be_a_number():
    assert FaceChoice(0).mode == "0"


def test_the_check_costs_next_to_nothing(finder, image):
    """Next to one pass of the detector: a ratio in one run, not a time."""
    check = min(timeit.repeat(lambda: checked_image(image), number=200, repeat=5)) / 200
    work = min(timeit.repeat(lambda: finder.detect(image), number=3, repeat=3)) / 3
    assert check < 0.01 * work


def test_a_folder_with_videos_is_no_folder_of_pictures(short_clip, tmp_path):
    """One picture lies between the recordings: it would be all that is read."""
    shutil.copy(short_clip, tmp_path / "a.mp4")
    cv2.imwrite(str(tmp_path / "photo.jpg"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(SourceError, match="a folder with videos and pictures; open each video by itself"):
        next(iter(analyze(tmp_path)))
