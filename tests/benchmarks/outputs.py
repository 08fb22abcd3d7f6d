"""What outputs cost the capture loop, and how long an event takes from its decision to its receipt.

    python tests/benchmarks/outputs.py [--seconds 40] [--full-speed] [--alone]

The whole pipeline runs on the demo's frames, 30 a second as from a camera (``--full-speed``: as fast as it goes), in
one run with all outputs on and off in turns of two seconds. The receivers are in a process of their own, on loopback:
plain sockets, a WebSocket client, mosquitto, the stand-ins of tests/app_servers.py, an X client (xev) under Xvfb, a
program.

- Loop: milliseconds a frame, from the frame's arrival to the moment when the loop is ready for the next.
- ``--alone``: one output after the other, instead of all at once.
- Latency: milliseconds from the decision (the call that hands an event to the outputs) to the receipt, both on the
  system's monotonic clock. Every sixth frame an event is put in, and each frame's value is marked with its number.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from app_servers import ObsServer, VTubeStudioServer
from talking import UdpReceiver, decode_osc, free_port

from mouth_live import realtime
from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs
from mouth_live.realtime.pipeline import Pipeline
from mouth_live.realtime.records import Frame, LipEvent
from mouth_live.realtime.video.sources import open_video

DEMO = Path(str(realtime.__file__)).parent / "commands" / "demo.mp4"
RATE, TURN, EVENT_EVERY = 30, 2.0, 6  # frames/s, s of outputs on or off, frames


class Receivers:
    """In the receivers' process: when each mark came, by output."""

    def __init__(self, folder, mqtt):
        self.got, self.clients = {}, []
        self.ports = {name: UdpReceiver() for name in ("udp", "osc", "vmc")}
        self.ports |= {"vts": VTubeStudioServer(), "obs": ObsServer()}
        for name in ("udp", "osc", "vmc"):
            self.ports[name].socket.settimeout(None)
        self.folder, self.mqtt = folder, mqtt

    def note(self, name, mark):
        self.got.setdefault(name, []).append((mark, time.monotonic()))

    def lines(self, name, lines):
        """JSON events, one a line."""
        for line in lines:
            if b'"type": "st' in line:
                self.note(name, json.loads(line)["timestamp"])

    def udp(self):
        self.lines("udp", iter(self.ports["udp"].next, None))

    def osc(self, name, index):
        while True:
            self.note(name, round(decode_osc(self.ports[name].next())[0][index] * 10000))

    def websocket(self, url):
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        while True:
            try:
                with connect(url, proxy=None) as connection:
                    self.lines("ws", (text.encode() for text in connection))
            except (OSError, WebSocketException):  # a turn may end in mid-handshake
                time.sleep(0.1)

    def broker(self):
        listen = ["stdbuf", "-oL", "mosquitto_sub", "-p", str(self.mqtt), "-t", "mouth-live/event"]
        with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            self.clients.append(client)
            self.lines("mqtt", client.stdout)

    def servers(self):
        """The stand-ins note each message as it comes."""
        inject, switch = self.ports["vts"].on_InjectParameterDataRequest, self.ports["obs"].on_SetCurrentProgramScene

        def vts(data, session):
            self.note("vts", round(data["parameterValues"][0]["value"] * 10000))
            return inject(data, session)

        def obs(data):
            self.note("obs", None)
            return switch(data)

        self.ports["vts"].on_InjectParameterDataRequest, self.ports["obs"].on_SetCurrentProgramScene = vts, obs

    def keyboard(self):
        watch = ["stdbuf", "-oL", "xev", "-geometry", "1024x768+0+0", "-event", "keyboard"]
        with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            self.clients.append(client)
            for line in client.stdout:
                if line.startswith((b"KeyPress", b"KeyRelease")):
                    self.note("key", None)

    def command(self):
        with (self.folder / "fifo").open() as fifo:
            for line in fifo:
                self.note("command", float(line))

    def stdout(self):
        self.lines("stdout", sys.stdin.buffer)
        (self.folder / "got.json").write_text(json.dumps(self.got))
        for client in self.clients:
            client.kill()
        os._exit(0)


def receive(folder, ws, mqtt):
    """The receivers' process: until stdin ends."""
    made = Receivers(folder, mqtt)
    made.servers()
    for run in (made.udp, lambda: made.osc("osc", 1), lambda: made.osc("vmc", 2), lambda: made.websocket(ws),
                made.broker, made.keyboard, made.command):  # fmt: skip
        threading.Thread(target=run, daemon=True).start()
    (folder / "ports.json.part").write_text(json.dumps({name: each.port for name, each in made.ports.items()}))
    (folder / "ports.json.part").rename(folder / "ports.json")
    made.stdout()


def outputs(ports, ws, mqtt, folder):
    """How to make each, by name."""
    urls = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()} | {"mqtt": f"mqtt://127.0.0.1:{mqtt}"}
    urls |= {"osc": urls["osc"] + "?preset=vrchat", "obs": urls["obs"] + "?scene=Talk&idle=Quiet"}
    urls |= {"ws": ws, "key": "key:space", "stdout": "-"}
    tell = f"sh -c 'echo $MOUTH_LIVE_TIME >> {folder}/fifo'"
    return {name: lambda url=url: make_outputs([url]) for name, url in urls.items()} | {
        "command": lambda: make_outputs([], tell, tell)
    }


