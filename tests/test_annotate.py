"""Tests of the annotated video: times, sound, sizes, failures, and the fallback without ffmpeg."""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import av
import numpy as np
import pytest

from mouth_live.models.errors import SinkError
from mouth_live.realtime.records import Analysis, Frame
from mouth_live.realtime.sinks.videos import ffmpeg_writer as ffmpeg
from mouth_live.realtime.sinks.videos.annotated_video import AnnotatedVideo

GAPS = (0.04, 0.021, 0.09, 0.033367, 0.5, 0.004)  # s between frames, over and over
TIMES = np.concatenate([[0.0], np.cumsum(np.resize(GAPS, 39))])
FFMPEG = shutil.which("ffmpeg")

needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="the ffmpeg program is not installed")


def grey(number: int) -> int:
    """Return a brightness that distinguishes frames, and survives a video codec."""
    return 40 + number * 37 % 180


def frame(number: int, time: float, size: tuple[int, int] = (64, 48)) -> Analysis:
    return Analysis(Frame(number, time, np.full((size[1], size[0], 3), grey(number), np.uint8)), ())


def write(path: Path, times: np.ndarray = TIMES, *, source: Path | None = None, start: float = 0.0, **more) -> None:
    size = more.get("size", (64, 48))
    with AnnotatedVideo(path, source, size, more.get("rate", 25.0), start) as sink:
        for number, moment in enumerate(times):
            sink.write(frame(number, float(moment), size))


def read(path: Path) -> tuple[list[float], list[float], tuple[int, int]]:
    """Return times, mean brightness and (width, height) of a video's frames, by PyAV."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [
            (float(f.pts * stream.time_base), f.to_ndarray(format="gray").mean()) for f in container.decode(stream)
        ]
        return [t for t, _ in frames], [b for _, b in frames], (stream.width, stream.height)


def sound(path: Path) -> list[tuple[float, np.ndarray]]:
    """Return (time, samples) of a video's sound, by PyAV."""
    with av.open(str(path)) as container:
        return [(float(f.time), f.to_ndarray().mean(axis=0)) for f in container.decode(audio=0)]


@needs_ffmpeg
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("start", [0.0, 1.4])
def test_every_frame_keeps_its_own_time(tmp_path: Path, suffix: str, start: float) -> None:
    out = tmp_path / f"out{suffix}"
    write(out, start=start)
    times, brightness, size = read(out)
    assert size == (64, 48)
    assert len(times) == len(TIMES)
    assert np.abs(np.array(times) - TIMES - start).max() < 0.001
    shown = np.array(brightness)
    assert (np.diff(shown) * np.diff([grey(i) for i in range(len(TIMES))]) > 0).all()  # in their order
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


@needs_ffmpeg
def test_frames_of_one_time_are_all_kept(tmp_path: Path) -> None:
    times = np.array([0.0, 0.04, 0.04, 0.04, 0.08])
    write(tmp_path / "out.mp4", times)
    got = read(tmp_path / "out.mp4")[0]
    assert len(got) == 5
    assert np.abs(np.array(got) - times).max() < 0.001


