"""The exceptions of the realtime half; the whole tree is drawn in :mod:`mouth_live.models.errors`."""

from ..models.errors import MouthLiveError


class SourceError(MouthLiveError):
    """A video, picture, folder or camera cannot be read."""


class IncompleteVideoError(SourceError):
    """A video ended early; all frames before were delivered."""


class SinkError(MouthLiveError):
    """An output cannot be written or shown."""


class ReceiverError(SinkError):
    """The receiver of an output does not answer, or not as it should; it is tried again."""


class RefusedError(ReceiverError):
    """The receiver of an output said no, and would say so again: it is not tried again."""


class UsageError(MouthLiveError):
    """Options that do not go together."""

    exit_code = 2


class Terminated(BaseException):
    """SIGTERM came: clean up and end with 143. Not an Exception, as KeyboardInterrupt is none."""
