"""A landmark model's points, read in several views, and the teacher that reads openness from them."""

import dataclasses
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest

from mouth_live.models import DataError, Face, MissingExtraError
from mouth_live.models.scale import GAP_RATIOS, OPENNESSES
from mouth_live.models.training import landmarks, landmarks_reading, lip_points, teacher
from mouth_live.models.training.data import LabelledFace
from mouth_live.models.training.landmarks import Landmarks
from mouth_live.models.training.lip_points import MESH

EYES = {"red": (33, 133), "green": (362, 263)}  # a landmark model calls the eye on the left of the picture the right


def label(openness=0.5, by_people=True, person="x", **more):
    return LabelledFace(Path("f.jpg"), "a", "train", f"a/{person}", openness, by_people, None, **more)


def mesh(gap=0.1):
    """A mouth below two eyes 40 pixels apart, the lips that part of the eyes' distance apart: (len(MESH), 3)."""
    points = np.zeros((len(MESH), 3), np.float32)
    points[:, :2] = 48, 60
    for x, corners in ((28, lip_points.EYES[0]), (68, lip_points.EYES[1])):
        points[[MESH.index(c) for c in corners], :2] = x, 20
    for i in range(40):
        at, upper = i % 20 % 10, i % 20 > 10  # along the edge, the lower one first
        height = gap * 20 + (5 if i < 20 else 0)
        points[i, :2] = 36 + 2.4 * at, 60 + (-1 if upper else 1) * height * min(at, 10 - at) / 5
    points[[10, 30], :2] = 60, 60  # the left corner
    middle = [MESH.index(p) for pair in ((13, 14), (82, 87), (312, 317)) for p in pair]
    points[middle, 1] = 60 + np.array([-1, 1] * 3) * gap * 20
    return points


# --- which points


def test_points_are_mirrored_in_pairs():
    mirrored = lip_points.MIRRORED
    assert (mirrored[mirrored] == np.arange(lip_points.POINTS)).all()
    kept = np.zeros((len(MESH), 3), np.float32)
    kept[[MESH.index(61), MESH.index(291), MESH.index(33), MESH.index(263)], 0] = 3, 9, 20, 40
    points = lip_points.network_points(kept)
    assert points.shape == (lip_points.POINTS, 2)
    swapped = points[mirrored]
    assert [points[MESH.index(61), 0], swapped[MESH.index(61), 0]] == [3, 9]
    assert [points[-2, 0], swapped[-2, 0]] == [10, 20]
    assert kept[lip_points.MESH_MIRRORED][MESH.index(33), 0] == 40


def test_gaps_and_shapes_follow_the_lips():
    closed, wide = (lip_points.network_points(mesh(gap))[None] - 18 for gap in (0.0, 0.4))
    assert lip_points.gaps(closed)[0, :3] == pytest.approx([0, 0, 0], abs=1e-4)
    assert lip_points.gaps(wide)[0, :3] == pytest.approx([16, 16, 16], rel=1e-4)
    assert lip_points.gap_ratio(mesh(0.4)[None]) == pytest.approx([0.4])
    shape = (lip_points.CELL_ROWS, lip_points.CELL_COLUMNS, 2, lip_points.SUBCELL_ROWS, lip_points.SUBCELL_COLUMNS)
    lips, opening = lip_points.lip_cells(wide).reshape(shape).transpose(2, 0, 3, 1, 4).reshape(2, 40, 16)
    assert 0 <= opening.min() < opening.max() == 1
    assert lips.sum() > opening.sum() > 10
    rows, columns = np.nonzero(opening > 0.5)
    left, top, right, bottom = lip_points.NETWORK_BOX
    assert columns.mean() + 0.5 == pytest.approx((30 - left) / (right - left) * 16, abs=0.7)
    assert rows.mean() + 0.5 == pytest.approx((42 - top) / (bottom - top) * 40, abs=1)
    assert lip_points.lip_cells(closed).reshape(shape)[:, :, 1].sum() < 0.3 * opening.sum()


# --- reading


@pytest.fixture
def face():
    eyes_and_more = [(130.0, 110.0), (170.0, 114.0), (150.0, 130.0), (148.0, 155.0), (115.0, 120.0), (185.0, 125.0)]
    return Face((110.0, 80.0, 80.0, 100.0), np.array(eyes_and_more, np.float32), 0.9)


