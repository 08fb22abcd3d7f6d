"""The table of readings in its formats: written by the command, read by other libraries and by ``read_table``."""

import csv
import json
import math
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mouth_live.models.face import Face
from mouth_live.realtime import Analysis, Frame, Reading, SinkError, TableError, read_table
from mouth_live.realtime.commands.file_formats import TABLE_FORMATS as NAMES_OF_OPTION
from mouth_live.realtime.sinks.tables import parquet_sink
from mouth_live.realtime.sinks.tables.columns import COLUMNS, NAMES
from mouth_live.realtime.sinks.tables.csv_sink import CsvSink
from mouth_live.realtime.sinks.tables.formats import TABLE_FORMATS, table_sink
from mouth_live.realtime.sinks.tables.jsonl_sink import JsonlSink
from mouth_live.realtime.sinks.tables.parquet_sink import ParquetSink

FORMATS = ["csv", "parquet", "jsonl"]
PICTURE = np.zeros((4, 4, 3), np.uint8)


def reading(face_id=0, openness=0.98765, active=False, reliability=math.nan, activity=math.nan):
    face = Face((-3.25, np.float32(10.04), 100.04, 99.96), np.zeros((6, 2), np.float32), 0.87654)
    return Reading(face_id, face, 0.12345, openness, active, reliability, activity=activity)


def analysis(index, time, *readings):
    return Analysis(Frame(index, time, PICTURE), readings)


def written(path, analyses, name=None):
    with table_sink(path, name or path.suffix[1:], 0.5, {"settings": {"min_face": 20}}) as sink:
        for one in analyses:
            sink.write(one)
    return path


SOME = [
    analysis(0, 0.0, reading(3, active=True, reliability=0.66666), reading(1)),
    analysis(1, 1 / 3),
    Analysis(Frame(1, 0.9, PICTURE), (), silent=True),
    analysis(3, 1.0, reading(12, reliability=0.25, activity=0.33333)),
]


