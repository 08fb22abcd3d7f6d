"""Tests of recordings that are analysed in batches, as on a GPU: with LiteRT and OpenCV in place of the GPU."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from device_on_cpu import CpuFinder, Pictures, cpu_device
from numpy.typing import NDArray

from mouth_live.models.errors import DeviceError, OutOfDeviceMemoryError
from mouth_live.models.face import Face
from mouth_live.models.gpu.passes import DetectorPass
from mouth_live.realtime import Analysis, AnalysisSettings
from mouth_live.realtime.commands.recordings.plan import Job
from mouth_live.realtime.commands.recordings.products import ProductOptions, Target
from mouth_live.realtime.commands.recordings.work import do_job
from mouth_live.realtime.faces.batches.key_points import smoothed
from mouth_live.realtime.session import open_session
from mouth_live.realtime.settings import Networks, load_networks


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(AnalysisSettings())


@pytest.fixture
def in_batches(networks: Networks) -> Networks:
    return replace(networks, device=cpu_device(networks.finder, networks.model))


def analyses(video: Path, networks: Networks) -> list[Analysis]:
    with open_session(video, AnalysisSettings(), networks=networks) as session:
        return list(session)


def values(found: list[Analysis]) -> dict[tuple[int, int], float]:
    return {(a.frame.index, r.face_id): r.raw for a in found for r in a.readings}


def differences(one: list[Analysis], other: list[Analysis], rows_apart: int = 0) -> NDArray[np.float64]:
    """Of the raw openness of each face in each frame; both have the same faces, and all rows but so many."""
    first, second = values(one), values(other)
    assert {face_id for _, face_id in first} == {face_id for _, face_id in second}
    assert len(first.keys() ^ second.keys()) <= rows_apart
    return np.array([abs(first[key] - second[key]) for key in first.keys() & second.keys()])


def events(found: list[Analysis]) -> list[tuple[str, str, int | None]]:
    return [(e.type, e.kind, e.face_id) for a in found for e in a.events]


@pytest.mark.parametrize(
    "name",
    [
        "grid/s1_pbapzp.mpg",
        "pyfeat_single_face.mp4",
        pytest.param("pyfeat_face_noface.mov", marks=pytest.mark.slow),
    ],
)
def test_the_same_faces_values_and_events_as_frame_by_frame(shared, networks, in_batches, name):
    alone, together = (analyses(shared / "clips" / name, n) for n in (networks, in_batches))
    apart = differences(alone, together)
    assert apart.mean() < 0.01
    assert np.quantile(apart, 0.99) < 0.05
    assert events(alone) == events(together)
    assert [a.frame.time for a in alone] == [a.frame.time for a in together]


@pytest.mark.slow
def test_eight_faces_keep_their_ids(shared, networks, in_batches):
    clip = shared / "clips" / "grid_tile8_speakers.mp4"
    # One of the faces is missed for a tenth of a second in batches.
    apart = differences(analyses(clip, networks), analyses(clip, in_batches), rows_apart=4)
    assert len(apart) >= 8 * 201 - 4
    assert apart.mean() < 0.01
    assert np.quantile(apart, 0.99) < 0.05


def test_frames_keep_their_pictures(short_clip, in_batches):
    found = analyses(short_clip, in_batches)
    pictures = cv2.VideoCapture(str(short_clip))
    assert len(found) == 25
    for analysis in found:
        assert np.array_equal(analysis.frame.image, pictures.read()[1])


class Small(CpuFinder):
    """A device whose memory takes a few passes at a time."""

    def __init__(self, wrapped: CpuFinder, most: int) -> None:
        self._wrapped, self._most = wrapped, most
        self.refused = 0

    def detect(self, batch: Pictures, passes: Sequence[DetectorPass]) -> list[list[Face]]:
        if len(passes) > self._most:
            self.refused += 1
            raise OutOfDeviceMemoryError("full")
        return self._wrapped.detect(batch, passes)

    def evidence(self, batch: Pictures, faces: Sequence[tuple[int, Face]]) -> NDArray[np.float32]:
        return self._wrapped.evidence(batch, faces)


def test_where_memory_is_full_it_goes_on_with_half(short_clip, networks, in_batches, caplog):
    caplog.set_level("INFO")
    device = in_batches.device
    small = Small(device.finder, most=4)
    found = analyses(short_clip, replace(networks, device=replace(device, finder=small)))
    assert small.refused > 0
    assert values(found) == values(analyses(short_clip, in_batches))
    assert "going on with 32 frames at a time" in caplog.text


def test_where_no_pictures_fit_on_the_device_fewer_are_put_there(short_clip, networks, in_batches):
    sizes: list[int] = []

    def upload(images: Sequence[NDArray[np.uint8]]) -> Pictures:
        sizes.append(len(images))
        if len(images) > 10:
            raise OutOfDeviceMemoryError("full")
        return Pictures(images)

    found = analyses(short_clip, replace(networks, device=replace(in_batches.device, upload=upload)))
    assert sizes == [25, 12, 6, 6, 6, 6, 1]
    # The faces of a chunk's end are smoothed with what is known of the next chunk, so the values stay the same.
    assert differences(found, analyses(short_clip, in_batches)).max() < 0.02


def test_where_one_picture_does_not_fit_it_is_one_error(short_clip, networks, in_batches, tmp_path):
    def upload(_: object) -> Pictures:
        raise OutOfDeviceMemoryError("the GPU has too little free memory")

    broken = replace(networks, device=replace(in_batches.device, upload=upload))
    with pytest.raises(DeviceError, match="too little free memory"):
        process(short_clip, broken, tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_where_the_gpu_vanishes_no_half_table_is_left(short_clip, networks, in_batches, tmp_path):
    class Vanishing(Small):
        def detect(self, batch: Pictures, passes: Sequence[DetectorPass]) -> list[list[Face]]:
            if self._most == 0:
                raise DeviceError("the GPU failed (device lost); use --device cpu")
            self._most -= 1
            return self._wrapped.detect(batch, passes)

    device = replace(in_batches.device, finder=Vanishing(in_batches.device.finder, 2), most_bytes=6 * 640 * 480 * 3)
    with pytest.raises(DeviceError, match="device lost") as raised:
        process(short_clip, replace(networks, device=device), tmp_path / "out.csv")
    assert raised.value.exit_code == 1
    assert not list(tmp_path.iterdir())


def process(video: Path, networks: Networks, out: Path, kind: Any = "table") -> list[str]:
    do_job(Job(video, (Target(kind, "csv", out),)), ProductOptions(), AnalysisSettings(), networks)
    return out.read_text(errors="replace").splitlines()


def test_key_points_are_smoothed_without_lag():
    times = np.arange(60) / 30
    motion = np.stack([100 * np.sin(2 * times), 40 * times**2], axis=1)
    noise = np.random.default_rng(1).normal(0, 1, motion.shape)
    still = smoothed(times.tolist(), motion, times.tolist())
    assert np.abs(still - motion)[5:-5].max() < 0.1  # it follows motion
    calm = smoothed(times.tolist(), motion + noise, times.tolist())
    assert (calm - still).std() < 0.6 * noise.std()  # and averages jitter


def test_key_points_between_two_detections_lie_between_them():
    assert smoothed([0.0, 0.2], np.array([[1.0], [3.0]]), [0.1]) == pytest.approx(np.array([[2.0]]), abs=0.1)
    assert smoothed([0.4], np.array([[7.0]]), [0.4]) == pytest.approx(np.array([[7.0]]))
