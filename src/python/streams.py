"""sys.stdout, sys.stderr and wsgi.errors: real text files on real
descriptors, whose lines belong to the request that writes them."""

import io
import sys


class Raw(io.RawIOBase):
    """Bytes for descriptor `fd`, or for the log of the request."""

    mode = "wb"

    def __init__(self, fd, name):
        self._fd = fd
        self.name = name

    def write(self, data):
        return write(self._fd, data)

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def isatty(self):
        return False

    def close(self):
        """The server's: stays open."""

    @property
    def closed(self):
        return False


class Stream(io.TextIOWrapper):
    """Text of any kind; what UTF-8 cannot hold becomes a "?"."""

    def __init__(self, fd, name):
        super().__init__(Raw(fd, name), "utf-8", "replace",
                         line_buffering=True, write_through=True)
        self.mode = "w"

    def close(self):
        self.flush()

    def detach(self):
        raise io.UnsupportedOperation("detach: the stream is the server's")


class Restricted:
    """Raises on any use."""

    def __init__(self, name):
        self.__dict__["_name"] = name

    def __getattr__(self, attribute):
        raise OSError(f"{self._name} access is restricted: "
                      "see WSGIRestrictStdin and WSGIRestrictStdout")


errors = Stream(2, "<wsgi.errors>")
sys.stderr = sys.__stderr__ = Stream(2, "<stderr>")
sys.stdout = sys.__stdout__ = (Restricted("sys.stdout")
                               if config["restrict_stdout"]
                               else Stream(1, "<stdout>"))
if config["restrict_stdin"]:
    sys.stdin = Restricted("sys.stdin")

# The last is what the C types of io have in common; io.IOBase is not.
file_types = (io.FileIO, io.BufferedReader, io.BufferedRandom,
              io.FileIO.__mro__[-2])
