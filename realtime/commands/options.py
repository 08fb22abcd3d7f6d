"""Options that several commands take."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """WIDTHxHEIGHT, such as 1280x720."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        """To (width, height) in pixels."""
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        width, _, height = str(value).lower().partition("x")
        if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
            self.fail(f"expected WIDTHxHEIGHT such as 1280x720, got {value!r}", param, ctx)
        return int(width), int(height)


model_option = click.option(
    "--model", default="openness_compact", show_default=True, help="Weights by name, or a .tflite file."
)
_backend_option = click.option(
    "--backend",
    type=click.Choice(["litert", "mediapipe"]),
    default="litert",
    show_default=True,
    help="What finds the faces. mediapipe (extra [mediapipe]) reports its use to Google over the network; litert sends "
    "nothing.",
)
_min_score_option = click.option(
    "--min-score",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Leave out faces that the detector scores lower.",
)
_min_face_option = click.option(
    "--min-face",
    type=click.IntRange(min=12),
    default=40,
    show_default=True,
    metavar="PIXELS",
    help="Find faces down to this width. Large frames are searched part by part, each every 2 s while it "
    "changes; smaller takes longer.",
)


class FaceMode(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """Who drives an output with one slot."""

    name = "largest|centre|ID|anyone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """The mode as it is, checked."""
        text = str(value).lower()
        if text not in ("largest", "centre", "anyone") and not (text.isascii() and text.isdigit()):
            self.fail(f"expected largest, centre, anyone or a face id such as 0, got {value!r}", param, ctx)
        return text


face_option = click.option(
    "--face",
    type=FaceMode(),
    help="Who drives an output that has room for one face; kept until lost for 1 s. Default: largest.",
)
profile_option = click.option(
    "--profile",
    metavar="NAME",
    help="Fit openness to this person's own range, measured with: mouth-live calibrate --profile NAME. It is used for "
    "every face.",
)


def device_option(default: str) -> Callable[[AnyFunction], AnyFunction]:
    """``--device``: a GPU reads a single face later than a CPU, so that it is for recordings, which come in batches."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "gpu"]),
        default=default,
        show_default=True,
        help="Where the openness network runs. A GPU pays for many videos at once; auto takes one if Keras sees it.",
    )


def analysis_options(function: AnyFunction) -> AnyFunction:
    """Add what live and recorded video share: the weights, how faces are found, the profile."""
    shared = (model_option, _backend_option, _min_score_option, _min_face_option, profile_option)
    for option in reversed(shared):
        function = option(function)
    return function