@pytest.fixture
def pretend_mediapipe(monkeypatch):
    """In place of mediapipe: finds a red, a green and a blue spot, and takes them for the eyes and the mouth."""

    def detect(image):
        spots = [np.argwhere((image[:, :, c] > 150) & (image.sum(axis=2) < 1.5 * image[:, :, c])) for c in range(3)]
        if not all(len(spot) for spot in spots):
            return SimpleNamespace(face_landmarks=[], face_blendshapes=[])
        height, width = image.shape[:2]
        at = [(spot.mean(axis=0)[::-1] + 0.5) / (width, height) for spot in spots]
        right, left = sorted(at[:2], key=lambda p: p[0])
        points = np.tile(at[2], (478, 1))
        points[list(EYES["red"])], points[list(EYES["green"])] = right, left
        found = [SimpleNamespace(x=x, y=y, z=0.01) for x, y in points]
        return SimpleNamespace(face_landmarks=[found], face_blendshapes=[[SimpleNamespace(score=0.5)] * 52])

    class FaceMesh:
        def __init__(self, **_more):
            pass

        def process(self, image):
            found = [SimpleNamespace(landmark=points) for points in detect(image).face_landmarks]
            return SimpleNamespace(multi_face_landmarks=found or None)

    parts = {
        "mediapipe": {
            "Image": lambda image_format, data: data,
            "ImageFormat": SimpleNamespace(SRGB=1),
            "solutions": SimpleNamespace(face_mesh=SimpleNamespace(FaceMesh=FaceMesh)),
        },
        "mediapipe.tasks.python": {"BaseOptions": lambda **more: more},
        "mediapipe.tasks.python.vision": {
            "FaceLandmarkerOptions": lambda **more: more,
            "FaceLandmarker": SimpleNamespace(create_from_options=lambda _: SimpleNamespace(detect=detect)),
        },
    }
    for name in ("mediapipe.tasks", *parts):
        module = ModuleType(name)
        vars(module).update(parts.get(name, {}))
        monkeypatch.setitem(sys.modules, name, module)


def test_every_view_gives_the_points_where_the_picture_shows_them(face, pretend_mediapipe, tmp_path):
    image = np.full((240, 300, 3), 60, np.uint8)
    for row, colour in ((0, (0, 0, 255)), (1, (0, 255, 0)), (3, (255, 0, 0))):
        x, y = face.keypoints[row] - 0.5
        cv2.circle(image, (round(x * 16), round(y * 16)), 5 * 16, colour, -1, cv2.LINE_AA, 4)
    (tmp_path / "model.task").touch()
    read = landmarks_reading.FaceReader(tmp_path / "model.task").read(image, face)
    assert read.views.shape == (4, len(MESH), 3)
    right, left, mouth = landmarks_reading.to_patch(face.keypoints[[0, 1, 3]], face)
    for view in read.views:  # the mirrored ones too: their right eye is the person's right eye again
        assert view[MESH.index(33), :2] == pytest.approx(right, abs=0.3)
        assert view[MESH.index(263), :2] == pytest.approx(left, abs=0.3)
        assert view[MESH.index(13), :2] == pytest.approx(mouth, abs=0.3)
    assert read.shapes == pytest.approx(np.full(52, 0.5))
    assert (read.views[:, 0, 2] > 0).all()
    older = landmarks_reading.MeshReader().read(image, face)
    assert (older.views.shape, older.shapes.shape) == ((3, len(MESH), 3), (0,))
    for view in older.views:
        assert view[MESH.index(33), :2] == pytest.approx(right, abs=0.3)
        assert view[MESH.index(13), :2] == pytest.approx(mouth, abs=0.3)
    elsewhere = dataclasses.replace(face, keypoints=face.keypoints + np.float32(30))
    assert landmarks_reading.MeshReader().read(image, elsewhere) is None
    assert landmarks_reading.FaceReader(tmp_path / "model.task").read(image, elsewhere) is None


def test_reading_without_mediapipe_or_its_model_is_told(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no such file"):
        landmarks_reading.FaceReader(tmp_path / "model.task")
    (tmp_path / "model.task").touch()
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python", None)
    with pytest.raises(MissingExtraError, match="mediapipe"):
        landmarks_reading.FaceReader(tmp_path / "model.task")
    monkeypatch.setitem(sys.modules, "mediapipe", ModuleType("mediapipe"))
    with pytest.raises(DataError, match=r"no attention mesh; .*mediapipe==0\.10\.21"):
        landmarks_reading.MeshReader()
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingExtraError, match="mediapipe"):
        landmarks_reading.MeshReader()


