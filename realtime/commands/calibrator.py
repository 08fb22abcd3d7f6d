"""A calibration while a picture runs: key c of the live window, and ``mouth-live calibrate``."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ...models.errors import ProfileError
from ..lips.calibration import SECONDS, Calibration, Part
from ..lips.face_choice import FaceChoice
from ..lips.profiles import Profile, profile_path, save_profile
from ..records import Analysis
from ..session import open_session
from ..settings import AnalysisSettings
from ..sinks.sink import Sink
from ..sinks.window import Status, WindowSink, display_problem

log = logging.getLogger("mouth_live")

DEFAULT_NAME = "me"
RESULT_SECONDS = 4.0  # for which the result stays in the window


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """How a person is measured.

    Attributes:
        profile: the name to save the range under.
        camera: the source, as on the command line.
        no_window: give the instructions on the terminal alone.
        seconds: the length of each part.
    """

    profile: str = DEFAULT_NAME
    camera: str = "0"
    no_window: bool = False
    seconds: float = SECONDS


class Calibrator(Sink):
    """Measures and saves a person's range when asked to, and otherwise lets frames pass.

    Attributes:
        profile: the last range measured; None before.
        failure: why the last measurement failed; None if it did not.
        notice: the line to show with the newest frame; empty for none.
    """

    def __init__(
        self,
        name: str,
        model: str,
        seconds: float = SECONDS,
        on_profile: Callable[[Profile], object] = lambda _profile: None,
        once: bool = False,
    ) -> None:
        """Set the measurement up; :meth:`begin` starts it.

        Args:
            name: the name to save the range under.
            model: the name of the weights that read the person.
            seconds: the length of each part.
            on_profile: called with a range that was measured.
            once: begin at once, and be finished after that; a failure is kept, not logged.
        """
        self.profile: Profile | None = None
        self.failure: ProfileError | None = None
        self.notice = ""
        self._name, self._model, self._seconds = name, model, seconds
        self._on_profile, self._once = on_profile, once
        self._current: Calibration | None = None
        self._choice = FaceChoice()
        self._result_until = 0.0
        self._part: Part | None = None
        if once:
            self.begin()

    @property
    def is_finished(self) -> bool:
        """Whether the only measurement is over."""
        return self._once and self._current is None

    def begin(self) -> None:
        """Begin, or begin anew."""
        self._current = Calibration(self._name, self._model, self._seconds)
        self._choice, self._part, self.failure = FaceChoice(), None, None

    def write(self, analysis: Analysis) -> None:
        """Take a frame. While the camera gives none, nothing is measured."""
        if analysis.silent:
            return
        time = analysis.frame.time
        if self._current is None:
            if time >= self._result_until:
                self.notice = ""
            return
        part = self._current.take(self._choice.choose(analysis), time)
        if part is Part.DONE:
            self.notice, self._result_until = self._save(self._current), time + RESULT_SECONDS
            self._current = None
            return
        if part is not self._part:
            self._part = part
            log.info("%s for %g s", part.value, self._seconds)
        self.notice = self._current.prompt(time)

    def _save(self, calibration: Calibration) -> str:
        """Save what was measured and return the line to show."""
        try:
            self.profile = calibration.profile()
            path = save_profile(self.profile)
        except ProfileError as error:
            self.failure = error
            if not self._once:
                log.warning("%s", error)
            return str(error).partition(";")[0]  # what to try does not fit into the picture
        log.info("%s: closed %.2f, wide open %.2f", path, self.profile.closed, self.profile.wide)
        self._on_profile(self.profile)
        return f"profile {self._name!r} saved"


def run_calibration(plan: CalibrationPlan, settings: AnalysisSettings) -> None:
    """Measure a person and save the profile.

    Raises:
        ProfileError: the measurement is no good, or cannot be saved.
        SourceError: the camera cannot be read.
        SinkError: there is no display for the window.
        KeyboardInterrupt: by Ctrl-C, with nothing saved.
    """
    profile_path(plan.profile)  # a bad name is an error before the camera's light goes on
    problem = None if plan.no_window else display_problem()
    if problem:
        raise problem
    with open_session(plan.camera, settings, live=True) as session:
        calibrator = Calibrator(plan.profile, session.pipeline.model.name, plan.seconds, once=True)
        window = None if plan.no_window else WindowSink(status=lambda: Status(notice=calibrator.notice))
        session.run([calibrator, *([window] if window else [])])
    if session.interrupted:
        raise KeyboardInterrupt
    if calibrator.failure:
        raise calibrator.failure
    if window is not None and window.is_finished:
        raise ProfileError("calibration: ended by the user, nothing saved")
    if calibrator.profile is None:
        raise ProfileError(f"calibration: {session.source.name} ended before the {2 * plan.seconds:g} s were over")
