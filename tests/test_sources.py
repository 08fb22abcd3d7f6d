"""Tests of recorded sources: files of every kind are made by ffmpeg and compared with PyAV, an independent decoder."""

import logging
import os
import struct
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mouth_live.models.errors import IncompleteVideoError, SourceError
from mouth_live.realtime.video.recording_files import find_videos
from mouth_live.realtime.video.sources import PacedVideo, open_video

VFR = "settb=1/1000,setpts='(N+mod(N\\,3)*0.4)/25/TB'"
GAP = "setpts='(N+gte(N\\,10)*70)/25/TB'"
KEEP = ["-fps_mode", "passthrough", "-enc_time_base", "1:1000"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast"]
# name -> (size, frames, options after the input, options before it)
CLIPS = {
    "constant.mp4": ((160, 120), 25, H264, []),
    "constant_b_frames.mp4": ((160, 120), 25, ["-c:v", "libx264", "-bf", "3"], []),
    "variable.mp4": ((160, 120), 25, ["-vf", VFR, *KEEP, *H264], []),
    "variable.mkv": ((160, 120), 25, ["-vf", VFR, *KEEP, *H264], []),
    "gap.mp4": ((160, 120), 25, ["-vf", GAP, *KEEP, *H264], []),
    "gap.webm": ((160, 120), 25, ["-vf", GAP, *KEEP, "-c:v", "libvpx", "-b:v", "200k"], []),
    "late.mkv": ((160, 120), 25, [*H264, "-output_ts_offset", "3.1"], []),
    "late.ts": ((160, 120), 25, [*H264, "-output_ts_offset", "3.1"], []),
    "late_edit.mp4": ((160, 120), 25, [*KEEP, *H264], ["-itsoffset", "0.72"]),
    "one.mp4": ((160, 120), 1, H264, []),
    "odd.mkv": ((321, 241), 10, ["-c:v", "ffv1"], []),
    "odd_444.mp4": ((321, 241), 10, [*H264, "-pix_fmt", "yuv444p"], []),
    "grey.mkv": ((160, 120), 10, ["-c:v", "ffv1", "-pix_fmt", "gray"], []),
    "ten_bit.mp4": ((160, 120), 10, ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=0"], []),
    "count.webm": ((160, 120), 25, ["-c:v", "libvpx", "-b:v", "200k", "-r", "30000/1001"], []),
    "jpeg.avi": ((160, 120), 25, ["-c:v", "mjpeg"], []),
    "mpeg.mpg": ((160, 120), 25, ["-c:v", "mpeg1video"], []),
    "interlaced.mpg": ((160, 120), 25, ["-c:v", "mpeg2video", "-flags", "+ilme+ildct"], []),
    "interlaced_422.mxf": ((160, 120), 25, ["-c:v", "mpeg2video", "-pix_fmt", "yuv422p", "-flags", "+ilme+ildct"], []),
    "full_range.mp4": ((160, 120), 10, [*H264, "-pix_fmt", "yuvj420p"], []),
    "av1.mp4": ((160, 120), 10, ["-c:v", "libaom-av1", "-cpu-used", "8"], []),
    "fragments.mp4": ((160, 120), 25, [*H264, "-g", "5", "-movflags", "frag_keyframe+empty_moov"], []),
    "talk:1 %03d.mp4": ((160, 120), 5, H264, []),
}


def ffmpeg(*options: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, options)], check=True)


def picture_input(size=(160, 120), frames=25) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc=s={size[0]}x{size[1]}:r=25:d={frames / 25}"]


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def plain(clips) -> Path:
    """Four seconds of noise with the index first, so that bytes are proportional to seconds."""
    path = clips / "plain.mp4"
    noise = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=4", "-vf", "noise=alls=40:allf=t"]
    ffmpeg(*noise, *H264, "-movflags", "+faststart", path)
    return path


def clip_of(clips: Path, name: str) -> Path:
    path = clips / name
    if not path.exists():
        size, frames, after, before = CLIPS[name]
        ffmpeg(*before, *picture_input(size, frames), *after, f"file:{path}")
    return path


