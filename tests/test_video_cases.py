"""Recordings as people have them: joined, mirrored, turned, with several tracks or odd names. All made here by ffmpeg.

PyAV, an independent reader, gives the frames and times that are expected.
"""

import itertools
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from test_sources import H264, ffmpeg, picture_input

from mouth_live.models.errors import SourceError
from mouth_live.realtime.commands.recordings.inputs import names_several
from mouth_live.realtime.commands.recordings.plan import Job, Wanted, plan_jobs
from mouth_live.realtime.video.animation import is_animated
from mouth_live.realtime.video.cameras import open_camera
from mouth_live.realtime.video.clock import RecordingClock
from mouth_live.realtime.video.h264 import sequence_header
from mouth_live.realtime.video.packet_size import stated_size
from mouth_live.realtime.video.packets import PacketCapture
from mouth_live.realtime.video.picture_shape import square_size
from mouth_live.realtime.video.recording_files import find_videos, recording_path
from mouth_live.realtime.video.sources import open_video

MPEG2 = ["-c:v", "mpeg2video", "-q:v", "3"]
VP8, VP9 = ["-c:v", "libvpx", "-b:v", "200k"], ["-c:v", "libvpx-vp9", "-b:v", "200k"]
HEVC = ["-c:v", "libx265", "-x265-params", "log-level=0"]
AV1 = ["-c:v", "libaom-av1", "-cpu-used", "8"]
FIELDS = ["-flags", "+ilme+ildct"]
TALL = (120, 160)
LATIN_1 = os.fsdecode(b"caf\xe9")


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cases")


def clip(folder: Path, name: str, *options: object, size=(160, 120), frames=25) -> Path:
    """A clip, made once."""
    path = folder / name
    if not path.exists():
        ffmpeg(*picture_input(size, frames), *(options or H264), path)
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def concatenated(path: Path, *parts: Path) -> Path:
    """The parts one after the other, by ffmpeg, with a clock that goes on."""
    listing = path.with_suffix(".txt")
    listing.write_text("".join(f"file '{part}'\n" for part in parts))
    ffmpeg("-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", path)
    return path


def with_matrix(path: Path, source: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A copy with another display matrix (a, b, c, d) in its first track's header, of version 0."""
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 20] = struct.pack(">5i", a, b, 0, c, d)
    path.write_bytes(data)
    return path


def long_sound(folder: Path) -> Path:
    path = folder / "long_sound.mp4"
    sound = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "110", "-map", "0:v", "-map", "1:a"]
    ffmpeg(*picture_input(frames=75), *sound, "-c:v", "libx264", "-c:a", "aac", path)
    return path


def thumbnail_first(folder: Path, name: str = "thumbnail.mp4", source: Path | None = None) -> Path:
    still = ["-f", "lavfi", "-i", "color=gray:s=320x180:d=0.04:r=25", "-i", source or clip(folder, "film.mp4")]
    kept = ["-map", "0:v", "-map", "1:v", "-c:v:0", "mjpeg", "-c:v:1", "copy", "-disposition:v:0", "0"]
    ffmpeg(*still, *kept, folder / name)
    return folder / name


def two_tracks(folder: Path, name: str, *options: object) -> Path:
    both = ["-i", clip(folder, "film.mp4"), "-i", clip(folder, "tall.mp4", size=TALL, frames=30)]
    ffmpeg(*both, "-map", "0:v", "-map", "1:v", "-c", "copy", *options, folder / name)
    return folder / name


def size_change(folder: Path, name: str, *options: object) -> Path:
    kind = Path(name).suffix
    wide = clip(folder, f"wide_{name}", *options)
    return concatenated(folder / f"change{kind}", wide, clip(folder, f"tall_{name}", *options, size=TALL))


