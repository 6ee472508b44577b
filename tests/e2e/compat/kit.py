"""What the tests of this collection share: scenes, and Python by request."""

import ast
import base64
import inspect
import os
import re
import shutil
import textwrap
import types
from pathlib import Path

import config
from client import Response
from server import Server

APPS = Path(__file__).resolve().parent / "apps"
LENIENT = bool(config.PEER or os.environ.get("ETCL_COMPAT_LENIENT"))
CRASH = r"exit signal|died: signal|egmentation|AddressSanitizer"
MISSING: list[str] = []
HEADS = {
    "": "",
    "daemon": """
WSGIDaemonProcess g threads=5 python-path={apps}
WSGIProcessGroup g
WSGIApplicationGroup %{GLOBAL}
""",
    "embedded": """
WSGIPythonPath {apps}
WSGIApplicationGroup %{GLOBAL}
""",
}
HEADS["remote"] = HEADS["daemon"]
PREFORK = os.environ.get("ETCL_MPM", "event").startswith("prefork")
ONE_CHILD = """
StartServers 1
ServerLimit 1
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
""" if not PREFORK else ""


def scene(lines: str, mode: str, *, lenient: bool = LENIENT,
          **how) -> Server:
    """A server of this mode with the scripts of compat/apps, not started."""
    how.setdefault("mpm", os.environ.get("ETCL_MPM", "event").split(",")[0])
    server = Server(HEADS[mode] + lines, **how)
    try:
        for script in APPS.glob("*.py"):
            shutil.copy(script, server.apps)
        server.missing = prune(server) if lenient else []
    except BaseException:
        server.remove()
        raise
    return server


def tolerate(server: Server) -> None:
    """Any line may come, but not that a process crashed."""
    server.log.allow(f"^(?!.*({CRASH}))")


def prune(server: Server) -> list[str]:
    """Comment out, line by line, what configtest refuses."""
    missing: list[str] = []
    for _ in range(100):
        code, said = server.configtest()
        found = re.search(r"on line (\d+) of|httpd\.conf:(\d+): ", said)
        if not code or not found:
            break
        assert "annot load" not in said, said
        missing.append(comment_out(server.conf, int(found[1] or found[2])))
    MISSING.extend(missing)
    return missing


def comment_out(path: Path, number: int) -> str:
    """Take this line out, with the whole section that it may open."""
    lines = path.read_text().splitlines()
    first = lines[number - 1].strip()
    end = number - 1
    if first.startswith("<") and not first.startswith("</"):
        word = first[1:].split()[0].rstrip(">")
        while lines[end].strip() != f"</{word}>":
            end += 1
    for at in range(number - 1, end + 1):
        lines[at] = "#" + lines[at]
    path.write_text("\n".join(lines) + "\n")
    return first


# Python that travels in a request: see apps/probe.py. There GIVEN holds what
# the test gave, and HERE the names of the script (apps/module.py).

GIVEN: dict = {}
MEMORY: dict = {}      # of the process: apps/probe.py
HERE = types.SimpleNamespace()


def source_of(act, given: dict | None = None) -> str:
    """The source of a function, or of an expression over `environ`."""
    text = f"GIVEN = {given or {}!r}\n"
    if isinstance(act, str):
        return f"{text}def act(environ):\n    return {act}\n"
    text += textwrap.dedent(inspect.getsource(act))
    return f"{text}\nact = {act.__name__}\n"


def carried(act, given: dict | None = None) -> tuple[str, str]:
    packed = base64.b64encode(source_of(act, given).encode()).decode()
    return "X-Do", packed


def do(server: Server, act, target: str = "/probe", *,
       given: dict | None = None, headers: tuple = (), **how):
    """What `act(environ)` returns, inside the application."""
    answer = server.ask(
        target, headers=(*headers, carried(act, given)), **how)
    assert answer.status == 200, (answer.status, answer.body[:500])
    return ast.literal_eval(answer.body.decode())


def play(server: Server, act, target: str = "/probe", *,
         given: dict | None = None, headers: tuple = (), **how) -> Response:
    """The answer of `act(environ, start_response)` as an application."""
    headers = (*headers, carried(act, given), ("X-Whole", "1"))
    return server.ask(target, headers=headers, **how)


def environ(server: Server, target: str = "/probe", **how) -> dict:
    """The environ of a request; what is no literal, as its type's name."""
    return do(server, all_keys, target, **how)


def all_keys(environ):
    plain = (str, int, float, bool, tuple, type(None))
    return {key: value if isinstance(value, plain)
            else "<%s>" % type(value).__name__
            for key, value in environ.items()}


def basic(user: str, password: str = "secret") -> tuple[str, str]:
    """The Authorization header of a user."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return "Authorization", f"Basic {pair}"


def pid(server: Server, target: str = "/probe", **how) -> int:
    """The process that answers there."""
    return do(server, "__import__('os').getpid()", target, **how)