def test_landmarks_are_found_by_file_and_views_that_fail_are_replaced(tmp_path):
    one, path = mesh(), tmp_path / "landmarks.npz"
    readings = np.stack([one, one + 1, one + 40, np.full_like(one, np.nan)])
    np.savez(path, names=["b.jpg"], readings=readings[None], shapes=np.ones((1, 52)))
    faces = [dataclasses.replace(label(), file=tmp_path / name) for name in ("a.jpg", "b.jpg")]
    read = landmarks.load_landmarks([path], tmp_path, faces)
    assert read.known.tolist() == [False, True]
    expected = [one, one + 1, one + 0.5, one + 0.5]
    assert read.readings[1] == pytest.approx(np.stack(expected), abs=1e-4)
    assert read.points[1] == pytest.approx(lip_points.network_points(one + 0.5), abs=1e-4)
    assert read.chosen([1]).known.tolist() == [True]

    other = tmp_path / "mesh.npz"
    np.savez(other, names=["a.jpg"], readings=(one + 5)[None, None], shapes=np.zeros((1, 0)))
    both = landmarks.load_landmarks([path, other], tmp_path, faces)
    assert both.known.tolist() == [True, True]
    assert both.readings[0] == pytest.approx(np.stack([one + 5] * 5), abs=1e-4)
    assert both.readings[1] == pytest.approx(np.stack([*expected, one + 0.5]), abs=1e-4)
    assert both.shapes.tolist() == [[0] * 52, [1] * 52]
    path.write_text("no")
    with pytest.raises(DataError, match="not a landmarks file"):
        landmarks.load_landmarks([path], tmp_path, faces)


# --- the teacher


@pytest.fixture
def quick_teacher(monkeypatch):
    monkeypatch.setattr(teacher, "TREES", 60)
    monkeypatch.setattr(teacher, "FOLDS", 2)
    monkeypatch.setattr(teacher, "FEWEST", 100)


def measured(truth, rng):
    """Readings in two views of mouths that are so far open; the model opens them too little, and errs at random."""
    gap = np.interp(truth, OPENNESSES, GAP_RATIOS)
    gaps = 0.7 * gap[:, None] + rng.normal(0, 0.02, (len(gap), 2))
    readings = np.array([[mesh(max(float(g), 0)) for g in face] for face in gaps])
    known = np.ones(len(gap), bool)
    known[-1] = False
    points = np.zeros((len(gap), lip_points.POINTS, 2), np.float32)
    return Landmarks(known, points, readings, np.zeros((len(gap), 52), np.float32))


@pytest.mark.train
@pytest.mark.usefixtures("quick_teacher")
@pytest.mark.slow
def test_the_teacher_learns_from_people_where_the_model_is_wrong():
    rng = np.random.default_rng(0)
    truth = rng.random(240)
    faces = [label(float(t), by_people=i < 160, person=str(i // 2)) for i, t in enumerate(truth)]
    read = measured(truth, rng)
    taught = teacher.teach(faces, read, seed=0)
    assert taught.dtype == np.float32
    assert np.isnan(taught).tolist() == [False] * 239 + [True]
    single = np.interp(lip_points.gap_ratio(read.readings[:, 0]), GAP_RATIOS, OPENNESSES)
    for some in (slice(0, 160), slice(160, 239)):
        assert np.mean((taught[some] - truth[some]) ** 2) < 0.3 * np.mean((single[some] - truth[some]) ** 2)


@pytest.mark.train
@pytest.mark.usefixtures("quick_teacher")
def test_the_teacher_gives_a_face_an_opinion_that_its_own_label_did_not_make():
    rng = np.random.default_rng(1)
    read = measured(np.full(160, 0.5), rng)
    labels = rng.random(160)  # say nothing about the faces
    taught = teacher.teach([label(float(t), person=str(i)) for i, t in enumerate(labels)], read, seed=0)
    assert abs(np.corrcoef(taught[:-1], labels[:-1])[0, 1]) < 0.25


def test_with_few_labels_the_teacher_is_the_mean_of_the_views():
    read = measured(np.linspace(0, 1, 20), np.random.default_rng(0))
    taught = teacher.teach([label() for _ in range(20)], read, seed=0)
    views = [np.interp(lip_points.gap_ratio(read.readings[:, i]), GAP_RATIOS, OPENNESSES) for i in (0, 1)]
    assert taught[:-1] == pytest.approx(np.mean(views, axis=0)[:-1], abs=1e-5)