@needs_ffmpeg
def test_a_start_time_of_hours_is_moved_to_zero(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", start=36000.0)
    assert np.abs(np.array(read(tmp_path / "out.mp4")[0]) - TIMES).max() < 0.001


@needs_ffmpeg
@pytest.mark.parametrize("size", [(63, 47), (64, 47), (101, 50)])
def test_odd_sizes_are_made_even(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "out.mp4", TIMES[:3], size=size)
    assert read(tmp_path / "out.mp4")[2] == (size[0] + size[0] % 2, size[1] + size[1] % 2)


@needs_ffmpeg
def test_a_frame_of_another_size_is_fitted(tmp_path: Path) -> None:
    with AnnotatedVideo(tmp_path / "out.mp4", None, (64, 48), 25.0, 0.0) as sink:
        sink.write(frame(0, 0.0))
        sink.write(frame(1, 0.1, (30, 90)))
    assert len(read(tmp_path / "out.mp4")[0]) == 2


def beep_source(path: Path, start_time: float) -> None:
    """Write a clip that beeps from 1.0 s to 1.2 s of its own clock; both streams start at ``start_time``."""
    tone = "aevalsrc='if(between(t,1,1.2),sin(2*PI*1000*t),0)':s=44100:d=2"
    picture = "testsrc=s=64x48:r=25:d=2"
    command = [str(FFMPEG), "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    command += ["-output_ts_offset", str(start_time), "-c:v", "mpeg4", "-c:a", "pcm_s16le", str(path)]
    subprocess.run(command, check=True)


@needs_ffmpeg
@pytest.mark.parametrize("start", [0.0, 0.7])
def test_sound_is_kept_in_time(tmp_path: Path, start: float) -> None:
    source, out = tmp_path / "source:1.mkv", tmp_path / "out.mp4"
    beep_source(source, start)
    write(out, np.arange(50) / 25, source=source, start=start)
    loud = [t for t, samples in sound(out) if np.abs(samples).max() > 0.3]
    assert loud[0] == pytest.approx(start + 1.0, abs=0.05)
    assert loud[-1] == pytest.approx(start + 1.2, abs=0.05)
    assert len(read(out)[0]) == 50


@needs_ffmpeg
def test_a_source_without_sound_gives_a_video_without_sound(tmp_path: Path) -> None:
    write(tmp_path / "silent.mp4", TIMES[:3])
    write(tmp_path / "out.mp4", TIMES[:3], source=tmp_path / "silent.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@needs_ffmpeg
def test_an_error_leaves_only_the_part_file_and_no_process(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"an older one")
    with pytest.raises(RuntimeError), AnnotatedVideo(out, None, (64, 48), 25.0, 0.0) as sink:
        sink.write(frame(0, 0.0))
        assert children("ffmpeg") == 1
        raise RuntimeError
    assert children("ffmpeg") == 0
    assert out.read_bytes() == b"an older one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "out.part.mp4"]


def children(name: str) -> int:
    """Return how many child processes have this name."""
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], check=False, capture_output=True, text=True
    )
    return listed.stdout.split().count(name)


@needs_ffmpeg
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").symlink_to("/dev/full")
    with pytest.raises(SinkError) as caught:
        write(tmp_path / "out.mp4")
    assert "out.mp4" in str(caught.value).replace(".part", "")
    assert "No space left" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mp4").exists()


def fake_ffmpeg(folder: Path, script: str) -> None:
    folder.mkdir()
    (folder / "ffmpeg").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ffmpeg").chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for ffmpeg")
def test_the_error_gives_ffmpegs_own_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It first writes more than a pipe holds: if stderr were a pipe, it would never end.
    fake_ffmpeg(
        tmp_path / "bin", "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo 'Unknown encoder' >&2; exit 1"
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with pytest.raises(SinkError, match=r"out\.part\.mp4: ffmpeg could not write the video: Unknown encoder$"):
        write(tmp_path / "out.mp4", np.arange(500) / 25)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for ffmpeg")
def test_an_ffmpeg_that_ends_at_once_leaves_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path / "bin", "exec 0<&-; echo 'No such library' >&2; exit 127")
    files: list[IO[bytes]] = []

    def remembered() -> IO[bytes]:
        files.append(TemporaryFile())  # noqa: SIM115
        return files[-1]

    monkeypatch.setattr(ffmpeg, "TemporaryFile", remembered)
    header = b"x" * 1_000_000  # more than a pipe holds, so that the end is seen while it is written
    monkeypatch.setattr(ffmpeg, "stream_header", lambda *_more: header)
    with pytest.raises(SinkError, match="No such library"):
        ffmpeg.FfmpegWriter(str(tmp_path / "bin" / "ffmpeg"), tmp_path / "out.mp4", (64, 48), 25, None, 0)
    assert [file.closed for file in files] == [True]


