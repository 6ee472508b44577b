#!/usr/bin/python3
"""Load by uploads of many megabytes, where wrk would stop in the middle of
one and not say so: each connection finishes what it began after the time is
over. Prints the line that wrk.lua prints.

    upload.py PORT PATH CONNECTIONS SECONDS FILE"""

import http.client
import json
import os
import sys
import threading
import time

TIMEOUT = 60
ATTEMPTS_MAX = 5


class Client(threading.Thread):
    """One connection, kept, one upload after the other."""

    def __init__(self, port: int, path: str, end: float, file: str):
        super().__init__()
        self.port, self.path, self.end = port, path, end
        self.file, self.size = file, os.stat(file).st_size
        self.times: list[float] = []
        self.failed = dict.fromkeys(
            ("connect", "read", "write", "status", "timeout"), 0)
        self.step = "connect"

    def run(self) -> None:
        while (time.monotonic() < self.end
               and sum(self.failed.values()) < ATTEMPTS_MAX):
            self.step = "connect"
            try:
                self.talk()
            except TimeoutError:
                self.failed["timeout"] += 1
            except (OSError, http.client.HTTPException):
                self.failed[self.step] += 1

    def talk(self) -> None:
        """Until the time is over, or an answer is not what it should be."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=TIMEOUT)
        with open(self.file, "rb") as body:
            connection.connect()
            while time.monotonic() < self.end:
                start = time.monotonic()
                if not self.upload(connection, body):
                    self.failed["status"] += 1
                    return
                self.times.append(time.monotonic() - start)

    def upload(self, connection: http.client.HTTPConnection, body) -> bool:
        self.step = "write"
        connection.putrequest("POST", self.path)
        connection.putheader("Content-Length", str(self.size))
        connection.endheaders()
        connection.sock.sendfile(body)
        self.step = "read"
        answer = connection.getresponse()
        return (answer.read() == str(self.size).encode()
                and answer.status == 200)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[round(part * (len(values) - 1))] if values else 0


def main() -> None:
    port, path, connections, seconds, file = sys.argv[1:]
    start = time.monotonic()
    clients = [Client(int(port), path, start + float(seconds), file)
               for _ in range(int(connections))]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    times = [one for client in clients for one in client.times]
    print(json.dumps({
        "requests": len(times), "bytes": 0,
        "seconds": time.monotonic() - start,
        "p50_ms": percentile(times, 0.5) * 1e3,
        "p99_ms": percentile(times, 0.99) * 1e3,
        "failed": {kind: sum(client.failed[kind] for client in clients)
                   for kind in clients[0].failed}}))


main()