# name -> how it is made in a folder; the number of its frames
CASES = {
    "cat.ts": (lambda f: joined(f / "cat.ts", *[clip(f, "part.ts")] * 2), 50),
    "cat.mpg": (lambda f: joined(f / "cat.mpg", *[clip(f, "part.mpg", *MPEG2)] * 2), 50),
    "cat3.mpg": (lambda f: joined(f / "cat3.mpg", *[clip(f, "part.mpg", *MPEG2)] * 3), 75),
    "cat1.mpg": (lambda f: joined(f / "cat1.mpg", *[clip(f, "part1.mpg", "-c:v", "mpeg1video")] * 2), 50),
    "cat.mkv": (lambda f: joined(f / "cat.mkv", *[clip(f, "part.mkv")] * 2), 50),
    "cat_fields.mpg": (
        lambda f: joined(f / "cat_fields.mpg", *[clip(f, "fields.mpg", *MPEG2, *FIELDS, frames=50)] * 2),
        100,
    ),
    "cat_fields.ts": (
        lambda f: joined(f / "cat_fields.ts", *[clip(f, "fields.ts", *MPEG2, *FIELDS, frames=50)] * 3),
        150,
    ),
    "long_sound.mp4": (long_sound, 75),
    "thumbnail.mp4": (thumbnail_first, 25),
    "thumbnail.mkv": (lambda f: thumbnail_first(f, "thumbnail.mkv"), 25),
    "two.mkv": (lambda f: two_tracks(f, "two.mkv"), 25),
    "change.ts": (lambda f: size_change(f, "h264.ts", *H264), 50),
    "change.mkv": (lambda f: size_change(f, "h264.mkv", *H264), 50),
    "change.webm": (lambda f: size_change(f, "vp8.webm", *VP8), 50),
    "bright.y4m": (lambda f: clip(f, "bright.y4m", "-vf", "pad=160:300:0:180:white", "-pix_fmt", "yuv420p"), 25),
    "cat.gif": (lambda f: clip(f, "cat.gif", "-vf", "settb=1/100,setpts='(4*N+mod(N,3))'"), 25),
    "aspect.mp4": (lambda f: clip(f, "aspect.mp4", "-vf", "setsar=4/3", *H264), 25),
    "film.qt": (lambda f: shutil.copy(clip(f, "film.mov"), f / "film.qt"), 25),
    "film.divx": (lambda f: clip(f, "film.divx", "-c:v", "mpeg4", "-f", "avi"), 25),
    f"{LATIN_1}.mp4": (lambda f: Path(shutil.copy(clip(f, "film.mp4"), f / f"{LATIN_1}.mp4")), 25),
}
TRACKS = {"thumbnail.mp4": 1, "thumbnail.mkv": 1}


@pytest.fixture(scope="session")
def cases(folder):
    """Makes a case by its name, once."""

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            CASES[name][0](folder)
        return path

    return make


def times_by_pyav(path: Path, rate: float = 25.0) -> list[float]:
    """The times since the first frame; where the clock starts again, they go on."""
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[TRACKS.get(path.name, 0)]
        found = [float(frame.time or 0) for frame in container.decode(stream)]
    times, shift = [0.0], 0.0
    for before, now in itertools.pairwise(found):
        shift += max(0.0, before - now) + 1 / rate if now < before - 0.1 else 0.0
        times.append(max(times[-1], now - found[0] + shift))
    return times


@pytest.mark.parametrize("name", CASES)
def test_every_frame_comes_at_its_time(cases, name):
    path = cases(name)
    expected = times_by_pyav(path)
    assert len(expected) == CASES[name][1]
    with open_video(path) as video:
        times = [frame.time for frame in video]
    assert times == pytest.approx(expected, abs=2e-3)
    assert len(set(times)) > 0.97 * len(times)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("cat") and name != "cat.gif"])
def test_a_clock_that_starts_again_is_reported_once(cases, name, caplog):
    path = cases(name)
    with open_video(path) as video:
        for _ in video:
            pass
    (message,) = caplog.messages
    assert message.startswith(f"{path}: its clock starts again at ")
    # Of MPEG-1 the last frame of a part has no time of its own, and counts as the first one of the next part.
    assert float(message.split(" at ")[1].split()[0]) == pytest.approx(2 if "fields" in name else 1, abs=0.041)


