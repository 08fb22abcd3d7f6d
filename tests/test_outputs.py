"""Outputs beside the capture loop: each start has its stop, whatever happens to the receiver or to the capture."""

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import COMMAND
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import ThreadingOSCUDPServer
from talking import START, STOP, UdpReceiver, analysis, decode_osc, free_port, wait_for

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.mailbox import Mailbox
from mouth_live.realtime.outputs.output import Output
from mouth_live.realtime.outputs.schemes import make_outputs
from mouth_live.realtime.outputs.update import Slot, Update
from mouth_live.realtime.records import LipEvent


class Kept(Output):
    """Keeps what it is sent; a test can make it fail, or hang."""

    name = "kept"

    def __init__(self, hang=None):
        self.updates, self.hang, self.failing = [], hang, None

    def messages(self, update):
        return list(update.events)

    def send(self, update):
        if self.hang:
            self.hang.wait()
        if self.failing:
            raise self.failing
        self.updates.append(update)

    @property
    def events(self):
        return [(e.type, e.kind, e.face_id) for update in self.updates for e in update.events]


def lines(datagrams):
    return [json.loads(datagram) for datagram in datagrams]


def test_udp_gets_events_and_values_as_json_and_the_stop_at_the_end():
    with UdpReceiver() as receiver:
        with FanOut(make_outputs([f"udp://127.0.0.1:{receiver.port}"])) as apps:
            told = analysis(0.5, {0: 0.61234, 3: 0.1}, [START])
            first = replace(told.readings[0], activity=0.25001)
            apps.take(replace(told, readings=(first, *told.readings[1:])))
        got = lines(receiver.rest())
    assert got[:2] == [
        {"type": "value", "face_id": 0, "timestamp": 0.5, "openness": 0.6123, "openness_raw": 0.6123, "activity": 0.25},
        {"type": "value", "face_id": 3, "timestamp": 0.5, "openness": 0.1, "openness_raw": 0.1, "activity": None},
    ]
    assert [line["type"] for line in got[2:]] == ["start", "stop"]
    assert got[2] == {"type": "start", "kind": "activity", "face_id": 0, "timestamp": 0.5, "decided": 0.5}


def test_udp_without_values():
    with UdpReceiver() as receiver:
        with FanOut(make_outputs([f"udp://127.0.0.1:{receiver.port}?values=no"])) as apps:
            apps.take(analysis(0.5, {0: 0.6}))
            apps.take(analysis(0.6, {0: 0.6}, [("start", "open", 0)]))
            apps.take(analysis(0.7, {0: 0.1}, [("stop", "open", 0)]))
        assert [(x["type"], x["timestamp"]) for x in lines(receiver.rest())] == [("start", 0.6), ("stop", 0.7)]


@pytest.mark.parametrize(("query", "port", "address"), [
    ("?preset=vrchat", None, "/avatar/parameters/v2/JawOpen"), ("?preset=babble", None, "/jawOpen"),
    ("?preset=vrchat&address=/avatar/parameters/FT/v2/JawOpen", None, "/avatar/parameters/FT/v2/JawOpen"),
    ("?preset=babble&prefix=/face/", None, "/face/jawOpen"),
    ("?preset=babble&prefix=/face/&address=/jaw", None, "/jaw"),
])  # fmt: skip
def test_osc_presets_send_one_float_and_close_the_mouth_at_the_end(query, port, address):
    with UdpReceiver() as receiver:
        with FanOut(make_outputs([f"osc://127.0.0.1:{receiver.port}{query}"])) as apps:
            apps.take(analysis(0.5, {0: 0.25}))
            first = receiver.next()
        last = receiver.rest()[-1]
    assert decode_osc(first) == [(address, 0.25)]
    assert decode_osc(last) == [(address, 0.0)]


@pytest.mark.parametrize(("url", "port"), [("osc://?preset=vrchat", 9000), ("osc://127.0.0.1?preset=babble", 8888),
                                           ("vmc://", 39539), ("vmc://127.0.0.1:39540", 39540)])  # fmt: skip
def test_the_ports_that_apps_expect(url, port):
    with UdpReceiver(port) as receiver, FanOut(make_outputs([url])) as apps:
        apps.take(analysis(0.5, {0: 0.25}))
        assert decode_osc(receiver.next())[0][-1] == 0.25


def test_osc_without_a_preset_tells_the_state_too_as_an_independent_server_sees_it():
    got, dispatcher = [], Dispatcher()
    dispatcher.set_default_handler(lambda address, *arguments: got.append((address, *arguments)))
    with ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with FanOut(make_outputs([f"osc://127.0.0.1:{server.server_address[1]}?prefix=/me&open=/wide"])) as apps:
            apps.take(analysis(0.5, {0: 0.75}, [START]))
            wait_for(lambda: len(got) >= 3)
        wait_for(lambda: ("/me/activity", 0) in got)
        server.shutdown()
        thread.join()
    assert got[:3] == [("/me/openness", 0.75), ("/me/activity", 1), ("/wide", 0)]
    assert got[-3:] == [("/me/openness", 0.0), ("/me/activity", 0), ("/wide", 0)]


