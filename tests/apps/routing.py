"""Many small applications in one script, told apart by PATH_INFO."""

import json
from urllib.parse import parse_qsl


def by_path(routes):
    """An application that hands each request to `routes[PATH_INFO]`."""
    def application(environ, start_response):
        route = routes.get(environ["PATH_INFO"])
        if route is None:
            return text(start_response, "no such test", "404 Not Found")
        return route(environ, start_response)
    return application


def text(start_response, body, status="200 OK"):
    """A short answer with its length."""
    data = body if isinstance(body, bytes) else body.encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"),
                            ("Content-Length", str(len(data)))])
    return [data]


def as_json(start_response, value):
    data = json.dumps(value).encode()
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(data)))])
    return [data]


def query(environ):
    """The query string as a dict of its last values."""
    return dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
