"""Waiting for something to become true, and never for ever."""

import time
from pathlib import Path


def wait_until(condition, seconds: float = 10) -> bool:
    """Whether `condition` held before the time was up."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def wait_for_status(server, target: str, status: int,
                    seconds: float = 10) -> None:
    """Ask until the answer has this status."""
    assert wait_until(lambda: server.ask(target).status == status, seconds), (
        f"{target} still does not answer {status}")


def wait_for_hello(server, seconds: float = 10) -> None:
    """A worker that was ended on purpose has its successor."""
    wait_for_status(server, "/hello", 200, seconds)


def wait_for_file(path: Path, seconds: float = 10) -> None:
    """An application has written its sign."""
    assert wait_until(lambda: path.exists() and path.read_text(), seconds), (
        f"{path} did not come")
