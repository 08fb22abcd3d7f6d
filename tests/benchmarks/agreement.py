"""How far readings made in batches, as on a GPU, agree with those made frame by frame on the CPU, clip by clip.

    python tests/benchmarks/agreement.py [--clips FOLDER] [--keras] [--every] [--only NAME] [-v]

Without ``--keras`` LiteRT and OpenCV stand in for the GPU, which shows what batches alone change. ``--every`` compares
the CPU's own way with itself, where the detector runs on every frame: so far values depend on when it detects. Events
agree where type, kind and face are the same and the times are at most a frame apart; ``-v`` lists the others.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from device_on_cpu import cpu_device

from mouth_live.models.face import Face
from mouth_live.models.gpu.passes import DetectorPass
from mouth_live.realtime import AnalysisSettings, Pipeline, analyze, open_session
from mouth_live.realtime.faces.batches.device import Device, keras_device
from mouth_live.realtime.records import Analysis
from mouth_live.realtime.settings import Networks, load_networks

SHARED = Path(__file__).parents[3] / "shared" / "clips"
SUFFIXES = {".mp4", ".mov", ".mkv", ".mpg"}


class Counted:
    """A finder that counts its passes and checks."""

    def __init__(self, device: Device) -> None:
        self._finder, self.passes, self.checks = device.finder, 0, 0
        self.device = replace(device, finder=self)

    def detect(self, batch: object, passes: Sequence[DetectorPass]) -> list[list[Face]]:
        self.passes += len(passes)
        return self._finder.detect(batch, passes)

    def evidence(self, batch: object, faces: Sequence[tuple[int, Face]]) -> np.ndarray:
        self.checks += len(faces)
        return self._finder.evidence(batch, faces)


def frame_by_frame(clip: Path, networks: Networks) -> list[Analysis]:
    with open_session(clip, AnalysisSettings(), networks=networks) as session:
        return list(session)


def raw_values(analyses: Sequence[Analysis]) -> dict[tuple[int, int], float]:
    return {(a.frame.index, r.face_id): r.raw for a in analyses for r in a.readings}


def unmatched(one: Sequence[Analysis], other: Sequence[Analysis]) -> list[str]:
    """The events of each that the other lacks."""
    times = [a.frame.time for a in one]
    frame = 1.01 * float(np.median(np.diff(times)))
    missing, left = list[str](), [e for a in other for e in a.events]
    for event in (e for a in one for e in a.events):
        kind = (event.type, event.kind, event.face_id)
        near = [e for e in left if (e.type, e.kind, e.face_id) == kind and abs(e.time - event.time) <= frame]
        if near:
            left.remove(min(near, key=lambda e: abs(e.time - event.time)))
        else:
            missing.append(f"frame by frame only: {event}")
    return missing + [f"in batches only: {event}" for event in left]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=SHARED)
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    parser.add_argument("--keras", action="store_true", help="Keras in place of LiteRT")
    parser.add_argument("--every", action="store_true", help="the detector on every frame in place of batches")
    parser.add_argument("-v", dest="verbose", action="store_true")
    options = parser.parse_args()
    networks = load_networks(AnalysisSettings())
    device = keras_device("openness_compact", 0.5, 40) if options.keras else cpu_device(networks.finder, networks.model)
    every: list[float] = []
    print(f"{'clip':26} readings  of one only   mean    p99    max   faces   events  unmatched  passes  checks")
    for clip in sorted(path for path in options.clips.rglob("*") if path.suffix in SUFFIXES):
        if options.only not in clip.name:
            continue
        one, counted = frame_by_frame(clip, networks), Counted(device)
        if options.every:
            other = list(analyze(clip, Pipeline(networks.finder, networks.model, detect_interval=0)))
        else:
            other = frame_by_frame(clip, replace(networks, device=counted.device))
        every += report(clip, one, other, counted, options.verbose)
    print(f"all: mean {np.mean(every):.4f}, p99 {np.quantile(every, 0.99):.3f}")


def report(
    clip: Path, one: Sequence[Analysis], other: Sequence[Analysis], counted: Counted, verbose: bool
) -> list[float]:
    assert [a.frame.time for a in one] == [a.frame.time for a in other]
    first, second = raw_values(one), raw_values(other)
    apart = [abs(first[key] - second[key]) for key in first.keys() & second.keys()]
    shown = apart or [0.0]
    faces, events = (
        [len({i for _, i in v}) for v in (first, second)],
        [sum(len(a.events) for a in s) for s in (one, other)],
    )
    missing = unmatched(one, other)
    print(
        f"{clip.name:26} {len(apart):8} {len(first.keys() ^ second.keys()):12} {np.mean(shown):6.4f} "
        f"{np.quantile(shown, 0.99):6.3f} {max(shown):6.3f} {faces[0]:4}/{faces[1]} {events[0]:5}/{events[1]} "
        f"{len(missing):8} {counted.passes / len(one):8.2f} {counted.checks / len(one):7.2f}",
        flush=True,
    )
    for line in missing if verbose else ():
        print("   ", line)
    return apart


if __name__ == "__main__":
    main()
