"""--on-start and --on-stop: real programs, one at a time for each face, none left behind."""

import os
import sys
import time
from pathlib import Path

import pytest
from talking import START, STOP, analysis, wait_for

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs

# Writes when it begins and ends, and what it found in its environment, to a file in its folder.
PROGRAM = """
import os, sys, time
me = [os.environ[f"MOUTH_LIVE_{name}"] for name in ("TYPE", "KIND", "FACE_ID", "TIME")]
log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(log, " ".join(["begin", *me, *sys.argv[2:]]).encode() + b"\\n")
time.sleep(float(sys.argv[1]))
os.write(log, " ".join(["end", *me]).encode() + b"\\n")
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A command line of that program, and what it wrote."""
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)

    def command(seconds=0.0, *words):
        return " ".join([f"'{sys.executable}'", "-I", "-S", "program.py", str(seconds), *words])

    return command


def log():
    return Path("log").read_text().splitlines() if Path("log").exists() else []


def children():
    """Processes whose parent this one is, zombies too."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] in "RSDZ":
            found.append(stat.parent.name)
    return found


def test_commands_run_without_a_shell_with_the_face_and_time_in_their_environment(program):
    with FanOut(make_outputs([], program(0, "'two words'", "$HOME", ";"), program())) as apps:
        apps.take(analysis(1.5, {0: 0.6}, [START, ("start", "open", 0)]))
        wait_for(lambda: len(log()) == 2)
        apps.take(analysis(2.5, {0: 0.6}, [STOP]))
        wait_for(lambda: len(log()) == 4)
    assert log() == [
        "begin start activity 0 1.500000 two words $HOME ;", "end start activity 0 1.500000",
        "begin stop activity 0 2.500000", "end stop activity 0 2.500000",
    ]  # fmt: skip


def test_one_at_a_time_for_a_face_and_two_faces_beside_each_other(program):
    with FanOut(make_outputs([], program(0.3), program())) as apps:
        apps.take(analysis(1.0, {0: 0.6, 1: 0.6}, [START, ("start", "activity", 1)]))
        apps.take(analysis(1.1, {0: 0.6, 1: 0.6}, [STOP, ("stop", "activity", 1)]))
        wait_for(lambda: len(log()) == 8)
    for face in ("0", "1"):
        mine = [line.split()[:2] for line in log() if line.split()[3] == face]
        assert mine == [["begin", "start"], ["end", "start"], ["begin", "stop"], ["end", "stop"]]
    assert log()[1].startswith("begin start")  # the second face did not wait for the first


def test_what_is_over_before_its_turn_is_left_out_in_pairs(program):
    with FanOut(make_outputs([], program(0.3), program())) as apps:
        for i in range(5):
            apps.take(analysis(1.0 + i, {0: 0.6}, [START]))
            apps.take(analysis(1.5 + i, {0: 0.6}, [STOP]))
    assert [line.split()[:2] for line in log()] == [
        ["begin", "start"],
        ["end", "start"],
        ["begin", "stop"],
        ["end", "stop"],
    ]


def test_children_are_reaped_and_the_end_runs_the_stop(program):
    before = children()
    with FanOut(make_outputs([], program(), program())) as apps:
        apps.take(analysis(1.0, {0: 0.6}, [START]))
        wait_for(lambda: len(log()) == 2)
        wait_for(lambda: children() == before)
    assert [line.split()[1] for line in log()] == ["start", "start", "stop", "stop"]
    assert children() == before


def test_a_start_that_runs_on_is_ended_for_the_stop(program):
    began = time.monotonic()
    with FanOut(make_outputs([], program(30), program())) as apps:
        apps.take(analysis(1.0, {0: 0.6}, [START]))
        wait_for(log)
    assert time.monotonic() - began < 4
    assert [line.split()[:2] for line in log()] == [["begin", "start"], ["begin", "stop"], ["end", "stop"]]
    assert children() == []


def test_a_failing_command_is_told_once(program, caplog):
    with FanOut(make_outputs([], f"'{sys.executable}' -c 'raise SystemExit(7)'")) as apps:
        for i in range(3):
            apps.take(analysis(1.0 + i, {0: 0.6}, [START]))
            time.sleep(0.2)
            apps.take(analysis(1.5 + i, {0: 0.6}, [STOP]))
    assert caplog.text.count("ended with code 7") == 1
