"""Tests of recordings that the GPU decodes: a made decoder is in place of NVIDIA's, LiteRT in place of the GPU."""

import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from device_on_cpu import cpu_device

from mouth_live.models.errors import IncompleteVideoError
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings.plan import Job
from mouth_live.realtime.commands.recordings.products import ProductOptions, Target
from mouth_live.realtime.commands.recordings.work import do_job
from mouth_live.realtime.faces.batches.device import keras_device
from mouth_live.realtime.settings import Networks, load_networks
from mouth_live.realtime.video.nvdec import PacketTimes
from mouth_live.realtime.video.sources import open_video

Frames = Iterator[np.ndarray]


@pytest.fixture(scope="module")
def networks() -> Networks:
    networks = load_networks(AnalysisSettings())
    return replace(networks, device=cpu_device(networks.finder, networks.model))


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The made decoder, installed."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "made_decoder"))
    import PyNvVideoCodec

    PyNvVideoCodec.OPENED.clear()
    yield PyNvVideoCodec
    PyNvVideoCodec.CHANGES.clear()
    monkeypatch.delitem(sys.modules, "PyNvVideoCodec")


def table(video: Path, networks: Networks, folder: Path, name: str = "out.csv") -> list[list[str]]:
    out = folder / name
    do_job(Job(video, (Target("table", "csv", out),)), ProductOptions(), AnalysisSettings(), networks)
    return [line.split(",") for line in out.read_text().splitlines()]


def agree(one: list[list[str]], other: list[list[str]], most: float = 0.02) -> bool:
    """Whether frames, times and faces are the same, and values about so."""
    same = [row[:3] for row in one] == [row[:3] for row in other]
    return same and all(
        abs(float(a[9]) - float(b[9])) < most for a, b in zip(one[1:], other[1:], strict=True) if a[4] == "1"
    )


@pytest.mark.parametrize("frames", [64, 7])
def test_the_same_table_as_decoded_on_the_cpu(short_clip, networks, decoder, tmp_path, caplog, frames: int):
    networks = replace(networks, device=replace(networks.device, most_bytes=frames * 640 * 480 * 3))
    caplog.set_level("INFO")
    there = table(short_clip, networks, tmp_path)
    assert decoder.OPENED.count(str(short_clip)) >= 1
    assert "on the CPU" not in caplog.text
    decoder.OPENED.clear()
    here = table(short_clip, replace(networks, device=None), tmp_path, "cpu.csv")
    assert decoder.OPENED == []
    assert len(here) == 26
    assert agree(there, here)


@pytest.mark.parametrize("name", ["pyfeat_face_noface.mov", "lmn_collins.mp4"])
def test_times_of_variable_rate_and_pictures_out_of_order(shared, name):
    path = shared / "clips" / name
    with open_video(path) as video:
        times = [frame.time for frame in video]
    assert list(PacketTimes(path)) == pytest.approx(times, abs=1e-6)


def test_an_annotated_video_is_decoded_on_the_cpu(short_clip, networks, decoder, tmp_path):
    job = Job(short_clip, (Target("video", "mp4", tmp_path / "out.mp4"),))
    do_job(job, ProductOptions(), AnalysisSettings(), networks)
    assert decoder.OPENED == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frames: (frame for n, frame in enumerate(frames) if n != 20), "the GPU decodes only 24 frames"),
        (lambda frames: (frame for n, frame in enumerate(frames) for _ in range(2 if n == 20 else 1)), "more frames"),
        (lambda frames: (frame if n < 20 else 1 / 0 for n, frame in enumerate(frames)), "division by zero"),
        (lambda frames: (frame if n < 20 else frame[:-6] for n, frame in enumerate(frames)), "size of its pictures"),
    ],
)
def test_other_frames_than_the_cpu_decodes_are_decoded_again(
    short_clip, networks, decoder, tmp_path, caplog, change: Callable[[Frames], Frames], said: str
):
    caplog.set_level("INFO")
    decoder.CHANGES["frames"] = change
    networks = replace(networks, device=replace(networks.device, most_bytes=8 * 640 * 480 * 3))
    rows = table(short_clip, networks, tmp_path)
    assert len(rows) == 26
    (line,) = [record.message for record in caplog.records if "again on the CPU" in record.message]
    assert said in line
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".csv"] == ["out.csv"]


