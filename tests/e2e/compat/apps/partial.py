"""A dispatch script with one function only."""


def callable_object(environ):
    return "other"
