"""Contract 2.5: each limit, with a group of its own in one server."""

import ast
import threading
import time

import pytest

from client import request
from waiting import wait_until

from compat.kit import pid

MODES = ("daemon",)
REASON = pytest.mark.since6("4.9.4 gives fewer reasons")
GROUPS = {
    # name: options
    "timeout": "threads=1 request-timeout=1 graceful-timeout=1",
    "timeout5": "threads=5 request-timeout=1 graceful-timeout=3",
    "alone": "threads=1 request-timeout=1 deadlock-timeout=0 "
             "inactivity-timeout=0",
    "interrupt": "threads=2 request-timeout=1 interrupt-timeout=5",
    "interrupt1": "threads=1 request-timeout=1 interrupt-timeout=1 "
                  "graceful-timeout=1 shutdown-timeout=1",
    "idle": "threads=2 inactivity-timeout=1",
    "health": "threads=2 inactivity-timeout=1",
    "age": "threads=2 restart-interval=2",
    "count": "threads=1 maximum-requests=3",
    "counts": "threads=4 maximum-requests=4",
    "cpu": "threads=1 cpu-time-limit=1 graceful-timeout=30",
    "deadlock": "threads=2 deadlock-timeout=2 shutdown-timeout=1",
    "queue": "threads=1 queue-timeout=1",
    "backlog": "threads=1 listen-backlog=1",
    "socket": "threads=2 socket-timeout=1",
    "slow": "threads=1 response-socket-timeout=1",
    "start": "threads=1 startup-timeout=1",
    "data": "threads=1 memory-limit=300000000",
    "space": "threads=1 virtual-memory-limit=3000000000",
    "nice": "threads=1 cpu-priority=5",
    "cpulimit": "threads=1 cpu-time-limit=50 shutdown-timeout=7",
    "evict": "threads=2 eviction-timeout=1 graceful-timeout=30",
    "grace": "threads=2 graceful-timeout=1",
    "grace9": "threads=2 graceful-timeout=9",
    "shut": "threads=2 shutdown-timeout=5",
    "shut1": "threads=2 shutdown-timeout=1",
    "touch": "threads=1",
}
CONF = "".join(
    f"WSGIDaemonProcess {name} python-path={{apps}} {options}\n"
    f"WSGIScriptAlias /{name} {{apps}}/SCRIPT process-group={name} "
    "application-group=%{GLOBAL}\n".replace(
        "SCRIPT", {"start": "slowstart.py", "touch": "touched.py"}.get(
            name, "limits.py"))
    + f"WSGIScriptAlias /probe-{name} {{apps}}/probe.py process-group={name}"
    " application-group=%{GLOBAL}\n" * (name != "start")
    for name, options in GROUPS.items()) + """
<Location /health/ping>
    WSGIIgnoreActivity On
</Location>
"""


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF, "", timeout=20)
    (server.apps / "touched.py").write_text(
        (server.apps / "limits.py").read_text())
    yield from life(server.start())


def who(web, target):
    """The process that answers, as (pid, how many it has served)."""
    answer = web.ask(target)
    assert answer.status == 200, answer.status
    return tuple(int(word) for word in answer.text.split())


def timed(web, target, **how):
    begin = time.monotonic()
    answer = web.ask(target, **how)
    return answer, time.monotonic() - begin


class Behind:
    """A request in a thread of its own."""

    def __init__(self, web, target, **how):
        self.answer, self.error, self.took = None, None, 0.0
        self.thread = threading.Thread(
            target=self.run, args=(web, target), kwargs=how)
        self.thread.start()
        time.sleep(0.3)

    def run(self, web, target, **how):
        try:
            self.answer, self.took = timed(web, target, **how)
        except (OSError, EOFError) as error:
            self.error = error

    def join(self):
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.answer


def replaced(web, target, old, seconds=8):
    """Another process answers there, as soon as may be."""
    def is_new():
        answer = web.ask(target)
        return (answer.status == 200
                and int(answer.text.split()[0]) != old)
    return wait_until(is_new, seconds)


def reasons(web, group):
    path = web.work / "reasons"
    rows = [row.split(" ") for row in path.read_text().splitlines()] \
        if path.exists() else []
    return [row[2] for row in rows if row[0] == group]


def gave_reason(web, group, reason, seconds=8):
    assert wait_until(lambda: reason in reasons(web, group), seconds), \
        reasons(web, group)


# request-timeout

