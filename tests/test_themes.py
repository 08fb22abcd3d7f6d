"""The themes of the overlay, and the options that choose one."""

import cv2
import numpy as np
import pytest
from test_overlay import analysis, near

from mouth_live.models.face import Face
from mouth_live.realtime import draw
from mouth_live.realtime.records import Analysis, Frame, Reading
from mouth_live.realtime.sinks.drawing.overlay import Overlay
from mouth_live.realtime.sinks.drawing.primitives import PALETTE
from mouth_live.realtime.sinks.drawing.themes import THEMES

SIZES = [(160, 120), (405, 720), (1280, 720), (1920, 1080)]
POINTS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.5, 0.75], [0.05, 0.4], [0.95, 0.4]], np.float32)


def reading(face_id, box, openness=0.5, active=False, raw=0.5, reliability=0.9):
    x, y, w, h = box
    return Reading(face_id, Face(box, POINTS * (w, h) + np.float32([x, y]), 0.9), raw, openness, active, reliability)


def pictures(theme, size, count):
    """The picture with ``count`` faces, and the frame."""
    width, height = size
    boxes = [(width * (0.02 + 0.12 * i), height * 0.3, width * 0.1, width * 0.1) for i in range(count)]
    seen = analysis(size, 90, *(reading(i, box, 0.1 * i + 0.1, bool(i % 2)) for i, box in enumerate(boxes)))
    return draw(seen, rate=29.9, dropped=1, theme=theme), seen.frame.image


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [0, 1, 8])
def test_each_theme_draws_any_number_of_faces_into_any_picture(theme, size, count):
    shown, frame = pictures(theme, size, count)
    assert shown.shape == frame.shape
    assert (frame == 90).all()
    assert bool((shown != frame).any()) is (count > 0 or theme in ("standard", "debug"))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("box", [(-60, -60, 150, 150), (1200, 650, 200, 200), (-400, 300, 100, 100)])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_face_at_or_beyond_the_edge_is_drawn(theme, box, mirror):
    seen = analysis((1280, 720), 90, reading(3, box, 1.0, True, reliability=float("nan")))
    for scale in (1.0, 1.5):
        shown = Overlay(theme).draw(seen, mirror=mirror, scale=scale)
        assert shown.shape == (720 * scale, 1280 * scale, 3)


@pytest.mark.parametrize("theme", THEMES)
def test_active_lips_are_marked_by_shape_in_each_theme(theme):
    quiet, active = (
        draw(analysis((1280, 720), 90, reading(0, (400, 200, 250, 250), active=on)), theme=theme)
        for on in (False, True)
    )
    assert np.count_nonzero((quiet != active).any(axis=2)) > 60


@pytest.mark.parametrize("theme", ["minimal", "broadcast"])
def test_the_bar_is_as_long_as_the_openness(theme):
    lengths = []
    for openness in (0.0, 0.25, 0.5, 1.0):
        seen = analysis((1280, 720), 0, reading(1, (400, 200, 250, 250), openness))
        shown = draw(seen, theme=theme)[460:]  # below the box
        row = np.array([np.count_nonzero(np.abs(line.astype(int) - PALETTE[1]).max(axis=1) < 12) for line in shown])
        chip = 30 if theme == "broadcast" else 0
        lengths.append(max(0, row.max() - chip))
    assert lengths[0] < lengths[1] < lengths[2] < lengths[3]
    assert lengths[2] - lengths[1] == pytest.approx((lengths[3] - lengths[2]) / 2, abs=4)


def test_minimal_shows_neither_numbers_nor_boxes():
    seen = analysis((1280, 720), 90, reading(0, (400, 200, 250, 250)))
    shown = draw(seen, rate=25.0, dropped=0, theme="minimal")
    assert (shown[:450] == 90).all()
    assert not (shown > 250).all(axis=2).any()


def test_broadcast_values_stand_still_while_the_face_moves():
    def values(x):
        shown = draw(analysis((1280, 720), 90, reading(0, (x, 100, 250, 250))), theme="broadcast")
        return shown[600:]

    assert (values(100) == values(700)).all()
    assert (values(100) != 90).any()


