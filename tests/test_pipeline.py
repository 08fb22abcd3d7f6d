"""Tests of the pipeline on a real face, live and recorded."""

import csv
import io
from collections import defaultdict

import numpy as np
import pytest

from mouth_live.models import FaceFinder, load_openness_model
from mouth_live.realtime import Frame, LipEvent, Pipeline, analyze, lip_events
from mouth_live.realtime.video.cameras import open_camera
from mouth_live.realtime.video.reader import FrameReader
from mouth_live.realtime.video.sources import open_video


@pytest.fixture(scope="module")
def recorded(demo_clip):
    return list(analyze(demo_clip))


def summary(analyses):
    return [
        [(a.frame.index, round(a.frame.time, 6), r.face_id, r.face.box, r.active) for r in a.readings] for a in analyses
    ]


def values(analyses):
    return np.array([(r.raw, r.openness) for a in analyses for r in a.readings])


def test_reads_the_demo_as_it_was_drawn(recorded):
    # The face's mouth was opened and closed by warping; the readings must follow that curve.
    from make_demo import opening

    assert {r.face_id for a in recorded for r in a.readings} == {0}
    assert all(len(a.readings) == 1 for a in recorded)
    truth = np.array([opening(a.frame.time) for a in recorded])
    raw = values(recorded)[:, 0]
    assert np.corrcoef(truth, raw)[0, 1] > 0.95
    assert raw[truth < 0.05].max() < 0.05
    assert raw[truth > 0.9].min() > 0.8
    assert raw[truth > 0.9].mean() > 0.9


@pytest.mark.slow
def test_live_and_recorded_agree(demo_clip, recorded):
    # The live path, but the reader keeps every frame instead of the newest.
    with open_camera(str(demo_clip)) as camera, FrameReader(camera, depth=2, drop=False) as reader:
        live = list(Pipeline().run(reader))
    assert summary(live) == summary(recorded)
    assert [a.events for a in live] == [a.events for a in recorded]
    assert any(a.events for a in recorded)
    np.testing.assert_allclose(values(live), values(recorded), atol=1e-5)


def test_a_batch_over_many_frames_gives_the_same(demo_clip, recorded):
    with open_video(demo_clip) as video:
        batched = list(Pipeline().run(video, batch=16))
    assert summary(batched) == summary(recorded)
    np.testing.assert_allclose(values(batched), values(recorded), atol=1e-5)


def test_one_batch_reads_as_many_single_ones(demo_clip):
    model = load_openness_model()
    crops = np.random.default_rng(0).integers(0, 256, (5, 60, 60, 3)).astype(np.uint8)
    together = model.predict(crops)
    assert together.shape == (5,)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, [model.predict(crop[None])[0] for crop in crops], atol=1e-5)
    assert model.predict(crops[:0]).shape == (0,)
    with pytest.raises(ValueError, match="expected"):
        model.predict(crops[:, :50])


def test_frames_without_a_face_have_an_analysis_too():
    frames = [Frame(i, i / 10, np.zeros((120, 160, 3), np.uint8)) for i in range(3)]
    analyses = list(Pipeline(FaceFinder(), load_openness_model()).run(frames))
    assert [a.frame.index for a in analyses] == [0, 1, 2]
    assert all(a.readings == () for a in analyses)


def test_events_of_a_recording_come_in_pairs(recorded):
    events = list(lip_events(recorded))
    assert {e.kind for e in events} == {"open", "activity"}
    running = defaultdict(int)
    for event in events:
        running[event.kind, event.face_id] += 1 if event.type == "start" else -1
        assert running[event.kind, event.face_id] in (0, 1)
    assert set(running.values()) == {0}
    assert [e.decided for e in events] == sorted(e.decided for e in events)
    assert all(0 <= e.time <= e.decided for e in events)


def test_every_start_has_its_stop_when_the_source_fails(recorded):
    def failing():
        for analysis in recorded:
            yield analysis
            if any(e.type == "start" for e in analysis.events):
                raise OSError("unplugged")

    events = []
    with pytest.raises(OSError, match="unplugged"):
        for event in lip_events(failing()):
            events.append(event)
    assert [e.type for e in events].count("start") == [e.type for e in events].count("stop") > 0
    assert all(isinstance(e, LipEvent) for e in events)


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.clips
@pytest.mark.slow
def test_eight_speakers_are_eight_ids_and_each_rises_in_its_own_turn(mouth_live, shared):
    clips = shared / "clips"
    done = mouth_live("process", clips / "grid_tile8_speakers.mp4", "-o", "-")
    assert done.returncode == 0, done.stderr
    rows = read_csv(done.stdout)
    assert len({row["frame"] for row in rows}) == 201
    assert {row["face_id"] for row in rows} == {str(i) for i in range(8)}
    assert len(rows) > 0.98 * 201 * 8
    labels = read_csv((clips / "grid_tile8_speakers.labels.csv").read_text())
    for tile in range(8):
        words = [row for row in labels if row["face"] == str(tile)]
        start, end = min(float(w["start_s"]) for w in words) - 0.3, max(float(w["end_s"]) for w in words)
        x, y, w, h = (float(words[0][key]) for key in "xywh")
        own = [r for r in rows if x <= float(r["x"]) < x + w and y <= float(r["y"]) < y + h]
        assert len({r["face_id"] for r in own}) == 1
        # By movement, not level: some wait with parted lips, and close them after their turn.
        time, openness = np.array([(float(r["timestamp"]), float(r["openness"])) for r in own]).T
        movement = np.array([openness[np.abs(time - t) <= 0.2].std() for t in time])
        inside, outside = (time >= start) & (time <= end), (time < start - 0.3) | (time > end + 0.3)
        assert movement[inside].mean() > 3 * movement[outside].mean(), tile


@pytest.mark.clips
def test_when_the_face_goes_its_rows_say_so(mouth_live, shared):
    import av

    clip = shared / "clips" / "pyfeat_face_noface.mov"
    done = mouth_live("process", clip, "-o", "-")
    assert done.returncode == 0, done.stderr
    rows = read_csv(done.stdout)
    with av.open(str(clip)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    shown = [float(row["timestamp"]) for row in rows]
    np.testing.assert_allclose(shown, np.array(times) - times[0], atol=1e-3)
    found = np.array([row["success"] == "1" for row in rows])
    assert found[: len(found) // 3].all()
    assert not found[-len(found) // 3 :].any()


def test_frames_that_wait_for_a_batch_are_bounded_in_bytes(finder, model):
    """Of large pictures without faces, no more than 32 MB wait, whatever the batch."""
    taken = 0

    def frames():
        nonlocal taken
        for index in range(14):
            taken += 1
            yield Frame(index, index / 25, np.full((1080, 1920, 3), 90, np.uint8))  # 6.2 MB

    most = 0
    for done, _ in enumerate(Pipeline(finder, model).run(frames(), batch=1000)):
        most = max(most, taken - done)
    assert most == 6


def test_after_a_moment_without_a_picture_the_frames_go_on(finder, model, demo_clip):
    with open_video(demo_clip) as video:
        images = [frame.image for frame, _ in zip(video, range(6), strict=False)]
    frames = [Frame(n, n / 25, image) for n, image in enumerate(images)]
    analyses = list(Pipeline(finder, model).run([None, *frames[:3], None, *frames[3:]]))
    assert [analysis.silent for analysis in analyses] == [False] * 3 + [True] + [False] * 3
    assert [analysis.frame.index for analysis in analyses] == [0, 1, 2, 2, 3, 4, 5]
    assert [reading.active for analysis in analyses for reading in analysis.readings][:1] == [False]
