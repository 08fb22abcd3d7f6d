"""Keys, as a real X client sees them under a virtual screen; the program runs in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from talking import wait_for
from Xlib import display

pytestmark = pytest.mark.display

# Feeds one event for each line of its stdin.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from talking import analysis
from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs
with FanOut(make_outputs([sys.argv[1]])) as apps:
    print("ready", flush=True)
    for i, line in enumerate(sys.stdin):
        apps.take(analysis(i / 10, {0: 0.6}, [(*line.split(), 0)] if line.strip() else []))
        if line.startswith("fail"):
            raise RuntimeError
"""


@pytest.fixture
def keys(screen, tmp_path):
    """What an X client sees of the keyboard: [("KeyPress", "space"), ...] without repetitions."""
    with (tmp_path / "xev").open("w") as file:
        command = ["stdbuf", "-oL", "xev", "-display", screen, "-geometry", "1024x768+0+0", "-event", "keyboard"]
        client = subprocess.Popen(command, stdout=file)

    def seen():
        text = (tmp_path / "xev").read_text()
        found = re.findall(r"(KeyPress|KeyRelease) event.*?keysym 0x\w+, (\w+)\)", text, re.DOTALL)
        once = []
        for event in found:
            if event not in once[-2:] or event[0] == "KeyRelease":
                once.append(event)
        return once

    find = ["xdotool", "search", "--sync", "--name", "Event Tester"]
    subprocess.run(find, env=os.environ | {"DISPLAY": screen}, check=True, stdout=subprocess.DEVNULL, timeout=10)
    yield seen
    client.terminate()
    client.wait(5)


def every(tmp_path: Path) -> list[str]:
    """All presses and releases that the client got, repetitions included."""
    return re.findall(r"(KeyPress|KeyRelease) event", (tmp_path / "xev").read_text())


@pytest.fixture
def program(screen):
    started = []

    def start(url):
        command = [sys.executable, "-c", PROGRAM, url, str(Path(__file__).parent)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, env=os.environ | {"DISPLAY": screen}, text=True, **pipes)
        started.append(process)
        assert process.stdout.readline() == "ready\n"

        def say(line):
            process.stdin.write(line + "\n")
            process.stdin.flush()

        return process, say

    yield start
    for process in started:
        process.kill()
        if process.returncode is None:
            process.communicate()


PRESS, RELEASE = ("KeyPress", "space"), ("KeyRelease", "space")
TAP = ["KeyPress", "KeyRelease"]


def test_a_key_is_held_while_the_lips_are_active(keys, program):
    _, say = program("key:space")
    say("start open")
    say("start activity")
    wait_for(lambda: keys() == [PRESS])
    say("stop open")
    say("stop activity")
    wait_for(lambda: keys() == [PRESS, RELEASE])


def test_several_keys_and_the_open_mouth(keys, program):
    _, say = program("key:ctrl+m?kind=open")
    say("start activity")
    say("start open")
    wait_for(lambda: keys() == [("KeyPress", "Control_L"), ("KeyPress", "m")])
    say("stop open")
    wait_for(lambda: keys()[2:] == [("KeyRelease", "m"), ("KeyRelease", "Control_L")])


def test_a_held_key_is_pressed_once(keys, program, tmp_path):
    """The server would repeat it 25 times a second after two thirds of a second."""
    process, say = program("key:space")
    say("start activity")
    wait_for(lambda: keys() == [PRESS])
    for _ in range(6):  # so that the picture does not count as lost
        time.sleep(0.25)
        say("")
    assert every(tmp_path) == ["KeyPress"]
    say("stop activity")
    wait_for(lambda: keys() == [PRESS, RELEASE])
    process.communicate()


def test_the_repetition_of_a_key_is_as_before_afterwards(keys, program, screen):
    def repeats() -> list[int]:
        with closing(display.Display(screen)) as server:
            return list(server.get_keyboard_control().auto_repeats)

    before = repeats()
    process, say = program("key:space")
    say("start activity")
    wait_for(lambda: keys() == [PRESS])
    assert repeats() != before
    process.communicate()
    wait_for(lambda: repeats() == before)


@pytest.mark.usefixtures("keys")
def test_a_tap_is_a_press_and_release_at_each_start(program, tmp_path):
    _, say = program("key:space?mode=tap")
    say("start activity")
    wait_for(lambda: every(tmp_path) == TAP)
    say("stop activity")
    say("start activity")
    wait_for(lambda: every(tmp_path) == TAP * 2)


@pytest.mark.parametrize("ending", ["stop", "end"])
@pytest.mark.usefixtures("keys")
def test_a_toggle_taps_at_the_start_and_at_the_stop(program, tmp_path, ending):
    process, say = program("key:space?mode=toggle")
    say("start activity")
    wait_for(lambda: every(tmp_path) == TAP)
    if ending == "stop":
        say("stop activity")
    else:
        process.communicate()
    wait_for(lambda: every(tmp_path) == TAP * 2)


@pytest.mark.parametrize("ending", ["end", "fail", "interrupt"])
def test_the_key_is_released_whatever_ends_the_program(keys, program, ending):
    process, say = program("key:space")
    say("start activity")
    wait_for(lambda: keys() == [PRESS])
    if ending == "interrupt":
        process.send_signal(signal.SIGINT)
    elif ending == "fail":
        say("fail activity")
    else:
        process.communicate()
    wait_for(lambda: keys() == [PRESS, RELEASE])


def test_without_a_display_it_is_one_line(mouth_live, demo_clip):
    done = mouth_live("--camera", demo_clip, "--no-window", "--to", "key:space")
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)
    assert "key:space: no display to press keys on" in done.stderr
