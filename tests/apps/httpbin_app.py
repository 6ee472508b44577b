"""httpbin: a service that shows what a client sent."""

from httpbin import app as application  # noqa: F401
