"""``mouth-live calibrate``, and key c of the live window."""

import logging
from contextlib import ExitStack, closing
from dataclasses import dataclass

from ...models.faces import FaceFinder
from ...models.openness import DEFAULT_WEIGHTS, load_openness_model
from ..lips.calibration import SECONDS, Calibration, Part
from ..lips.face_choice import FaceChoice
from ..lips.profiles import Profile, ProfileError, profile_path, save_profile
from ..pipeline import Pipeline
from ..records import Analysis
from ..sinks.window import WindowSink, display_problem
from ..video.cameras import open_camera
from ..video.reader import SILENCE, STALL, Relay

log = logging.getLogger("mouth_live")

DEFAULT_NAME = "me"
TOLD = 4.0  # s for which the result stays in the window


@dataclass(frozen=True, slots=True)
class CalibrateSettings:
    """How a person is measured.

    Attributes:
        profile: the name to keep it under.
        camera: the source, as on the command line.
        no_window: tell what to do on the terminal alone.
        seconds: the length of each part.
        model: weights by name or path.
    """

    profile: str = DEFAULT_NAME
    camera: str = "0"
    no_window: bool = False
    seconds: float = SECONDS
    model: str = DEFAULT_WEIGHTS


class Calibrator:
    """A calibration beside a running picture: begun, told about, kept.

    Attributes:
        profile: the last one measured; None before.
        failure: why the last one failed; None if it did not.
        running: whether one is on.
    """

    def __init__(self, name: str, model: str, seconds: float = SECONDS, warn: bool = True) -> None:
        """Say whose profile it will be, which weights (by name) read it, and whether to log a failure."""
        self._warn = warn
        self.profile: Profile | None = None
        self.failure: ProfileError | None = None
        self._name, self._model, self._seconds = name, model, seconds
        self._current: Calibration | None = None
        self._choice = FaceChoice()
        self._told: tuple[str, float] = ("", 0.0)  # the last notice and until when it stays
        self._part: Part | None = None

    @property
    def running(self) -> bool:
        """Whether a calibration is on."""
        return self._current is not None

    def begin(self) -> None:
        """Begin, or begin anew."""
        self._current = Calibration(self._name, self._model, self._seconds)
        self._choice, self._part, self.failure = FaceChoice(), None, None

    def take(self, analysis: Analysis) -> str:
        """Take in a frame; the line to show with it, empty for none."""
        time = analysis.frame.time
        if self._current is None:
            return self._told[0] if time < self._told[1] else ""
        part = self._current.take(self._choice.choose(analysis), time)
        if part is Part.DONE:
            self._told = self._keep(self._current), time + TOLD
            self._current = None
            return self._told[0]
        if part is not self._part:
            self._part = part
            log.info("%s for %g s", part.value, self._seconds)
        return self._current.prompt(time)

    def _keep(self, calibration: Calibration) -> str:
        """Save what was measured; what to tell."""
        try:
            self.profile = calibration.profile()
            path = save_profile(self.profile)
        except ProfileError as error:
            self.failure = error
            if self._warn:
                log.warning("%s", error)
            return str(error).partition(";")[0]  # what to try does not fit into the picture
        log.info("%s: closed %.2f, wide open %.2f", path, self.profile.closed, self.profile.wide)
        return f"profile {self._name!r} saved"


def run_calibrate(settings: CalibrateSettings) -> None:
    """Measure a person and save the profile.

    Raises:
        ProfileError: the measurement is no good, or cannot be saved.
        SourceError: the camera cannot be read.
        SinkError: there is no display for the window.
    """
    profile_path(settings.profile)  # a bad name is told before the camera's light goes on
    problem = None if settings.no_window else display_problem()
    if problem:
        raise problem
    with ExitStack() as stack:
        model = load_openness_model(settings.model)
        calibrator = Calibrator(settings.profile, model.name, settings.seconds, warn=False)
        video = stack.enter_context(open_camera(settings.camera))
        window = None if settings.no_window else stack.enter_context(WindowSink())
        ahead = stack.enter_context(Relay(video, depth=1, drop=True, stall=STALL, silence=SILENCE))
        calibrator.begin()
        for analysis in stack.enter_context(closing(Pipeline(FaceFinder(), model).run(ahead))):
            notice = calibrator.take(analysis)
            if not calibrator.running:
                break
            if window and not window.write(analysis, notice=notice):
                raise ProfileError("calibration: ended by the user, nothing saved")
    if calibrator.failure:
        raise calibrator.failure
    if calibrator.profile is None:
        raise ProfileError(f"calibration: {video.name} ended before the {2 * settings.seconds:g} s were over")
