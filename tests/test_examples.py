"""The examples, run as their users run them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from held_clip import write_clip

FOLDER = Path(__file__).parent.parent / "docs" / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def command(name, source):
    return [sys.executable, str(FOLDER / f"{name}.py"), str(source)]


@pytest.mark.parametrize("name", NAMES)
def test_they_are_short_and_begin_with_how_to_run_them(name):
    lines = (FOLDER / f"{name}.py").read_text().splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith(f'"""Run: ``python docs/examples/{name}.py [VIDEO]``.')


@pytest.mark.display
@pytest.mark.parametrize("name", NAMES)
def test_without_a_video_they_end_in_one_line(name, screen):
    environment = os.environ | {"DISPLAY": screen}
    done = subprocess.run(command(name, "gone.mp4"), env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "gone.mp4: no such file\n")


def test_without_a_display_there_is_no_key_to_press(demo_clip):
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    done = subprocess.run(
        command("push_to_talk", demo_clip), env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "no keys to press" in done.stderr


def test_avatar_opens_its_mouth_with_the_face(tmp_path):
    clip = write_clip(tmp_path / "wide.mp4", 0.0, 0.9, 0.0)
    done = subprocess.run(command("avatar", clip), capture_output=True, text=True, timeout=60, check=True)
    mouths = [part.split(")")[0] for part in done.stdout.splitlines() if part]
    assert len(mouths) == 36
    assert mouths[5] == mouths[-1] == "( -_- "
    assert mouths[20] in {"( o0o ", "( o[]o"}


def test_notify_tells_of_a_yawn_on_the_desktop_and_without_one_on_the_terminal(tmp_path):
    clip = write_clip(tmp_path / "yawn.mp4", 0.0, 0.9, seconds=(0.5, 2))
    told = tmp_path / "told"
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command("notify", clip), env=os.environ | {"PATH": path}, timeout=60, check=True)
    assert told.read_text().splitlines() == ["mouth-live face 0 yawns at 0.5 s: time for a break?"]
    plain = subprocess.run(
        command("notify", clip), env=os.environ | {"PATH": ""}, capture_output=True, text=True, timeout=60, check=True
    )
    assert plain.stdout == "face 0 yawns at 0.5 s: time for a break?\n"


def pressed(display):
    """Whether any key is down, as the X server itself tells."""
    return any(display.query_keymap())


@pytest.mark.display
@pytest.mark.parametrize("ended", ["by its end", "by SIGTERM", "by SIGINT"])
def test_push_to_talk_holds_a_key_while_the_lips_move_and_lets_it_go(screen, demo_clip, ended):
    from Xlib.display import Display

    display = Display(screen)
    process = subprocess.Popen(
        command("push_to_talk", demo_clip), env=os.environ | {"DISPLAY": screen}, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 60
        while not pressed(display):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.005)
        if ended != "by its end":
            process.send_signal(getattr(signal, ended.split()[1]))
        process.communicate(timeout=60)
        assert not pressed(display)
    finally:
        process.kill()
        process.communicate()
        display.close()
