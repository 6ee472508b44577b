"""The modules `mod_wsgi` and `apache` as applications import them."""

import importlib.machinery
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
    """Hands records of `logging` to Apache's log, each at its own level.
    Without a formatter a line begins with where it was logged."""

    LEVELS = ((logging.CRITICAL, LOG_CRIT), (logging.ERROR, LOG_ERR),
              (logging.WARNING, LOG_WARNING), (logging.INFO, LOG_INFO))
    PLAIN = logging.Formatter("%(pathname)s(%(lineno)d): %(message)s")

    def format(self, record):
        return (self.formatter or self.PLAIN).format(record)

    def emit(self, record):
        try:
            text = self.format(record)
            level = next((ours for theirs, ours in self.LEVELS
                          if record.levelno >= theirs), LOG_DEBUG)
            report(level, text)
        except Exception:
            self.handleError(record)


class ActiveRequests(dict):
    """{request id: request_data}; always what is running now."""

    def __getitem__(self, key):
        return running(config["handle"])[key]

    def __iter__(self):
        return iter(running(config["handle"]))

    def __len__(self):
        return len(running(config["handle"]))

    def __contains__(self, key):
        return key in running(config["handle"])

    def __eq__(self, other):
        return running(config["handle"]) == other

    def __repr__(self):
        return repr(running(config["handle"]))

    def get(self, key, default=None):
        return running(config["handle"]).get(key, default)

    def copy(self):
        return running(config["handle"])

    def keys(self):
        return running(config["handle"]).keys()

    def values(self):
        return running(config["handle"]).values()

    def items(self):
        return running(config["handle"]).items()


ActiveRequests.__name__ = ActiveRequests.__qualname__ = "dict"

PUBLIC = (ClientDisconnected, ClientTimeout, BodyTooLarge, RequestTimeout,
          FileWrapper, LogHandler, request_data, subscribe_events,
          subscribe_shutdown, subscribe_signals, start_recording_metrics,
          request_metrics, process_metrics, server_metrics)


def make_mod_wsgi():
    public = types.ModuleType("mod_wsgi", "The server that runs this code.")
    public.version = (6, 0, 5)
    public.process_group = config["process_group"]
    public.application_group = config["application_group"]
    public.maximum_processes = config["processes"]
    public.threads_per_process = config["threads"]
    public.active_requests = ActiveRequests()
    public.event_callbacks = event_callbacks
    public.shutdown_callbacks = shutdown_callbacks
    public.signal_callbacks = signal_callbacks
    for thing in PUBLIC:
        if not isinstance(thing, types.BuiltinFunctionType):
            thing.__module__ = "mod_wsgi"
        setattr(public, thing.__name__, thing)
    sys.modules["mod_wsgi"] = sys.modules["mod_etcl"] = public


def make_apache():
    known = config["apache"]
    apache = types.ModuleType("apache", "The Apache that runs this code.")
    apache.version = known["version"]
    apache.description = known["description"] or (
        "Apache/" + ".".join(map(str, known["version"])))
    apache.build_date = known["build_date"] or ""
    apache.mpm_name = known["mpm_name"] or ""
    apache.maximum_processes = (known["maximum_processes"]
                                or config["processes"])
    apache.threads_per_process = (known["threads_per_process"]
                                  or config["threads"])
    sys.modules["apache"] = apache


def graft_package():
    """mod_wsgi.server and the like, where a package of that name is."""
    try:
        spec = importlib.machinery.PathFinder.find_spec("mod_wsgi")
    except Exception:  # somebody's finder; nobody needs the package
        return
    if spec and spec.submodule_search_locations:
        public = sys.modules["mod_wsgi"]
        public.__path__ = list(spec.submodule_search_locations)


def name_group(name):
    """A service has one script: its group's name is the main one's."""
    sys.modules["mod_wsgi"].application_group = name


make_mod_wsgi()
make_apache()
