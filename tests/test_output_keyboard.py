"""Keys, as a real X client sees them under a virtual screen; the program runs in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from talking import wait_for

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
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "key:space: no display to press keys on" in done.stderr
