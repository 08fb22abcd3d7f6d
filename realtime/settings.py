"""The settings of an analysis: one object for every command, for Python, and for child processes; and its networks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from ..models.faces import MIN_FACE, MIN_SCORE, Backend, FaceFinder
from ..models.openness import DEFAULT_WEIGHTS, OpennessModel, load_openness_model, missing_for_gpu, usable_device
from ..models.openness import Device as DeviceName
from .faces.batches.device import Device, keras_device
from .lips.limits import DEFAULT_LIMITS, Kind, Limits


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Everything that the analysis of a source depends on, apart from its frames.

    Attributes:
        model: the weights of the openness network, by name or by the path of a ``.tflite`` file.
        device: where the networks run: ``"cpu"``, ``"gpu"`` or ``"auto"``: on the CPU, unless a command finds that
            a GPU takes less time for its recordings. Of live video a GPU runs the openness network only.
        backend: the face detector: ``"litert"`` or ``"mediapipe"``.
        min_score: the lowest detection score of a face, between 0 and 1.
        min_face: the width in pixels of the smallest faces that must be found.
        profile: the name of a person's own range; None keeps the network's scale.
        limits: the kinds of events to detect, with their limits.
        gpu_memory: the most bytes to take of a GPU's memory; None: what the work needs.
    """

    model: str = DEFAULT_WEIGHTS
    device: DeviceName = "cpu"
    backend: Backend = "litert"
    min_score: float = MIN_SCORE
    min_face: int = MIN_FACE
    profile: str | None = None
    limits: Mapping[Kind, Limits] = field(default_factory=lambda: DEFAULT_LIMITS)
    gpu_memory: int | None = None

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


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of an analysis, loaded once for any number of sources in turn.

    Attributes:
        finder: the face detector.
        model: the openness network.
        device: finds and reads the faces of videos on a GPU, many frames at a time; None: the two above do it.
    """

    finder: FaceFinder
    model: OpennessModel
    device: Device | None = None


def load_networks(settings: AnalysisSettings, *, live: bool = False) -> Networks:
    """Load the networks that the settings name.

    Args:
        settings: those of the analysis.
        live: whether they are for live video, of which a GPU only reads the openness.

    Raises:
        ModelError: there are no such weights, or they are damaged.
        DeviceError: a GPU was requested and there is none.
        MissingExtraError: the detector's package is not installed.
    """
    finder = FaceFinder(settings.min_score, settings.backend, min_face=settings.min_face)
    wanted = "cpu" if settings.device == "auto" else settings.device
    if settings.gpu_memory and wanted != "cpu" and not missing_for_gpu():
        from ..models.gpu import limit_gpu_memory

        limit_gpu_memory(settings.gpu_memory)
    chosen = usable_device(wanted)
    if chosen == "cpu" or live or settings.backend != "litert":
        return Networks(finder, load_openness_model(settings.model, chosen))
    device = keras_device(settings.model, settings.min_score, settings.min_face, settings.gpu_memory)
    return Networks(finder, load_openness_model(settings.model), device)
