"""SIGTERM, Ctrl-C and errors in mid-talk: the stop is sent on every output, by the real program on a real clip."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from app_servers import ObsServer, VTubeStudioServer
from conftest import COMMAND
from talking import UdpReceiver, decode_osc, free_port, wait_for
from test_output_mqtt import MOSQUITTO, Broker
from test_output_websocket import results, start_clients

pytestmark = pytest.mark.display

needs = pytest.mark.skipif(not (MOSQUITTO and shutil.which("mosquitto_sub")), reason="needs mosquitto")


@pytest.fixture
def talking_for_ever(demo_clip, tmp_path):
    """A clip that begins in mid-talk, from a face that is there at once."""
    made = tmp_path / "long.mp4"
    cut = ["ffmpeg", "-v", "error", "-ss", "1", "-stream_loop", "10", "-i", str(demo_clip), "-c:v", "libx264"]
    subprocess.run([*cut, "-preset", "ultrafast", "-t", "20", str(made)], check=True)
    return made


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def keyboard(screen, tmp_path):
    """What an X client sees of the keyboard."""
    with (tmp_path / "xev").open("w") as file:
        watch = ["stdbuf", "-oL", "xev", "-display", screen, "-geometry", "1024x768+0+0", "-event", "keyboard"]
        client = subprocess.Popen(watch, stdout=file)
    yield lambda: re.findall("Key(?:Press|Release)", (tmp_path / "xev").read_text())
    client.terminate()
    client.wait(5)


@needs
@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow), (signal.SIGINT, 0)]
)
def test_the_stop_is_sent_on_every_output(screen, broker, keyboard, talking_for_ever, tmp_path, number, code):
    ws = f"ws://127.0.0.1:{free_port()}"
    with (
        UdpReceiver() as udp,
        UdpReceiver() as osc,
        UdpReceiver() as vmc,
        VTubeStudioServer() as vts,
        ObsServer() as obs,
    ):
        urls = [f"udp://127.0.0.1:{udp.port}?values=no", f"osc://127.0.0.1:{osc.port}", f"vmc://127.0.0.1:{vmc.port}",
                f"mqtt://127.0.0.1:{broker.port}", f"vts://127.0.0.1:{vts.port}",
                f"obs://127.0.0.1:{obs.port}?scene=Talk", "key:space", ws + "?values=no", "-"]  # fmt: skip
        to = [word for url in urls for word in ("--to", url)]
        note = ["--on-start", "touch started", "--on-stop", "touch stopped"]
        program = subprocess.Popen(
            [*COMMAND, "--camera", str(talking_for_ever), "--no-window", *to, *note],
            cwd=tmp_path, env=os.environ | {"DISPLAY": screen, "XDG_CONFIG_HOME": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        clients = _clients(ws)
        udp.socket.settimeout(30)
        while b'"kind": "activity"' not in udp.next():  # the first is a start
            pass
        wait_for(lambda: obs.scene == "Talk" and "KeyPress" in keyboard())
        wait_for((tmp_path / "started").exists)
        program.send_signal(number)
        out, errors = program.communicate(timeout=10)
        assert (program.returncode, "Traceback" in errors) == (code, False), errors
        assert b'"type": "stop", "kind": "activity"' in b"".join(udp.rest())
        assert decode_osc(osc.rest()[-1]) == [("/mouth/openness", 0.0), ("/mouth/activity", 0), ("/mouth/open", 0)]
        assert decode_osc(vmc.rest()[-1])[0] == ("/VMC/Ext/Blend/Val", "A", 0.0)
        assert vts.values[-1] == ("MouthLiveOpen", 0.0)
        assert obs.scene == "Quiet"
        assert vts.problems == obs.problems == []
    heard = wait_for(lambda: broker.lines() if ("status", "offline") in broker.lines() else None)
    assert [payload for topic, payload in heard if topic == "activity"][-2:] == ["ON", "OFF"]
    ((_, _, last),) = results(clients)
    assert last["type"] == "stop"
    assert re.findall(r'"type": "(\w+)", "kind": "activity"', out)[-1] == "stop"
    wait_for(lambda: keyboard()[-1] == "KeyRelease")
    assert (tmp_path / "stopped").exists()


def _clients(url):
    """A client, as soon as the server is there."""
    import socket

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0

    wait_for(listens, 30)
    return start_clients(url, 1)


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--no-window", "--camera"], ["events"]])
def test_a_source_that_breaks_off_in_mid_talk(demo_clip, tmp_path, mouth_live, command):
    whole = tmp_path / "whole.mp4"
    fast = ["ffmpeg", "-v", "error", "-i", str(demo_clip), "-c", "copy", "-movflags", "+faststart", str(whole)]
    subprocess.run(fast, check=True)
    content = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 4 // 10])
    with UdpReceiver() as udp:
        done = mouth_live(*command, "cut.mp4", "--to", f"udp://127.0.0.1:{udp.port}?values=no")
        got = b"".join(udp.rest())
    assert "Traceback" not in done.stderr
    assert got.count(b'"type": "start"') == got.count(b'"type": "stop"') > 0
