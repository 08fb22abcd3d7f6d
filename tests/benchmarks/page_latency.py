"""How late the live page is: its picture and value against the time at which each frame was captured.

    python tests/benchmarks/page_latency.py [SECONDS] [ROUNDS]

The demo is played as the camera, with each frame's number drawn into it as black and white blocks. A headless Chromium
reads the number from the picture that the page shows, and the value beside it, each time that it draws. The program
notes when each frame was captured. The value is compared with that of ``process`` for the same frame, too.

Further pages are WebSocket clients that take all values and pictures, as a page on another machine does: ten browsers
on this machine would measure the browsers. Frames dropped by the capture are counted in turn without and with ten.
The screen itself comes on top: up to 17 ms until what the page has drawn is seen. Where other work shares the machine,
``chrt -r 5 python ...`` goes before it.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parent.parent))

from browser import Page, browser
from timed_program import read_notes

from mouth_live.realtime import analyze
from mouth_live.realtime.commands.demo_clip import DEMO_CLIP

RATE = 29  # frames/s; at 30 each frame would meet the page, which draws at 60, at the same moment of its turn
BITS, BLOCK = 16, 24  # of the number; px a side
PAGES = 10
WARM = 3.0  # s at the start that do not count
READ = """
window.looks = [];
const look = () => {
  requestAnimationFrame(look);
  const {canvas, pen} = live.stage, scale = canvas.width / %(width)d;
  const face = [...live.faces.values()].sort((a, b) => b.seen - a.seen)[0]; // after a long pause it is a new one
  if (!live.stage.shown?.image || !live.lanes.has(face?.id)) return;
  const row = pen.getImageData(0, Math.round((%(height)d - %(block)d / 2) * scale), canvas.width, 1).data;
  let code = 0;
  for (let bit = 0; bit < %(bits)d; bit++) {
    code = 2 * code + (row[4 * Math.round((bit + 0.5) * %(block)d * scale)] > 127);
  }
  const text = live.lanes.get(face.id).value.textContent;
  looks.push([Date.now(), code, live.stage.shown.index, face.last.frame, text]);
};
requestAnimationFrame(look);
"""


def write_clip(path: Path, seconds: float) -> tuple[int, int]:
    """Write the demo, played to and fro, with each frame's number at the lower left; return its width and height."""
    images = [analysis.frame.image for analysis in analyze(DEMO_CLIP)]
    images += images[-2:0:-1]
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (width, height))
    for index in range(round(seconds * RATE)):
        image = images[index % len(images)].copy()
        for bit in range(BITS):
            left, shade = bit * BLOCK, 255 * (index >> (BITS - 1 - bit) & 1)
            cv2.rectangle(image, (left, height - BLOCK), (left + BLOCK - 1, height - 1), (shade,) * 3, cv2.FILLED)
        writer.write(image)
    writer.release()
    return width, height


@contextmanager
def served(clip: Path, notes: Path) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Serve the clip; the page's address and the process."""
    program = [sys.executable, Path(__file__).parent.parent / "timed_program.py", notes]
    command = [*map(str, program), "serve", "--camera", str(clip), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield next(line for line in iter(process.stderr.readline, "") if "page: " in line).split()[-1], process
        finally:
            process.terminate()
            process.communicate()


def be_page(address: str) -> None:
    """Take all that a page takes, and ask for each next picture, until the program ends."""
    try:
        with connect(f"{address.replace('http', 'ws')}ws", proxy=None, compression=None) as connection:
            connection.send('{"type": "picture"}')
            while True:
                if isinstance(connection.recv(), bytes):
                    connection.send('{"type": "picture"}')
    except (ConnectionClosed, OSError):
        return


@contextmanager
def pages(address: str, count: int) -> Generator[None]:
    """So many clients, in a process of their own."""
    process = subprocess.Popen([sys.executable, __file__, "--pages", address, str(count)])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def run_pages(address: str, count: int) -> None:
    threads = [threading.Thread(target=be_page, args=(address,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def latencies(page: Page, clip: Path, size: tuple[int, int], seconds: float, count: int) -> dict[str, Any]:
    """What the page showed with so many pages in all: delays in ms, against the capture of each frame."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        notes = Path(folder) / "notes"
        address, process = stack.enter_context(served(clip, notes))
        page.go(address, "!!window.live && !!live.stage.shown?.image && !!live.faces.get(0)?.last")
        if count > 1:
            stack.enter_context(pages(address, count - 1))
        time.sleep(WARM)
        page.value(f"(() => {{{READ % {'width': size[0], 'height': size[1], 'block': BLOCK, 'bits': BITS}}}})()")
        time.sleep(seconds)
        looks = page.value("looks")
        process.terminate()
        captured = read_notes(notes)
    return of_looks(looks, captured)


def of_looks(looks: list[list[Any]], captured: dict[int, float]) -> dict[str, Any]:
    """Delays in ms from what was seen at each look: time, number in the picture, its index, the value's frame, text."""
    first = {"picture": {}, "value": {}}
    for now, code, _, frame, _ in looks[1:]:
        first["picture"].setdefault(code, now)
        first["value"].setdefault(frame, now)
    result: dict[str, Any] = {"looks": len(looks)}
    for name, times in first.items():
        times.pop(looks[0][1 if name == "picture" else 3], None)  # it was there before
        result[f"{name}_ms"] = _spread([now - captured[index] for index, now in times.items()])
    apart = [abs(captured[frame] - captured[code]) for _, code, _, frame, _ in looks]
    result["between_picture_and_value_ms"] = _spread(apart)
    result["label_of_another_frame"] = sum(code != index for _, code, index, _, _ in looks)
    result["shown"] = {frame: float(text) for _, _, _, frame, text in looks if text != "\u2013"}
    return result


def _spread(values: list[float], digits: int = 0) -> dict[str, float]:
    """The median and the 99th percentile."""
    return {"median": round(float(np.median(values)), digits), "p99": round(float(np.quantile(values, 0.99)), digits)}


def dropped(clip: Path, seconds: float, count: int) -> int:
    """Frames that the capture drops in so many seconds with so many pages."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(clip, Path(folder) / "notes") as (address, _),
        ExitStack() as stack,
    ):
        if count:
            stack.enter_context(pages(address, count))
        time.sleep(WARM)
        before = _dropped_now(address)
        time.sleep(seconds)
        return _dropped_now(address) - before


def _dropped_now(address: str) -> int:
    with connect(f"{address.replace('http', 'ws')}ws", proxy=None) as connection:
        while True:
            message = json.loads(connection.recv(timeout=10))
            if message["type"] == "frame":
                return message["dropped"]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("load of the machine before:", os.getloadavg()[0], "on", os.cpu_count(), "cores")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "numbered.mp4"
        size = write_clip(clip, seconds + 4 * WARM)
        right = {a.frame.index: a.readings[0].openness for a in analyze(clip) if a.readings}
        with browser() as page:
            for count in [1, PAGES] * rounds:
                result = latencies(page, clip, size, seconds, count)
                off = [abs(value - right[frame]) for frame, value in result.pop("shown").items()]
                result["value_off_from_process"] = _spread(off, 3)
                print(count, "pages:", json.dumps(result), flush=True)
        for count in [0, PAGES] * rounds:
            print(count, "pages: frames dropped in", seconds, "s:", dropped(clip, seconds, count))
    print("load of the machine after:", os.getloadavg()[0])


if __name__ == "__main__":
    if "--pages" in sys.argv:
        run_pages(sys.argv[2], int(sys.argv[3]))
    else:
        main()
