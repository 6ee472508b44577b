#!/usr/bin/python3
"""Load for bodies of many megabytes, where wrk would stop in the middle of
one: each connection finishes what it began after the time is over. Prints the
line that wrk.lua prints.

    bulk.py PORT PATH CONNECTIONS SECONDS ANSWER_BYTES [POST_FILE]

An upload is the POST_FILE, and its answer the text of its length."""

import json
import os
import socket
import sys
import threading
import time

PIECE = 1 << 20
TIMEOUT = 60


def head(path: str, post_len: int | None) -> bytes:
    method, length = "GET", ""
    if post_len is not None:
        method, length = "POST", f"Content-Length: {post_len}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode()


class Client(threading.Thread):
    """One connection, kept, one request after the other."""

    def __init__(self, port: int, path: str, end: float, answer_len: int,
                 post_file: str | None):
        super().__init__()
        self.port, self.end, self.answer_len = port, end, answer_len
        self.file = open(post_file, "rb") if post_file else None
        self.post_len = os.stat(post_file).st_size if post_file else None
        self.head = head(path, self.post_len)
        self.times: list[float] = []
        self.failed = dict.fromkeys(
            ("connect", "read", "write", "status", "timeout"), 0)

    def run(self) -> None:
        while time.monotonic() < self.end and sum(self.failed.values()) < 5:
            self.step = "connect"
            try:
                with socket.create_connection(("127.0.0.1", self.port),
                                              TIMEOUT) as sock:
                    self.talk(sock)
            except TimeoutError:
                self.failed["timeout"] += 1
            except OSError:
                self.failed[self.step] += 1

    def talk(self, sock: socket.socket) -> None:
        buffer = bytearray(PIECE)
        while time.monotonic() < self.end:
            start = time.monotonic()
            self.step = "write"
            sock.sendall(self.head)
            if self.file:
                sock.sendfile(self.file)
            self.step = "read"
            if not self.take_answer(sock, buffer):
                self.failed["status"] += 1
                return
            self.times.append(time.monotonic() - start)

    def take_answer(self, sock: socket.socket, buffer: bytearray) -> bool:
        """Whether it was a 200 with a body as long as it should be."""
        have = bytearray()
        while b"\r\n\r\n" not in have:
            count = sock.recv_into(buffer)
            if not count:
                raise ConnectionResetError
            have += buffer[:count]
        top, rest = have.split(b"\r\n\r\n", 1)
        left = self.answer_len - len(rest)
        while left > 0:
            count = sock.recv_into(buffer, min(left, PIECE))
            if not count:
                raise ConnectionResetError
            left -= count
        return top.startswith(b"HTTP/1.1 200 ") and left == 0


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[int(part * (len(values) - 1) + 0.5)] if values else 0


def main() -> None:
    port, path, connections, seconds, answer_len, *post_file = sys.argv[1:]
    start = time.monotonic()
    clients = [Client(int(port), path, start + float(seconds),
                      int(answer_len), *(post_file or [None]))
               for _ in range(int(connections))]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    times = [one for client in clients for one in client.times]
    print(json.dumps({
        "requests": len(times), "seconds": time.monotonic() - start,
        "p50_ms": percentile(times, 0.5) * 1e3,
        "p99_ms": percentile(times, 0.99) * 1e3,
        "failed": {kind: sum(client.failed[kind] for client in clients)
                   for kind in clients[0].failed}}))


main()
