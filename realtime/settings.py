"""The settings of an analysis: one object for every command, for Python, and for child processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from ..models.faces import MIN_FACE, MIN_SCORE, Backend
from ..models.openness import DEFAULT_WEIGHTS, Device
from .lips.limits import DEFAULT_LIMITS, Kind, Limits


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Everything that the analysis of a source depends on, apart from its frames.

    Attributes:
        model: the weights of the openness network, by name or by the path of a ``.tflite`` file.
        device: where that network runs: ``"cpu"``, ``"gpu"`` or ``"auto"``.
        backend: the face detector: ``"litert"`` or ``"mediapipe"``.
        min_score: the lowest detection score of a face, between 0 and 1.
        min_face: the width in pixels of the smallest faces that must be found.
        profile: the name of a person's own range; None keeps the network's scale.
        limits: the kinds of events to detect, with their limits.
    """

    model: str = DEFAULT_WEIGHTS
    device: Device = "cpu"
    backend: Backend = "litert"
    min_score: float = MIN_SCORE
    min_face: int = MIN_FACE
    profile: str | None = None
    limits: Mapping[Kind, Limits] = field(default_factory=lambda: DEFAULT_LIMITS)

    def as_data(self) -> dict[str, Any]:
        """Return the settings as data that JSON can hold, for a child process."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return data | {"limits": {kind: asdict(limits) for kind, limits in self.limits.items()}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Make the settings from what :meth:`as_data` returned.

        Raises:
            TypeError: a name is not a setting.
            ValueError: the limits contradict each other.
        """
        given = dict(data)
        given["limits"] = {kind: Limits(**numbers) for kind, numbers in data["limits"].items()}
        return cls(**given)
