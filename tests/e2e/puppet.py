"""Asking tests/apps/puppet.py to answer as a test wants it."""

import json

from client import Connection, Response


def headers(script: dict) -> tuple:
    return (("X-Puppet", json.dumps(script)),)


def play(web, *, method: str = "GET", **script) -> Response:
    """One answer of the puppet, on a connection of its own."""
    return web.ask("/puppet", method=method, headers=headers(script))


def play_on(connection: Connection, *, method: str = "GET",
            **script) -> Response:
    """The same on a connection that is already open."""
    return connection.ask("/puppet", method=method, headers=headers(script))
