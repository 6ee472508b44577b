#!/usr/bin/python3
"""Keeps the servers of one contender together: whatever they start stays
below this process, also what leaves its parent, so that every process is
counted and every process is ended. Ends with the driver; with one that was
killed it also removes the driver's folder.

    keeper.py '[["program", "argument", …], …]' PID_OF_DRIVER FOLDER"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from cost import descent  # noqa: E402

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE = 10


class Ended(Exception):
    """The driver is done, or gone."""


def on_term(_signal, _frame) -> None:
    raise Ended


def be_keeper(driver: int) -> None:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    signal.signal(signal.SIGTERM, on_term)
    if prctl(PR_SET_CHILD_SUBREAPER, 1) or prctl(PR_SET_PDEATHSIG,
                                                 signal.SIGTERM):
        sys.exit("prctl failed")
    if os.getppid() != driver:
        raise Ended


def start(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/",
                            start_new_session=True)


def reap_until(end: float) -> bool:
    """Take in whoever ends; whether nobody is left."""
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
        except ChildProcessError:
            return True
    return False


def send(pids, sign: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass


def end_all(servers: list[int]) -> None:
    """Ask the servers, wait for all that descends, then use force."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    send(servers, signal.SIGTERM)
    if reap_until(time.monotonic() + GRACE):
        return
    left = [pid for pid in descent(os.getpid()) if pid != os.getpid()]
    print(f"keeper: still there after {GRACE} s: {left}", flush=True)
    for _ in range(50):
        send((pid for pid in descent(os.getpid()) if pid != os.getpid()),
             signal.SIGKILL)
        if reap_until(time.monotonic() + 0.2):
            return


def main() -> None:
    commands, servers = json.loads(sys.argv[1]), []
    driver, folder = int(sys.argv[2]), sys.argv[3]
    try:
        be_keeper(driver)
        for command in commands:
            servers.append(start(command).pid)
        while os.wait()[0] not in servers:
            pass
        print("keeper: a server ended by itself", flush=True)
    except Ended:
        pass
    end_all(servers)
    if os.getppid() != driver:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