@pytest.mark.differs("504, where mod_wsgi 4 answers 500 and 6 answers 502")
@pytest.mark.parametrize("way", ["sleep", "compute"])
def test_a_request_beyond_request_timeout_is_a_504(web, way):
    old = who(web, "/timeout")[0]
    answer, took = timed(web, f"/timeout?do={way}&s=9")
    assert answer.status == 504
    assert 0.9 < took < 4
    assert replaced(web, "/timeout", old)


def test_a_request_in_time_is_not_touched(web):
    old = who(web, "/timeout")[0]
    assert web.ask("/timeout?do=sleep&s=0.6").status == 200
    time.sleep(0.6)
    assert who(web, "/timeout")[0] == old


def test_many_short_requests_do_not_add_up(web):
    old = who(web, "/timeout")[0]
    for _ in range(5):
        assert web.ask("/timeout?s=0.4").status == 200
    assert who(web, "/timeout")[0] == old


@pytest.mark.differs("the limit is what is stated, not scaled by threads")
def test_request_timeout_does_not_depend_on_threads(web):
    answer, took = timed(web, "/timeout5?do=compute&s=9")
    assert answer.status == 504
    assert took < 3


@pytest.mark.differs("mod_wsgi ends innocent requests with the process")
def test_other_requests_of_the_process_go_on(web):
    wait_until(lambda: web.ask("/timeout5").status == 200)
    slow = Behind(web, "/timeout5?do=sleep&s=9")
    time.sleep(0.5)
    innocent = web.ask("/timeout5?do=sleep&s=0.7")
    assert innocent.status == 200
    assert slow.join().status == 504


@pytest.mark.differs("mod_wsgi watches only with a monitor thread")
def test_request_timeout_needs_no_other_limit(web):
    answer, took = timed(web, "/alone?do=compute&s=9")
    assert answer.status == 504
    assert took < 4


def test_the_stack_of_the_thread_is_logged(web):
    web.ask("/timeout?do=compute&s=9")
    web.log.wait_for(r"limits\.py", 5)


def test_the_reason_of_request_timeout(web):
    web.ask("/timeout?do=compute&s=9")
    gave_reason(web, "timeout", "request_timeout")


# interrupt-timeout

@pytest.mark.since6("RequestTimeout is new in 6.0")
def test_the_application_is_interrupted_and_its_process_lives(web):
    old = who(web, "/interrupt")[0]
    answer, took = timed(web, "/interrupt?do=compute&s=9")
    assert answer.status == 504
    assert answer.body == b"" or b"504" in answer.body
    assert took < 5
    assert who(web, "/interrupt")[0] == old


@pytest.mark.since6("RequestTimeout is new in 6.0")
def test_the_application_may_answer_the_interruption(web):
    old = who(web, "/interrupt")[0]
    answer = web.ask("/interrupt?do=catch&s=9")
    assert (answer.status, answer.text) == (200, "caught RequestTimeout")
    assert who(web, "/interrupt")[0] == old


@pytest.mark.since6("RequestTimeout is new in 6.0")
def test_an_interrupted_stream_is_truncated(web):
    old = who(web, "/interrupt")[0]
    answer = web.ask("/interrupt?do=stream&s=9")
    assert answer.status == 200
    assert not answer.complete
    assert answer.body.startswith(b"begin")
    assert b"end" not in answer.body
    assert who(web, "/interrupt")[0] == old


@pytest.mark.since6("interrupt-timeout is new in 6.0")
def test_what_cannot_be_interrupted_is_ended(web):
    """A blocking call in C does not see the exception: then as without."""
    old = who(web, "/interrupt1")[0]
    answer, took = timed(web, "/interrupt1?do=sleep&s=12")
    assert answer.status in (502, 504)
    assert took < 8
    assert replaced(web, "/interrupt1", old)


# inactivity-timeout

def test_an_idle_process_is_replaced(web):
    old = who(web, "/idle")[0]
    time.sleep(2.2)
    assert replaced(web, "/idle", old, 3)
    gave_reason(web, "idle", "inactivity_timeout")


def test_a_busy_process_is_not_idle(web):
    old = who(web, "/idle")[0]
    for _ in range(6):
        time.sleep(0.4)
        assert who(web, "/idle")[0] == old


def test_a_request_that_takes_long_is_not_idle(web):
    old = who(web, "/idle")[0]
    assert web.ask("/idle?do=sleep&s=2.5").text.split()[0] == str(old)


def test_ignore_activity_lets_a_process_be_idle(web):
    old = who(web, "/health")[0]
    end, seen = time.monotonic() + 4, old
    while time.monotonic() < end and seen == old:
        time.sleep(0.3)
        answer = web.ask("/health/ping")
        if answer.status == 200:
            seen = int(answer.text.split()[0])
    assert seen != old