@needs_ffmpeg
@pytest.mark.skipif(os.name == "nt", reason="POSIX process groups")
def test_the_terminals_ctrl_c_does_not_reach_ffmpeg(tmp_path: Path) -> None:
    # A child is interrupted as by a terminal, which signals the whole group; the frames so far make a complete video.
    code = f"""
import sys, time, numpy as np
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from mouth_live.realtime.sinks.videos import ffmpeg_writer as ffmpeg
from mouth_live.realtime.sinks.videos.annotated_video import AnnotatedVideo
from mouth_live.realtime.records import Analysis, Frame
with AnnotatedVideo(Path({str(tmp_path / "out.mp4")!r}), None, (64, 48), 25.0, 0.0) as sink:
    try:
        for i in range(100000):
            sink.write(Analysis(Frame(i, i / 25, np.zeros((48, 64, 3), np.uint8)), ()))
            if i == 30:
                print("going", flush=True)
            time.sleep(0.005)
    except KeyboardInterrupt:
        pass
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"going\n"
        time.sleep(0.1)
        os.killpg(child.pid, 2)
        assert child.wait(20) == 0
    assert len(read(tmp_path / "out.mp4")[0]) > 30


@pytest.mark.parametrize("name", ["out.txt", "out", "out.avi"])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SinkError, match=r"name it \.mp4"):
        write(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"out\.mp4: cannot write it \(No such file"):
        write(tmp_path / "gone" / "out.mp4")


def test_the_source_is_not_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    source.write_bytes(b"precious")
    with pytest.raises(SinkError, match="overwrite its own source"):
        write(source, source=source)
    assert source.read_bytes() == b"precious"


def test_no_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no frame"):
        write(tmp_path / "out.mp4", TIMES[:0])
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.usefixtures("no_ffmpeg")
@pytest.mark.parametrize("rate", [25.0, 29.97, 12.0])
def test_without_ffmpeg_no_time_is_off_by_more_than_half_a_frame(
    tmp_path: Path, rate: float, caplog: pytest.LogCaptureFixture
) -> None:
    times = np.concatenate(
        [[0.0], np.cumsum(np.resize((0.1, 0.085, 0.21, 0.6), 20))]
    )  # apart enough for each to be shown
    with caplog.at_level(logging.WARNING, "mouth_live"):
        write(tmp_path / "out.mp4", times, rate=rate, start=0.5)
    shown, brightness, _ = read(tmp_path / "out.mp4")
    assert np.diff(shown) == pytest.approx(1 / rate, abs=1e-4)
    starts = [0, *(np.flatnonzero(np.abs(np.diff(brightness)) > 4) + 1)]
    assert len(starts) == len(times)
    assert np.abs(np.array(shown)[starts] - times).max() <= 0.5 / rate + 1e-4
    assert len(caplog.records) == 1
    assert "constant" in caplog.text
    assert "no sound" in caplog.text


@pytest.mark.usefixtures("no_ffmpeg")
def test_without_ffmpeg_crowded_frames_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", np.arange(100) / 100, rate=25.0)
    assert len(read(tmp_path / "out.mp4")[0]) == 26  # slots 0 to 25: the last frame is nearest to 1.0 s


@pytest.mark.usefixtures("no_ffmpeg")
def test_without_ffmpeg_an_error_leaves_only_the_part_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), AnnotatedVideo(tmp_path / "out.mp4", None, (63, 47), 25.0, 0.0) as sink:
        sink.write(frame(0, 0.0, (63, 47)))
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "out.part.mp4"]


@pytest.mark.usefixtures("no_ffmpeg")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_without_ffmpeg_a_full_disk_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").symlink_to("/dev/full")
    with pytest.raises(SinkError, match="OpenCV"):
        write(tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@needs_ffmpeg
@pytest.mark.clips
def test_a_real_clip_of_variable_rate_keeps_times_and_sound(shared: Path, tmp_path: Path) -> None:
    source, out = shared / "clips" / "pyfeat_face_noface.mov", tmp_path / "out.mp4"
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        frames = [
            (float(f.pts * stream.time_base), f.to_ndarray(format="bgr24", width=240, height=135))
            for f in container.decode(stream)
        ]
    with AnnotatedVideo(out, source, (240, 135), 26.4, frames[0][0]) as sink:
        for number, (moment, image) in enumerate(frames):
            sink.write(Analysis(Frame(number, moment - frames[0][0], image), ()))
    assert np.abs(np.array(read(out)[0]) - [t for t, _ in frames]).max() < 0.001
    (began, first), (began_there, first_there) = sound(source)[0], sound(out)[0]
    assert began_there == pytest.approx(began, abs=0.05)
    assert len(first)
    assert len(first_there)


def test_a_sound_track_that_cannot_be_decoded_takes_no_other_with_it(mouth_live, short_clip, tmp_path):
    """As of phones that record spatial sound beside AAC in a codec that ffmpeg does not know."""
    both = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "pcm_s16le"]
    sounds = ["-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=f=900:d=1"]
    path = tmp_path / "two.mov"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(short_clip), *sounds, *both, str(path)], check=True)
    content = bytearray(path.read_bytes())
    at = content.rfind(b"sowt")
    content[at : at + 4] = b"apac"
    path.write_bytes(content)
    done = mouth_live("process", "two.mov", "--annotate")
    assert done.returncode == 0, done.stderr
    assert "two.mov: sound track 0 copied, track 1 left out, for ffmpeg cannot decode it" in done.stderr
    assert codecs(tmp_path / "two.annotated.mp4") == ["h264", "aac"]
    assert (tmp_path / "two.csv").read_text().count("\n") == 26


def codecs(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams]


def tones(path: Path, *tracks: Sequence[str], seconds: float = 1.0) -> None:
    """Write a video with sound tracks, each given by ffmpeg's source of sound and the options for its codec."""
    command = [str(FFMPEG), "-v", "error", "-f", "lavfi", "-i", f"testsrc=s=64x48:r=25:d={seconds}"]
    maps = ["-map", "0:v", "-c:v", "mpeg4"]
    for number, (tone, *options) in enumerate(tracks):
        command += ["-f", "lavfi", "-i", f"{tone}:d={seconds}"]
        maps += ["-map", f"{number + 1}:a", *(option.replace("N", str(number)) for option in options)]
    subprocess.run([*command, *maps, str(path)], check=True)