@pytest.mark.parametrize("size", SIZES[1:])
def test_broadcast_shows_the_plates_of_eight_faces_side_by_side(size):
    width, height = size
    boxes = [(width * 0.1 * i, height * 0.05, 30, 30) for i in range(8)]
    shown = draw(analysis(size, 0, *(reading(i, box) for i, box in enumerate(boxes))), theme="broadcast")
    lower = shown[height // 2 :]
    places = [near(lower, colour) for colour in PALETTE[:7]]  # the eighth is white, as the text is
    counts = [len(rows) for rows, _ in places]
    assert min(counts) > 0.8 * max(counts) > 50  # each chip and bar as a whole
    assert all(columns.min() > 0 and columns.max() < width - 1 for _, columns in places)


def test_debug_shows_key_points_crop_curves_and_reliability():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (720, 1280, 3)).astype(np.uint8)
    face = reading(0, (500.0, 200.0, 250.0, 250.0))
    overlay = Overlay("debug")
    for index in range(20):
        raw = 0.9 if index % 2 else 0.1
        one = Reading(0, face.face, raw, 0.5, False, 0.9)
        shown = overlay.draw(Analysis(Frame(index, index / 25, image), (one,)))
    for x, y in face.face.keypoints:
        assert len(near(shown[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2], PALETTE[0])[0]) > 4
    untrusted = Reading(0, face.face, 0.9, 0.5, False, float("nan"))
    other = overlay.draw(Analysis(Frame(20, 0.8, image), (untrusted,)))
    assert (other[600:, :500] != shown[600:, :500]).any()
    # The curve of a face that has just come is shorter than that of one that is followed.
    fresh = Overlay("debug").draw(Analysis(Frame(19, 19 / 25, image), (one,)))
    followed, new = (np.count_nonzero((p[600:] > 250).all(axis=2)) for p in (shown, fresh))
    assert followed > new + 50


def test_debug_forgets_faces_and_times_that_go_back():
    overlay = Overlay("debug")
    for index, time in enumerate([0.0, 0.04, 99.0, 0.0, 0.04]):
        seen = Analysis(Frame(index, time, np.zeros((240, 320, 3), np.uint8)), (reading(index, (50, 50, 80, 80)),))
        overlay.draw(seen)
    assert len(overlay._draw._curves) <= 2


def test_an_unknown_theme_is_a_value_error():
    with pytest.raises(ValueError, match="expected one of standard, minimal, broadcast, debug, got 'pink'"):
        draw(analysis((320, 240), 0), theme="pink")


# --- the command line


def frame_of(path, index=10):
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_FRAMES, index)
    return video.read()[1].astype(int)


@pytest.mark.slow
def test_the_theme_reaches_each_annotated_video(mouth_live, short_clip, tmp_path):
    plain = frame_of(short_clip)
    for theme in (None, *THEMES):
        option = ["--theme", theme] if theme else []
        done = mouth_live("process", short_clip, "-o", f"{theme}.csv", "--annotate", f"{theme}.mp4", *option)
        assert done.returncode == 0, done.stderr
    different = {theme: np.count_nonzero(np.abs(frame_of(tmp_path / f"{theme}.mp4") - plain) > 60) for theme in THEMES}
    assert different["minimal"] < different["standard"] < different["debug"]
    assert np.abs(frame_of(tmp_path / "None.mp4") - frame_of(tmp_path / "standard.mp4")).max() == 0
    lower = {theme: frame_of(tmp_path / f"{theme}.mp4")[400:] for theme in ("standard", "broadcast")}
    assert np.abs(lower["standard"] - lower["broadcast"]).max() > 100
    done = mouth_live("--camera", short_clip, "--no-window", "--record", "live.mp4", "--theme", "broadcast")
    assert done.returncode == 0, done.stderr
    assert np.abs(frame_of(tmp_path / "live.mp4", 5)[400:] - plain[400:]).max() > 100


@pytest.mark.slow
def test_another_theme_makes_the_video_again_but_not_the_table(mouth_live, short_clip, tmp_path):
    process = ["process", short_clip, "-o", "a.csv", "--annotate", "a.mp4"]
    assert mouth_live(*process).returncode == 0
    table, video = ((tmp_path / name).stat().st_mtime_ns for name in ("a.csv", "a.mp4"))
    assert mouth_live(*process).returncode == 0
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == video
    assert mouth_live(*process, "--theme", "debug").returncode == 0
    assert (tmp_path / "a.mp4").stat().st_mtime_ns != video
    assert (tmp_path / "a.csv").stat().st_mtime_ns == table


@pytest.mark.parametrize(("words", "says"), [
    (["process", "short.mp4", "--theme", "debug"], "add --annotate"),
    (["--camera", "short.mp4", "--no-window", "--theme", "debug"], "add --record"),
    (["process", "short.mp4", "--annotate", "--theme", "pink"], "'standard', 'minimal', 'broadcast', 'debug'"),
])  # fmt: skip
def test_a_theme_for_nothing_and_an_unknown_one_are_wrong_usage(mouth_live, words, says):
    done = mouth_live(*words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_a_theme_in_a_configuration_file_may_stay_unused(mouth_live, short_clip, tmp_path):
    (tmp_path / "mine.toml").write_text('theme = "debug"\n')
    assert mouth_live("process", short_clip, "--config", "mine.toml").returncode == 0