class TestClock:
    @pytest.fixture
    def clock(self, tmp_path) -> RecordingClock:
        return RecordingClock(tmp_path / "a.ts", origin=1.0, rate=10.0)

    def test_counts_from_the_origin_and_keeps_pauses(self, clock, caplog):
        assert [clock.time(p) for p in (1.0, 1.1, 9.5, 9.6)] == pytest.approx([0, 0.1, 8.5, 8.6])
        assert not caplog.records

    def test_stays_where_frames_are_a_little_out_of_order(self, clock, caplog):
        assert [clock.time(p) for p in (1.0, 1.1, 1.05, 1.2)] == pytest.approx([0, 0.1, 0.1, 0.2])
        assert not caplog.records

    def test_lets_a_frame_without_a_time_follow_the_last_one(self, clock, caplog):
        assert [clock.time(p) for p in (1.0, 1.1, 0.0, 1.3)] == pytest.approx([0, 0.1, 0.2, 0.3])
        assert not caplog.records

    def test_goes_on_each_time_the_container_starts_again(self, clock, caplog):
        positions = [1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.0, 1.1]
        assert [clock.time(p) for p in positions] == pytest.approx([n / 10 for n in range(8)])
        assert [r.levelno for r in caplog.records] == [logging.WARNING]
        assert "starts again at 0.30 s" in caplog.text


class TestTracks:
    def test_a_thumbnail_gives_way_to_the_film(self, cases, caplog):
        caplog.set_level(logging.INFO)
        with open_video(cases("thumbnail.mp4")) as video:
            assert video.size == (160, 120)
            assert video.duration == pytest.approx(1.0, abs=0.1)
            assert len(list(video)) == 25
        (message,) = caplog.messages
        assert "has 2 video tracks, 0 to 1; track 1 is read (h264 160x120, default), --track reads another" in message

    def test_the_default_of_two_films_is_named_and_another_can_be_read(self, cases, caplog):
        caplog.set_level(logging.INFO)
        with open_video(cases("two.mkv")) as video:
            assert (video.size, len(list(video))) == ((160, 120), 25)
        assert ["track 0 is read (h264 160x120, default)" in message for message in caplog.messages] == [True]
        for number, size, frames in ((0, (160, 120), 25), (1, TALL, 30)):
            with open_video(cases("two.mkv"), number) as video:
                assert (video.size, len(list(video))) == (size, frames)
        assert len(caplog.records) == 1

    def test_without_a_default_the_longest_is_read(self, folder):
        path = two_tracks(
            folder, "no_default.mkv", "-disposition:v:0", "0", "-disposition:v:1", "0", "-default_mode", "passthrough"
        )
        with open_video(path) as video:
            assert len(list(video)) == 30

    @pytest.mark.parametrize(
        ("name", "words"), [("two.mkv", "has 2 video tracks, 0 to 1"), ("film.qt", "one video track")]
    )
    def test_a_track_that_is_not_there(self, cases, name, words):
        with pytest.raises(SourceError, match=f"{words}.*; there is no track 2"):
            open_video(cases(name), 2)

    @pytest.mark.parametrize("at_once", ["1", "2"])
    def test_process_reads_the_track_that_is_asked_for(self, folder, tmp_path, at_once):
        for name in ("a.mkv", "b.mkv"):
            shutil.copy(two_tracks(folder, "asked.mkv"), tmp_path / name)
        inputs = [tmp_path / "a.mkv", tmp_path / "b.mkv", "-o", tmp_path / "out", "--track", "1", "-j", at_once]
        subprocess.run([sys.executable, "-m", "mouth_live.realtime", "process", *inputs], check=True)
        for name in ("a.csv", "b.csv"):
            assert len((tmp_path / "out" / name).read_text().splitlines()) == 1 + 30

    def test_a_picture_has_no_second_track(self, tmp_path):
        cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
        with pytest.raises(SourceError, match="a picture has one track"):
            open_video(tmp_path / "a.png", 1)

    def test_without_ffmpeg_the_first_is_read_and_that_is_said(self, cases, monkeypatch, caplog):
        path = cases("two.mkv")
        monkeypatch.setenv("PATH", "")
        with open_video(path) as video:
            assert len(list(video)) == 25
        assert "several video tracks; the first is read, install ffmpeg" in caplog.text
        with pytest.raises(SourceError, match="track 1 cannot be read without the ffmpeg program"):
            open_video(path, 1)

    def test_a_transport_stream_with_two_films(self, folder):
        path = two_tracks(folder, "two.ts")
        with open_video(path, 1) as video:
            assert (video.size, len(list(video))) == (TALL, 30)


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("name", ["a.h264", "a.h265"])
def test_a_raw_stream_gives_its_own_rate(folder, monkeypatch, caplog, name, installed):
    path = clip(folder, name, *(H264 if name == "a.h264" else HEVC), "-r", "30")
    if not installed:
        monkeypatch.setenv("PATH", "")
    with open_video(path) as video:
        assert len(video_times := [frame.time for frame in video]) == 30
    stated = installed or name == "a.h264"  # that of H.265 is left to ffprobe
    assert video.nominal_rate == (30 if stated else 25)
    assert video_times == pytest.approx([n / video.nominal_rate for n in range(30)])
    (message,) = caplog.messages
    assert message.endswith(
        f"has no times of its own; read at {'its stated 30' if stated else 'an assumed 25'} frames/s"
    )


