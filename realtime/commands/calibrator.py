"""The calibration in a session, for key c of the live window and for ``mouth-live calibrate``."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...models.errors import ProfileError
from ..lips.calibration import PHASE_SECONDS, Calibration, CalibrationPhase
from ..lips.face_choice import FaceChoice
from ..lips.profiles import Profile, is_measured, profile_path, save_profile, with_limits_kept
from ..records import Analysis
from ..settings import AnalysisSettings
from ..sinks.sink import Sink
from ..sinks.window.window_sink import WindowSink, WindowStatus
from .live_source import open_live

log = logging.getLogger("mouth_live")

DEFAULT_NAME = "me"
RESULT_SECONDS = 4.0  # s for which the window shows the result


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """The options of a calibration.

    Attributes:
        profile: the name to save the range under.
        camera: the source, as on the command line.
        no_window: show the instructions only on the terminal.
        seconds: the duration of each phase.
        overwrite: replace a profile of that name.
    """

    profile: str = DEFAULT_NAME
    camera: str = "0"
    no_window: bool = False
    seconds: float = PHASE_SECONDS
    overwrite: bool = False


class Calibrator(Sink):
    """Measure a person's range on request and save it; ignore frames at other times.

    Attributes:
        name: the name to save the range under.
        profile: the last measured range; None before.
        failure: the error of the last measurement; None if it succeeded.
        notice: the line to show with the newest frame; empty for none.
    """

    def __init__(
        self,
        name: str,
        model: str,
        seconds: float = PHASE_SECONDS,
        on_profile: Callable[[Profile], object] = lambda _profile: None,
        once: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Set the measurement up; :meth:`begin` starts it.

        Args:
            name: the name to save the range under.
            model: the name of the weights that read the person.
            seconds: the duration of each phase.
            on_profile: called with each measured range.
            once: start at once, and finish after one measurement; its error is kept, not logged.
            overwrite: replace a profile that was there before; otherwise the new range only holds until the end.
        """
        self.profile: Profile | None = None
        self.failure: ProfileError | None = None
        self.notice = ""
        self.name, self._model, self._seconds = name, model, seconds
        self._on_profile, self._once, self._overwrite = on_profile, once, overwrite
        self._current: Calibration | None = None
        self._requested = False
        self._choice = FaceChoice()
        self._result_until = 0.0
        self._phase: CalibrationPhase | None = None
        if once:
            self.begin()

    @property
    def is_finished(self) -> bool:
        """Whether the single measurement is over."""
        return self._once and self._current is None

    @property
    def phase(self) -> CalibrationPhase | None:
        """What the person is asked to do now; None while nothing is measured."""
        return self._phase if self._current else None

    def request(self) -> None:
        """Begin with the next frame; any thread may call this."""
        self._requested = True

    def begin(self) -> None:
        """Start or restart the measurement."""
        self._current = Calibration(self.name, self._model, self._seconds)
        self._choice, self._phase, self.failure = FaceChoice(), None, None

    def write(self, analysis: Analysis) -> None:
        """Measure one frame; nothing is measured while the camera gives no picture."""
        if analysis.silent:
            return
        time = analysis.frame.time
        if self._requested:
            self._requested = False
            self.begin()
        if self._current is None:
            if time >= self._result_until:
                self.notice = ""
            return
        phase = self._current.take(self._choice.choose(analysis), time)
        if phase is CalibrationPhase.DONE:
            self.notice, self._result_until = self._save(self._current), time + RESULT_SECONDS
            self._current = None
            return
        if phase is not self._phase:
            self._phase = phase
            log.info("%s for %g s", phase.value, self._seconds)
        self.notice = self._current.prompt(time)

    def _save(self, calibration: Calibration) -> str:
        """Save the measured range and return the line to show."""
        try:
            self.profile = calibration.profile()
            path = self._keep_or_replace(self.profile)
        except ProfileError as error:
            self.failure = error
            if not self._once:
                log.warning("%s", error)
            return str(error).partition(";")[0]  # the rest, what to try, does not fit into the picture
        self._on_profile(self.profile)
        if path is None:
            log.warning(
                "profile %r exists already and is kept; the new range holds until the end (--overwrite saves it)",
                self.name,
            )
            return f"calibrated; profile {self.name!r} kept"
        log.info("%s: closed %.2f, wide open %.2f", path, self.profile.closed, self.profile.wide)
        return f"profile {self.name!r} saved"

    def _keep_or_replace(self, profile: Profile) -> Path | None:
        """Save the profile and return its path; None where an earlier one is kept."""
        if is_measured(profile.name) and not self._overwrite:
            return None
        self._overwrite = True  # what this program saved itself, it may replace
        return save_profile(with_limits_kept(profile))


def run_calibration(plan: CalibrationPlan, settings: AnalysisSettings) -> None:
    """Measure a person and save the profile.

    Raises:
        ProfileError: the measurement failed, there is a profile of that name, or the profile cannot be saved.
        SourceError: the camera cannot be read.
        SinkError: there is no display for the window.
        KeyboardInterrupt: by Ctrl-C, with nothing saved.
    """
    # A bad name and an earlier profile are errors before the camera is opened.
    if profile_path(plan.profile).exists() and not plan.overwrite:
        raise ProfileError(
            f"profile {plan.profile!r} exists already; --overwrite replaces it, or give another --profile NAME"
        )
    with open_live(plan.camera, settings, window=not plan.no_window) as session:
        calibrator = Calibrator(
            plan.profile, session.pipeline.model.name, plan.seconds, once=True, overwrite=plan.overwrite
        )
        window = None if plan.no_window else WindowSink(status=lambda: WindowStatus(notice=calibrator.notice))
        session.run([calibrator, *([window] if window else [])])
    if session.interrupted:
        raise KeyboardInterrupt
    if calibrator.failure:
        raise calibrator.failure
    if window is not None and window.is_finished:
        raise ProfileError("calibration: ended by the user, nothing saved")
    if calibrator.profile is None:
        raise ProfileError(f"calibration: {session.source.name} ended before the {2 * plan.seconds:g} s were over")
