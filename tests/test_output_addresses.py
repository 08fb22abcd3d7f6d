"""The URLs of --to: what each gives, and one exact line for each mistake."""

import subprocess
import sys

import pytest

from mouth_live.models.errors import MissingExtraError
from mouth_live.realtime import UsageError
from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.keyboard import KEY_NAMES
from mouth_live.realtime.outputs.schemes import make_output, make_outputs

WRONG = {
    "nope://127.0.0.1:1": "no such kind of output; known: udp://, ws://, osc://, vmc://, vts://, mqtt://, obs://, key:",
    "127.0.0.1:9000": "no such kind of output",
    "": "no such kind of output",
    "udp://127.0.0.1": "the port is missing; write for example udp://127.0.0.1:7000",
    "ws://127.0.0.1": "the port is missing; write for example ws://127.0.0.1:8765",
    "osc://127.0.0.1": "the port is missing; write for example osc://127.0.0.1:9000",
    "udp://127.0.0.1:70000": "the port is no number from 1 to 65535",
    "udp://127.0.0.1:0": "the port is no number from 1 to 65535",
    "udp://127.0.0.1:": "the port is no number from 1 to 65535",
    "udp://127.0.0.1:port": "the port is no number from 1 to 65535",
    "udp://127.0.0.1:7000/x": "nothing may follow the port but ?options, got '/x'",
    "udp://127.0.0.1:7000?value=no": "unknown option 'value'; known: values",
    "udp://127.0.0.1:7000?values=maybe": "values: expected yes or no, got 'maybe'",
    "udp://127.0.0.1:7000?values": "options are written ?name=value&name=value",
    "udp://127.0.0.1:7000?values=no&values=yes": "an option is given twice",
    "osc://127.0.0.1?preset=neos": "preset: expected vrchat or babble, got 'neos'",
    "osc://127.0.0.1:1?address=jaw": "address: expected an OSC address such as /mouth/openness, got 'jaw'",
    "vmc://127.0.0.1?blend=": "blend: is empty",
    "vts://127.0.0.1?parameter=my mouth": "parameter: expected 4 to 32 letters and digits, got 'my mouth'",
    "mqtt://127.0.0.1/a/%2B/b": "a topic has no + or #, got 'a/+/b'",
    "obs://127.0.0.1": "say what to switch",
    "obs://127.0.0.1?source=a&idle=b": "idle goes with scene alone",
    "key:spacebar": "no key is called 'spacebar'; a character, or one of: alt, ",
    "key:": "no key is called ''",
    "key:space?kind=laugh": "kind: expected activity or open, got 'laugh'",
    "ws://127.0.0.1:1?origin=example.org": "origin: expected one such as https://example.org, got 'example.org'",
}


@pytest.mark.parametrize(("url", "says"), WRONG.items(), ids=lambda text: text[:40])
def test_a_wrong_url_is_one_line_that_says_what_is_wrong(url, says):
    with pytest.raises(UsageError) as caught:
        make_output(url)
    assert str(caught.value).startswith(f"--to {url}: {says}")
    assert "\n" not in str(caught.value)


def test_a_password_is_not_shown():
    with pytest.raises(UsageError, match="unknown option") as caught:
        make_output("mqtt://me:secret@127.0.0.1?x=1")
    assert "secret" not in str(caught.value)
    assert make_output("obs://:secret@127.0.0.1?scene=a").name == "obs://@127.0.0.1?scene=a"


@pytest.mark.parametrize(("option", "command", "says"), [
    ("on_start", "say 'hello", "--on-start say 'hello: cannot be split into words"),
    ("on_stop", " ", "--on-stop: the command is empty"),
])  # fmt: skip
def test_a_wrong_command_is_wrong_usage(option, command, says):
    with pytest.raises(UsageError, match=says):
        make_outputs([], **{option: command})


@pytest.mark.parametrize("arguments", [
    ["--to", "udp://127.0.0.1"], ["--dry-run"], ["--to", "-", "--csv", "-"],
    ["events", "x.mp4", "--to", "-"], ["events", "x.mp4", "--to", "key:spacebar"],
])  # fmt: skip
def test_wrong_usage_is_2_and_one_line_before_any_work(mouth_live, tmp_path, arguments):
    done = mouth_live("--no-window", *arguments) if "events" not in arguments else mouth_live(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_port_of_a_server_that_is_taken_is_told_before_the_capture(mouth_live, demo_clip):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"ws://127.0.0.1:{other.getsockname()[1]}"
        done = mouth_live("--camera", demo_clip, "--no-window", "--to", url)
    opened, error = done.stderr.splitlines()
    assert done.returncode == 1
    assert opened == "mouth-live: demo.mp4: 640x480 at 25 frames/s"
    assert f"{url}: cannot listen there" in error
    assert "choose another port" in error


@pytest.mark.parametrize("host", ["10.255.255.9", "300.1.1.1", "a..b"])
def test_a_server_at_an_address_of_no_machine_asks_for_another_host(mouth_live, demo_clip, host):
    done = mouth_live("--camera", demo_clip, "--no-window", "--to", f"ws://{host}:8999")
    assert done.returncode == 1
    assert "choose another host" in done.stderr


@pytest.mark.parametrize(("url", "package", "extra"), [
    ("osc://127.0.0.1:1", "pythonosc", "apps"), ("vmc://", "pythonosc", "apps"), ("mqtt://", "paho", "apps"),
    ("ws://127.0.0.1:1", "websockets", "apps"), ("vts://", "websockets", "apps"),
    ("obs://?scene=a", "websockets", "apps"), ("key:space", "pynput", "keys"),
])  # fmt: skip
def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch, url, package, extra):
    for module in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught, FanOut(make_outputs([url])):
        pass
    assert str(caught.value).startswith(url)
    assert str(caught.value).endswith(f"pip install 'mouth-live[{extra}]'")


def test_a_command_that_does_not_exist_is_told_before_the_capture(mouth_live, demo_clip):
    done = mouth_live("--camera", demo_clip, "--no-window", "--on-start", "no-such-program --now")
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)
    assert "--on-start no-such-program: no such program" in done.stderr.splitlines()[-1]


def test_every_named_key_is_one_of_the_library(screen):
    code = "import sys, pynput.keyboard as k; print([n for n in sys.argv[1:] if not hasattr(k.Key, n)])"
    environment = {"DISPLAY": screen, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code, *KEY_NAMES]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
