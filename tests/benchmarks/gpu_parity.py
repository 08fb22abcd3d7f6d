"""Compare the GPU's path with the CPU's on real pictures, on the library that Keras runs on; no GPU is needed.

    KERAS_BACKEND=jax python tests/benchmarks/gpu_parity.py [PICTURE_OR_VIDEO ...]

Without arguments it takes the pictures and clips of ``MOUTH_LIVE_SHARED``. It prints a table of differences: of the
detector's input, its key points and scores, the crops, the face check's log odds, openness and reliability.
"""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mouth_live.models import FaceFinder, crop_faces, load_openness_model
from mouth_live.models.blazeface import EXACT, BlazeFace, InputWindow, window_input
from mouth_live.models.face import Face, iou
from mouth_live.models.face_check import FaceCheck
from mouth_live.models.gpu import DetectorPass, FrameBatch, GpuFinder, GpuReader
from mouth_live.models.gpu.backend import backend_name, compiled, to_host
from mouth_live.models.gpu.network import GpuNetwork
from mouth_live.models.gpu.passes import lines_of, padded_lines
from mouth_live.models.gpu.windows import inputs
from mouth_live.models.rectangle import Rectangle
from mouth_live.models.rolls import turned, turned_back
from mouth_live.models.weights_file import DETECTOR, LiteRtNetwork, load_weights

