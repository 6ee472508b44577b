"""wsgi.file_wrapper around files of every kind."""

import io
import os
import tempfile

from routing import as_json, by_path, query

CONTENT = b"".join(b"%07d\n" % number for number in range(16384))  # 128 KiB
CLOSED = {}


class Tracked:
    """A file that says when it was closed; not a subclass of anything."""

    def __init__(self, name, file):
        self.name, self.file = name, file
        CLOSED.setdefault(name, 0)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        CLOSED[self.name] += 1
        self.file.close()


class OnlyRead:
    """No fileno, no tell, no close: nothing but read()."""

    def __init__(self):
        self.read = io.BytesIO(CONTENT).read


class LyingFileno(io.BytesIO):
    """Its descriptor is of another file than its content."""

    def fileno(self):
        return os.open("/dev/null", os.O_RDONLY)


def regular(start=0):
    file = tempfile.TemporaryFile()
    file.write(CONTENT)
    file.seek(start)
    return file


def pipe():
    reading, writing = os.pipe()
    os.write(writing, CONTENT[:4096])
    os.close(writing)
    return open(reading, "rb")


MAKERS = {
    "/regular": regular,
    "/middle": lambda: regular(1000),
    "/at-end": lambda: regular(len(CONTENT)),
    "/memory": lambda: io.BytesIO(CONTENT),
    "/only-read": OnlyRead,
    "/lying": lambda: LyingFileno(CONTENT),
    "/pipe": pipe,
}


def wrapped(path):
    def application(environ, start_response):
        asked = query(environ)
        headers = [("Content-Type", "application/octet-stream")]
        if "length" in asked:
            headers.append(("Content-Length", asked["length"]))
        file = MAKERS[path]()
        if path != "/only-read":
            file = Tracked(path, file)
        size = [int(asked["size"])] if "size" in asked else []
        result = environ["wsgi.file_wrapper"](file, *size)
        start_response(asked.get("status", "200 OK"), headers)
        return iter(result) if "iterate" in asked else result
    return application


def not_returned(environ, start_response):
    """Making a wrapper sends nothing; only returning it does."""
    wrapper = environ["wsgi.file_wrapper"](regular())
    start_response("200 OK", [("Content-Type", "text/plain")])
    first = next(iter(wrapper))
    return [f"made, not returned, {len(first)}".encode()]


def closed(environ, start_response):
    return as_json(start_response, CLOSED)


application = by_path({path: wrapped(path) for path in MAKERS}
                      | {"/not-returned": not_returned, "/closed": closed})