def test_an_osc_address_that_is_given_is_sent_as_it_is(mouth_live, short_clip):
    url = "osc://127.0.0.1:9000?address=/jaw"
    done = mouth_live("--camera", short_clip, "--no-window", "--to", url, "--dry-run")
    assert done.returncode == 0, done.stderr
    sent = {json.loads(line)["sends"].split()[0] for line in done.stdout.splitlines()}
    assert sent == {"/jaw", "/mouth/activity", "/mouth/open"}


def test_vmc_sets_the_blend_shape_and_applies_it():
    with UdpReceiver() as receiver:
        with FanOut(make_outputs([f"vmc://127.0.0.1:{receiver.port}?blend=JawOpen"])) as apps:
            apps.take(analysis(0.5, {0: 0.5}))
            assert decode_osc(receiver.next()) == [("/VMC/Ext/Blend/Val", "JawOpen", 0.5), ("/VMC/Ext/Blend/Apply",)]
        assert decode_osc(receiver.rest()[-1])[0] == ("/VMC/Ext/Blend/Val", "JawOpen", 0.0)


def test_the_openness_of_a_lost_face_is_0_and_the_state_is_sent_again_without_news():
    with UdpReceiver() as receiver, FanOut(make_outputs([f"vmc://127.0.0.1:{receiver.port}"])) as apps:
        values = []
        for at, faces in ((0.0, {0: 0.5}), (0.1, {}), (0.5, {})):
            apps.take(analysis(at, faces))
            values.append(decode_osc(receiver.next())[0][2])
        assert values == [0.5, 0.5, 0.0]  # missed in one frame, then lost
        assert decode_osc(receiver.next())[0][2] == 0.0  # the heartbeat


def test_who_drives_a_slot_passes_on_and_its_stop_comes_with_it():
    with (
        UdpReceiver() as receiver,
        FanOut(
            make_outputs(
                [f"osc://127.0.0.1:{receiver.port}"],
            ),
            face="1",
        ) as apps,
    ):
        apps.take(analysis(0.0, {0: 0.9, 1: 0.25}, [START]))
        assert decode_osc(receiver.next()) == [("/mouth/openness", 0.25), ("/mouth/activity", 0), ("/mouth/open", 0)]
        apps.take(analysis(0.1, {0: 0.9, 1: 0.5}, [("start", "activity", 1)]))
        assert decode_osc(receiver.next())[:2] == [("/mouth/openness", 0.5), ("/mouth/activity", 1)]


def test_anyone_is_the_widest_mouth():
    with UdpReceiver() as receiver, FanOut(make_outputs([f"osc://127.0.0.1:{receiver.port}"]), face="anyone") as apps:
        apps.take(analysis(0.0, {0: 0.25, 1: 0.5}, [("start", "activity", 0)]))
        assert decode_osc(receiver.next())[:2] == [("/mouth/openness", 0.5), ("/mouth/activity", 1)]


def test_a_dead_receiver_is_told_in_one_line_and_hears_what_holds_when_it_is_back(caplog):
    caplog.set_level(logging.INFO, "mouth_live")
    port = free_port()
    with FanOut(make_outputs([f"udp://127.0.0.1:{port}"])) as apps:
        at = 0.0
        for event in (("start", "open", 0), ("stop", "open", 0), START):
            at += 0.1
            apps.take(analysis(at, {0: 0.6}, [event]))
            time.sleep(0.05)
        for _ in range(5):
            at += 0.1
            apps.take(analysis(at, {0: 0.6}))
            time.sleep(0.05)
        with UdpReceiver(port) as receiver:
            got = lines([receiver.next()])
            while got[-1]["type"] == "value":
                got += lines([receiver.next()])
            # Not the start and stop that were over by then.
            assert (got[-1]["type"], got[-1]["kind"], got[-1]["timestamp"]) == ("start", "activity", 0.3)
            wait_for(lambda: "answers now" in caplog.text)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings[0] == f"udp://127.0.0.1:{port}: nothing listens there; trying again until it answers"
    assert caplog.text.count("answers now") == 1