def test_of_bare_jpegs_it_is_said_that_the_rate_is_assumed(folder, caplog):
    with open_video(clip(folder, "a.mjpg", "-c:v", "mjpeg", "-f", "mjpeg")) as video:
        assert len(list(video)) == 25
    assert "has no times of its own; read at an assumed 25 frames/s" in caplog.text


ORIENTATIONS = {
    (-1, 0, 0, 1): lambda p: p[:, ::-1],
    (1, 0, 0, -1): lambda p: p[::-1],
    (0, 1, 1, 0): lambda p: p.swapaxes(0, 1),
    (0, -1, -1, 0): lambda p: p.swapaxes(0, 1)[::-1, ::-1],
}


@pytest.mark.parametrize("name", ["upright.mp4", "av1.mp4"])  # by OpenCV, and by ffmpeg
@pytest.mark.parametrize("matrix", ORIENTATIONS)
@pytest.mark.parametrize("aspect", ["1/1", "2/1"])
def test_a_mirrored_picture_is_shown_as_the_file_says(folder, tmp_path, name, matrix, aspect):
    codec = AV1 if name.startswith("av1") else H264
    upright = clip(folder, f"{aspect[0]}{name}", "-vf", f"setsar={aspect}", *codec, frames=5)
    with open_video(upright) as straight, open_video(with_matrix(tmp_path / "a.mp4", upright, matrix)) as mirrored:
        before, after = list(straight), list(mirrored)
    assert straight.size == ((160, 120) if aspect == "1/1" else (320, 120))
    assert len(before) == len(after) == 5
    for one, other in zip(before, after, strict=True):
        expected = ORIENTATIONS[matrix](one.image)
        assert mirrored.size == (expected.shape[1], expected.shape[0])
        assert np.abs(expected.astype(int) - other.image).mean() < 3


def test_the_movie_may_turn_its_tracks(folder, tmp_path):
    upright = clip(folder, "1upright.mp4", frames=5)
    data = bytearray(upright.read_bytes())
    at = data.index(b"mvhd") + 40
    data[at : at + 20] = struct.pack(">5i", -1 << 16, 0, 0, 0, 1 << 16)
    (tmp_path / "a.mp4").write_bytes(data)
    with open_video(upright) as straight, open_video(tmp_path / "a.mp4") as mirrored:
        assert np.abs(next(iter(straight)).image[:, ::-1].astype(int) - next(iter(mirrored)).image).mean() < 3


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ("2/1", (320, 120)),
        ("1/2", (160, 240)),
        ("4/3", (213, 120)),
        ("64/45", (228, 120)),
        ("3/4", (160, 160)),
        ("526/525", (160, 120)),
    ],
)
@pytest.mark.parametrize("options", [H264, [*MPEG2, *FIELDS]])  # by OpenCV, and by ffmpeg
def test_pixels_become_square(folder, aspect, size, options):
    kind = "mp4" if options is H264 else "mkv"
    plain = clip(folder, f"square.{kind}", *options, frames=5)
    path = clip(folder, f"{aspect.replace('/', '_')}.{kind}", "-vf", f"setsar={aspect}", *options, frames=5)
    with open_video(plain) as square, open_video(path) as video:
        assert video.size == size
        for one, other in zip(square, video, strict=True):
            assert other.image.shape == (size[1], size[0], 3)
            assert np.abs(cv2.resize(one.image, size).astype(int) - other.image).mean() < 4


def test_the_pixels_of_a_turned_picture_are_turned_with_it(folder, tmp_path):
    for name in ("square_turned", "av1_turned"):
        codec = AV1 if name.startswith("av1") else H264
        path = clip(folder, f"{name}.mp4", "-vf", "setsar=2/1", *codec, frames=5)
        with open_video(with_matrix(tmp_path / "a.mp4", path, (0, 1, -1, 0))) as video:
            assert video.size == (120, 320)


