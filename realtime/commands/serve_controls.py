"""What a live page may change: limits of events, smoothing, camera, recording, the configuration file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from ...models.errors import MouthLiveError, ProfileError
from ..lips.limits import HIGHEST_LEVEL, Kind, Limits
from ..lips.profiles import save_limits
from ..session import Session
from .calibrator import Calibrator
from .camera_choice import CameraChoice
from .config_edit import save_options
from .recorder import Recorder

DECIMALS = 3  # of levels, so that a file holds what the page shows
REQUESTS = ("limits", "smooth", "reset", "record", "save", "calibrate", "camera", "cameras", "picture")
LOWEST_CUTOFF, HIGHEST_CUTOFF = 0.05, 20.0  # Hz


class ServeControls:
    """Changes a running session. The web server's thread calls it."""

    def __init__(
        self,
        session: Session,
        limits: Mapping[Kind, Limits],
        recorder: Recorder,
        calibrator: Calibrator,
        cameras: CameraChoice,
        folder: Path,
        file: Path | None,
    ) -> None:
        """Take the session.

        Args:
            session: the running session.
            limits: its limits at the start.
            recorder: records on request.
            calibrator: measures a person's range on request.
            cameras: switches to another camera on request.
            folder: where the recorder writes.
            file: the configuration file to save to; None for none.
        """
        self._session, self._recorder, self._folder, self._file = session, recorder, folder, file
        self._calibrator, self._cameras = calibrator, cameras
        self._first = limits
        self._limits: Mapping[Kind, Limits] = self._first
        self._first_cutoff = session.pipeline.min_cutoff
        self._saved = ""

    def state(self) -> Mapping[str, Any]:
        """Return what the page shows."""
        recorder = self._recorder
        return {
            "limits": {
                kind: {"on": limits.on, "off": limits.off, "highest": HIGHEST_LEVEL[kind]}
                for kind, limits in self._limits.items()
            },
            "smooth": self._session.pipeline.min_cutoff,
            "recording": recorder.is_on,
            "take": recorder.names,
            "seconds": int(recorder.seconds) if recorder.is_on else 0,
            "folder": str(self._folder.resolve()),
            "recorded": recorder.notice,
            "file": str(self._file) if self._file else None,
            "profile": self._calibrator.name,
            "saved": self._saved,
            "calibration": self._calibrator.notice,
            "phase": phase.name.lower() if (phase := self._calibrator.phase) else None,
            "outputs": [
                {"name": output.name, "state": output.state, "sent": output.sent}
                for output in self._session.outputs.states
            ],
            **self._cameras.state(),
        }

    def handle(self, command: Mapping[str, Any]) -> None:
        """Do what a page asks for.

        Raises:
            ValueError: it cannot be done.
        """
        match command.get("type"):
            case "limits":
                self._set_limits(command)
            case "smooth":
                value = _number(command, "value", LOWEST_CUTOFF, HIGHEST_CUTOFF)
                self._session.pipeline.min_cutoff, self._saved = value, ""
            case "reset":
                self._limits, self._saved = self._first, ""
                self._session.pipeline.lips.use_limits(self._limits)
                self._session.pipeline.min_cutoff = self._first_cutoff
            case "record":
                self._record(command.get("on"))
            case "save":
                self._save(command.get("to"))
            case "calibrate":
                self._calibrator.request()
            case "camera":
                self._choose_camera(command.get("choice"))
            case "cameras":
                self._cameras.refresh()
            case _:
                raise ValueError(f"type: expected {', '.join(REQUESTS)}")

    def _record(self, on: object) -> None:
        if not isinstance(on, bool):
            raise ValueError(f"on: expected true or false, got {json.dumps(on)}")  # noqa: TRY004 (it is a page's mistake)
        if on and self._cameras.is_opening:
            raise ValueError("wait until the other camera is open, or failed to open")
        self._recorder.request(on)

    def _choose_camera(self, choice: object) -> None:
        if self._recorder.is_on:
            raise ValueError("end the recording before you choose another camera")
        self._cameras.choose(choice)

    def _set_limits(self, command: Mapping[str, Any]) -> None:
        kind: Kind | None = next((kind for kind in self._limits if kind == command.get("kind")), None)
        if kind is None:
            raise ValueError(f"kind: expected {' or '.join(self._limits)}")
        lowest = 10**-DECIMALS
        on = _number(command, "on", lowest, HIGHEST_LEVEL[kind])
        off = _number(command, "off", lowest, on)
        self._limits = {**self._limits, kind: replace(self._limits[kind], on=on, off=off)}
        self._session.pipeline.lips.use_limits({kind: self._limits[kind]})
        self._saved = ""

    def _save(self, to: object) -> None:
        if to == "profile":
            self._save_profile()
        elif to is None:
            self._save_file()
        else:
            raise ValueError(f"to: expected profile, or nothing for the file, got {json.dumps(to)}")

    def _save_profile(self) -> None:
        """Save the limits and the smoothing in the profile, beside the person's range."""
        pipeline, name = self._session.pipeline, self._calibrator.name
        try:
            save_limits(name, self._limits, pipeline.min_cutoff, pipeline.profile)
        except ProfileError as error:
            raise ValueError(str(error)) from None
        self._saved = f"saved in profile {name}; --profile {name} uses it"

    def _save_file(self) -> None:
        if self._file is None:
            raise ValueError("start with --save FILE.toml to keep the limits")
        options: dict[str, float | str] = {}
        for kind, limits in self._limits.items():
            prefix = "activity-" if kind == "activity" and len(self._limits) > 1 else ""
            options |= {f"{prefix}on": limits.on, f"{prefix}off": limits.off}
        options["smooth"] = self._session.pipeline.min_cutoff
        try:
            save_options(self._file, options, "serve")
        except MouthLiveError as error:
            raise ValueError(str(error)) from None
        self._saved = f"saved in {self._file}"


def _number(command: Mapping[str, Any], name: str, lowest: float, highest: float) -> float:
    value = command.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{name}: expected a number")
    if not lowest <= value <= highest:
        raise ValueError(f"{name}: expected {lowest:g} to {highest:g}, got {value:g}")
    return round(float(value), DECIMALS)
