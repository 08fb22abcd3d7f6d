"""See the labels before training on them: how openness is spread over the sets, and the mouths themselves.

    python -m mouth_live.models.training.data_view FACES OUT

writes ``histogram.png`` (openness by set, people's labels and a landmark model's apart), ``contact_sheet.png`` (mouths
in order of their label, so that a wrong one stands out) and, where both labels are known, ``disagreement.png`` (people
and landmark model furthest apart: the number on the left is people's). Source of the habit: Karpathy 2019, "A Recipe
for Training Neural Networks": become one with the data.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..whole_file import whole_file
from . import extra_packages
from .augment import plain
from .data import LabelledFace, read_labels
from .patches import Patches, cut_patches

SHEET_COLUMNS, SHEET_ROWS = 16, 12
BINS = 20


def view(folder: Path, out: Path, seed: int = 0) -> list[Path]:
    """Write the pictures.

    Args:
        folder: with ``labels.csv`` and the pictures.
        out: folder for the pictures; made if its parent exists.
        seed: of the choice of mouths for the contact sheet.

    Returns:
        The files written.

    Raises:
        DataError: the labels cannot be read, or the folder cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    labels = read_labels(folder)
    extra_packages.new_figure(1, 1)
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot make this folder ({error.strerror})") from None
    written = [out / "histogram.png", out / "contact_sheet.png"]
    _histogram(labels, written[0])
    rows: list[int] = np.random.default_rng(seed).permutation(len(labels))[: SHEET_COLUMNS * SHEET_ROWS].tolist()
    chosen = sorted((labels[i] for i in rows), key=lambda face: face.openness)
    _sheet_of(chosen, written[1])
    furthest = sorted((face for face in labels if face.by_people and face.measured is not None), key=_disagreement)
    if furthest:
        furthest = furthest[: -SHEET_COLUMNS * SHEET_ROWS - 1 : -1]
        written.append(out / "disagreement.png")
        _sheet_of(furthest, written[2])
    return written


def _sheet_of(labels: Sequence[LabelledFace], path: Path) -> None:
    """Draw the mouths with their labels, people's first."""
    patches = cut_patches(labels)
    values = [[face.openness] if face.measured is None else [face.openness, face.measured] for face in patches.faces]
    contact_sheet(patches, [" ".join(f"{value:.2f}" for value in both) for both in values], path)


def _disagreement(face: LabelledFace) -> float:
    return abs(face.openness - (face.openness if face.measured is None else face.measured))


def _histogram(labels: Sequence[LabelledFace], path: Path) -> None:
    """Draw openness by set: counts on a logarithmic scale, people's labels before the landmark model's."""
    sources = sorted({face.source for face in labels})
    rows = -(-len(sources) // 4)
    figure = extra_packages.new_figure(12, 2 * rows)
    for axes, source in zip(figure.subplots(rows, 4, squeeze=False).ravel(), sources, strict=False):
        for people, colour in ((True, "tab:blue"), (False, "tab:orange")):
            values = [face.openness for face in labels if face.source == source and face.by_people == people]
            if values:
                axes.hist(values, bins=np.linspace(0, 1, BINS + 1), color=colour, log=True)
        axes.set_title(f"{source} ({sum(face.source == source for face in labels)})", fontsize=9)
    with whole_file(path) as part:
        figure.savefig(part)


def contact_sheet(patches: Patches, captions: Sequence[str], path: Path) -> None:
    """Draw mouths in rows, a caption on each.

    Args:
        patches: the mouths.
        captions: one each.
        path: the ``.png`` to write.

    Raises:
        DataError: it cannot be written.
    """
    tiles = [_tile(crop, text) for crop, text in zip(plain(patches.images), captions, strict=True)]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % SHEET_COLUMNS)
    sheet = np.vstack([np.hstack(tiles[i : i + SHEET_COLUMNS]) for i in range(0, len(tiles), SHEET_COLUMNS)])
    code = cv2.imencode(".png", sheet)[1]
    with whole_file(path) as part:
        part.write_bytes(code.tobytes())


def _tile(crop: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Draw one mouth enlarged with its caption under it, (112, 100, 3) uint8 BGR."""
    tile = np.zeros((112, 100, 3), np.uint8)
    tile[:96, 2:98] = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (96, 96), interpolation=cv2.INTER_CUBIC)
    cv2.putText(tile, text, (4, 108), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def _main() -> None:
    parser = argparse.ArgumentParser(description="See the labels: histograms and contact sheets.")
    parser.add_argument("faces", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    options = parser.parse_args()
    view(options.faces, options.out)


if __name__ == "__main__":
    _main()
