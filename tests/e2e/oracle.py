"""The error log as an oracle: each line above notice must have been named."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

SILENT_LEVELS = {"notice", "info", "debug", *(f"trace{n}" for n in range(9))}
LINE = re.compile(
    r"\[[A-Z][a-z]{2} [^\]]+\] \[(?P<module>[\w-]*):(?P<level>\w+)\] "
    r"\[pid (?P<pid>\d+)(?::tid \d+)?\] (?P<text>.*)", re.DOTALL)
# What httpd itself may say, whatever the module does: the event MPM ends, and
# closes the sockets of its threads, while one of them closes a connection
# (seen with no module of ours loaded) or keeps it.
HTTPD_ITSELF = (
    r"AH03092: process_lingering_close: apr_pollset_add failure",
    r"^\(9\)Bad file descriptor: AH03093: process_socket: ",
)
FRAMES = (
    r"ETCL03\d\d: ",
    r"Traceback \(most recent call last\)",
    r"(^|\] )\s+File \".*\", line \d+",
    r"(^|\] )\s{4}",
    r"During handling of the above|direct cause of the following",
)


@dataclass(frozen=True)
class Line:
    """One entry of an error log; text that nobody framed has level 'raw'."""

    level: str
    pid: int
    text: str

    @classmethod
    def parse(cls, raw: str) -> "Line":
        found = LINE.match(raw)
        if not found:
            return cls("raw", 0, raw)
        return cls(found["level"], int(found["pid"]), found["text"])


@dataclass
class Expectation:
    pattern: re.Pattern
    least: int
    most: float
    seen: int = 0


def of_httpd_itself() -> list[Expectation]:
    return [Expectation(re.compile(pattern), 0, float("inf"))
            for pattern in HTTPD_ITSELF]


@dataclass
class ErrorLog:
    """What the logs of one server say since the last `mark`."""

    paths: list[Path]
    offsets: dict[Path, int] = field(default_factory=dict)
    expected: list[Expectation] = field(
        default_factory=of_httpd_itself)

    def mark(self) -> None:
        """A test begins: forget what the one before it wrote and named."""
        self.offsets = {path: len(self._text(path)) for path in self.paths}
        self.expected = of_httpd_itself()

    def expect(self, pattern: str, count: int | None = None) -> None:
        """Name lines that must come: `count` times, or at least once."""
        least, most = (1, float("inf")) if count is None else (count, count)
        self.expected.append(
            Expectation(re.compile(pattern, re.DOTALL), least, most))

    def allow(self, pattern: str) -> None:
        """Name lines that may come or not."""
        self.expected.append(
            Expectation(re.compile(pattern, re.DOTALL), 0, float("inf")))

    def expect_traceback(self, pattern: str, count: int | None = None) -> None:
        """Name an exception and the frames that are logged with it."""
        self.expect(pattern, count)
        for frame in FRAMES:
            self.allow(frame)

    def lines(self) -> list[Line]:
        return [Line.parse(raw) for path in self.paths
                for raw in self._new(path).splitlines() if raw.strip()]

    def text(self) -> str:
        return "\n".join(line.text for line in self.lines())

    def find(self, pattern: str) -> list[Line]:
        return [line for line in self.lines()
                if re.search(pattern, line.text)]

    def wait_for(self, pattern: str, seconds: float = 5,
                 count: int = 1) -> Line:
        """The last of `count` lines that match, as soon as they are there."""
        end = time.monotonic() + seconds
        while True:
            found = self.find(pattern)
            if len(found) >= count:
                return found[count - 1]
            if time.monotonic() > end:
                raise AssertionError(
                    f"no line /{pattern}/ in the log:\n{self.text()}")
            time.sleep(0.02)

    def problems(self, seconds: float = 5) -> list[str]:
        """What is wrong; waits as long for lines that are still to come."""
        end = time.monotonic() + seconds
        while True:
            unnamed = self._tally()
            missing = [e for e in self.expected if e.seen < e.least]
            if not missing or time.monotonic() > end:
                break
            time.sleep(0.02)
        too_many = [e for e in self.expected if e.seen > e.most]
        return (
            [f"unexpected: [{line.level}] {line.text}" for line in unnamed]
            + [f"did not come ({e.seen} of {e.least}): /{e.pattern.pattern}/"
               for e in missing]
            + [f"came {e.seen} times, not {e.most}: /{e.pattern.pattern}/"
               for e in too_many])

    def _tally(self) -> list[Line]:
        unnamed = []
        for expectation in self.expected:
            expectation.seen = 0
        for line in self.lines():
            hits = [e for e in self.expected if e.pattern.search(line.text)]
            for hit in hits:
                hit.seen += 1
            if not hits and line.level not in SILENT_LEVELS:
                unnamed.append(line)
        return unnamed

    def _new(self, path: Path) -> str:
        """Whole lines: the end of one may still be on its way."""
        text = self._text(path)[self.offsets.get(path, 0):]
        return text[:text.rfind("\n") + 1]

    @staticmethod
    def _text(path: Path) -> str:
        try:
            return path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