def rows_of(path):
    """A table's rows by readers that are not ours, each a list of numbers and None."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return [list(row.values()) for row in pq.read_table(path).to_pylist()]
    if path.suffix == ".jsonl":
        return [list(json.loads(line).values()) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return [[float(cell) if cell else None for cell in row] for row in list(csv.reader(file))[1:]]


def test_all_formats_hold_the_same_values(tmp_path):
    tables = [rows_of(written(tmp_path / f"a.{name}", SOME)) for name in FORMATS]
    assert tables[0] == tables[1] == tables[2]
    nothing = [None] * 9
    assert tables[0] == [
        [0, 0.5, 1, 0.8765, 1, -3.2, 10.0, 100.0, 100.0, 0.1235, 0.9877, 0, None, None],
        [0, 0.5, 3, 0.8765, 1, -3.2, 10.0, 100.0, 100.0, 0.1235, 0.9877, 1, 0.6667, None],
        [1, 0.833333, None, None, 0, *nothing],
        [3, 1.5, 12, 0.8765, 1, -3.2, 10.0, 100.0, 100.0, 0.1235, 0.9877, 0, 0.25, 0.3333],
    ]


def test_the_formats_of_the_option_are_those_of_the_sinks():
    assert NAMES_OF_OPTION == TABLE_FORMATS == tuple(FORMATS)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_process_writes_the_values_of_the_csv(mouth_live, short_clip, tmp_path, form):
    assert mouth_live("process", short_clip, "-o", "a.csv").returncode == 0
    done = mouth_live("process", short_clip, "-o", f"a.{form}")  # the ending chooses
    assert (done.returncode, done.stderr.strip().endswith(f"25 frames, 1 face -> a.{form}")) == (0, True)
    assert rows_of(tmp_path / f"a.{form}") == rows_of(tmp_path / "a.csv")
    assert mouth_live("process", short_clip, "--format", form).returncode == 0
    assert rows_of(tmp_path / f"short.{form}") == rows_of(tmp_path / "a.csv")
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_keeps_its_structure_in_every_process(mouth_live, short_clip, tmp_path):
    for name in ("a/x.mp4", "b/y.mp4"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        (tmp_path / "in" / name).symlink_to(short_clip)
    done = mouth_live("process", "in", "-o", "out", "--format", "parquet", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").rglob("*.parquet")) == [
        "out/a/x.parquet",
        "out/b/y.parquet",
    ]
    assert len(read_table(tmp_path / "out/a/x.parquet")) == 25


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_stdout_takes_every_format(mouth_live, short_clip, tmp_path, form):
    done = mouth_live("process", short_clip, "-o", "-", "--format", form, text=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / f"out.{form}").write_bytes(done.stdout)
    assert len(rows_of(tmp_path / f"out.{form}")) == 25


def test_a_name_against_the_format_is_wrong_usage(mouth_live, short_clip, tmp_path):
    done = mouth_live("process", short_clip, "-o", "a.parquet", "--format", "csv")
    assert done.returncode == 2
    says = "a.parquet: this ending means --format parquet, not csv; leave --format out or rename it"
    assert done.stderr == f"mouth-live: error: {says}\n"
    assert list(tmp_path.iterdir()) == []


def without(tmp_path, module):
    """An environment in which a package is not installed."""
    folder = tmp_path / "missing"
    folder.mkdir()
    (folder / f"{module}.py").write_text(f'raise ModuleNotFoundError("No module named {module}", name="{module}")')
    return os.environ | {"PYTHONPATH": str(folder)}


def test_without_pyarrow_one_line_before_any_work(mouth_live, short_clip, tmp_path):
    environment = without(tmp_path, "pyarrow")
    done = mouth_live("process", short_clip, short_clip.parent, "-o", "out", "--format", "parquet", env=environment)
    assert done.returncode == 1
    assert done.stderr == (
        "mouth-live: error: Parquet (pyarrow) needs an optional package; "
        "install it with: pip install 'mouth-live[parquet]'\n"
    )
    assert not (tmp_path / "out").exists()
    assert mouth_live("process", short_clip, "-o", "a.csv", env=environment).returncode == 0


def test_parquet_says_what_its_columns_are(tmp_path):
    import pyarrow.parquet as pq

    schema = pq.read_schema(written(tmp_path / "a.parquet", SOME))
    assert schema.names == list(NAMES)
    types = {"int64": "int64", "float64": "double", "bool": "int8"}
    for field, column in zip(schema, COLUMNS, strict=True):
        assert str(field.type) == types[column.dtype]
        assert field.nullable is not column.always
        assert field.metadata == {b"unit": column.unit.encode(), b"meaning": column.meaning.encode()}
    about = json.loads(schema.metadata[b"mouth_live"])
    assert about["settings"] == {"min_face": 20}
    assert about["version"]


def test_parquet_of_a_command_names_source_and_settings(mouth_live, short_clip, tmp_path):
    import pyarrow.parquet as pq

    mouth_live("process", short_clip, "-o", "a.parquet", "--min-face", "33", "--time", "media")
    about = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"mouth_live"])
    assert (about["source"], about["settings"]["min_face"]) == ("short.mp4", 33)
    assert "start_time" in about


def test_memory_is_bounded_by_row_groups(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setattr(parquet_sink, "GROUP_ROWS", 40)
    path = written(tmp_path / "a.parquet", [analysis(i, i / 25, reading(0), reading(1)) for i in range(50)])
    with pq.ParquetFile(path) as file:
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [40, 40, 20]
    assert list(read_table(path).frame) == [i // 2 for i in range(100)]


@pytest.mark.parametrize("form", FORMATS)
def test_no_frames_is_still_a_file(tmp_path, form):
    path = written(tmp_path / f"a.{form}", [])
    assert rows_of(path) == []
    if form != "jsonl":  # which then is an empty file, of any kind
        assert len(read_table(path)) == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, SinkError])
def test_an_interrupted_parquet_can_be_read_and_a_failed_one_is_gone(tmp_path, error):
    out = tmp_path / "a.parquet"
    with pytest.raises(error), ParquetSink(out) as sink:
        sink.write(SOME[0])
        raise error
    assert not out.exists()
    assert (tmp_path / "a.parquet.part").exists() is (error is KeyboardInterrupt)
    if error is KeyboardInterrupt:
        assert list(read_table(tmp_path / "a.parquet.part").face_id) == [1, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(("form", "frames"), [("parquet", 0), ("parquet", 500), ("jsonl", 500)])
def test_a_full_disk_is_one_line(tmp_path, monkeypatch, form, frames):
    monkeypatch.setattr(parquet_sink, "GROUP_ROWS", 100)
    (tmp_path / f"out.{form}.part").symlink_to("/dev/full")
    with pytest.raises(SinkError, match=rf"out\.{form}: cannot write it \(No space left") as caught:
        written(tmp_path / f"out.{form}", [analysis(i, i / 25, reading()) for i in range(frames)])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / f"out.{form}").exists()


def test_parquet_is_written_inside_the_with_block(tmp_path):
    with pytest.raises(ValueError, match="with block"):
        ParquetSink(tmp_path / "a.parquet").write(SOME[0])


@pytest.mark.parametrize("form", FORMATS)
def test_read_table_in_numpy(tmp_path, form):
    table = read_table(written(tmp_path / f"a.{form}", SOME))
    assert isinstance(table, np.recarray)
    assert table.dtype.names == NAMES
    assert list(table.face_id) == [1, 3, -1, 12]
    assert list(table.success) == [True, True, False, True]
    assert list(table.active) == [False, True, False, False]
    assert list(table.timestamp) == [0.5, 0.5, 0.833333, 1.5]
    np.testing.assert_array_equal(table["reliability"], [np.nan, 0.6667, np.nan, 0.25])
    np.testing.assert_array_equal(table["activity"], [np.nan, np.nan, np.nan, 0.3333])
    np.testing.assert_array_equal(table.openness, [0.9877, 0.9877, np.nan, 0.9877])
    assert len(table[table.success]) == 3


@pytest.mark.parametrize("form", FORMATS)
def test_read_table_in_pandas(tmp_path, form):
    table = read_table(written(tmp_path / f"a.{form}", SOME), as_="pandas")
    assert list(table.columns) == list(NAMES)
    assert [str(kind) for kind in table.dtypes[["face_id", "active", "success", "frame", "openness"]]] == [
        "Int64", "boolean", "bool", "int64", "float64",
    ]  # fmt: skip
    assert list(table.face_id.isna()) == list(table.active.isna()) == [False, False, True, False]
    assert list(table.face_id.dropna()) == [1, 3, 12]
    assert table.reliability.sum() == pytest.approx(0.9167)


@pytest.mark.parametrize("form", FORMATS)
def test_read_table_in_polars(tmp_path, form):
    table = read_table(written(tmp_path / f"a.{form}", SOME), as_="polars")
    assert table["face_id"].to_list() == [1, 3, None, 12]
    assert table["active"].to_list() == [False, True, None, False]
    assert table["success"].to_list() == [True, True, False, True]
    assert table["reliability"].to_list() == [None, 0.6667, None, 0.25]


def test_pandas_reads_the_csv_without_this_package(tmp_path):
    import pandas as pd

    table = pd.read_csv(written(tmp_path / "a.csv", SOME), dtype={"face_id": "Int64"})
    assert list(table.face_id.dropna()) == [1, 3, 12]
    assert str(table.face_id.dtype) == "Int64"


def test_only_the_library_that_is_asked_for_is_imported(tmp_path):
    for form in FORMATS:
        written(tmp_path / f"a.{form}", SOME)
    code = (
        "import sys; from mouth_live.realtime import read_table, CsvSink\n"
        "from mouth_live.realtime.sinks.tables.parquet_sink import ParquetSink\n"
        "heavy = lambda: sorted({'pandas', 'polars', 'pyarrow', 'cv2'} & sys.modules.keys())\n"
        "read_table('a.csv'); read_table('a.jsonl'); print(heavy())\n"
        "read_table('a.parquet'); print(heavy())\n"
        "with ParquetSink('b.parquet'): pass\n"
        "print(heavy()); read_table('a.csv', 'polars'); print(heavy())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['pyarrow']", "['pyarrow']", "['polars', 'pyarrow']"]


def test_a_missing_library_is_named(tmp_path):
    written(tmp_path / "a.csv", SOME)
    code = "from mouth_live.realtime import read_table; read_table('a.csv', as_='polars')"
    environment = without(tmp_path, "polars")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    last = done.stderr.splitlines()[-1]
    assert last.endswith("as_='polars' needs an optional package; install it with: pip install polars")
    with pytest.raises(ValueError, match="expected 'numpy', 'pandas' or 'polars', got 'R'"):
        read_table(tmp_path / "a.csv", as_="R")


def test_the_content_tells_the_format(tmp_path):
    for form in FORMATS:
        written(tmp_path / "table.txt", SOME, form)
        assert list(read_table(tmp_path / "table.txt").face_id) == [1, 3, -1, 12]


@pytest.mark.parametrize("form", FORMATS)
def test_tables_of_an_earlier_version_lack_activity_and_are_read(tmp_path, form):
    path = written(tmp_path / f"a.{form}", SOME)
    if form == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(pq.read_table(path).drop_columns("activity"), path)
    else:
        lacking = r",[^,\n]*$" if form == "csv" else r', "activity": [^,}]*(?=})'
        path.write_text(re.sub(lacking, "", path.read_text(), flags=re.MULTILINE))
    assert "activity" not in path.read_bytes().decode("latin-1")
    table = read_table(path)
    assert list(table.face_id) == [1, 3, -1, 12]
    assert table.reliability[3] == 0.25
    assert np.isnan(table.activity).all()
    assert read_table(path, as_="polars")["activity"].to_list() == [None] * 4


def test_columns_of_a_later_version_are_left_out(tmp_path):
    path = written(tmp_path / "a.csv", SOME)
    lines = path.read_text().splitlines()
    path.write_text("\ufeff" + "".join(f"{line},{'more' if i == 0 else ''}\r\n" for i, line in enumerate(lines)))
    lines = written(tmp_path / "a.jsonl", SOME).read_text().splitlines()
    (tmp_path / "a.jsonl").write_text("".join(line[:-1] + ', "more": [1]}\n' for line in lines))
    for form in ("csv", "jsonl"):
        table = read_table(tmp_path / f"a.{form}")
        assert list(table.face_id) == [1, 3, -1, 12]
        assert math.isnan(table.reliability[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("events.csv", b"face_id,kind,start,end\n0,open,1,2\n"),
        ("empty.csv", b""),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("other.jsonl", b'{"type": "start"}\n'),
        ("list.jsonl", b"[1, 2]\n"),
    ],
)
def test_a_file_of_another_kind_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=rf"{name}: no table of readings; give a file that"):
        read_table(tmp_path / name)


def test_another_parquet_is_no_table(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"frame": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(TableError, match="no table of readings"):
        read_table(tmp_path / "a.parquet")


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(TableError, match=r"gone\.csv: cannot read it \(No such file or directory\)"):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_table_is_one_line(tmp_path, form):
    path = written(tmp_path / f"a.{form}", [analysis(i, i / 25, reading()) for i in range(50)])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TableError, match=rf"a\.{form}: damaged") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", ["x" * 20, "1,0.5,,,,,,,,,,,", ",,,,0,,,,,,,,", "1,0.5,0,0.9,1,1,2,3,4,much,0.5,0,0.9"])
def test_a_row_that_is_none_is_damage(tmp_path, row):
    path = written(tmp_path / "a.csv", SOME)
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(TableError, match=r"a\.csv: damaged"):
        read_table(path)


@pytest.mark.clips
@pytest.mark.parametrize("clip", ["pyfeat_face_noface.mov", "grid_tile8_speakers.mp4"])
@pytest.mark.slow
def test_real_clips_are_the_same_in_every_format(mouth_live, shared, tmp_path, clip):
    for form in FORMATS:
        assert mouth_live("process", shared / "clips" / clip, "-o", f"a.{form}").returncode == 0
    tables = [rows_of(tmp_path / f"a.{form}") for form in FORMATS]
    assert tables[0] == tables[1] == tables[2]
    ours = [read_table(tmp_path / f"a.{form}") for form in FORMATS]
    for table in ours:
        assert len(table) == len(tables[0])
        assert [int(x) for x in table.face_id] == [-1 if row[2] is None else row[2] for row in tables[0]]
    assert ours[0].tobytes() == ours[1].tobytes() == ours[2].tobytes()


def test_csv_and_json_lines_can_be_sinks_of_a_session(tmp_path):
    for kind, name in ((CsvSink, "a.csv"), (JsonlSink, "a.jsonl")):
        with kind(tmp_path / name, start_time=2.0) as sink:
            sink.write(SOME[0])
        assert read_table(tmp_path / name).timestamp[0] == 2.0


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_a_last_column_with_the_file_where_it_is_asked_for(mouth_live, short_clip, tmp_path, name):
    import pandas

    (tmp_path / 'a, "b".mp4').symlink_to(short_clip)
    done = mouth_live("process", 'a, "b".mp4', "-o", f"t.{name}", "--with-file")
    assert done.returncode == 0, done.stderr
    readers = {"csv": pandas.read_csv, "parquet": pandas.read_parquet, "jsonl": partial(pandas.read_json, lines=True)}
    table = readers[name](tmp_path / f"t.{name}")
    assert list(table.columns[-2:]) == ["activity", "file"]
    assert set(table["file"]) == {'a, "b".mp4'}
    mouth_live("process", 'a, "b".mp4', "-o", f"plain.{name}")
    assert (read_table(tmp_path / f"t.{name}") == read_table(tmp_path / f"plain.{name}")).all()
