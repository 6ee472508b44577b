"""Clients as they are on the worst of days: they leave in the midst of a
request or of an answer, or take one byte at a time. Nothing that comes of
their own requests is judged; others must not feel them."""

import random
import socket
import threading
import time

SECONDS_MAX = 3         # that one of them takes


def head(path: str, method: str = "GET", more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


def leave_in_head(sock: socket.socket, path: str) -> None:
    sock.sendall(head(path)[:-7])


def leave_in_body(sock: socket.socket, path: str) -> None:
    sock.sendall(head(f"{path}/body/digest", "POST",
                      "Content-Length: 100000\r\n") + b"x" * 500)
    time.sleep(0.05)


def leave_in_answer(sock: socket.socket, path: str) -> None:
    sock.sendall(head(f"{path}/streams/large?size=3000000"))
    sock.recv(10000)


def leave_at_once(sock: socket.socket, path: str) -> None:
    sock.sendall(head(f"{path}/failing/sleeps?seconds=0.2"))


def send_slowly(sock: socket.socket, path: str) -> None:
    data = head(f"{path}/body/digest", "POST", "Content-Length: 20\r\n")
    for byte in data + b"y" * 20:
        sock.sendall(bytes([byte]))
        time.sleep(SECONDS_MAX / len(data) / 2)
    sock.recv(10000)


def read_slowly(sock: socket.socket, path: str) -> None:
    sock.sendall(head(f"{path}/streams/one-block?size=5000000"))
    for _ in range(20):
        sock.recv(1000)
        time.sleep(SECONDS_MAX / 40)


MANNERS = (leave_in_head, leave_in_body, leave_in_answer, leave_at_once,
           send_slowly, read_slowly)


class Mischief(threading.Thread):
    """One such client after the other, until it is told to end."""

    def __init__(self, port: int, paths: list[str], seed: int):
        super().__init__(daemon=True)
        self.port, self.paths = port, paths
        self.random, self.stop = random.Random(seed), threading.Event()
        self.count = 0

    def run(self) -> None:
        while not self.stop.is_set():
            manner = self.random.choice(MANNERS)
            try:
                with socket.create_connection(("127.0.0.1", self.port),
                                              SECONDS_MAX) as sock:
                    manner(sock, self.random.choice(self.paths))
            except OSError:
                pass
            self.count += 1
            self.stop.wait(self.random.random() / 10)
