"""The exceptions of mouth-live, all of them.

Every error that a user can cause or mend is one of these::

    MouthLiveError                  exit code 1
    ├── ClusterError                the workers of a cluster cannot be reached, or do not fit this machine
    ├── DataError                   training data are missing or malformed
    ├── DeviceError                 the computing device that was asked for is not there, or failed
    │   └── OutOfDeviceMemoryError  it has too little memory for what it is given at a time
    ├── MissingExtraError           a feature needs an optional package that is not installed
    ├── ModelError                  a weights file is missing, damaged, unknown or of the wrong kind
    ├── ProfileError                a person's range is missing, damaged or cannot be measured
    ├── SinkError                   an output cannot be written or shown
    │   ├── BusyError               another run writes this output
    │   └── ReceiverError           the receiver of an output does not answer; it is tried again
    │       ├── ClosedError         the receiver closed the connection
    │       └── RefusedError        the receiver said no; it is not tried again
    ├── SomeFailedError             some inputs of several failed (exit code 3)
    ├── SourceError                 a video, picture, folder or camera cannot be read
    │   ├── DecodingError           a GPU does not decode a video as the CPU does
    │   ├── IncompleteVideoError    a video ended early; all frames before it were delivered
    │   └── StretchError            two processes decoded different frames of one recording
    ├── TableError                  a table of readings is missing, damaged, or of another kind
    └── UsageError                  options that do not go together (exit code 2)

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
    """The computing device that was asked for is not there, or failed."""


class OutOfDeviceMemoryError(DeviceError):
    """The computing device has too little memory for what it is given at a time."""


class MissingExtraError(MouthLiveError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str = "", package: str = "") -> None:
        """Name the extra that brings ``feature``, or a package of others."""
        wanted = package or f"'mouth-live[{extra}]'"
        super().__init__(f"{feature} needs an optional package; install it with: pip install {wanted}")


class ClusterError(MouthLiveError):
    """The workers of a cluster cannot be reached, or do not fit this machine."""


class DataError(MouthLiveError):
    """Training data are missing or malformed."""


class ProfileError(MouthLiveError):
    """A person's range is missing, damaged or cannot be measured."""


class SourceError(MouthLiveError):
    """A video, picture, folder or camera cannot be read."""


class DecodingError(SourceError):
    """A GPU does not decode a video as the CPU does, so that the CPU must."""


class IncompleteVideoError(SourceError):
    """A video ended early; all frames before it were delivered."""


class StretchError(SourceError):
    """Two processes decoded different frames of one recording, so that it must be analysed by one."""


class TableError(MouthLiveError):
    """A table of readings is missing, damaged, or of another kind."""


class SinkError(MouthLiveError):
    """An output cannot be written or shown."""


class BusyError(SinkError):
    """Another run writes this output."""


class ReceiverError(SinkError):
    """The receiver of an output does not answer, or not as it should; it is tried again."""


class ClosedError(ReceiverError):
    """The receiver of an output closed the connection.

    Attributes:
        code: its WebSocket close code.
    """

    def __init__(self, code: int, reason: str) -> None:
        """Keep the code."""
        super().__init__(f"the connection was closed ({reason or code})")
        self.code = code


class RefusedError(ReceiverError):
    """The receiver of an output said no and would say so again; it is not tried again."""


class UsageError(MouthLiveError):
    """Options that do not go together."""

    exit_code = 2


class SomeFailedError(MouthLiveError):
    """Some inputs of several failed; the others are done."""

    exit_code = 3
