"""All the ways in which an application writes to the log."""

import os
import sys
import threading
import warnings

from routing import as_json, by_path, query, text

FORGED = ("harmless\n[Thu Jan 01 00:00:00.000000 1970] [core:alert] "
          "[pid 1:tid 1] AH99999: forged entry\r\n\x1b[31mred\x00end")


def errors(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write(query(environ).get("text", "by wsgi.errors") + "\n")
    stream.flush()
    return text(start_response, "")


def methods(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.writelines(["by writelines one\n", "by writelines two\n"])
    print("by print to wsgi.errors", file=stream)
    refused = []
    for wrong in (b"bytes", None, 7):
        try:
            stream.write(wrong)
        except TypeError:
            refused.append(type(wrong).__name__)
    stream.flush()
    return as_json(start_response, refused)


def unicode_(environ, start_response):
    environ["wsgi.errors"].write("unicode: \u20ac \U0001f40d \udc80 end\n")
    return text(start_response, "")


def partial(environ, start_response):
    """No line end at all: the end of the request must be enough."""
    environ["wsgi.errors"].write("a line ")
    environ["wsgi.errors"].write("without its end")
    return text(start_response, "")


def forged(environ, start_response):
    environ["wsgi.errors"].write(FORGED + "\n")
    return text(start_response, "")


def long_line(environ, start_response):
    environ["wsgi.errors"].write("long " + "x" * 100_000 + "\n")
    return text(start_response, "")


def stdout(environ, start_response):
    print("by print")
    sys.stdout.flush()
    return text(start_response, "")


def stderr(environ, start_response):
    print("by stderr", file=sys.stderr)
    return text(start_response, "")


def descriptor(environ, start_response):
    """A C library does not ask Python before it writes."""
    os.write(2, b"by descriptor two\n")
    return text(start_response, "")


def thread(environ, start_response):
    worker = threading.Thread(target=print, args=("by a thread",),
                              kwargs={"file": sys.stderr})
    worker.start()
    worker.join()
    return text(start_response, "")


def warning(environ, start_response):
    warnings.warn("by warnings", UserWarning, stacklevel=1)
    return text(start_response, "")


def real(environ, start_response):
    """sys.stdout and sys.stderr are files with descriptors."""
    return as_json(start_response, [sys.stdout.fileno(), sys.stderr.fileno(),
                                    sys.stderr.isatty()])


application = by_path({
    "/errors": errors, "/methods": methods, "/unicode": unicode_,
    "/partial": partial, "/forged": forged, "/long": long_line,
    "/stdout": stdout, "/stderr": stderr, "/descriptor": descriptor,
    "/thread": thread, "/warning": warning, "/real": real,
})
