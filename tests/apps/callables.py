"""Any callable is an application: PEP 3333 asks for nothing but a call."""

import functools

from routing import text


def application(environ, start_response):
    return text(start_response, "function")


class ClassApplication:
    """Called as application(environ, start_response), then iterated."""

    def __init__(self, environ, start_response):
        self.start_response = start_response

    def __iter__(self):
        yield from text(self.start_response, "class")


class Instance:
    __slots__ = ()

    def __call__(self, environ, start_response):
        return text(start_response, "instance")

    def method(self, environ, start_response):
        return text(start_response, "method")


class Opaque:
    """Whoever looks at it, instead of calling it, gets an exception."""

    __slots__ = ()

    def __getattribute__(self, name):
        raise RuntimeError(f"somebody looked at {name}")

    def __call__(self, *args):
        environ, start_response = args
        return text(start_response, "opaque")


def count_arguments(*args, **kwargs):
    environ, start_response = args
    return text(start_response, f"{len(args)} {len(kwargs)}")


def greet(word, environ, start_response):
    return text(start_response, word)


instance = Instance()
method = instance.method
opaque = Opaque()
partial = functools.partial(greet, "partial")
lambda_ = lambda e, s: text(s, "lambda")  # noqa: E731
not_callable = 42