def test_an_absurd_aspect_is_left_alone():
    assert square_size((160, 120), 100.0) == (160, 120)
    assert square_size((160, 120), 1e-9) == (160, 120)


def assert_fitted(image: np.ndarray, source: np.ndarray) -> None:
    """The picture of 160x120 shows the one of 120x160 as 90x120, between black bars."""
    assert image.shape == (120, 160, 3)
    assert image[:, :34].max() < 40
    assert image[:, 126:].max() < 40
    expected = cv2.resize(source, (90, 120), interpolation=cv2.INTER_AREA)
    assert np.abs(image[:, 35:125].astype(int) - expected).mean() < 12


# Joined byte by byte, where ffmpeg cannot copy them one after the other without a loss.
JOINED = {"mpeg.mpg", "fields.ts"}
CHANGING = {
    "h264.ts": H264,
    "h264.mkv": H264,
    "hevc.mkv": ["-c:v", "libx265", "-x265-params", "log-level=0:repeat-headers=1"],
    "vp8.webm": VP8,
    "vp9.webm": VP9,
    "mjpeg.avi": ["-c:v", "mjpeg", "-q:v", "3"],
    "mpeg.mpg": MPEG2,
    "fields.ts": [*MPEG2, *FIELDS],  # by ffmpeg
}


class TestSizeChanges:
    def made(self, folder: Path, path: Path) -> Path:
        """Wide, tall and wide again."""
        wide, tall = (
            clip(folder, f"{kind}_{path.name}", *CHANGING[path.name], size=size)
            for kind, size in (("wide", (160, 120)), ("tall", TALL))
        )
        return (joined if path.name in JOINED else concatenated)(path, wide, tall, wide)

    @pytest.mark.parametrize("name", [name for name in CHANGING if name != "fields.ts"])
    def test_a_turned_picture_is_fitted_and_reported(self, folder, tmp_path, name, caplog):
        path = self.made(folder, tmp_path / name)
        with av.open(str(path)) as container:
            expected = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        with open_video(path) as video:
            assert video.size == (160, 120)
            frames = list(video)
        assert len(frames) == len(expected) >= 73
        for frame, picture in zip(frames, expected, strict=True):
            if picture.shape == (120, 160, 3):
                assert np.abs(frame.image.astype(int) - picture).mean() < 5
            else:
                assert_fitted(frame.image, picture)
        (message,) = [text for text in caplog.messages if "its clock starts again" not in text]
        assert message.startswith(f"{path}: the picture size changes from 160x120 to 120x160 at ")
        assert float(message.split(" at ")[1].split()[0]) == pytest.approx(1.0, abs=0.041)

    def test_of_fields_by_ffmpeg(self, folder, tmp_path, caplog):
        with open_video(self.made(folder, tmp_path / "fields.ts")) as video:
            fitted = [frame.image[:, :34].max() < 40 for frame in video]
        assert len(fitted) >= 71  # ffmpeg's deinterlacer loses one at each change, its decoder another one
        changes = np.flatnonzero(np.diff(fitted))
        assert changes == pytest.approx([22, 45], abs=1)
        assert "the picture size changes from 160x120 to 120x160 at " in caplog.text

    def test_in_joined_files_whose_clock_starts_again(self, folder, tmp_path, caplog):
        wide, tall = clip(folder, "wide_h264.ts", *H264), clip(folder, "tall_h264.ts", *H264, size=TALL)
        with open_video(joined(tmp_path / "a.ts", wide, tall, wide)) as video, open_video(tall) as other:
            frames, expected = list(video), list(other)
        assert [round(25 * frame.time) for frame in frames] == list(range(75))
        assert_fitted(frames[25].image, expected[0].image)
        assert_fitted(frames[49].image, expected[24].image)
        assert [frames[n].image[:, :30].max() > 100 for n in (24, 50)] == [True, True]
        assert len(caplog.records) == 2

    def test_of_a_picture_turned_by_its_matrix(self, folder, tmp_path):
        wide, tall = clip(folder, "wide_h264.mkv", *H264), clip(folder, "tall_h264.mkv", *H264, size=TALL)
        both = concatenated(tmp_path / "both.mp4", wide, tall)
        for matrix, turn in (((0, 1, -1, 0), lambda p: np.rot90(p, -1)), ((-1, 0, 0, 1), lambda p: p[:, ::-1])):
            with open_video(with_matrix(tmp_path / "turned.mp4", both, matrix)) as video, open_video(tall) as other:
                frames, expected = list(video), list(other)
            turned = turn(expected[10].image)
            if video.size == TALL:
                assert frames[35].image[:14].max() < 40
                small = cv2.resize(turned, (120, 90), interpolation=cv2.INTER_AREA)
                assert np.abs(frames[35].image[35:125] - small.astype(int)).mean() < 12
            else:
                assert_fitted(frames[35].image, turned)

    @pytest.mark.parametrize(
        "codec", ["libx264", "libx265", "mpeg4", "mpeg2video", "mjpeg", "libvpx", "ffv1", "msmpeg4"]
    )
    def test_one_size_is_not_reported(self, folder, caplog, codec):
        quiet = ["-x265-params", "log-level=0"] if codec == "libx265" else []
        with open_video(clip(folder, f"key_frames_{codec}.mkv", "-c:v", codec, "-g", "5", *quiet)) as video:
            assert len(list(video)) == 25
        assert not caplog.records