# restart-interval, maximum-requests, cpu-time-limit

def test_an_old_process_is_replaced(web):
    old = who(web, "/age")[0]
    assert replaced(web, "/age", old, 6)
    gave_reason(web, "age", "restart_interval")


def test_replacing_an_old_process_fails_no_request(web):
    end, seen = time.monotonic() + 4.5, set()
    while time.monotonic() < end:
        seen.add(who(web, "/age")[0])
        time.sleep(0.05)
    assert len(seen) >= 2


def test_maximum_requests_are_counted(web):
    served = {}
    for _ in range(16):
        pid_, count = who(web, "/count")
        served[pid_] = count
        time.sleep(0.3)
    assert len(served) >= 3
    assert max(served.values()) <= 6


@REASON
def test_the_reason_of_maximum_requests(web):
    for _ in range(5):
        who(web, "/count")
    gave_reason(web, "count", "maximum_requests")


@pytest.mark.differs("a replacement is ready before the old one goes")
def test_maximum_requests_under_load_fail_nothing_and_recycle(web):
    """mod_wsgi moves the deadline with each further request."""
    seen = set()
    slow = Behind(web, "/counts?do=sleep&s=4")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        seen.add(who(web, "/counts")[0])
        time.sleep(0.05)
    assert len(seen) >= 2
    assert slow.join().status == 200


def test_a_process_that_used_its_cpu_time_is_replaced(web):
    old = who(web, "/cpu")[0]
    answer = web.ask("/cpu?do=spend&s=1.2")
    assert answer.status == 200
    assert replaced(web, "/cpu", old)
    gave_reason(web, "cpu", "cpu_time_limit")


# deadlock-timeout

def test_a_process_that_holds_the_gil_is_replaced(web):
    old = who(web, "/deadlock")[0]
    stuck = Behind(web, "/deadlock?do=hold&s=12")
    begin = time.monotonic()
    assert replaced(web, "/deadlock", old, 10)
    assert time.monotonic() - begin < 9
    answer = stuck.join()
    assert answer is None or answer.status >= 500


def test_a_process_that_only_computes_is_no_deadlock(web):
    old = who(web, "/deadlock")[0]
    assert web.ask("/deadlock?do=compute&s=3").status == 200
    assert who(web, "/deadlock")[0] == old


# queue-timeout, listen-backlog, connect-timeout

@pytest.mark.differs("504 while it waits, not when a thread becomes free")
def test_a_request_that_waits_too_long_is_a_504_at_once(web):
    busy = Behind(web, "/queue?do=sleep&s=3.5")
    answer, took = timed(web, "/queue")
    assert answer.status == 504
    assert 0.7 < took < 2.2
    assert busy.join().status == 200


def test_a_request_that_waited_too_long_is_a_504(web):
    wait_until(lambda: web.ask("/queue").status == 200)
    busy = Behind(web, "/queue?do=sleep&s=2")
    assert web.ask("/queue").status == 504
    assert busy.join().status == 200
    assert web.ask("/queue").status == 200


def test_a_request_that_waits_a_little_is_served(web):
    busy = Behind(web, "/queue?do=sleep&s=0.8")
    assert web.ask("/queue").status == 200
    assert busy.join().status == 200


@pytest.mark.differs("a full queue is a 503 at once, with Retry-After")
def test_a_full_queue_is_a_503(web):
    busy = [Behind(web, "/backlog?do=sleep&s=2") for _ in range(2)]
    answer, took = timed(web, "/backlog")
    assert answer.status == 503
    assert answer.get("Retry-After").isdigit()
    assert took < 1
    assert [each.join().status for each in busy] == [200, 200]


# socket-timeout, response-socket-timeout

def test_no_answer_within_socket_timeout_is_a_504(web):
    answer, took = timed(web, "/socket?do=sleep&s=3")
    assert answer.status == 504
    assert took < 2.8


@pytest.mark.differs("mod_wsgi ends the truncated response as if complete")
def test_a_gap_beyond_socket_timeout_truncates(web):
    answer = web.ask("/socket?do=stream&s=3")
    assert (answer.status, answer.complete) == (200, False)


def test_after_a_socket_timeout_requests_are_their_own(web):
    web.ask("/socket?do=sleep&s=1.5")
    for _ in range(4):
        assert wait_until(lambda: web.ask("/socket").status == 200, 5)


