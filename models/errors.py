"""The exceptions of mouth-live.

Every error that a user can cause or mend is one of these::

    MouthLiveError            exit code 1
    ├── ModelError            a weights file is missing, damaged, unknown or of the wrong kind
    ├── DeviceError           the computing device that was asked for is not there
    ├── MissingExtraError     a feature needs an optional package that is not installed
    ├── DataError             training data are missing or malformed
    ├── ProfileError          a person's range is not there, damaged, or cannot be measured (realtime.profiles)
    ├── SourceError           a video, picture, folder or camera cannot be read   (realtime.errors)
    ├── SinkError             an output cannot be written or shown                (realtime.errors)
    │   └── ReceiverError     an app that an output goes to does not answer       (realtime.errors)
    │       └── RefusedError  ... or says no                                      (realtime.errors)
    └── UsageError            options that do not go together, exit code 2        (realtime.errors)

The message is one line that says what failed, with which file or device, and what to try.
"""


class MouthLiveError(Exception):
    """Root of all errors that mouth-live raises on purpose.

    Attributes:
        exit_code: what the command line returns for it.
    """

    exit_code: int = 1


class ModelError(MouthLiveError):
    """A weights file is missing, damaged, unknown or of the wrong kind."""


class DeviceError(MouthLiveError):
    """The computing device that was asked for is not there."""


class MissingExtraError(MouthLiveError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        """Say which extra brings ``feature``."""
        super().__init__(f"{feature} needs an optional package; install it with: pip install 'mouth-live[{extra}]'")


class DataError(MouthLiveError):
    """Training data are missing or malformed."""
