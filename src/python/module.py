"""The module `mod_wsgi` as applications import it."""

import logging
import sys
import types


class ClientDisconnected(ConnectionError):
    """The client closed the connection while it was needed."""


class ClientTimeout(TimeoutError):
    """The client sent, or took, nothing for too long."""


class BodyTooLarge(OSError):
    """The request body is above Apache's LimitRequestBody."""


class RequestTimeout(BaseException):
    """The request ran longer than request-timeout allows."""


class FileWrapper:
    """wsgi.file_wrapper: the blocks of a file-like object."""

    def __init__(self, filelike, blksize=8192):
        self.filelike = filelike
        self.blksize = blksize

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.blksize)
        if block:
            return block
        raise StopIteration

    def close(self):
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


class LogHandler(logging.Handler):
    """Hands records of `logging` to Apache's log at their own level."""

    LEVELS = ((logging.CRITICAL, LOG_CRIT), (logging.ERROR, LOG_ERR),
              (logging.WARNING, LOG_WARNING), (logging.INFO, LOG_INFO))

    def emit(self, record):
        try:
            text = self.format(record)
            level = next((ours for theirs, ours in self.LEVELS
                          if record.levelno >= theirs), LOG_DEBUG)
            report(level, text)
        except Exception:
            self.handleError(record)


def publish():
    public = types.ModuleType("mod_wsgi", "The server that runs this code.")
    public.version = (6, 0, 5)
    public.process_group = config["process_group"]
    public.application_group = config["application_group"]
    public.maximum_processes = config["processes"]
    public.threads_per_process = config["threads"]
    for thing in (ClientDisconnected, ClientTimeout, BodyTooLarge,
                  RequestTimeout, FileWrapper, LogHandler):
        thing.__module__ = "mod_wsgi"
        setattr(public, thing.__name__, thing)
    sys.modules["mod_wsgi"] = public


publish()