def test_a_receiver_that_went_away_and_came_back_is_told_again_what_is_on(caplog):
    kept = Kept()
    with FanOut([kept]) as apps:
        apps.take(analysis(0.1, {0: 0.6}, [START, ("start", "open", 0)]))
        wait_for(lambda: kept.updates)
        kept.failing = ConnectionResetError("gone")
        apps.take(analysis(0.2, {0: 0.6}))
        wait_for(lambda: "trying again" in caplog.text)
        apps.take(analysis(0.3, {0: 0.1}, [("stop", "open", 0)]))
        kept.failing = None
        wait_for(lambda: len(kept.updates) > 1)
    assert kept.events == [START, ("start", "open", 0), ("stop", "open", 0), START, STOP]
    assert caplog.text.count("\n") == 1


def test_a_hanging_receiver_holds_up_neither_the_capture_nor_the_others_nor_the_end():
    hang, kept = threading.Event(), Kept()
    stuck = Kept(hang)
    began = time.monotonic()
    with FanOut([stuck, kept]) as apps:
        for i in range(1000):
            apps.take(analysis(i / 30, {0: 0.6}, [START if i % 2 == 0 else STOP]))
        put = time.monotonic() - began
        wait_for(lambda: len(kept.events) == 1000)
        hang.set()  # it reads at last: no event is lost
    assert put < 1.0
    assert stuck.events == kept.events == [START, STOP] * 500
    assert len(stuck.updates) < 1000  # bounded


def test_the_end_does_not_wait_for_ever_for_a_hanging_receiver(caplog, monkeypatch):
    monkeypatch.setattr("mouth_live.realtime.outputs.fan_out.JOIN_TIMEOUT", 0.3)
    hang = threading.Event()
    with FanOut([Kept(hang)]) as apps:
        apps.take(analysis(0.1, {0: 0.6}, [START]))
        began = time.monotonic()
    assert time.monotonic() - began < 0.9
    assert "did not take its last message" in caplog.text
    hang.set()


def test_a_full_mailbox_drops_the_oldest_values_and_keeps_the_events_in_order():
    box = Mailbox(capacity=3)
    event = LipEvent("start", "open", 0, 1.0)
    for i in range(6):
        box.put(Update(float(i), events=(event,) if i == 1 else (), has_changes=i == 1))
    assert [update.time for update in box.drain()] == [1.0, 4.0, 5.0]
    for i in range(5):
        box.put(Update(float(i), events=(LipEvent("start", "open", i, i),), has_changes=True))
    assert [e.face_id for update in box.drain() for e in update.events] == [0, 1, 2, 3, 4]


def test_when_frames_stay_away_all_is_stopped_and_begun_again_when_they_come_back():
    kept = Kept()
    with FanOut([kept]) as apps:
        apps.take(analysis(0.1, {0: 0.6}, [START]))
        wait_for(lambda: kept.events == [START, STOP], 3)
        assert kept.updates[-1].slot.openness == 0
        apps.take(analysis(2.5, {0: 0.6}))
        wait_for(lambda: kept.events == [START, STOP, START])
    assert kept.events == [START, STOP, START, STOP]


def test_an_update_has_the_slot_before_it_and_none_after_a_new_connection(caplog):
    kept = Kept()
    with FanOut([kept]) as apps:
        apps.take(analysis(0.1, {0: 0.25}))
        wait_for(lambda: kept.updates)
        apps.take(analysis(0.2, {0: 0.5}, [START]))
        wait_for(lambda: len(kept.updates) > 1)
        kept.failing = ConnectionResetError("gone")
        apps.take(analysis(0.3, {0: 0.75}))
        wait_for(lambda: "trying again" in caplog.text)
        kept.failing = None
        wait_for(lambda: len(kept.updates) > 2)
    first, second, after, last = [update.previous for update in kept.updates]
    assert (first, second, after) == (None, Slot(0.25, frozenset(), 0), None)
    assert last == Slot(0.75, frozenset({"activity"}), 0)


@pytest.mark.parametrize("url", [
    "udp://127.0.0.1:1", "-", "osc://127.0.0.1:1", "vmc://", "vts://", "mqtt://", "obs://?scene=Talk&idle=Quiet",
    "obs://?source=Bubble", "key:ctrl+m", "ws://127.0.0.1:1",
])  # fmt: skip
def test_messages_change_no_state_and_need_no_connection(url):
    (output,) = make_outputs([url])
    before = Slot(0.25, frozenset(), 0)
    after = Slot(0.5, frozenset({"activity"}), 0)
    start = Update(0.1, events=(LipEvent(*START, 0.1),), slot=after, has_changes=True, previous=before)
    stop = Update(0.2, events=(LipEvent(*STOP, 0.2),), slot=before, has_changes=True, previous=after)
    started, stopped = output.messages(start), output.messages(stop)
    assert started
    assert started != stopped
    assert (output.messages(start), output.messages(stop)) == (started, stopped)


