"""``mouth-live train``: train an openness network or the face check on labelled faces."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ...models.errors import DataError
from .options import refuse_unknown_model


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder with labels.csv and images/, or a table made by label.",
)
@click.option(
    "--preset",
    type=click.Choice(["compact", "reference", "face-check"]),
    default="compact",
    show_default=True,
    help="Network, optimiser and schedule: compact or reference for the openness, or face-check.",
)
@click.option("--exclude", multiple=True, metavar="SET", help="Leave a set out; may be repeated.")
@click.option("--permissive", is_flag=True, help="Leave out all sets that are for research only or state no terms.")
@click.option(
    "--landmarks",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A landmark model's points (see models/training/landmarks.py); may be repeated for a second model's.",
)
@click.option(
    "--from",
    "base",
    metavar="MODEL",
    help="Start from these weights ('shipped', a name or a .tflite file): fine-tune them to your own faces where "
    "--data is a table made by label, or train them further where it is a folder.",
)
@click.option(
    "--videos", type=click.Path(path_type=Path), help="With --from: folder of the videos that the table names."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="With --from: folder of labelled faces whose readings must stay good; default: those of the weights.",
)
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="Folder for the results; default runs/PRESET."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split, the order and augmentation.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Cross-validation: train N networks, each without some of the people, and read those people with it "
    "(left_out.csv). The same command continues where it was stopped.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing run in that folder.")
def train(
    data: Path,
    preset: str,
    exclude: tuple[str, ...],
    permissive: bool,
    landmarks: tuple[Path, ...],
    base: str | None,
    videos: Path | None,
    keep: Path | None,
    run_folder: Path | None,
    seed: int,
    folds: int | None,
    overwrite: bool,
) -> None:
    """Train a network on labelled faces (extra [train]): weights, history, curve and report in a folder.

    \b
    mouth-live train --data FACES                          a new network
    mouth-live train --from shipped --data mine.csv        the shipped one, fine-tuned to your own labelled faces
    mouth-live train --from shipped --data FACES           the shipped one, trained further
    mouth-live train --preset face-check --data FACES      the face check, which verifies detections
    """  # noqa: D301
    _refuse_missing({"--data": [data], "--landmarks": landmarks, "--videos": [videos], "--keep": [keep]})
    if base == "shipped":
        from ...models.openness import DEFAULT_WEIGHTS

        base = DEFAULT_WEIGHTS
    if base is not None:
        from ...models.weights_file import load_weights

        refuse_unknown_model(base, "--from")
        load_weights(base, "openness")  # before the packages for training, which take seconds to load
    if base is not None and not data.is_dir():
        _refuse(
            ("preset", "exclude", "permissive", "landmarks", "folds"),
            "needs a folder of faces; it cannot be used with a table made by label",
        )
        from ...models.training.fine_tune import fine_tune
        from ..video.frames_at import frames_at

        fine_tune(base, data, run_folder or Path("runs") / "fine-tuned", frames_at, videos, keep, seed, overwrite)
        return
    if videos or keep:
        raise click.UsageError("--videos and --keep need --from and a table made by label")
    if base and permissive:
        raise click.UsageError("--permissive is for a new network; the one of --from may be trained on all sets")
    from ...models.training.network import FACE_CHECK

    if preset == FACE_CHECK.name:
        _refuse(
            ("from", "exclude", "permissive", "landmarks", "folds"),
            "is for networks of the openness; it cannot be used with --preset face-check",
        )
        from ...models.training.face_check import train_face_check

        train_face_check(data, run_folder or Path("runs") / preset, FACE_CHECK, seed, overwrite)
        return
    from ...models.training.data import not_permissive
    from ...models.training.train import train as run_training

    left_out = {*exclude, *(not_permissive(data) if permissive else ())}
    run_training(
        data, run_folder or Path("runs") / preset, preset, seed, overwrite, left_out, landmarks, base, folds or 0
    )


def _refuse(names: Sequence[str], reason: str) -> None:
    """Raise a usage error where one of these options is given."""
    context = click.get_current_context()
    for name in names:
        parameter = "base" if name == "from" else name
        if context.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} {reason}")


def _refuse_missing(inputs: Mapping[str, Sequence[Path | None]]) -> None:
    """Raise an error for an input that is not there, before minutes of work."""
    for option, paths in inputs.items():
        for path in paths:
            if path is not None and not path.exists():
                raise DataError(f"{path}: no such file or folder; check {option}")
