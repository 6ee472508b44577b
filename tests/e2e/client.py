"""A raw HTTP/1.1 client that forgives nothing.

It sends the bytes it is given and reads one response as RFC 9112 frames it;
a response that ends early is told from one that ends well.
"""

import re
import socket
import ssl
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-5]\d\d) ([^\x00-\x1f\x7f]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*"
                        rb"([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
CHUNK_LINE = re.compile(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[^\r\n]*)?[ \t]*")


class ProtocolError(AssertionError):
    """The server sent something that is not HTTP."""


@dataclass
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    version: str = "1.1"
    body: bytes = b""
    framing: str = "none"          # none, length, chunked, close
    complete: bool = True
    interim: list[int] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The values of every header line of that name, in order."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


class Connection:
    """One connection to a server; requests may be pipelined. `heard` counts
    the bytes that came from it."""

    def __init__(self, port: int, *, timeout: float = 15,
                 tls: ssl.SSLContext | None = None):
        self.sock: socket.socket = socket.create_connection(
            ("127.0.0.1", port), timeout)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.buffer = b""
        self.heard = 0

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, target: str = "/", **how) -> Response:
        """Send one request and read its response; see `request`."""
        self.send(request(target, **how))
        return self.read(how.get("method", "GET"))

    def read(self, method: str = "GET") -> Response:
        """One response; interim ones (1xx) are remembered and passed over."""
        interim: list[int] = []
        while True:
            response = self._head()
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response.status)
        response.interim = interim
        self._body(response, method)
        return response

    def read_head(self) -> Response:
        """Only the head of a response; the body stays to be read."""
        return self._head()

    def read_some(self) -> bytes:
        """Bytes as they come, without any framing; empty at the end."""
        data, self.buffer = self.buffer or self._recv(), b""
        return data

    def is_open(self) -> bool:
        """Whether the server would answer one more request."""
        try:
            return self.ask("/hello").status == 200 and not self.buffer
        except (OSError, EOFError):
            return False

    def _recv(self) -> bytes:
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            return b""
        self.heard += len(data)
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if not (data := self._recv()):
                raise EOFError(f"connection ended after {self.buffer[:80]!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        if b"\n" in line or b"\r" in line:
            raise ProtocolError(f"bare CR or LF in {line!r}")
        return line

    def _head(self) -> Response:
        line = self._line()
        found = STATUS_LINE.fullmatch(line)
        if not found:
            raise ProtocolError(f"bad status line {line!r}")
        headers = self._fields()
        return Response(int(found[2]), found[3].decode("latin-1"), headers,
                        found[1].decode())

    def _fields(self) -> list[tuple[str, str]]:
        headers = []
        while line := self._line():
            found = FIELD_LINE.fullmatch(line)
            if not found:
                raise ProtocolError(f"bad header line {line!r}")
            headers.append((found[1].decode(), found[2].decode("latin-1")))
        return headers

    def _body(self, response: Response, method: str) -> None:
        lengths = response.all("Content-Length")
        codings = response.all("Transfer-Encoding")
        if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
            raise ProtocolError(f"ambiguous framing: {response.headers}")
        if method == "HEAD" or response.status in (204, 304):
            return
        if codings:
            if codings[0].lower() != "chunked":
                raise ProtocolError(f"bad transfer coding {codings[0]!r}")
            response.framing = "chunked"
            self._chunks(response)
        elif lengths:
            if not re.fullmatch(r"\d{1,18}", lengths[0]):
                raise ProtocolError(f"bad length {lengths[0]!r}")
            response.framing = "length"
            response.body = self._exactly(int(lengths[0]))
            response.complete = len(response.body) == int(lengths[0])
        else:
            response.framing = "close"
            response.body = self._exactly(None)

    def _chunks(self, response: Response) -> None:
        parts = []
        try:
            while size := self._chunk_size():
                parts.append(self._exactly(size))
                if len(parts[-1]) < size or self._exactly(2) != b"\r\n":
                    raise EOFError
            self._fields()
        except EOFError:
            response.complete = False
        response.body = b"".join(parts)

    def _chunk_size(self) -> int:
        line = self._line()
        found = CHUNK_LINE.fullmatch(line)
        if not found:
            raise ProtocolError(f"bad chunk line {line!r}")
        return int(found[1], 16)

    def _exactly(self, count: int | None) -> bytes:
        """That many bytes, or all until the end; fewer when it ends early."""
        parts, have = [self.buffer], len(self.buffer)
        while (count is None or have < count) and (data := self._recv()):
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        cut = have if count is None else count
        self.buffer = whole[cut:]
        return whole[:cut]


def request(target: str = "/", *, method: str = "GET", body: bytes = b"",
            headers: tuple = (), version: str = "1.1",
            host: str | None = "localhost", chunked: bool = False) -> bytes:
    """The bytes of one request; a body brings its Content-Length along."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + (chunk(body) if chunked else body)


def chunk(body: bytes, size: int = 8192) -> bytes:
    """The body in chunked coding, to its last chunk."""
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts
                    ) + b"0\r\n\r\n"
