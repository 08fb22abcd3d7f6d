"""The checks of ``mouth-live doctor``: each link from the camera to the apps, with one line that says what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import monotonic
from typing import Literal, Self

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.control_characters import escape_control_characters
from ...models.errors import MouthLiveError
from ...models.face import head_turn
from ..lips.gates import Gates
from ..lips.profiles import load_profile
from ..outputs.output import Output
from ..records import Analysis, Reading
from ..session import open_session
from ..settings import AnalysisSettings
from ..sinks.sink import Sink

WARM_UP_SHARE = 0.4  # of the time, in which a camera still adjusts its exposure
MIN_FRAME_RATE = 20.0  # frames/s; below it, quick lip movements are missed
MIN_BRIGHTNESS, MAX_BRIGHTNESS, BLACK_LEVEL = 55.0, 225.0, 12.0  # mean brightness, 0..255
MIN_FACE_WIDTH = 60.0  # pixels; openness is less accurate for narrower faces
MIN_SEEN_SHARE = 0.8  # of the frames, in which the face must be found

State = Literal["fine", "warn", "broken"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of the check of one link.

    Attributes:
        link: the link that was checked.
        state: ``"fine"``; ``"warn"``: it works, but not well; ``"broken"``: nothing works beyond it.
        text: what was found, and what to do.
    """

    link: str
    state: State
    text: str

    def __str__(self) -> str:
        """Return the result as one line."""
        return f"{self.state:<7} {self.link:<11} {self.text}"


class Observation(Sink):
    """A measurement of some seconds of live video.

    Attributes:
        seconds: the duration by the wall clock.
        dropped: the number of frames that were dropped to keep up.
        brightness: for each frame, the mean brightness of the face, or of the picture where there is none, 0..255.
        readings: for each frame, the reading of the largest face; None where there is none.
        faces: the most faces in one frame.
    """

    def __init__(self, seconds: float = 3.0) -> None:
        """Set the duration of the measurement in seconds."""
        self.seconds, self.dropped, self.faces = 0.0, 0, 0
        self.brightness: list[float] = []
        self.readings: list[Reading | None] = []
        self._limit = seconds
        self._begin = monotonic()

    def __enter__(self) -> Self:
        """Start the measurement."""
        self._begin = monotonic()
        return self

    @property
    def is_finished(self) -> bool:
        """Whether the duration is over."""
        self.seconds = monotonic() - self._begin
        return self.seconds >= self._limit

    def write(self, analysis: Analysis) -> None:
        """Measure one frame."""
        if analysis.silent:
            return
        reading = max(analysis.readings, key=lambda r: r.face.box[2], default=None)
        self.readings.append(reading)
        self.faces = max(self.faces, len(analysis.readings))
        self.brightness.append(_brightness(analysis.frame.image, reading))

    @property
    def settled(self) -> list[Reading]:
        """The readings after the warm-up."""
        return [r for r in self.readings[int(WARM_UP_SHARE * len(self.readings)) :] if r is not None]


def run_doctor(
    settings: AnalysisSettings, camera: str = "0", seconds: float = 3.0, outputs: Sequence[Output] = ()
) -> None:
    """Check everything and print a line for each link.

    Args:
        settings: the settings of the analysis.
        camera: the source, as on the command line.
        seconds: the duration of the measurement.
        outputs: the apps to reach.

    Raises:
        MouthLiveError: a link is broken.
    """
    broken: list[str] = []
    for check in _checks(settings, camera, seconds, outputs):
        click.echo(escape_control_characters(str(check)))
        if check.state == "broken":
            broken.append(check.link)
    if broken:
        raise MouthLiveError(f"doctor: broken: {', '.join(broken)}")


def _checks(settings: AnalysisSettings, camera: str, seconds: float, outputs: Sequence[Output]) -> Iterator[Check]:
    """Yield the results, making each check when it is requested."""
    yield from _check_picture(replace(settings, profile=None), camera, seconds)
    yield _check_profile(settings.profile, settings.model)
    for output in outputs:
        yield check_output(output)


def _check_picture(settings: AnalysisSettings, camera: str, seconds: float) -> Iterator[Check]:
    """Check camera, frame rate, light, face and value; only the camera where it is broken."""
    try:
        with open_session(camera, settings, live=True) as session:
            seen = Observation(seconds)
            session.run([seen])
            seen.dropped = session.dropped
    except MouthLiveError as error:
        yield Check("camera", "broken", str(error))
        for link in ("frame rate", "light", "face", "value"):
            yield Check(link, "warn", "not checked: there is no picture")
        return
    if session.interrupted:
        raise KeyboardInterrupt
    width, height = session.source.size
    yield Check("camera", "fine", f"{session.source.name}, {width}x{height}")
    yield check_rate(seen)
    yield check_light(seen)
    yield check_face(seen)
    yield check_value(seen)


