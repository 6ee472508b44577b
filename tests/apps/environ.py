"""What the application is given: each key of environ with type and value."""

from routing import as_json


def application(environ, start_response):
    keys = {key: value if isinstance(value, (str, bool, int, float))
            else [type(value).__name__, repr(value)]
            for key, value in environ.items()}
    return as_json(start_response, {
        "exact dict": type(environ) is dict,
        "may change": may_change(environ),
        "keys": keys,
    })


def may_change(environ):
    """The application may do with its environ as it likes."""
    environ["etcl.test"] = object()
    del environ["etcl.test"]
    method = environ.pop("REQUEST_METHOD")
    environ["REQUEST_METHOD"] = method
    return True
