"""Tests of the CSV sink."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest

from mouth_live.models.errors import SinkError
from mouth_live.models.face import Face
from mouth_live.realtime.records import Analysis, Frame, Reading
from mouth_live.realtime.sinks.tables.csv_sink import CsvSink

COLUMNS = (
    "frame,timestamp,face_id,confidence,success,x,y,width,height,openness_raw,openness,active,reliability,activity"
)


def reading(face_id: int, active: bool = False, reliability: float = math.nan, activity: float = math.nan) -> Reading:
    face = Face((-3.25, 10.0, 100.04, 99.96), np.zeros((6, 2), np.float32), 0.87654)
    return Reading(face_id, face, 0.123456, 0.98765, active, reliability, activity=activity)


def analysis(index: int, time: float, *readings: Reading) -> Analysis:
    return Analysis(Frame(index, time, np.zeros((4, 4, 3), np.uint8)), readings)


def test_rows_are_exactly_as_documented(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with CsvSink(out) as sink:
        sink.write(analysis(0, 0.0, reading(0), reading(1, active=True, reliability=0.66666, activity=0.71236)))
        sink.write(analysis(1, 0.0400004))
    assert out.read_bytes().decode() == (
        f"{COLUMNS}\n"
        "0,0.000000,0,0.8765,1,-3.2,10.0,100.0,100.0,0.1235,0.9877,0,,\n"
        "0,0.000000,1,0.8765,1,-3.2,10.0,100.0,100.0,0.1235,0.9877,1,0.6667,0.7124\n"
        "1,0.040000,,,0,,,,,,,,,\n"
    )


def test_every_row_reads_back_with_every_column(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with CsvSink(str(out), start_time=1.4) as sink:
        sink.write(analysis(0, 0.0))
        sink.write(analysis(1, 0.5, reading(7), reading(2)))
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [row["timestamp"] for row in rows] == ["1.400000", "1.900000", "1.900000"]
    assert [row["face_id"] for row in rows] == ["", "2", "7"]
    assert all(None not in row and None not in row.values() for row in rows)


def test_a_recording_without_frames_still_has_its_header(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "out.csv"):
        pass
    assert (tmp_path / "out.csv").read_text() == COLUMNS + "\n"


def test_only_a_whole_file_gets_the_final_name(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("an older one")
    with pytest.raises(RuntimeError), CsvSink(out) as sink:
        sink.write(analysis(0, 0.0))
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.csv.part"]
        raise RuntimeError
    assert out.read_text() == "an older one"
    assert (tmp_path / "out.csv.part").read_text().count("\n") == 2


def test_stdout_gets_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    with CsvSink("-") as sink:
        sink.write(analysis(0, 0.0))
    assert capsys.readouterr().out == f"{COLUMNS}\n0,0.000000,,,0,,,,,,,,,\n"


def test_a_closed_stdout_is_left_to_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(len(text))

    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(BrokenPipeError), CsvSink("-"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("frames", [0, 5000])  # the rows fail at the end, or while writing
def test_a_full_disk_is_one_line(tmp_path: Path, frames: int) -> None:
    (tmp_path / "out.csv.part").symlink_to("/dev/full")
    with pytest.raises(SinkError) as caught, CsvSink(tmp_path / "out.csv") as sink:
        for i in range(frames):
            sink.write(analysis(i, i / 25, reading(0)))
    assert "out.csv" in str(caught.value)
    assert "No space left" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"gone/out.csv: cannot write it \(No such file"):
        CsvSink(tmp_path / "gone" / "out.csv").__enter__()


def test_writing_outside_the_with_block_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="with block"):
        CsvSink(tmp_path / "out.csv").write(analysis(0, 0.0))