HEADERS = {
    "odd.h264": ((162, 122), H264),
    "high.h264": ((321, 241), [*H264, "-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt"]),
    "422.h264": ((162, 121), [*H264, "-pix_fmt", "yuv422p10le"]),
    "grey.h264": ((161, 121), [*H264, "-pix_fmt", "gray"]),
    "fields.h264": ((160, 124), ["-c:v", "libx264", "-flags", "+ilme+ildct"]),
    "sar.h264": ((160, 120), ["-vf", "setsar=5/7", *H264, "-color_range", "tv", "-colorspace", "bt709"]),
    "a.hevc.mkv": ((160, 120), HEVC),
    "deep.hevc.mp4": ((320, 240), [*HEVC, "-pix_fmt", "yuv444p10le"]),
    "a.vp8.webm": ((162, 122), VP8),
    "a.vp9.webm": ((162, 122), VP9),
    "444.vp9.webm": ((162, 122), [*VP9, "-pix_fmt", "yuv444p"]),
    "deep.vp9.webm": ((162, 122), [*VP9, "-pix_fmt", "yuv420p10le"]),
    "rgb.vp9.webm": ((162, 122), [*VP9, "-pix_fmt", "gbrp"]),
    "a.mpg": ((162, 122), MPEG2),
    "a.mjpeg.avi": ((162, 122), ["-c:v", "mjpeg"]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_headers_state_the_size(folder, name):
    size, options = HEADERS[name]
    packets = PacketCapture(clip(folder, f"header_{name}", *options, size=size, frames=3))
    try:
        packet = packets.read_packet()
        assert packets.is_key
        assert stated_size(packet.tobytes(), packets.fourcc) == size
        if name.endswith("h264"):
            assert sequence_header(packet.tobytes()).rate == 25
        for end in range(0, min(300, len(packet)), 7):  # damaged ones do no harm
            assert stated_size(packet.tobytes()[:end], packets.fourcc) in (None, size)
    finally:
        packets.close()


class TestAnimations:
    @pytest.fixture(params=["a.webp", "a.png", "a.apng"])
    def animation(self, request, tmp_path) -> Path:
        durations = [100, 40, 250, 0, 70]
        from PIL import Image  # with scikit-image, in the test group

        pictures = [Image.fromarray(np.full((12, 16, 3), 40 * n, np.uint8)) for n in range(5)]
        path = tmp_path / request.param
        kind = "WEBP" if path.suffix == ".webp" else "PNG"
        pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], duration=durations, lossless=True)
        return path

    @pytest.mark.parametrize("most", [256 << 20, 2 * 16 * 12 * 4])
    def test_all_pictures_come_at_their_times(self, animation, monkeypatch, most):
        monkeypatch.setattr("mouth_live.realtime.video.animation.MAX_BYTES", most)
        with open_video(animation) as video:
            frames = list(video)
        assert (video.size, video.start_time) == ((16, 12), 0.0)
        assert [frame.index for frame in frames] == list(range(5))
        assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.14, 0.39, 0.49])
        assert [round(frame.image.mean()) for frame in frames] == pytest.approx([0, 40, 80, 120, 160], abs=1)
        assert all(frame.image.shape == (12, 16, 3) and frame.image.dtype == np.uint8 for frame in frames)

    def test_a_still_picture_is_none(self, tmp_path):
        for name in ("a.png", "a.webp", "a.jpg"):
            cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
            assert not is_animated((tmp_path / name).read_bytes())
        assert not is_animated(b"")

    def test_a_damaged_one_is_an_error(self, animation):
        animation.write_bytes(animation.read_bytes()[:60])
        with pytest.raises(SourceError, match="not readable as a picture"):
            list(open_video(animation))