def check_rate(seen: Observation) -> Check:
    """Check whether frames arrive, and are analysed, quickly enough."""
    read = len(seen.readings) / seen.seconds
    given = (len(seen.readings) + seen.dropped) / seen.seconds
    found = f"{given:.0f} frames/s, {read:.0f} of them read"
    if given < MIN_FRAME_RATE:
        return Check("frame rate", "warn", f"{found}; add light, or use a smaller picture: --size 640x480")
    if read < MIN_FRAME_RATE:
        return Check("frame rate", "warn", f"{found}; close other programs, or use --size 640x480")
    return Check("frame rate", "fine", found)


def check_light(seen: Observation) -> Check:
    """Check whether the face is bright enough."""
    values = seen.brightness[int(WARM_UP_SHARE * len(seen.brightness)) :]
    if not values:
        return Check("light", "broken", "no picture came; is the camera's cable loose?")
    mean = median(values)
    found = f"brightness {mean:.0f} of 255"
    if mean < BLACK_LEVEL:
        return Check("light", "broken", f"{found}: the picture is black; is there a cover over the lens?")
    if mean < MIN_BRIGHTNESS:
        return Check("light", "warn", f"{found}: dark; put a lamp in front of you, not behind you")
    if mean > MAX_BRIGHTNESS:
        return Check("light", "warn", f"{found}: too bright; turn the lamp away")
    return Check("light", "fine", found)


def check_face(seen: Observation) -> Check:
    """Check whether there is a face that can be read well."""
    settled = seen.settled
    rest = len(seen.readings) - int(WARM_UP_SHARE * len(seen.readings))
    if not settled:
        return Check("face", "broken", "none seen; sit in front of the camera, face it, and add light")
    width = median(r.face.box[2] for r in settled)
    found = f"{seen.faces} seen" if seen.faces > 1 else "seen"
    found += f", {width:.0f} pixels wide"
    if len(settled) < MIN_SEEN_SHARE * rest:
        share = 100 * len(settled) // rest
        return Check("face", "warn", f"{found}, but only in {share} % of the frames; face the camera")
    if width < MIN_FACE_WIDTH:
        return Check("face", "warn", f"{found}: small; come nearer")
    if median(head_turn(r.face) for r in settled) > Gates().max_turn:
        return Check("face", "warn", f"{found}: turned away; face the camera")
    return Check("face", "fine", found)


def check_value(seen: Observation) -> Check:
    """Check whether the openness can be trusted."""
    settled = seen.settled
    if not settled:
        return Check("value", "warn", "not checked: there is no face")
    values = [r.openness for r in settled]
    found = f"openness {min(values):.2f} to {max(values):.2f}"
    gates = Gates()
    trusted = sum(gates.trust(r.face, r.reliability) for r in settled) / len(settled)
    if trusted < MIN_SEEN_SHARE:
        return Check(
            "value",
            "warn",
            f"{found}, trusted in {100 * trusted:.0f} % of the frames; face the camera and keep the mouth uncovered",
        )
    return Check("value", "fine", found)


def _check_profile(name: str | None, model: str) -> Check:
    if name is None:
        return Check("profile", "fine", "none asked for: openness is on the network's own scale")
    try:
        profile = load_profile(name)
    except MouthLiveError as error:
        return Check("profile", "broken", str(error))
    found = f"{name!r}: closed {profile.closed:.2f}, wide open {profile.wide:.2f}"
    if profile.model and profile.model != model:
        return Check("profile", "warn", f"{found}, measured with {profile.model}; calibrate again")
    return Check("profile", "fine", found)


def check_output(output: Output) -> Check:
    """Check whether an app can be reached."""
    try:
        output.prepare()
        output.open(lambda: False)
    except (MouthLiveError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Check("output", "broken", f"{output.name}: {reason.removeprefix(f'{output.name}: ')}")
    finally:
        output.close()
    found = "ready" if output.acknowledges else "sent to; its receiver never answers"
    return Check("output", "fine", f"{output.name}: {found}")


def _brightness(image: NDArray[np.uint8], reading: Reading | None) -> float:
    """Return the mean brightness of the face, or of the picture without one, 0..255."""
    if reading is not None:
        x, y, w, h = (round(value) for value in reading.face.box)
        part = image[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)]
        image = part if part.size else image
    return float(np.mean(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)))