def by_pyav(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(f"file:{path}") as container:
        return [(float(f.time), f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]


class TestEveryKindOfFile:
    @pytest.fixture(params=CLIPS)
    def clip(self, request, clips) -> Path:
        return clip_of(clips, request.param)

    def test_frames_times_and_shape(self, clip, caplog):
        expected = by_pyav(clip)
        size, made_frames, *_ = CLIPS[clip.name]
        with open_video(clip) as video:
            assert video.size == size
            assert video.name == clip.name
            assert video.nominal_rate > 0
            frames = list(video)
        assert len(frames) == len(expected) >= made_frames
        assert [f.index for f in frames] == list(range(len(frames)))
        assert frames[0].time == 0.0
        start = expected[0][0]
        assert [f.time for f in frames] == pytest.approx([t - start for t, _ in expected], abs=1e-3)
        assert video.start_time == pytest.approx(start, abs=0.5 / video.nominal_rate + 1e-6)
        for frame, (_, image) in zip(frames, expected, strict=True):
            assert frame.image.shape == image.shape == (size[1], size[0], 3)
            assert frame.image.dtype == np.uint8
            # The same picture; the two decoders round and spread colour differently, and ours weaves fields.
            assert np.abs(frame.image.astype(int) - image).mean() < (10 if "interlaced" in clip.name else 5)
        gaps = ["about 70 frames are missing"] if clip.name == "gap.webm" else []
        assert len(caplog.records) == len(gaps)
        assert all(gap in caplog.text for gap in gaps)

    def test_the_clips_have_the_times_that_their_names_state(self, clips):
        def steps(name):
            return np.diff([t for t, _ in by_pyav(clip_of(clips, name))])

        assert np.ptp(steps("variable.mp4")) > 0.01
        assert steps("gap.mp4").max() > 2.5
        for name, start in (("late.mkv", 3.1), ("late.ts", 4.5), ("late_edit.mp4", 0.72)):
            assert by_pyav(clip_of(clips, name))[0][0] == pytest.approx(start, abs=0.01)


@pytest.mark.parametrize("name", ["constant.mp4", "av1.mp4"])  # by OpenCV, and by ffmpeg
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_rotated_clip_is_turned(clips, tmp_path, name, quarters):
    path, upright = tmp_path / "rotated.mp4", clip_of(clips, name)
    data = bytearray(upright.read_bytes())
    matrix = data.index(b"tkhd") + 44  # of a version 0 track header: a b u c d v x y w
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    data[matrix : matrix + 20] = struct.pack(">5i", cos << 16, sin << 16, 0, -sin << 16, cos << 16)  # clockwise
    path.write_bytes(data)
    with open_video(upright) as straight, open_video(path) as turned:
        assert turned.size == ((160, 120) if quarters == 2 else (120, 160))
        a, b = next(iter(straight)).image, next(iter(turned)).image
    assert np.abs(np.rot90(a, -quarters).astype(int) - b).mean() < 3


def test_the_video_is_read_not_the_cover_picture(plain, tmp_path):
    both = [*picture_input(frames=1), "-i", plain, "-map", "0", "-map", "1", "-c:v:0", "png", "-c:v:1", "copy"]
    ffmpeg(*both, "-disposition:v:0", "attached_pic", tmp_path / "both.mp4")
    with open_video(tmp_path / "both.mp4") as video:
        assert len(list(video)) == 100


@pytest.mark.parametrize("name", ["song.mp3", "song.m4a", "song.flac"])
def test_a_song_with_a_cover_picture_is_not_a_video(tmp_path, name):
    song = ["-f", "lavfi", "-i", "sine=d=2", *picture_input(frames=1), "-map", "0", "-map", "1", "-c:v", "mjpeg"]
    ffmpeg(*song, "-disposition:v", "attached_pic", tmp_path / name)
    with pytest.raises(SourceError, match=f"{name}: no video in it, only sound and a cover picture"):
        open_video(tmp_path / name)


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv", "one.ts", "one.avi"])
def test_a_video_of_one_frame_with_sound_is_read(tmp_path, name):
    sound = ["-f", "lavfi", "-i", "sine=d=2", *picture_input(frames=1), "-map", "0", "-map", "1", *H264]
    ffmpeg(*sound, *(["-video_track_timescale", "90000"] if name.endswith("mp4") else []), tmp_path / name)
    with open_video(tmp_path / name) as video:
        assert len(list(video)) == 1


def test_a_short_stretch_of_garbage_costs_only_its_frames(plain, tmp_path, capfd):
    data, noise = bytearray(plain.read_bytes()), np.random.default_rng(1).bytes(3000)
    data[len(data) // 4 : len(data) // 4 + len(noise)] = noise
    (tmp_path / "damaged.mp4").write_bytes(data)
    with open_video(tmp_path / "damaged.mp4") as video:
        frames = list(video)
    assert 80 < len(frames) <= 100
    assert frames[-1].time == pytest.approx(3.96)
    assert capfd.readouterr() == ("", "")


def test_damage_that_ends_a_video_early_is_reported(plain, tmp_path, caplog):
    whole, damaged = tmp_path / "whole.mkv", tmp_path / "damaged.mkv"
    ffmpeg("-i", plain, "-c", "copy", whole)
    data = bytearray(whole.read_bytes())
    quarter = len(data) // 4
    data[quarter : 2 * quarter] = bytes(quarter)
    damaged.write_bytes(data)
    frames = []
    for path in (whole, damaged):
        with open_video(path) as video:
            frames.append(list(video))
    assert len(frames[0]) == 100
    assert 10 < len(frames[1]) < 50
    reported = f"the {len(frames[1])} frames up to {frames[1][-1].time:.1f} s of about 4.0 s were read and kept"
    assert [reported in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("installed", [True, False])
def test_ffmpeg_continues_after_a_long_stretch_of_garbage(tmp_path, monkeypatch, caplog, installed):
    path = tmp_path / "damaged.mp4"
    ffmpeg(*picture_input(frames=400), *H264, "-g", "25", path)
    data = bytearray(path.read_bytes())
    garbage = slice(len(data) // 5, len(data) * 3 // 4)  # about 200 frames
    data[garbage] = np.random.default_rng(1).bytes(garbage.stop - garbage.start)
    path.write_bytes(data)
    if not installed:
        monkeypatch.setenv("PATH", "")
    with open_video(path) as video:
        frames = list(video)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert (np.diff([frame.time for frame in frames]) > 0).all()
    ends = frames[-1].time == pytest.approx(15.96)
    reported = "nothing after them could be; is it damaged" in caplog.text
    assert (ends, reported) == (installed, not installed)
    if installed:
        steps = np.diff([frame.time for frame in frames])
        start, end = (frames[int(steps.argmax()) + i].time for i in (0, 1))
        lost = f"about {400 - len(frames)} frames are missing in it; the longest gap is from {start:.2f} to {end:.2f} s"
        assert lost in video.damage
        assert lost in caplog.text


@pytest.mark.parametrize("name", ["gap.mp4", "variable.mkv", "interlaced.mpg"])
def test_a_rate_that_changes_is_not_reported_as_damage(clips, name, caplog):
    size, count, options, before = CLIPS[name]
    ffmpeg(*before, *picture_input(size, count), *options, clips / f"whole_{name}")
    with open_video(clips / f"whole_{name}") as video:
        assert len(list(video)) == count
    assert (video.damage, caplog.text) == ("", "")


def test_a_still_video_is_not_taken_for_an_interlaced_one(tmp_path, caplog):
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=160x120:d=1:r=25", *H264, tmp_path / "still.mp4")
    with open_video(tmp_path / "still.mp4") as video:
        assert [round(frame.image.mean()) for frame in video] == [pytest.approx(128, abs=3)] * 25
    assert not caplog.records


def skip_where_opencv_reads(path):
    """Skip the test where OpenCV decodes the file itself, as 5.1 does, so that ffmpeg is not used."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    first, second = (capture.read()[1] for _ in range(2))
    capture.release()
    if first is not None and not np.array_equal(first, second):
        pytest.skip(f"this OpenCV ({cv2.__version__}) reads {path.suffix} of this kind by itself")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc")
def test_ffmpeg_ends_with_the_video_it_reads(plain, tmp_path):
    def children():
        return [line for line in Path("/proc").glob("[0-9]*/cmdline") if str(path).encode() in read(line)]

    def read(file):
        try:
            return file.read_bytes()
        except OSError:  # the process has just ended
            return b""

    path = tmp_path / "interlaced.mpg"
    ffmpeg("-i", plain, "-c:v", "mpeg2video", "-flags", "+ilme+ildct", path)
    skip_where_opencv_reads(path)
    with open_video(path) as video:
        frames = iter(video)
        next(frames)
        assert children()
    assert not children()
    assert len(list(frames)) < 10


def test_without_ffmpeg_the_error_for_av1_names_it(clips, monkeypatch):
    av1 = clip_of(clips, "av1.mp4")
    skip_where_opencv_reads(av1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match=r"av1\.mp4: no picture .* install the ffmpeg program.* AV1"):
        open_video(av1)


def test_without_ffmpeg_the_warning_for_interlaced_video_names_it(clips, monkeypatch, caplog):
    interlaced = clip_of(clips, "interlaced.mpg")
    skip_where_opencv_reads(interlaced)
    monkeypatch.setenv("PATH", "")
    open_video(interlaced).__exit__(None, None, None)
    assert "the first pictures are identical; if it is interlaced, install ffmpeg" in caplog.text


def test_a_file_without_times_is_read_at_its_rate_with_one_warning(clips, caplog):
    path = clips / "raw.h264"
    ffmpeg(*picture_input(), *H264, path)
    with open_video(path) as video:
        frames = list(video)
        assert [f.time for f in frames] == pytest.approx([i / video.nominal_rate for i in range(25)])
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "no times of its own" in caplog.text


def test_grey_and_16_bit_pictures_are_converted_to_colour(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    cv2.imwrite(str(tmp_path / "deep.png"), ramp)
    cv2.imwrite(str(tmp_path / "grey.png"), (ramp >> 8).astype(np.uint8))
    for name in ("deep.png", "grey.png"):
        with open_video(tmp_path / name) as video:
            (frame,) = video
        assert (video.size, frame.index, frame.time) == ((64, 32), 0, 0.0)
        assert frame.image.shape == (32, 64, 3)
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - (ramp >> 8)[..., None]).max() <= 1


def test_a_photo_is_turned_as_its_exif_says(tmp_path):
    from PIL import Image  # with scikit-image, in the test group

    picture = Image.fromarray(np.dstack([np.tile(np.arange(64, dtype=np.uint8) * 4, (32, 1))] * 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees clockwise
    picture.save(tmp_path / "phone.jpg", exif=exif)
    with open_video(tmp_path / "phone.jpg") as video:
        (frame,) = video
    assert video.size == (32, 64)
    assert frame.image[0].mean() < 20 < 235 < frame.image[-1].mean()


def test_a_folder_of_frames_is_read_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), np.full((8, 8, 3), number * 10, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    with open_video(tmp_path) as video:
        frames = list(video)
    assert [(f.index, f.time, int(f.image[0, 0, 0])) for f in frames] == [(0, 0.0, 10), (1, 0.04, 20), (2, 0.08, 100)]


def test_videos_of_a_folder_are_found_recursively_and_sorted(tmp_path):
    for name in ("b.MP4", "a/x.mkv", "a/notes.txt", "a/y.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_videos(tmp_path) == [tmp_path / "a/x.mkv", tmp_path / "b.MP4"]


def test_a_video_closes_its_file_and_ends_when_closed_early(plain):
    with open_video(plain) as video:
        frames = iter(video)
        next(frames)
    assert len(list(frames)) < 5


def test_a_paced_recording_takes_its_own_time_and_stops_waiting_when_closed(clips):
    import time

    begin = time.monotonic()
    with PacedVideo(open_video(clip_of(clips, "gap.mp4"))) as video:
        for frame in video:
            assert time.monotonic() - begin >= frame.time
            if frame.index == 9:
                break
    assert 0.3 < time.monotonic() - begin < 2


class TestBadInput:
    def fails(self, path, words: str) -> None:
        with pytest.raises(SourceError) as caught:
            open_video(path)
        message = str(caught.value)
        assert message.startswith(str(path))
        assert words in message
        assert "\n" not in message
        assert caught.value.exit_code == 1

    def test_missing(self, tmp_path):
        self.fails(tmp_path / "none.mp4", "no such file")

    def test_folder_without_pictures(self, tmp_path):
        self.fails(tmp_path, "no pictures in this folder")

    def test_empty(self, tmp_path):
        (tmp_path / "empty.mp4").touch()
        self.fails(tmp_path / "empty.mp4", "empty file (0 bytes)")

    @pytest.mark.parametrize(
        "text", ["just words\n" * 50, "#EXTM3U\n#EXTINF:1,\nplain.mp4\n", "ffconcat version 1.0\n"]
    )
    def test_text(self, tmp_path, text):
        (tmp_path / "text.mp4").write_text(text)
        self.fails(tmp_path / "text.mp4", "a text file, not a video")

    def test_noise(self, tmp_path):
        (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
        self.fails(tmp_path / "noise.mp4", "no video in it that can be read")

    @pytest.mark.parametrize("name", ["sound.mp4", "sound.wav", "sound.mkv"])
    def test_sound_alone(self, tmp_path, name):
        ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / name)
        self.fails(tmp_path / name, "sound alone")

    def test_no_index(self, tmp_path, clips):
        whole = clip_of(clips, "constant.mp4").read_bytes()
        (tmp_path / "cut.mp4").write_bytes(whole[: whole.rindex(b"moov") - 4])
        self.fails(tmp_path / "cut.mp4", "index is missing (moov)")

    def test_cut_inside_the_index(self, tmp_path, plain):
        whole = plain.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"stbl") + 20])
        self.fails(tmp_path / "cut.mp4", "cut off")

    def test_damaged_picture(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
        self.fails(tmp_path / "a.png", "not readable as a picture")

    def test_not_allowed(self, plain, monkeypatch):
        def refuse(*_args, **_more):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)  # root, as in CI, may read anything
        self.fails(plain, "cannot read it (Permission denied)")

    def test_the_decoder_keeps_quiet(self, tmp_path, capfd):
        (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
        self.fails(tmp_path / "noise.mp4", "")
        assert capfd.readouterr() == ("", "")


class TestCutOff:
    @pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
    def test_readable_frames_come_before_the_error(self, plain, tmp_path, suffix, capfd):
        whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
        first = ["-movflags", "+faststart"] if suffix in {".mp4", ".mov"} else []
        ffmpeg("-i", plain, *(["-c:v", "mjpeg"] if suffix == ".avi" else ["-c", "copy"]), *first, whole)
        data = whole.read_bytes()
        cut.write_bytes(data[: len(data) * 6 // 10])
        frames = []
        with open_video(cut) as video, pytest.raises(IncompleteVideoError) as caught:
            frames.extend(iter_into(video, frames))
        assert 30 <= len(frames) <= 75
        message = str(caught.value)
        assert message.startswith(f"{cut}: ")
        assert f"the {len(frames)} frames up to {frames[-1].time:.1f} s" in message
        assert caught.value.exit_code == 1
        assert capfd.readouterr() == ("", "")

    def test_bytes_after_the_video_are_not_an_error(self, plain, tmp_path):
        path = tmp_path / "padded.mp4"
        path.write_bytes(plain.read_bytes() + bytes(1000))
        with open_video(path) as video:
            assert len(list(video)) == 100


def iter_into(video, frames):
    for frame in video:
        frames.append(frame)
    return ()


@pytest.mark.clips
@pytest.mark.slow
def test_the_real_clips_agree_with_pyav_and_none_is_cut_off(shared):
    videos = find_videos(shared / "clips")
    assert len(videos) > 10
    for path in videos:
        with av.open(str(path)) as container:
            expected = [float(f.time) for f in container.decode(video=0)]
        with open_video(path) as video:
            times = [f.time for f in video]
        assert times == pytest.approx([t - expected[0] for t in expected], abs=1e-3), path


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_decoding_leaves_a_core_to_the_analysis(demo_clip):
    """By default the decoder takes one thread more than there are cores, which slows the analysis."""

    def threads():
        return len(list(Path("/proc/self/task").iterdir()))

    before = threads()
    with open_video(demo_clip) as video:
        frames = iter(video)
        next(frames)
        during = threads() - before
        assert sum(1 for _ in frames) > 0
    spare = max(1, len(os.sched_getaffinity(0)) - 1)
    assert during <= (spare if spare > 1 else 0)