def test_a_client_that_takes_nothing_gives_its_thread_back(web):
    with web.connect(timeout=15) as slow:
        slow.send(request("/slow?do=flood"))
        time.sleep(0.4)
        begin = time.monotonic()
        assert who(web, "/slow")
        assert time.monotonic() - begin < 6


# startup-timeout

def test_a_script_that_hangs_while_it_loads_is_given_up(web):
    """The process is ended, and a new one finds the script mended."""
    sign = web.work / "may-start"
    sign.unlink(missing_ok=True)
    begin = time.monotonic()
    answers = [Behind(web, "/start", timeout=18) for _ in range(2)]
    time.sleep(2.5)
    sign.write_text("yes")
    for each in answers:
        each.join()
    assert wait_until(lambda: web.ask("/start").status == 200, 10)
    assert time.monotonic() - begin < 20


# The limits of the system

def limit(web, group, key):
    return ast.literal_eval(web.ask(f"/{group}?do=limits").text)[key]


def test_memory_limit_is_that_of_data(web):
    assert limit(web, "data", "data") == 300000000


def test_virtual_memory_limit_is_that_of_the_address_space(web):
    assert limit(web, "space", "space") == 3000000000


@pytest.mark.parametrize("group, key", [("nice", "data"), ("nice", "space")])
def test_without_the_option_there_is_no_limit(web, group, key):
    assert limit(web, group, key) == -1


def test_cpu_priority_is_the_nice_value(web):
    assert limit(web, "nice", "nice") == 5


def test_memory_beyond_the_limit_is_a_memory_error(web):
    from compat.kit import do
    def fill(environ):
        try:
            bytearray(600000000)
        except MemoryError:
            return "MemoryError"
        return "there was room"
    assert do(web, fill, "/probe-data") == "MemoryError"


# SIGUSR1: eviction-timeout, else graceful-timeout; SIGINT: shutdown-timeout

def signalled(web, group, name, seconds):
    """A running request and its process, which has just had a signal."""
    import os
    import signal
    old = who(web, f"/{group}")[0]
    running = Behind(web, f"/{group}?do=sleep&s={seconds}")
    os.kill(old, getattr(signal, name))
    return old, running


@pytest.mark.parametrize("group, seconds, want", [
    ("grace9", 2, 200), ("grace9", 3.5, 200), ("shut", 2, 200)])
def test_a_request_that_runs_at_the_end_is_finished(web, group, seconds,
                                                    want):
    name = "SIGINT" if group == "shut" else "SIGUSR1"
    old, running = signalled(web, group, name, seconds)
    assert running.join().status == want
    assert replaced(web, f"/{group}", old)


@pytest.mark.parametrize("group, name", [
    ("evict", "SIGUSR1"), ("shut1", "SIGINT"), ("shut1", "SIGTERM")])
def test_a_request_beyond_the_time_is_cut(web, group, name):
    old, running = signalled(web, group, name, 14)
    answer = running.join()
    assert answer is None or answer.status >= 500
    assert running.took < 13
    assert replaced(web, f"/{group}", old)


@pytest.mark.parametrize("group, name, reason", [
    ("grace", "SIGUSR1", "graceful_signal"),
    pytest.param("evict", "SIGUSR1", "eviction_signal", marks=REASON),
    pytest.param("shut", "SIGINT", "shutdown_signal", marks=REASON),
    pytest.param("shut", "SIGTERM", "shutdown_signal", marks=REASON),
])
def test_an_idle_process_that_is_told_to_go_gives_its_reason(
        web, group, name, reason):
    import os
    import signal
    assert wait_until(lambda: web.ask(f"/{group}").status == 200)
    old = who(web, f"/{group}")[0]
    os.kill(old, getattr(signal, name))
    assert replaced(web, f"/{group}", old)
    gave_reason(web, group, reason)


@pytest.mark.differs("a replacement serves while the old one finishes")
def test_during_a_drain_new_requests_are_served(web):
    _, running = signalled(web, "grace9", "SIGUSR1", 2)
    for _ in range(5):
        assert web.ask("/grace9").status == 200
        time.sleep(0.1)
    assert running.join().status == 200


@REASON
def test_a_touched_script_gives_its_reason(web):
    import os
    old = who(web, "/touch")[0]
    os.utime(web.apps / "touched.py", (1, 1))
    assert replaced(web, "/touch", old)
    gave_reason(web, "touch", "script_reload")


def test_the_probe_runs_in_the_group(web):
    assert pid(web, "/probe-nice") == who(web, "/nice")[0]