class TestNames:
    """In processes of their own: what they test has brought the whole process down."""

    def run(self, code: str, *arguments: Path) -> str:
        begin = "import sys\nfrom mouth_live.realtime.video.sources import open_video\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + code, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    @pytest.mark.parametrize("name", ["film.mp4", "a.mpg", "a.y4m", "av1.mp4"])
    def test_a_video_whose_name_is_not_utf8(self, folder, tmp_path, name):
        codec = {"film.mp4": H264, "av1.mp4": AV1, "a.mpg": MPEG2}.get(name, ["-pix_fmt", "yuv420p"])
        path = tmp_path / f"{LATIN_1}{Path(name).suffix}"
        shutil.copy(clip(folder, f"plain_{name}", *codec, frames=5), path)
        assert self.run("print(len(list(open_video(sys.argv[1]))))", path) == "5"

    def test_pictures_and_folders_whose_names_are_not_utf8(self, folder, tmp_path):
        place = tmp_path / LATIN_1
        place.mkdir()
        for number in range(2):
            (place / f"{number}{LATIN_1}.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1])
        assert self.run("print(len(list(open_video(sys.argv[1]))))", place) == "2"
        assert self.run("print(len(list(open_video(sys.argv[1]))))", place / f"0{LATIN_1}.png") == "1"
        film = place / "film.mp4"
        shutil.copy(clip(folder, "film.mp4"), film)
        assert self.run("print(len(list(open_video(sys.argv[1]))))", film) == "25"

    @pytest.mark.parametrize("installed", [True, False])
    def test_an_annotated_video_whose_name_is_not_utf8(self, tmp_path, installed):
        code = f"""
import os, numpy as np
from pathlib import Path
from mouth_live.realtime import Analysis, Frame
from mouth_live.realtime.sinks.videos.annotated_video import AnnotatedVideo
os.environ["PATH"] = os.environ["PATH"] if {installed} else ""
with AnnotatedVideo(Path(sys.argv[1]), None, (64, 48), 25.0, 0.0) as sink:
    for number in range(5):
        sink.write(Analysis(Frame(number, number / 25, np.zeros((48, 64, 3), np.uint8)), ()))
print(len(list(open_video(sys.argv[1]))))
"""
        assert self.run(code, tmp_path / f"{LATIN_1}.mp4") == "5"

    def test_intervals_of_a_video_whose_name_is_not_utf8(self):
        from mouth_live.realtime.lips.intervals import Intervals
        from mouth_live.realtime.sinks.events.interval_formats import elan

        text = elan(Intervals([], [0], 1.0, media=f"/talks/{LATIN_1}.mp4"))
        assert text.encode().count(b"caf%E9.mp4") == 2


class TestNoFiles:
    def refused(self, source: Path | str, words: str) -> None:
        for door in (open_video, open_camera):
            begin = time.monotonic()
            with pytest.raises(SourceError) as caught:
                door(source if door is open_video else str(source))
            assert time.monotonic() - begin < 1
            assert str(caught.value).startswith(f"{source}: {words}")
            assert caught.value.exit_code == 1

    def test_a_named_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "a.ts")
        self.refused(tmp_path / "a.ts", "is a pipe, not a file; save it to a file first")

    def test_a_pipe_as_stdin_or_of_a_process(self):
        reading, writing = os.pipe()
        self.refused(f"/dev/fd/{reading}", "is a pipe, not a file; save it to a file first")
        os.close(reading)
        os.close(writing)

    def test_a_socket(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # names of sockets are short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("a.mp4")
            self.refused("a.mp4", "is a socket, not a file; save it to a file first")

    def test_a_device(self):
        with pytest.raises(
            SourceError, match="/dev/zero: is a device, not a file; a camera is read by: mouth-live --camera"
        ):
            open_video("/dev/zero")

    def test_stdin_that_is_a_file_is_read(self, folder):
        with clip(folder, "film.mp4").open("rb") as file, open_video(f"/dev/fd/{file.fileno()}") as video:
            assert len(list(video)) == 25


def planned_jobs(text: str) -> list[Job]:
    return plan_jobs([text], [Wanted("table", "csv", "out")], names_several([text]))


class TestAddresses:
    def test_of_a_file_is_its_path(self, tmp_path, monkeypatch):
        path = tmp_path / "a b%.mp4"
        assert recording_path(path.as_uri()) == recording_path(str(path)) == path
        assert recording_path(path.as_uri().replace("file:///", "FILE://localhost/")) == path

    @pytest.mark.parametrize("text", ["http://host/a.mp4", "https://host/a", "rtsp://host", "s3://bucket/a.mp4"])
    def test_of_another_kind_is_refused(self, text):
        for planned in (lambda: recording_path(text), lambda: planned_jobs(text)):
            with pytest.raises(SourceError) as caught:
                planned()
            assert str(caught.value).startswith(f"{text}: an address, and recordings are read from files")
            assert str(caught.value).endswith(f"--camera {text}")

    def test_of_a_file_elsewhere_is_refused(self):
        with pytest.raises(SourceError, match="a file on another machine"):
            recording_path("file://host/a.mp4")

    def test_a_file_with_such_a_name_is_a_file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "http:").mkdir()
        (tmp_path / "http:" / "a.mp4").touch()
        assert recording_path("http://a.mp4") == Path("http://a.mp4")

    def test_live_video_reads_a_file_by_its_address(self, folder):
        with open_camera(clip(folder, "film.mp4").as_uri()) as video:
            assert next(iter(video)).image.shape == (120, 160, 3)


