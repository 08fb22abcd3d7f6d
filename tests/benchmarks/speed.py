"""How fast mouth-live is, against decoding alone, against the naive way and against mediapipe's FaceLandmarker.

    python tests/benchmarks/speed.py --work FOLDER [--peer-python PYTHON --landmarker face_landmarker.task]
        [--repeats 5] [--seconds 20] [--memory] [--json FILE]

One interleaved run: each repeat measures every contestant once, each in a process of its own, so that a slow minute of
the machine slows all of them; medians over the repeats, and ratios. A fixed loop of Python in each repeat tells how
fast the machine was. The peers run in a Python that has mediapipe (``--peer-python``); without it their rows say that
they are missing. The naive way is mediapipe's detector on every frame plus ``keras predict`` of each face: its halves
are measured apart, because the two do not live in one environment here, and added. ``--memory`` adds half an hour of
video, some ten minutes. The clips are made on the first run (some five minutes); clips.py says what moves in them:
in ``one_720p`` everything does, as from a camera held in the hand, in ``fixed_720p`` the person only.
docs/performance.md quotes the ratios.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import clips as made
import live_latency
import stages as staged

HERE = Path(__file__).parent

DETECTOR = HERE.parents[1] / "models" / "weights" / "face_detection_full_range_sparse.tflite"
Result = dict[str, float]


def main() -> None:
    options = _options()
    clips = {clip.name: clip for clip in made.make_clips(options.work, options.shared, options.seconds)}
    runs: dict[str, list[Result]] = {}
    for repeat in range(options.repeats):
        for name, result in _repeat(clips, options):
            runs.setdefault(name, []).append(result)
        print(f"repeat {repeat + 1} of {options.repeats} done", file=sys.stderr)
    report = {
        "medians": {name: _medians(results) for name, results in runs.items()},
        "ratios": _ratios({name: _medians(results) for name, results in runs.items()}),
        "stages_ms": {name: staged.stages(clip.path) for name, clip in clips.items() if name != "comings_720p"},
        "threads_ms": staged.threads(),
        "live": {
            name: {window: live_latency.measure(clips[name].path, 8, window == "with window") for window in _WINDOWS}
            for name in ("one_720p", "five_720p")
        },
        "not_measured": ["a GPU (none here)", "a real camera", *([] if options.peer_python else ["mediapipe"])],
    }
    if options.memory:
        report["memory"] = {name: _child("memory", clips[name].path) for name in ("one_720p", "one_1080p")}
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    _print(report)


_WINDOWS = ("without window", "with window")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps the clips")
    parser.add_argument(
        "--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with clips/ of speakers"
    )
    parser.add_argument("--peer-python", type=Path, help="a Python with mediapipe")
    parser.add_argument("--landmarker", type=Path, help="FaceLandmarker's model file")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="length of each clip")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _repeat(clips: dict[str, made.Clip], options: argparse.Namespace) -> list[tuple[str, Result]]:
    """Every contestant once."""
    results = [("spin", _child("spin", HERE)), ("start", _start(clips["one_720p"].path))]
    results.append(("folder", _child("folder", clips["one_720p"].path)))
    for name, clip in clips.items():
        results += [(f"decode {name}", _child("decode", clip.path)), (f"process {name}", _child("process", clip.path))]
        if options.peer_python and options.landmarker and name in ("one_720p", "fixed_720p", "five_720p"):
            results.append((f"landmarker {name}", _peer(options, "landmarker", clip.path, options.landmarker)))
    if options.peer_python:
        results.append(("detector one_720p", _peer(options, "detector", clips["one_720p"].path, DETECTOR)))
        results.append(("predict", _child("keras", HERE)))
    return results


def _child(what: str, clip: Path) -> Result:
    return _json([sys.executable, str(HERE / "measured.py"), what, str(clip)])


def _peer(options: argparse.Namespace, task: str, clip: Path, model: Path) -> Result:
    return _json([str(options.peer_python), str(HERE / "peers.py"), task, str(clip), str(model), "120"])


def _json(command: list[str]) -> Result:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _start(clip: Path) -> Result:
    """Seconds from the start of the process to the first value, and to the help."""
    program = [sys.executable, "-m", "mouth_live.realtime"]
    begin = time.perf_counter()
    with subprocess.Popen([*program, "events", str(clip), "--values"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        child.stdout.readline()
        first = time.perf_counter() - begin
        child.kill()
    begin = time.perf_counter()
    subprocess.run([*program, "--help"], stdout=subprocess.DEVNULL, check=True)
    return {"first_value_seconds": first, "help_seconds": time.perf_counter() - begin}


def _medians(results: list[Result]) -> Result:
    values = {key: float(median(result[key] for result in results)) for key in results[0]}
    if values.get("frames") and values.get("seconds"):
        values["frames_per_second"] = float(median(r["frames"] / r["seconds"] for r in results))
    if values.get("readings") and values.get("seconds"):
        values["readings_per_second"] = float(median(r["readings"] / r["seconds"] for r in results))
    return {key: round(value, 4) for key, value in values.items()}


def _ratios(medians: dict[str, Result]) -> Result:
    rate = {name: values.get("frames_per_second", 0.0) for name, values in medians.items()}
    reads = {name: values.get("readings_per_second", 0.0) for name, values in medians.items()}
    ratios = {f"process {n} / decode only": rate[f"process {n}"] / rate[f"decode {n}"] for n in _names(rate)}
    if "landmarker one_720p" in rate:
        for name in ("one_720p", "fixed_720p"):
            ratios[f"process {name} / landmarker"] = rate[f"process {name}"] / rate[f"landmarker {name}"]
        ratios["process five_720p / landmarker, readings"] = reads["process five_720p"] / reads["landmarker five_720p"]
    if "predict" in medians:
        naive = 1 / (1 / rate["detector one_720p"] + 1 / reads["predict"])
        for name in ("one_720p", "fixed_720p"):
            ratios[f"process {name} / naive"] = rate[f"process {name}"] / naive
    return {name: round(value, 3) for name, value in ratios.items()}


def _names(rates: Result) -> list[str]:
    return [name.removeprefix("decode ") for name in rates if name.startswith("decode ")]


def _print(report: dict[str, Any]) -> None:
    for part, rows in report.items():
        print(f"\n{part.replace('_', ' ')}")
        for name in rows:
            values = rows[name] if isinstance(rows, dict) else ""
            if isinstance(values, dict):
                values = ", ".join(
                    f"{key} {value:g}" if isinstance(value, (int, float)) else f"{key}: {value}"
                    for key, value in values.items()
                )
            print(f"  {name:45} {values}")


if __name__ == "__main__":
    main()