def test_other_pictures_than_the_cpu_decodes_are_not_used(short_clip, networks, decoder, tmp_path, caplog):
    caplog.set_level("INFO")
    decoder.CHANGES["frames"] = lambda frames: (frame // 2 for frame in frames)
    assert len(table(short_clip, networks, tmp_path)) == 26
    assert "decoded on the CPU, for on the GPU its pictures are others than on the CPU" in caplog.text


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        (
            "stretched.mp4",
            ["-vf", "scale=320:240,setsar=2"],
            "its pictures must be turned, stretched or timed, or some are missing",
        ),
        ("unknown.mkv", [], "Elementary streams not supported by Simple Decoder."),
    ],
)
def test_what_the_gpu_cannot_decode_or_show_the_cpu_decodes(
    short_clip, networks, decoder, tmp_path, caplog, name: str, how: list[str], said: str
):
    caplog.set_level("INFO")
    other = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(short_clip), "-an", *how, str(other)], check=True)
    assert len(table(other, networks, tmp_path)) == 26
    (line,) = [record.message for record in caplog.records if "on the CPU" in record.message]
    assert line == f"{name}: decoded on the CPU, for on the GPU {said}"


def test_a_turned_video_is_decoded_on_the_cpu(short_clip, networks, decoder, tmp_path, caplog):
    caplog.set_level("INFO")
    turned = tmp_path / "turned.mp4"
    data = bytearray(short_clip.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 20] = struct.pack(">5i", -1 << 16, 0, 0, 0, -1 << 16)  # upside down
    turned.write_bytes(data)
    assert len(table(turned, networks, tmp_path)) == 26
    assert "must be turned" in caplog.text
    assert decoder.OPENED == []


def test_a_recording_that_is_cut_off_is_decoded_on_the_cpu(cut_short, networks, decoder, tmp_path):
    with pytest.raises(IncompleteVideoError, match="bytes are missing"):
        table(cut_short(0.5), networks, tmp_path)
    assert decoder.OPENED == []


def test_a_clock_that_starts_again_is_left_to_the_cpu(short_clip, networks, decoder, tmp_path, caplog):
    caplog.set_level("INFO")
    joined = tmp_path / "joined.ts"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(short_clip), "-c", "copy", str(tmp_path / "one.ts")], check=True)
    joined.write_bytes(2 * (tmp_path / "one.ts").read_bytes())
    here = table(joined, replace(networks, device=None), tmp_path, "cpu.csv")
    there = table(joined, networks, tmp_path)
    assert len(here) == 51
    assert agree(there, here, most=0.1)


@pytest.mark.slow
@pytest.mark.train
def test_keras_makes_the_same_table_of_what_the_gpu_decodes(short_clip, networks, decoder, tmp_path, caplog):
    pytest.importorskip("keras")
    caplog.set_level("INFO")
    on_keras = replace(networks, device=keras_device("openness_compact", 0.5, 40))
    there = table(short_clip, on_keras, tmp_path)
    assert decoder.OPENED.count(str(short_clip)) >= 1
    assert "on the CPU" not in caplog.text
    assert agree(there, table(short_clip, replace(networks, device=None), tmp_path, "cpu.csv"))


@pytest.mark.slow
@pytest.mark.train
def test_keras_makes_the_same_table_of_a_real_clip(shared, networks, tmp_path):
    pytest.importorskip("keras")
    clip = shared / "clips" / "grid" / "s1_pbapzp.mpg"
    there = table(clip, replace(networks, device=keras_device("openness_compact", 0.5, 40)), tmp_path)
    here = table(clip, replace(networks, device=None), tmp_path, "cpu.csv")
    assert len(here) == 76
    assert agree(there, here, most=0.05)
