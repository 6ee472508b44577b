"""Groups with the applications that many tests ask for."""

import json
import os

from leftovers import read_proc

GROUP = """
    WSGIDaemonProcess g python-path={apps} %s
    WSGIProcessGroup g
    WSGIApplicationGroup %%{GLOBAL}
    WSGIScriptAlias /hello {apps}/hello.py
    WSGIScriptAlias /failing {apps}/failing.py
    WSGIScriptAlias /threads {apps}/threads.py
    WSGIScriptAlias /process {apps}/process.py
    WSGIScriptAlias /own {work}
    <Directory {work}>
        Require all granted
    </Directory>
"""


def group(options: str = "") -> str:
    return GROUP % options


PROCESSES = """
    WSGIDaemonProcess g processes=2 threads=3 python-path={apps}
    WSGIProcessGroup g
    WSGIApplicationGroup %{GLOBAL}
    WSGIScriptAlias /hello {apps}/hello.py
    WSGIScriptAlias /process {apps}/process.py
    WSGIScriptAlias /failing {apps}/failing.py
"""

# Apache with threads to spare: it closes no kept connection for want of one,
# so that whatever load suffers comes from what the test does.
WIDE = """
    MaxRequestWorkers 128
    MaxKeepAliveRequests 0
    <IfModule mpm_prefork_module>
        ServerLimit 128
        StartServers 16
    </IfModule>
    <IfModule !mpm_prefork_module>
        ServerLimit 6
        ThreadsPerChild 64
        MinSpareThreads 64
        MaxSpareThreads 128
    </IfModule>
"""


def status(server) -> dict:
    """What the worker that answered says of itself."""
    return json.loads(server.ask("/process/status").body)


def is_daemon(pid: int) -> bool:
    if b"etcld" in read_proc(pid, "cmdline"):
        return True
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("etcld")
    except OSError:
        return False


def daemons(server) -> list[int]:
    """The processes of the group: supervisor and workers."""
    return [pid for pid in server.processes() if is_daemon(pid)]


def supervisors(server) -> list[int]:
    """Of all generations; the oldest first."""
    children = f"/proc/{server.pid}/task/{server.pid}/children"
    with open(children, encoding="ascii") as file:
        own = {int(pid) for pid in file.read().split()}
    return sorted(own & set(daemons(server)))


def keys(server, target: str, **how) -> dict:
    """The environ that environ.py was given for this request."""
    answer = server.ask(target, **how)
    assert answer.status == 200, (answer.status, answer.body)
    return json.loads(answer.body)["keys"]
