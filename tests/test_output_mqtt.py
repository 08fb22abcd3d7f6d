"""MQTT through mosquitto, a broker that knows nothing of mouth-live, as mosquitto_sub hears it."""

import json
import logging
import shutil
import signal
import subprocess
import sys
import time

import pytest
from talking import START, STOP, analysis, free_port, wait_for

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    not (MOSQUITTO and shutil.which("mosquitto_sub")), reason="needs mosquitto and mosquitto-clients"
)


class Broker:
    """A mosquitto of our own, and what mosquitto_sub hears of it."""

    def __init__(self, folder, settings="allow_anonymous true\n"):
        self.port = free_port()
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text(f"listener {self.port} 127.0.0.1\npersistence false\n{settings}")
        self.heard = folder / "heard"
        self.listener = self.process = None

    def start(self, *login):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.settings)], **quiet)
        listen = ["mosquitto_sub", "-p", str(self.port), "-v", "-t", "#", *login]
        with self.heard.open("a") as file:
            wait_for(lambda: subprocess.run([*listen, "-E"], check=False, **quiet).returncode == 0)
            self.listener = subprocess.Popen(listen, stdout=file)
        subprocess.run(
            ["mosquitto_pub", "-p", str(self.port), "-r", "-t", "test", "-m", "listening", *login], check=True
        )
        wait_for(lambda: self.lines(""))
        return self

    def stop(self):
        for process in (self.listener, self.process):
            process.terminate()
            process.wait(5)

    def lines(self, prefix="mouth-live/"):
        """(topic below the prefix, payload) of all that was heard."""
        found = [line.partition(" ") for line in self.heard.read_text().splitlines()]
        return [(topic.removeprefix(prefix), payload) for topic, _, payload in found if topic.startswith(prefix)]


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path).start()
    yield made
    made.stop()


def test_events_states_and_openness_reach_a_subscriber(broker):
    with FanOut(make_outputs([f"mqtt://127.0.0.1:{broker.port}"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}))
        apps.take(analysis(0.6, {0: 0.6}, [START]))
        apps.take(analysis(0.7, {0: 0.5}))
        wait_for(lambda: ("openness", "0.5000") in broker.lines())
    heard = wait_for(lambda: broker.lines() if ("status", "offline") in broker.lines() else None)
    assert heard[:4] == [("status", "online"), ("activity", "OFF"), ("open", "OFF"), ("openness", "0.2500")]
    events = [json.loads(payload) for topic, payload in heard if topic == "event"]
    assert [(e["type"], e["timestamp"]) for e in events] == [("start", 0.6), ("stop", 0.7)]
    assert [payload for topic, payload in heard if topic == "activity"] == ["OFF", "ON", "OFF"]
    assert heard[-2:] == [("openness", "0.0000"), ("status", "offline")]


def test_states_are_kept_for_who_comes_later_and_values_can_be_left_out(broker):
    with FanOut(make_outputs([f"mqtt://127.0.0.1:{broker.port}/home/desk?values=no"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}, [START]))
        wait_for(lambda: ("activity", "ON") in broker.lines("home/desk/"))
        late = ["mosquitto_sub", "-p", str(broker.port), "-v", "-t", "home/#", "-W", "1"]
        kept = subprocess.run(late, capture_output=True, text=True, check=False).stdout.splitlines()
    assert sorted(kept) == ["home/desk/activity ON", "home/desk/open OFF", "home/desk/status online"]
    assert not [topic for topic, _ in broker.lines("home/desk/") if topic == "openness"]


@pytest.mark.slow
def test_a_broker_that_is_away_is_told_once_and_hears_the_state_when_it_is_back(broker, caplog):
    caplog.set_level(logging.INFO, "mouth_live")
    with FanOut(make_outputs([f"mqtt://127.0.0.1:{broker.port}"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}, [START]))
        wait_for(lambda: ("activity", "ON") in broker.lines())
        broker.stop()
        wait_for(lambda: "trying again" in caplog.text)
        apps.take(analysis(0.6, {0: 0.25}, [STOP]))
        time.sleep(1.0)
        broker.heard.write_text("")
        broker.start()
        wait_for(lambda: ("activity", "OFF") in broker.lines())
        wait_for(lambda: any('"type": "stop"' in payload for _, payload in broker.lines()))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_the_broker_says_offline_when_the_program_is_killed(broker):
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[2]); from talking import START, analysis;"
        "from mouth_live.realtime.outputs.fan_out import FanOut;"
        "from mouth_live.realtime.outputs.schemes import make_outputs\n"
        "with FanOut(make_outputs([sys.argv[1]])) as apps:\n  apps.take(analysis(0.5, {0: 1}, [START]));time.sleep(60)"
    )
    folder = __file__.rpartition("/")[0]
    process = subprocess.Popen([sys.executable, "-c", code, f"mqtt://127.0.0.1:{broker.port}", folder])
    wait_for(lambda: ("activity", "ON") in broker.lines(), 20)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: ("status", "offline") in broker.lines())


def test_a_wrong_password_is_told_and_not_tried_for_ever(tmp_path, caplog):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "me", "right"], check=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}\nuser root\n")
    broker.start("-u", "me", "-P", "right")
    try:
        with FanOut(make_outputs([f"mqtt://me:wrong@127.0.0.1:{broker.port}"])):
            wait_for(lambda: "it gets nothing more" in caplog.text)
        assert "wrong" not in caplog.text
        assert caplog.text.count("\n") == 1
        with FanOut(make_outputs([f"mqtt://me:right@127.0.0.1:{broker.port}"])) as apps:
            apps.take(analysis(0.5, {0: 0.25}))
            wait_for(lambda: ("status", "online") in broker.lines())
    finally:
        broker.stop()


def test_something_else_that_listens_is_told(caplog):
    import socket

    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        FanOut(make_outputs([f"mqtt://127.0.0.1:{other.getsockname()[1]}"])),
    ):
        wait_for(lambda: "does not answer as an MQTT broker" in caplog.text)