EVERY = 25  # frames of a clip
ZERO = np.zeros(1, np.int32)
ROWS = {
    "input": "detector's input, grey values",
    "raw": "raw boxes and points, same input, pixels of 192",
    "logit": "logits, same input",
    "points": "key points, pixels of 192",
    "score": "detector's score",
    "crop": "crops, grey values",
    "evidence": "log odds, same key points",
    "openness": "openness, same key points",
    "reliability": "reliability, same key points",
    "network": "openness, same crops",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--pictures", type=int, default=60, help="take so many at most (default: 60)")
    options = parser.parse_args()
    paths = options.paths or shared()
    comparison = Comparison()
    for image in list(pictures(paths))[: options.pictures]:
        comparison.add(image)
    comparison.show()


def shared() -> list[Path]:
    folder = Path(os.environ.get("MOUTH_LIVE_SHARED", "../shared"))
    images = sorted((folder / "faces" / "images").rglob("*.jpg"))
    clips = [path for path in sorted((folder / "clips").iterdir()) if path.suffix in (".mp4", ".mkv", ".mov")]
    return images[:: max(1, len(images) // 20)] + clips


def pictures(paths: list[Path]) -> Iterator[np.ndarray]:
    for path in paths:
        if path.suffix in (".jpg", ".png"):
            image = cv2.imread(str(path))
            assert image is not None, path
            yield image
            continue
        capture = cv2.VideoCapture(str(path))
        for index in range(4 * EVERY):
            ok, image = capture.read()
            if ok and index % EVERY == 0:
                yield image


class Comparison:
    """Collects differences between the two paths."""

    def __init__(self) -> None:
        self.cpu, self.gpu = BlazeFace(), GpuFinder()
        self.check, self.finder = FaceCheck(), FaceFinder()
        self.model, self.reader = load_openness_model(), GpuReader()
        self.differences: dict[str, list[np.ndarray]] = defaultdict(list)
        self.faces = self.missed = self.extra = 0
        weights = load_weights(DETECTOR, "detection")
        self.litert, network = LiteRtNetwork(weights), GpuNetwork(weights)
        self.network = compiled(network)

    def add(self, image: np.ndarray) -> None:
        batch = FrameBatch.upload([image])
        passes = [DetectorPass(0, area, quarters, exact=exact) for area, quarters, exact in areas(image, self.finder)]
        found = self.gpu.detect(batch, passes)
        for one, faces in zip(passes, found, strict=True):
            self.compare_input(image, batch, one)
            area = one.area
            part = turned(padded(image, area), one.quarters)
            expected = [
                shifted(turned_back(face, one.quarters, area.width, area.height), area.left, area.top)
                for face in self.cpu.detect(part, one.exact)
            ]
            self.compare_faces(faces, expected, one.scale)
        faces = self.cpu.detect(image)
        if faces:
            self.compare_crops(image, batch, faces)

    def compare_input(self, image: np.ndarray, batch: FrameBatch, one: DetectorPass) -> None:
        part = turned(padded(image, one.area), one.quarters)
        exact = part.shape[0] * part.shape[1] <= EXACT if one.exact is None else one.exact
        expected, _ = window_input(InputWindow(part, 0, 0, one.scale, (192, 192), exact))
        lines = padded_lines([lines_of(one, batch.width, batch.height)])
        tensor = to_host(inputs(batch.pictures, ZERO, *lines, ZERO + one.quarters % 2 == 1, ZERO > 0))
        self.differences["input"].append(127.5 * np.abs(tensor - expected).reshape(-1))
        for mine, theirs in zip(self.network(tensor), self.litert(tensor), strict=True):
            difference = np.abs(to_host(mine) - theirs)
            self.differences["raw" if mine.shape[-1] > 1 else "logit"].append(difference.reshape(-1))

    def compare_faces(self, faces: list[Face], expected: list[Face], scale: float) -> None:
        left = list(faces)
        for face in expected:
            self.faces += 1
            same = max(left, key=lambda other: iou(other.box, face.box), default=None)
            if same is None or iou(same.box, face.box) < 0.5:
                self.missed += 1
                continue
            left.remove(same)
            self.differences["points"].append(np.linalg.norm(same.keypoints - face.keypoints, axis=1) / scale)
            self.differences["score"].append(np.array([abs(same.score - face.score)]))
        self.extra += len(left)

    def compare_crops(self, image: np.ndarray, batch: FrameBatch, faces: list[Face]) -> None:
        numbered = [(0, face) for face in faces]
        crops = crop_faces(image, faces)
        ours = self.reader.crops(batch, numbered)
        self.differences["crop"].append(np.abs(ours.astype(float) - crops).reshape(-1))
        expected = self.check.evidence(image, faces)
        self.differences["evidence"].append(np.abs(self.gpu.evidence(batch, numbered) - expected))
        cpu, gpu = self.model.read(crops), self.reader.read(batch, numbered)
        self.differences["openness"].append(np.abs(cpu.openness - gpu.openness))
        self.differences["reliability"].append(np.abs(cpu.reliability - gpu.reliability))
        self.differences["network"].append(np.abs(self.model.read(ours).openness - gpu.openness))

    def show(self) -> None:
        print(f"Keras on {backend_name()}: {self.faces} detections, {self.missed} missed, {self.extra} more\n")
        print(f"| {'difference':40} | mean | 99 % | largest |\n|---|---|---|---|")
        for name, title in ROWS.items():
            if name in self.differences:
                all_of_it = np.concatenate(self.differences[name])
                mean, most, largest = all_of_it.mean(), np.quantile(all_of_it, 0.99), all_of_it.max()
                print(f"| {title:40} | {mean:.6f} | {most:.6f} | {largest:.6f} |")


def areas(image: np.ndarray, finder: FaceFinder) -> Iterator[tuple[Rectangle, int, bool | None]]:
    """The passes of a full search: the whole, tiles, turned, padded; with the quarters, and how the CPU shrinks."""
    height, width = image.shape[:2]
    whole = Rectangle(0, 0, width, height)
    yield whole, 0, None
    for area in finder.tiles(image)[:4]:
        yield area, 0, False
    for quarters in (1, 2, 3):
        yield whole, quarters, None
    down, right = round(height / 2), round(width / 2)
    yield Rectangle(-right, -down, width + 2 * right, height + 2 * down), 0, None


def padded(image: np.ndarray, area: Rectangle) -> np.ndarray:
    """The area of a picture, black outside."""
    height, width = image.shape[:2]
    top, left = max(0, -area.top), max(0, -area.left)
    bottom, right = max(0, area.bottom - height), max(0, area.right - width)
    large = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(large[area.top + top : area.bottom + top, area.left + left : area.right + left])


def shifted(face: Face, right: int, down: int) -> Face:
    x, y, w, h = face.box
    return Face((x + right, y + down, w, h), face.keypoints + np.array([right, down], np.float32), face.score)


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"\n{time.perf_counter() - start:.0f} s")