@needs_ffmpeg
def test_it_says_what_is_done_to_each_sound_track(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, out = tmp_path / "source.mkv", tmp_path / "out.mp4"
    channels = "aevalsrc=" + "|".join(f"sin({200 + 50 * channel}*2*PI*t)" for channel in range(12))
    aac, flac = ("-c:a:N", "aac"), ("-c:a:N", "flac")
    pcm = ("-c:a:N", "pcm_s16le")
    tones(source, ("sine=f=300", *aac), ("sine=f=500", *flac), (channels, *pcm))
    with caplog.at_level(logging.INFO, "mouth_live"):
        write(out, np.arange(25) / 25, source=source)
    words = "sound track 0 copied, track 1 re-encoded as AAC, track 2 mixed down to mono, as AAC"
    assert f"{source}: {words}" in caplog.text
    assert codecs(out) == ["h264", "aac", "aac", "aac"]
    assert packets(out)[:20] == packets(source)[:20]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "source.mkv"]


def packets(path: Path) -> list[bytes]:
    """Return the first sound track's packets."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.slow
@needs_ffmpeg
@pytest.mark.parametrize("name", ["joined.ts", "joined.mpg"])
def test_a_joined_recording_has_the_sound_of_all_its_parts(mouth_live, tmp_path: Path, name: str) -> None:
    """As of camcorders that write a file for every few minutes, put together byte by byte."""
    part = tmp_path / f"part{Path(name).suffix}"
    tone = "aevalsrc='if(between(t,1,1.2),sin(2*PI*1000*t),0)':s=44100"
    tones(part, (tone, "-c:v", "mpeg2video", "-c:a", "mp2"), seconds=3.0)
    (tmp_path / name).write_bytes(2 * part.read_bytes())
    done = mouth_live("process", name, "--annotate")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "joined.annotated.mp4"
    start, *_, last = read(out)[0]
    assert last - start == pytest.approx(6, abs=0.1)
    loud = np.array([t for t, samples in sound(out) if np.abs(samples).max() > 0.3]) - start
    beeps = np.split(loud, np.flatnonzero(np.diff(loud) > 0.5) + 1)
    assert [beep[0] for beep in beeps] == pytest.approx([1.0, 4.0], abs=0.1)
    assert [beep[-1] for beep in beeps] == pytest.approx([1.2, 4.2], abs=0.1)


@needs_ffmpeg
def test_a_sound_on_which_ffmpeg_fails_leaves_the_video_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, out = tmp_path / "source.mp4", tmp_path / "out.mp4"
    tones(source, ("sine=f=300", "-c:a:N", "aac"))
    with AnnotatedVideo(out, source, (64, 48), 25.0, 0.0) as sink:
        for number in range(25):
            sink.write(frame(number, number / 25))
        source.write_bytes(b"replaced by something else meanwhile")
    assert "its sound is not in the video, for ffmpeg failed on it" in caplog.text
    assert codecs(out) == ["h264"]
    assert len(read(out)[0]) == 25
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "source.mp4"]


@needs_ffmpeg
def test_an_error_leaves_no_pictures_without_sound(tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    tones(source, ("sine=f=300", "-c:a:N", "aac"))
    with pytest.raises(RuntimeError), AnnotatedVideo(tmp_path / "out.mp4", source, (64, 48), 25.0, 0.0) as sink:
        sink.write(frame(0, 0.0))
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.part.mp4", "source.mp4"]
