"""wsgiref.validate around a battery: it complains about the server too."""

from wsgiref.validate import validator

from routing import by_path

PLAIN = [("Content-Type", "text/plain")]


def as_list(environ, start_response):
    start_response("200 OK", list(PLAIN))
    return [b"a list"]


def as_generator(environ, start_response):
    start_response("200 OK", list(PLAIN))
    return (block for block in (b"a ", b"generator"))


def with_write(environ, start_response):
    start_response("200 OK", list(PLAIN))(b"with ")
    return [b"write"]


def reads(environ, start_response):
    whole = environ["wsgi.input"].read(1 << 20)
    start_response("200 OK", list(PLAIN))
    return [whole]


def reads_lines(environ, start_response):
    lines = environ["wsgi.input"].readlines()
    start_response("200 OK", list(PLAIN))
    return [b"%d lines" % len(lines)]


def logs(environ, start_response):
    environ["wsgi.errors"].write("a valid line\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", list(PLAIN))
    return [b"logged"]


def nothing(environ, start_response):
    start_response("204 No Content", [])
    return []


application = by_path({
    f"/{name}": validator(plain) for name, plain in (
        ("list", as_list), ("generator", as_generator),
        ("write", with_write), ("reads", reads), ("lines", reads_lines),
        ("logs", logs), ("nothing", nothing))
})
