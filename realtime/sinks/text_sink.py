"""The base class of the sinks that write text."""

from .file_sink import FileSink


class TextSink(FileSink):
    """A sink of a text file or of stdout; a subclass calls :meth:`put`."""

    def put(self, text: str, flush: bool = False) -> None:
        """Write text unchanged.

        Args:
            text: whole lines.
            flush: flush the output, so that readers see the text at once.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the output is not open.
        """
        file = self.file
        try:
            file.write(text)
            if flush:
                file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self.failure(error) from None