@pytest.mark.parametrize(("url", "acknowledges"), [
    ("udp://127.0.0.1:1", False), ("osc://127.0.0.1:1", False), ("vmc://", False), ("vts://", True), ("mqtt://", True),
    ("obs://?scene=a", True), ("ws://127.0.0.1:1", True), ("key:a", True), ("-", True),
])  # fmt: skip
def test_udp_receivers_do_not_acknowledge(url, acknowledges):
    for dry_run in (False, True):
        assert make_outputs([url], dry_run=dry_run)[0].acknowledges == acknowledges


def test_an_output_without_its_methods_cannot_be_made():
    with pytest.raises(TypeError, match=r"abstract methods? '?messages'?(, | and )'?send'?"):
        type("Nothing", (Output,), {})()


def test_a_recording_that_is_slow_to_come_is_not_stopped():
    kept = Kept()
    with FanOut([kept], live=False) as apps:
        apps.take(analysis(0.1, {0: 0.6}, [START]))
        time.sleep(1.8)
        assert kept.events == [START]


def test_a_fault_of_an_output_reaches_the_capture_loop():
    kept = Kept()
    kept.failing = ZeroDivisionError("a fault of ours")
    with pytest.raises(ZeroDivisionError), FanOut([kept]) as apps:
        apps.take(analysis(0.1, {0: 0.6}))
        wait_for(lambda: not any("output kept" in t.name for t in threading.enumerate()))
        apps.take(analysis(0.2, {0: 0.6}))


def test_no_thread_is_left():
    before = threading.active_count()
    with UdpReceiver() as receiver:
        urls = [f"udp://127.0.0.1:{receiver.port}", f"vmc://127.0.0.1:{receiver.port}", f"ws://127.0.0.1:{free_port()}"]
        with FanOut(make_outputs(urls)) as apps:
            apps.take(analysis(0.1, {0: 0.6}))
    assert threading.active_count() == before


def test_live_on_stdout(mouth_live, demo_clip, tmp_path):
    cut = ["ffmpeg", "-v", "error", "-ss", "1.4", "-i", demo_clip, "-t", "2", "-c:v", "libx264", tmp_path / "talk.mp4"]
    subprocess.run(cut, check=True)
    done = mouth_live("--camera", "talk.mp4", "--no-window", "--to", "-")
    assert done.returncode == 0, done.stderr
    types = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert types.count("start") == types.count("stop") > 0
    assert set(types) == {"start", "stop"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_stdout_on_a_full_disk_ends_live_with_one_line(demo_clip):
    command = [*COMMAND, "--camera", str(demo_clip), "--no-window", "--to", "stdout:?values=yes"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("mouth-live: error: stdout: cannot write it (No space left")


def test_a_closed_stdout_ends_live_silently(demo_clip):
    command = "from mouth_live.realtime.commands.cli import main; main()"
    arguments = [sys.executable, "-c", command, "--camera", str(demo_clip), "--no-window", "--to", "stdout:?values=yes"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    opened = b"mouth-live: demo.mp4: 640x480 at 25 frames/s\n"
    assert (process.wait(5), process.stderr.read()) == (0, opened)
    process.stderr.close()


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(mouth_live, demo_clip):
    with UdpReceiver() as receiver:
        urls = [f"udp://127.0.0.1:{receiver.port}?values=no", "osc://?preset=vrchat", "vmc://", "vts://", "mqtt://",
                "obs://?scene=Talk&idle=Quiet", "key:ctrl+m", "ws://127.0.0.1:1", "-"]  # fmt: skip
        to = [word for url in urls for word in ("--to", url)]
        done = mouth_live("events", demo_clip, "--dry-run", "--on-start", "no-such-program 'a b'", *to[:-2])
        assert receiver.rest(0.1) == []
    assert done.returncode == 0, done.stderr
    sent = {}
    for line in map(json.loads, done.stdout.splitlines()):
        sent.setdefault(line.get("to"), []).append(line.get("sends"))
    assert set(sent) == {None, "--on-start/--on-stop", *urls[:-1]}
    assert sent["key:ctrl+m"][:2] == ["press ctrl+m", "release ctrl+m"]
    assert sent["obs://?scene=Talk&idle=Quiet"][:2] == ["SetCurrentProgramScene Talk", "SetCurrentProgramScene Quiet"]
    assert sent["vmc://"][0].startswith("/VMC/Ext/Blend/Val A 0.")
    assert sent["osc://?preset=vrchat"][-1] == "/avatar/parameters/v2/JawOpen 0.0"
    assert sent["vts://"][-1] == "InjectParameterDataRequest MouthLiveOpen 0.0"
    assert "mouth-live/activity ON" in sent["mqtt://"]
    assert any("MOUTH_LIVE_FACE_ID=0" in text and text.endswith("no-such-program 'a b'")
               for text in sent["--on-start/--on-stop"])  # fmt: skip
