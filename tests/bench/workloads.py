"""What is measured, and what mod_etcl's daemon mode has to reach.

A goal is a ratio of CPU per request to mod_wsgi 6.0.5 in daemon mode. Debian
ships 4.9.4, which costs 0.85 of that on small requests and as much on bulk:
measured beside Debian's, a goal counts 1.15 times where `small` is set."""

from dataclasses import dataclass

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
BULK = 100 * MB
HELLO = len("Hello World!\n")
SMALL_FACTOR = 1.15


@dataclass(frozen=True)
class Setup:
    """An application and how many processes and threads serve it."""

    app: str = "plain"
    processes: int = 2
    threads: int = 5
    preload: bool = False

    @property
    def text(self) -> str:
        preload = ", preloaded" if self.preload else ""
        return f"{self.app} {self.processes} x {self.threads}{preload}"


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    path: str
    connections: int
    answer: int                 # length of the answer's body
    goal: float                 # of mod_wsgi 6's CPU per request
    small: bool = True
    post: int | None = None     # length of the body to send
    setup: Setup = Setup()
    p99_ms: float | None = None
    rate: float | None = None   # requests/s, of mod_wsgi's

    @property
    def bulk(self) -> bool:
        return max(self.answer, self.post or 0) >= BULK

    @property
    def size(self) -> int:
        return max(self.answer, self.post or 0)

    @property
    def debian_goal(self) -> float:
        return self.goal * (SMALL_FACTOR if self.small else 1)

    @property
    def unit(self) -> str:
        return "s/GB" if self.bulk else "us"

    def cost(self, seconds: float, requests: int) -> float:
        """CPU time per request in us, or per GB in s where it is bulk."""
        each = seconds / requests
        return each * GB / self.size if self.bulk else each * 1e6


WORKLOADS = (
    Workload("hello-1", "hello (13 bytes)", "/hello", 1, HELLO, 0.25),
    Workload("hello-16", "hello (13 bytes)", "/hello", 16, HELLO, 0.28,
             rate=2.8),
    Workload("hello-64", "hello (13 bytes)", "/hello", 64, HELLO, 0.27),
    Workload("16k", "16 KB body", "/16k", 16, 16 * KB, 0.28),
    Workload("1m", "1 MB body", "/1m", 16, MB, 0.25, small=False),
    Workload("stream", "64 blocks of 1 KB, streamed", "/stream", 16, 64 * KB,
             0.50),
    Workload("post-1k", "POST 1 KB", "/post", 16, len("1024"), 0.28, post=KB),
    Workload("post-1m", "POST 1 MB", "/post", 16, len("1048576"), 0.30,
             small=False, post=MB),
    Workload("file-100m", "100 MB by wsgi.file_wrapper", "/file", 2, BULK,
             0.17, small=False),
    Workload("post-100m", "POST 100 MB", "/post", 2, len("104857600"), 0.35,
             small=False, post=BULK),
    Workload("compute", "2 ms of pure Python", "/compute", 16, HELLO, 0.90,
             small=False, p99_ms=35),
    Workload("hello-1x1", "hello, one process of one thread", "/hello", 16,
             HELLO, 0.25, setup=Setup(processes=1, threads=1)),
    Workload("sleep", "sleeps 50 ms, 2 processes of 15 threads", "/sleep", 64,
             HELLO, 0.45, setup=Setup(threads=15), rate=1.0),
    Workload("flask", "Flask hello", "/hello", 16, HELLO, 0.40,
             setup=Setup(app="flask_hello")),
    Workload("django", "Django hello, default middleware", "/hello", 16,
             HELLO, 0.56, setup=Setup(app="django_hello")),
)
QUICK = ("hello-16", "16k", "post-1k")
BY_NAME = {workload.name: workload for workload in WORKLOADS}