class TestFolders:
    @pytest.fixture
    def tree(self, tmp_path) -> Path:
        names = "b.MP4 a/x.mkv a/y.gif a/y2.y4m a/z.dav q.qt d.divx ._b.mp4 .hidden/c.mp4 .Trash-1000/files/c.mp4"
        for name in [*names.split(), "__MACOSX/b.mp4", "a/__MACOSX/b.mp4", "a/notes.txt", "x.unknown", ".DS_Store"]:
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).touch()
        return tmp_path

    def test_hidden_files_are_left_out_and_rarer_endings_found(self, tree):
        expected = ["a/x.mkv", "a/y.gif", "a/y2.y4m", "a/z.dav", "b.MP4", "d.divx", "q.qt"]
        assert find_videos(tree) == [tree / name for name in expected]

    def test_the_files_of_unknown_kinds_are_counted(self, tree, tmp_path, caplog):
        caplog.set_level(logging.INFO)
        assert len(planned_jobs(str(tree))) == 7
        assert caplog.messages == [f"{tree}: 2 files are no videos by their names and were left out"]
        (tree / "x.unknown").unlink()
        caplog.clear()
        planned_jobs(str(tree))
        assert caplog.messages == [f"{tree}: 1 file is no video by its name and was left out"]
        (tree / "a" / "notes.txt").unlink()
        caplog.clear()
        planned_jobs(str(tree))
        assert not caplog.records

    def test_a_glob_leaves_them_out_unless_it_names_them(self, tree, tmp_path):
        (tree / "a" / "m.mp4").touch()
        (job,) = planned_jobs(f"{tree}/**/*.mp4")
        assert job.source == tree / "a" / "m.mp4"
        (job,) = planned_jobs(f"{tree}/__MACOSX/*.mp4")
        assert job.source == tree / "__MACOSX" / "b.mp4"

    def test_a_folder_of_pictures_has_no_hidden_ones(self, tmp_path):
        for name in ("a.png", "b.png"):
            cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
        (tmp_path / "._a.png").write_bytes(b"\0\5\26\7")
        with open_video(tmp_path) as video:
            assert len(list(video)) == 2


def test_groups_of_mpeg_4_are_no_sequence_headers_of_mpeg_2(tmp_path, caplog):
    from held_clip import write_clip

    clip = write_clip(tmp_path / "held.mp4", 0.0, seconds=2.4)  # mp4v, a key frame every 12
    with open_video(clip) as video:
        assert {frame.image.shape for frame in video} == {(480, 480, 3)}
    assert caplog.text == ""
