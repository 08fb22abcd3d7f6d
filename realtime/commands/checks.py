"""``mouth-live doctor``: checks each link from the camera to the apps, one line each: fine, or what to do."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import Literal

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import MouthLiveError
from ...models.openness import DEFAULT_WEIGHTS, OpennessModel, load_openness_model
from ..lips.gates import Gates, head_turn
from ..lips.profiles import load_profile
from ..outputs.output import Output
from ..pipeline import Pipeline
from ..records import Analysis, Reading
from ..video.cameras import open_camera
from ..video.reader import SILENCE, STALL, Relay
from ..video.sources import VideoSource

WARM_UP = 0.4  # part of the time in which a camera still finds its exposure
SLOW = 20.0  # frames/s below which quick lip movements are missed
DARK, BRIGHT, BLACK = 55.0, 225.0, 12.0  # mean brightness, of 255
SMALL = 60.0  # pixels of a face's width below which the value gets rough
OFTEN = 0.8  # part of the frames in which the face must be found

State = Literal["fine", "look", "broken"]


@dataclass(frozen=True, slots=True)
class Check:
    """One link of the chain.

    Attributes:
        link: what was checked.
        state: ``"fine"``; ``"look"``: it works, but not well; ``"broken"``: nothing works beyond it.
        text: what was found, and what to do.
    """

    link: str
    state: State
    text: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.state:<7} {self.link:<11} {self.text}"


@dataclass(frozen=True, slots=True)
class DoctorSettings:
    """What to check.

    Attributes:
        camera: the source, as on the command line.
        profile: a person's profile, if one is to be used.
        outputs: the apps to reach.
        seconds: how long to look.
        model: weights by name or path.
    """

    camera: str = "0"
    profile: str | None = None
    outputs: Sequence[Output] = ()
    seconds: float = 3.0
    model: str = DEFAULT_WEIGHTS


@dataclass(slots=True)
class Look:
    """What was seen in some seconds of live video.

    Attributes:
        seconds: how long it was, by the clock on the wall.
        dropped: frames that came while others were read.
        brightness: mean brightness of the face, or without one of the picture, 0..255; one for each frame.
        readings: the largest face of each frame; None where there was none.
        faces: most faces in one frame.
    """

    seconds: float = 0.0
    dropped: int = 0
    brightness: list[float] = field(default_factory=list[float])
    readings: list[Reading | None] = field(default_factory=list["Reading | None"])
    faces: int = 0

    def take(self, analysis: Analysis) -> None:
        """Take in a frame."""
        reading = max(analysis.readings, key=lambda r: r.face.box[2], default=None)
        self.readings.append(reading)
        self.faces = max(self.faces, len(analysis.readings))
        self.brightness.append(_brightness(analysis.frame.image, reading))

    @property
    def settled(self) -> list[Reading]:
        """The readings after the warm-up."""
        return [r for r in self.readings[int(WARM_UP * len(self.readings)) :] if r is not None]


def run_doctor(settings: DoctorSettings) -> None:
    """Check everything and print a line for each link.

    Raises:
        MouthLiveError: a link is broken.
    """
    broken: list[str] = []
    for check in checks(settings):
        click.echo(str(check))
        if check.state == "broken":
            broken.append(check.link)
    if broken:
        raise MouthLiveError(f"doctor: broken: {', '.join(broken)}")


def checks(settings: DoctorSettings) -> Iterator[Check]:
    """The checks, each made when its turn comes."""
    yield from _check_picture(settings)
    yield _check_profile(settings.profile, settings.model)
    for output in settings.outputs:
        yield check_output(output)


def _check_picture(settings: DoctorSettings) -> Iterator[Check]:
    """Camera, rate, light, face and value; what comes after a broken camera is not checked."""
    try:
        with ExitStack() as stack:
            model = load_openness_model(settings.model)
            video = stack.enter_context(open_camera(settings.camera))
            look = _look(stack, video, model, settings.seconds)
    except MouthLiveError as error:
        yield Check("camera", "broken", str(error))
        for link in ("frame rate", "light", "face", "value"):
            yield Check(link, "look", "not checked: there is no picture")
        return
    yield Check("camera", "fine", f"{video.name}, {video.size[0]}x{video.size[1]}")
    yield check_rate(look)
    yield check_light(look)
    yield check_face(look)
    yield check_value(look)


def _look(stack: ExitStack, video: VideoSource, model: OpennessModel, seconds: float) -> Look:
    look, begin = Look(), monotonic()
    ahead = stack.enter_context(Relay(video, depth=1, drop=True, stall=STALL, silence=SILENCE))
    for analysis in stack.enter_context(closing(Pipeline(model=model).run(ahead))):
        if not analysis.silent:
            look.take(analysis)
        if monotonic() - begin >= seconds:
            break
    look.seconds, look.dropped = monotonic() - begin, ahead.dropped
    return look


def check_rate(look: Look) -> Check:
    """Whether frames come, and are read, quickly enough."""
    read = len(look.readings) / look.seconds
    given = (len(look.readings) + look.dropped) / look.seconds
    told = f"{given:.0f} frames/s, {read:.0f} of them read"
    if given < SLOW:
        return Check("frame rate", "look", f"{told}; more light, or a smaller picture: --size 640x480")
    if read < SLOW:
        return Check("frame rate", "look", f"{told}; close other programs, or --size 640x480")
    return Check("frame rate", "fine", told)


def check_light(look: Look) -> Check:
    """Whether the face is bright enough."""
    values = look.brightness[int(WARM_UP * len(look.brightness)) :]
    if not values:
        return Check("light", "broken", "no picture came; is the camera's cable loose?")
    mean = median(values)
    told = f"brightness {mean:.0f} of 255"
    if mean < BLACK:
        return Check("light", "broken", f"{told}: the picture is black; is a cover over the lens?")
    if mean < DARK:
        return Check("light", "look", f"{told}: dark; put a lamp before you, not behind you")
    if mean > BRIGHT:
        return Check("light", "look", f"{told}: too bright; turn the lamp away")
    return Check("light", "fine", told)


def check_face(look: Look) -> Check:
    """Whether there is a face that can be read well."""
    settled = look.settled
    rest = len(look.readings) - int(WARM_UP * len(look.readings))
    if not settled:
        return Check("face", "broken", "none seen; sit before the camera, face it, and see to light")
    width = median(r.face.box[2] for r in settled)
    told = f"{look.faces} seen" if look.faces > 1 else "seen"
    told += f", {width:.0f} pixels wide"
    if len(settled) < OFTEN * rest:
        return Check("face", "look", f"{told}, but in {100 * len(settled) // rest} % of the frames; face the camera")
    if width < SMALL:
        return Check("face", "look", f"{told}: small; come nearer")
    if median(head_turn(r.face) for r in settled) > Gates().max_turn:
        return Check("face", "look", f"{told}: turned away; face the camera")
    return Check("face", "fine", told)


def check_value(look: Look) -> Check:
    """Whether the openness that is read can be trusted."""
    settled = look.settled
    if not settled:
        return Check("value", "look", "not checked: there is no face")
    values = [r.openness for r in settled]
    told = f"openness {min(values):.2f} to {max(values):.2f}"
    gates = Gates()
    trusted = sum(gates.trust(r.face, r.reliability) for r in settled) / len(settled)
    if trusted < OFTEN:
        return Check(
            "value",
            "look",
            f"{told}, trusted in {100 * trusted:.0f} % of the frames; face the camera, nothing before the mouth",
        )
    return Check("value", "fine", told)


def _check_profile(name: str | None, model: str) -> Check:
    if name is None:
        return Check("profile", "fine", "none asked for: openness is on the network's own scale")
    try:
        profile = load_profile(name)
    except MouthLiveError as error:
        return Check("profile", "broken", str(error))
    told = f"{name!r}: closed {profile.closed:.2f}, wide open {profile.wide:.2f}"
    if profile.model and profile.model != model:
        return Check("profile", "look", f"{told}, measured with {profile.model}; calibrate again")
    return Check("profile", "fine", told)


def check_output(output: Output) -> Check:
    """Whether an app can be reached."""
    try:
        output.prepare()
        output.open(lambda: False)
    except (MouthLiveError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Check("output", "broken", f"{output.name}: {reason}")
    finally:
        output.close()
    found = "ready" if output.acknowledges else "sent to; its receiver never answers"
    return Check("output", "fine", f"{output.name}: {found}")


def _brightness(image: NDArray[np.uint8], reading: Reading | None) -> float:
    """Mean brightness of the face, or of the picture."""
    if reading is not None:
        x, y, w, h = (round(value) for value in reading.face.box)
        part = image[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)]
        image = part if part.size else image
    return float(np.mean(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)))
