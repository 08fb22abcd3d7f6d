"""Files that are there whole or not at all."""

import pytest

from mouth_live.models.errors import DataError
from mouth_live.models.whole_file import whole_file


def test_it_gets_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    with whole_file(path) as part:
        assert part.suffix == ".csv"
        part.write_text("new")
        assert not path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "new"


def test_what_fails_leaves_the_file_before_as_it_was(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"


def test_a_full_disk_and_a_missing_folder_are_told_in_one_line(tmp_path):
    path = tmp_path / "table.csv"
    (tmp_path / "table.part.csv").symlink_to("/dev/full")
    full = r"table\.csv: cannot write it \(No space left on device\); give another"
    with pytest.raises(DataError, match=full), whole_file(path, "; give another") as part:
        part.write_text("new")
    with pytest.raises(DataError, match="No such file"), whole_file(tmp_path / "no" / "table.csv") as part:
        part.write_text("new")
