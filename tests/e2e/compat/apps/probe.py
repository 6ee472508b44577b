"""Does what the request brings along: a function, in the header X-Do."""

import base64

MEMORY = {}


def application(environ, start_response):
    if "HTTP_X_DO" not in environ:
        return answer(start_response, "probe")
    scope = {"__name__": "probe", "MEMORY": MEMORY}
    exec(base64.b64decode(environ["HTTP_X_DO"]).decode(), scope)
    if "HTTP_X_WHOLE" in environ:
        return scope["act"](environ, start_response)
    return answer(start_response, repr(scope["act"](environ)))


def answer(start_response, text):
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain"),
                              ("Content-Length", str(len(body)))])
    return [body]


def other(environ, start_response):
    """The callable of another name."""
    return answer(start_response, "other")


def handle_request(environ, start_response):
    """The callable of WSGIHandlerScript."""
    if "HTTP_X_DO" in environ:
        return application(environ, start_response)
    return answer(start_response, "handled")
