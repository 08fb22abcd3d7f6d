"""The demo clip: one real face in every frame, drawn as its script says; its picture; the clip of crossing faces."""

import cv2
import numpy as np
import pytest
from make_demo import HEIGHT, RATE, SECONDS, WIDTH, crossing_faces, drawn, opening
from make_doc_pictures import REPORT_PICTURE, THEMES_PICTURE, themes_picture
from make_picture import PICTURE, pictures, shown

from mouth_live.models.blazeface import BlazeFace
from mouth_live.models.face import LEFT_EYE, MOUTH, RIGHT_EYE
from mouth_live.realtime import analyze


@pytest.fixture(scope="module")
def detector():
    return BlazeFace()


@pytest.fixture(scope="module")
def clip(demo_clip):
    """All the clip's frames."""
    video, images = cv2.VideoCapture(str(demo_clip)), []
    while True:
        read, image = video.read()
        if not read:
            return images
        images.append(image)


@pytest.fixture(scope="module")
def analyses(demo_clip):
    return list(analyze(demo_clip))


def test_small_enough_to_ship(demo_clip):
    assert 50_000 < demo_clip.stat().st_size < 600_000


def test_length_rate_and_size(demo_clip, clip):
    assert len(clip) == RATE * SECONDS and clip[0].shape == (HEIGHT, WIDTH, 3)
    video = cv2.VideoCapture(str(demo_clip))
    times = [video.get(cv2.CAP_PROP_POS_MSEC) for _ in clip if video.read()[0]]
    assert np.allclose(np.diff(times), 1000 / RATE, atol=0.5)


def test_exactly_one_face_in_every_frame(clip, detector):
    assert [len(detector.detect(image)) for image in clip] == [1] * len(clip)


def test_the_face_moves_turns_and_comes_nearer(clip, detector):
    faces = [detector.detect(image)[0] for image in clip[::5]]
    eyes = np.array([face.keypoints[LEFT_EYE] - face.keypoints[RIGHT_EYE] for face in faces])
    mouths = np.array([face.keypoints[MOUTH] for face in faces])
    assert np.ptp(np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))) > 6
    assert np.ptp(np.linalg.norm(eyes, axis=1)) > 5
    assert np.all(np.ptp(mouths, axis=0) > 15)
    assert np.linalg.norm(np.diff(mouths, axis=0), axis=1).max() < 20  # in 0.2 s: it glides


def test_opening_goes_through_closed_slightly_and_wide_open():
    assert opening(0.0) == opening(7.5) == opening(100.0) == 0.0
    assert opening(1.5) == 0.5 and opening(6.0) == 1.0
    values = np.array([opening(t) for t in np.arange(0, SECONDS, 0.01)])
    assert values.min() == 0.0 and values.max() == 1.0
    assert np.abs(np.diff(values)).max() < 0.1
    closings = np.count_nonzero((values[:-1] >= 0.2) & (values[1:] < 0.2))
    assert closings >= 6  # talking


def test_the_clip_is_what_its_script_draws(clip):
    pytest.importorskip("skimage", reason="scikit-image, which brings the photo, is not installed")
    for n in (0, 40, 72, 145, 199):  # only the coding lies between: a small error everywhere that moves nothing
        assert np.abs(clip[n].astype(int) - drawn(n / RATE)).mean() < 4, n


def test_the_mouth_gets_darker_as_it_opens(clip, detector):
    # Without any network: the dark part of the mouth grows with the drawn opening.
    dark = []
    for image in clip[::5]:
        points = detector.detect(image)[0].keypoints
        eye_distance = np.linalg.norm(points[LEFT_EYE] - points[RIGHT_EYE])
        x, y = points[MOUTH]
        r = eye_distance / 4
        patch = image[int(y - r / 2) : int(y + 1.5 * r), int(x - r) : int(x + r)]
        dark.append(np.mean(patch.max(axis=2) < 110))
    truth = np.array([opening(n / RATE) for n in range(0, len(clip), 5)])
    assert np.mean(np.array(dark)[truth > 0.9]) > 0.15
    assert np.max(np.array(dark)[truth < 0.05]) < 0.05


def test_it_reads_closed_slightly_open_and_wide_where_it_is(analyses):
    truth = np.array([opening(a.frame.time) for a in analyses])
    raw = np.array([a.readings[0].raw for a in analyses])
    assert raw[truth == 0].max() < 0.05
    slightly = raw[np.abs(truth - 0.5) < 1e-6]
    assert slightly.min() > 0.45 and slightly.max() < 0.6
    assert raw[truth == 1].min() > 0.9


def test_the_picture_in_the_readme_is_the_demo_as_it_is_read_now(analyses):
    values = np.array([analysis.readings[0].openness for analysis in shown(analyses)])
    assert values.min() < 0.05 and values.max() > 0.9 and np.mean((values > 0.45) & (values < 0.6)) > 0.1
    assert abs(values[0] - values[-1]) < 0.02  # it goes round
    assert PICTURE.stat().st_size < 1_000_000
    read, animation = cv2.imreadanimation(str(PICTURE))
    assert read and animation.loop_count == 0
    for coded, picture in zip(animation.frames, pictures(analyses), strict=True):
        difference = np.abs(coded[..., :3].astype(int) - picture)
        assert difference.mean() < 5  # only the coding lies between
        changed = np.count_nonzero(difference.max(axis=2) > 80)
        assert changed < 20, "another value or box: run python tests/make_picture.py"


def test_the_pictures_in_the_documents_are_small_and_show_what_is_drawn(analyses):
    assert all(10_000 < path.stat().st_size < 200_000 for path in (REPORT_PICTURE, THEMES_PICTURE))
    difference = np.abs(cv2.imread(str(THEMES_PICTURE)).astype(int) - themes_picture(analyses))
    assert difference.mean() < 5  # only the coding lies between
    changed = np.count_nonzero(difference.max(axis=2) > 80)
    assert changed < 20, "another drawing: run python tests/make_doc_pictures.py"


@pytest.mark.parametrize("rate", [10, 30, 60])
def test_two_faces_cross_and_one_hides_for_half_a_second(rate, detector):
    pytest.importorskip("skimage", reason="scikit-image, which brings one photo, is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib, which brings the other photo, is not installed")
    hidden, order = [], []
    for n, (time, image, centres) in enumerate(crossing_faces(rate)):
        assert time == pytest.approx(n / rate)
        hidden += [time] * (centres[1] is None)
        if centres[1] is not None:
            order.append(centres[0][0] < centres[1][0])
        if n % (rate // 10) == 0:
            found = [(x, y, x + w, y + h) for x, y, w, h in (face.box for face in detector.detect(image))]
            seen = [c for c in centres if c is not None]
            assert len(found) == len(seen)
            assert all(any(a < x < c and b < y < d for a, b, c, d in found) for x, y in seen)
    assert len(hidden) / rate == pytest.approx(0.5, abs=1 / rate)
    assert order[0] and not order[-1]  # they did pass each other
