"""Tests of ``analyze`` wherever a program may call it: it never hangs, and it leaves nothing behind.

Each program runs in a process of its own with a time limit, so that a hang is a failure.
"""

import subprocess
import sys

import pytest

LIMIT = 60  # s; each takes a second or two

TOOLS = """
import asyncio, gc, multiprocessing, os, signal, sys, threading, time
from mouth_live.realtime import AnalysisSettings, CsvSink, analyze, lip_events, open_session

CLIP = sys.argv[1]


def frames(count=None):
    done = 0
    for done, _ in enumerate(analyze(CLIP), 1):
        if done == count:
            break
    return done


def left():
    "What a program has besides its memory: threads, open files, signal handlers."
    gc.collect()
    until = time.monotonic() + 5
    while len(threading.enumerate()) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    threads = sorted(thread.name for thread in threading.enumerate())
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    return threads, len(os.listdir("/proc/self/fd")), handlers


def unchanged(use, times=10):
    use()  # what is made once for the process
    before = left()
    for _ in range(times):
        use()
    assert left() == before, (before, left())
"""

PROGRAMS = {
    "to the end": "unchanged(lambda: frames(), 3)",
    "left early": "unchanged(lambda: frames(3))",
    "never begun": "unchanged(lambda: analyze(CLIP))",
    "dropped after a frame": "unchanged(lambda: next(iter(analyze(CLIP))))",
    "closed twice": """
def use():
    analyses = analyze(CLIP)
    next(analyses)
    analyses.close()
    analyses.close()
unchanged(use)
""",
    "an error in the loop": """
def use():
    try:
        for _ in analyze(CLIP):
            raise KeyError("mine")
    except KeyError:
        return
unchanged(use)
""",
    "events, left early": """
def use():
    for _ in lip_events(CLIP):
        break
unchanged(use, 3)
""",
    "a missing file": """
def use():
    try:
        list(analyze("missing.mp4"))
    except Exception as error:
        assert type(error).__name__ == "SourceError", error
unchanged(use)
""",
    "in a thread": """
def use():
    counts = []
    thread = threading.Thread(target=lambda: counts.append(frames()))
    thread.start()
    thread.join()
    assert counts == [25]
unchanged(use, 3)
""",
    "in two threads at once": """
def use():
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(frames())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [25, 25]
unchanged(use, 3)
""",
    "begun in one thread, collected in another": """
def use():
    analyses = analyze(CLIP)
    next(analyses)
    held = [analyses]
    del analyses
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
unchanged(use)
""",
    "a session in a thread": """
def run():
    with open_session(CLIP, AnalysisSettings()) as session:
        session.run([CsvSink(os.devnull)])
def use():
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
unchanged(use, 3)
""",
    "in asyncio.to_thread, beside other work": """
async def main():
    beats = 0
    work = asyncio.create_task(asyncio.to_thread(frames))
    while not work.done():
        await asyncio.sleep(0.005)
        beats += 1
    assert await work == 25
    assert beats > 5, beats
asyncio.run(main())
asyncio.run(main())
""",
    "in a coroutine, as in a notebook's cell": """
async def main():
    assert frames() == 25
    assert frames(2) == 2
unchanged(lambda: asyncio.run(main()), 3)
""",
    "interrupted by Ctrl-C": """
def use():
    try:
        for number, _ in enumerate(analyze(CLIP)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)
    except KeyboardInterrupt:
        return
    raise AssertionError("no KeyboardInterrupt")
unchanged(use, 3)
""",
    "in a child by fork": """
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(frames, [None, None]) == [25, 25]
""",
    "in a child by fork, after an analysis in the parent": """
assert frames() == 25
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map_async(frames, [None, None]).get(40) == [25, 25]
assert frames() == 25
""",
    "in a child by fork, in the middle of an analysis": """
analyses = analyze(CLIP)
next(analyses)
with multiprocessing.get_context("fork").Pool(1) as pool:
    assert pool.map_async(frames, [None]).get(40) == [25]
assert len(list(analyses)) == 24
""",
    "in a child by spawn": """
with multiprocessing.get_context("spawn").Pool(1) as pool:
    assert pool.map_async(frames, [None]).get(40) == [25]
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_analyze_leaves_nothing_behind(name, short_clip, tmp_path):
    body = "".join(f"    {line}\n" for line in PROGRAMS[name].strip().splitlines())
    program = tmp_path / "program.py"
    program.write_text(f"{TOOLS}\nif __name__ == '__main__':\n{body}")
    command = [sys.executable, "-W", "error", str(program), str(short_clip)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