def loop(arguments, make, decided, index):
    """Run the pipeline; ms a frame with the outputs on and off."""
    with open_video(DEMO) as video:
        pictures = [frame.image for frame in video]
    spent, state, due, began = {True: [], False: []}, {}, time.monotonic(), time.monotonic()

    def frames():
        nonlocal due, index
        while time.monotonic() - began < arguments.seconds:
            if not arguments.full_speed:
                time.sleep(max(0.0, due - time.monotonic()))
                due += 1 / RATE
            state["arrived"] = time.perf_counter()
            yield Frame(index, index / RATE, pictures[index % len(pictures)])
            index += 1

    apps, on, until, talking = None, False, 0.0, False
    stack = ExitStack()
    for analysis in Pipeline().run(frames()):
        marked = replace(
            analysis,
            readings=tuple(replace(r, openness=(analysis.frame.index % 9000 + 100) / 10000) for r in analysis.readings),
            events=(),
        )
        if analysis.frame.index % EVENT_EVERY == 0 and apps:
            talking = not talking
            at = round(analysis.frame.time, 6)
            event = LipEvent("start" if talking else "stop", "activity", analysis.readings[0].face_id, at)
            marked = replace(marked, events=(event,))
        now = time.monotonic()
        if apps:
            apps.take(marked)
            decided.append((round(marked.readings[0].openness * 10000), now, marked.events and marked.events[0].time))
        spent[on].append(1000 * (time.perf_counter() - state["arrived"]))
        if now > until:
            stack.close()
            on, until, talking = not on, now + TURN, False
            apps = stack.enter_context(FanOut(make())) if on else None
            spent[on].append(float("nan"))
            due = time.monotonic()
    stack.close()
    # The turn's first frames pay for connecting.
    return {on: [x for i, x in enumerate(times) if not np.isnan(times[max(0, i - 15) : i + 1]).any()]
            for on, times in spent.items()}  # fmt: skip


def latencies(got, decided):
    """ms by output, for marks that were decided once and received."""
    events = {at: when for _, when, at in decided if at != ()}
    values = {mark: when for mark, when, _ in decided}
    in_order = sorted(events.values())
    found = {}
    for name, received in got.items():
        if name in ("osc", "vmc", "vts"):
            first = {}
            for mark, when in received:
                first.setdefault(mark, when)
            found[name] = [1000 * (when - values[mark]) for mark, when in first.items() if mark in values]
        elif name in ("obs", "key"):
            # These carry no mark: the first that comes after each decision. The switch back at a turn's end is another.
            times = sorted(when for _, when in received)
            firsts = [(d, next((when for when in times if when > d), d + 1)) for d in in_order]
            found[name] = [1000 * (when - d) for d, when in firsts if when - d < EVENT_EVERY / RATE]
        else:
            found[name] = [1000 * (when - events[mark]) for mark, when in received if mark in events]
            if name in ("udp", "ws", "mqtt", "stdout"):  # the stop at a turn's end has the time of the last frame
                found[name] = [x for x in found[name] if x < 500]
    return found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--full-speed", action="store_true")
    parser.add_argument("--alone", action="store_true", help="one output after the other, --seconds each")
    parser.add_argument("--receive", nargs=3)
    arguments = parser.parse_args()
    if arguments.receive:
        receive(Path(arguments.receive[0]), arguments.receive[1], int(arguments.receive[2]))
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, ws, mqtt = Path(name), f"ws://127.0.0.1:{free_port()}", free_port()
        os.environ["XDG_CONFIG_HOME"] = name
        os.mkfifo(folder / "fifo")
        (folder / "conf").write_text(f"listener {mqtt} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        path = os.environ["PATH"] + ":/usr/sbin"
        broker = subprocess.Popen(["mosquitto", "-c", str(folder / "conf")], env=os.environ | {"PATH": path}, **quiet)
        ours, theirs = os.pipe()
        screen = subprocess.Popen(["Xvfb", "-displayfd", str(theirs), "-nolisten", "tcp"], pass_fds=[theirs], **quiet)
        for process in (broker, screen):
            stack.callback(process.wait)
            stack.callback(process.terminate)
        os.environ["DISPLAY"] = ":" + os.read(ours, 16).decode().strip()
        time.sleep(0.5)
        command = [sys.executable, __file__, "--receive", name, ws, str(mqtt)]
        receiver = subprocess.Popen(command, stdin=subprocess.PIPE)
        keep = os.open(folder / "fifo", os.O_RDWR)  # so that the reader sees no end between two programs
        while not (folder / "ports.json").exists():
            time.sleep(0.05)
        time.sleep(1)
        ports, talk = json.loads((folder / "ports.json").read_text()), os.dup(1)
        os.dup2(receiver.stdin.fileno(), 1)  # our stdout is the receivers' stdin
        decided = []
        makers = outputs(ports, ws, mqtt, folder)
        groups = [[each] for each in makers.values()] if arguments.alone else [list(makers.values())]
        spent = {True: [], False: []}
        for group in groups:
            seen = loop(arguments, lambda group=group: [o for make in group for o in make()], decided, len(decided) * 3)
            spent = {on: times + seen[on] for on, times in spent.items()}
        sys.stdout.flush()
        os.dup2(talk, 1)
        receiver.stdin.close()
        receiver.wait(10)
        os.close(keep)
        report(spent, latencies(json.loads((folder / "got.json").read_text()), decided))


def report(spent, found):
    """Print the figures."""
    for on, times in spent.items():
        q = np.percentile(times, (10, 50, 90))
        which = "on " if on else "off"
        print(f"loop, outputs {which}: median {q[1]:.2f} ms a frame, 10..90 %: {q[0]:.2f}..{q[2]:.2f} ({len(times)})")
    for name, times in sorted(found.items()):
        median, high = np.percentile(times, (50, 99))
        print(f"{name:8} median {median:6.2f} ms, 99th percentile {high:6.2f} ms ({len(times)})")


if __name__ == "__main__":
    main()
