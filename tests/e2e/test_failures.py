"""What failure looks like: to the client, in the log, and afterwards."""

import os
import signal
import time

import pytest

from client import request

NUMBER = r"ETCL0\d\d\d"
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


@pytest.mark.every_mpm
@pytest.mark.parametrize("path, words", [
    ("raises", "ValueError: raised before the headers"),
    ("raises-started", "ValueError: raised after start_response"),
    ("silent", "start_response"),
    ("exits", "SystemExit"),
])
def test_an_exception_before_the_head_is_a_500(web, path, words):
    """Exceptions that end the application are trapped and logged."""
    web.expect_traceback(words)
    answer = web.ask(f"/failing/{path}")
    assert answer.status == 500 and answer.complete
    assert b"Traceback" not in answer.body and b"raised" not in answer.body
    assert web.ask("/hello").status == 200


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("raises-late", "ValueError: raised after the first block"),
    ("raises-late-length", "ValueError: raised after the first block"),
    ("exits-late", "SystemExit"),
])
def test_an_exception_after_the_head_truncates(web, path, words):
    """The client can tell a broken response (RFC 9112 8)."""
    web.expect_traceback(words)
    web.allow_log(NUMBER)
    answer = web.ask(f"/failing/{path}")
    assert (answer.status, answer.body) == (200, b"started\n")
    assert not answer.complete


def test_the_traceback_is_complete_and_carries_the_requests_id(web):
    """app raised before HEAD: traceback, with the request's id."""
    web.expect_traceback("ValueError: raised before the headers")
    web.ask("/failing/raises")
    text = web.log.text()
    assert "failing.py\", line" in text and "in raises" in text


def kill_note(sign: int) -> str:
    name = signal.Signals(sign).name
    return rf"{NUMBER}.*(signal {sign}\b|{name})"


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("dies-late", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("dies-late-length", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("crashes-late", kill_note(signal.SIGSEGV)),
])
def test_a_worker_that_dies_after_the_head_truncates(web, path, words):
    """app or worker died after HEAD: connection aborted; the log says who
    died and how."""
    web.expect_log(words)
    web.allow_log(NUMBER)
    answer = web.ask(f"/failing/{path}")
    assert answer.body == b"started\n" and not answer.complete
    wait_for_hello(web)


@pytest.mark.differs
@pytest.mark.parametrize("path, words", [
    ("dies", rf"{NUMBER}.*(exit|status|code)\D*3\b"),
    ("aborts", kill_note(signal.SIGABRT)),
    ("crashes", kill_note(signal.SIGSEGV)),
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_worker_that_dies_before_the_head_is_a_502(web, path, words,
                                                     method):
    """A call that kills each worker it meets: 502, and the next request is
    served."""
    web.expect_log(words)
    web.allow_log(NUMBER)
    assert web.ask(f"/failing/{path}", method=method).status == 502
    wait_for_hello(web)


def wait_for_hello(server, seconds: float = 10) -> None:
    """A slot is refilled at once: requests wait, or come again shortly."""
    end = time.monotonic() + seconds
    while server.ask("/hello").status != 200:
        assert time.monotonic() < end, "the worker was not replaced"
        time.sleep(0.05)


@pytest.mark.every_mpm
@pytest.mark.differs
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_call_goes_to_another_worker_once(web, method):
    """A worker killed with -9 before HEAD: a retried answer."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"once-{method}-{web.mpm}"
    answer = web.ask(f"/failing/dies-once?flag={flag}", method=method)
    assert answer.status == 200
    if method == "GET":
        first, second = answer.text.split()
        assert first != second


@pytest.mark.differs
@pytest.mark.parametrize("method, body, query", [
    ("POST", b"", ""), ("PUT", b"x", ""), ("DELETE", b"", ""),
    ("GET", b"x" * 100_000, "&read=1")])
def test_a_call_that_is_not_safe_to_repeat_is_not(web, method, body, query):
    """Others get 502: nothing runs twice."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"never-{method}"
    answer = web.ask(f"/failing/dies-once?flag={flag}{query}", method=method,
                     body=body)
    assert answer.status == 502
    wait_for_hello(web)


@pytest.mark.every_mpm
@pytest.mark.differs
def test_a_worker_killed_in_the_middle_is_told_and_replaced(web):
    """The log says who died and of what, the next request is served."""
    web.expect_log(kill_note(signal.SIGKILL))
    web.allow_log(NUMBER)
    flag = web.work / f"sleeper-{web.mpm}"
    with web.connect() as connection:
        connection.send(request(f"/failing/sleeps?seconds=30&flag={flag}",
                                method="POST"))
        wait_for_file(flag)
        pid = int(flag.read_text())
        os.kill(pid, signal.SIGKILL)
        assert connection.read().status == 502
    assert str(pid) in web.log.text()
    wait_for_hello(web)


def wait_for_file(path, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


@pytest.mark.differs
@pytest.mark.parametrize("path", ["forks", "forks-exit"])
def test_a_forked_child_that_comes_back_is_ended(web, path):
    """the app forked and the child came back into the server: the child is
    ended at once; the parent's answer stands; pid of the child, warning."""
    if path == "forks":
        web.expect_log(rf"{NUMBER}.*fork", 1)
    web.allow_log(NUMBER)
    answer = web.ask(f"/failing/{path}")
    assert answer.status == 200 and answer.complete
    word, pid = answer.text.rsplit(" ", 1)
    assert word == "the parent answers"
    end = time.monotonic() + 3
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < end:
        try:
            os.readlink(f"/proc/{pid}/exe")
        except OSError:
            break
        time.sleep(0.05)
    else:
        assert not os.path.exists(f"/proc/{pid}/exe"), "the child runs on"
    assert web.ask("/hello").status == 200


UNLOADABLE = {
    # what is in the script, what the log must say
    "syntax": ("def application(:\n", r"SyntaxError"),
    "raises": ("\nraise LookupError('at import')\n",
               r"LookupError: at import"),
    "import": ("import no_such_module_of_ours\n",
               r"no_such_module_of_ours"),
    "no_callable": ("aplication = 1\n", r"application"),
    "exits": ("import sys; sys.exit(4)\n", r"SystemExit"),
}


@pytest.mark.parametrize("name", UNLOADABLE)
def test_an_application_that_cannot_be_loaded_is_a_500(apache, name):
    """app not loadable: 500, classified; the source is never served; and
    once it is mended it is served."""
    server = apache(group(), start=False)
    text, words = UNLOADABLE[name]
    script = server.work / f"{name}.py"
    script.write_text(text)
    server.start()
    server.expect_traceback(words)
    server.allow_log(NUMBER)
    answer = server.ask(f"/own/{name}.py")
    assert answer.status == 500 and text.encode() not in answer.body
    assert server.ask("/hello").status == 200
    mend(script, server)
    wait_for_status(server, f"/own/{name}.py", 200)


def mend(script, server) -> None:
    script.write_text((server.apps / "hello.py").read_text())
    os.utime(script, (time.time() + 5, time.time() + 5))


def wait_for_status(server, target, status, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while (got := server.ask(target).status) != status:
        assert time.monotonic() < end, f"{target} still answers {got}"
        time.sleep(0.1)


@pytest.mark.differs
def test_a_missing_module_names_where_it_was_searched(apache):
    """module not found (searched ...)."""
    server = apache(group(), start=False)
    (server.work / "import.py").write_text(UNLOADABLE["import"][0])
    server.start()
    server.expect_traceback("no_such_module_of_ours")
    server.expect_log(f"{NUMBER}.*{server.apps}")
    server.ask("/own/import.py")


@pytest.mark.differs
def test_no_callable_names_what_was_found(apache):
    """no callable (found: ...)."""
    server = apache(group(), start=False)
    (server.work / "none.py").write_text("aplication = print\n")
    server.start()
    server.expect_log(f"{NUMBER}.*application.*aplication")
    assert server.ask("/own/none.py").status == 500


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a file")
@pytest.mark.differs
def test_an_unreadable_script_names_the_component_that_blocks(apache):
    """file not readable by user X (first blocking path component)."""
    server = apache(group(), start=False)
    script = server.work / "hidden.py"
    script.write_text("x = 1\n")
    os.chown(script, 0, 0)
    script.chmod(0o600)
    server.start()
    server.expect_log(f"{NUMBER}.*{script}.*(www-data|33)"
                      f"|{NUMBER}.*(www-data|33).*{script}")
    server.allow_log("AH0|Permission")
    assert server.ask("/own/hidden.py").status in (403, 500)


def test_a_script_that_does_not_exist_is_a_404(apache):
    server = apache(group())
    server.allow_log("not found|does not exist|AH0|ETCL0")
    assert server.ask("/own/nothing.py").status == 404
    assert server.ask("/nowhere").status == 404


@pytest.mark.differs
def test_a_group_that_cannot_start_answers_503(apache):
    """no worker ready, none starting: 503 + Retry-After; group, last exit
    reason of each worker."""
    server = apache(start=False)
    (server.work / "dying.py").write_text("import os\nos._exit(7)\n")
    server.configure("""
        WSGIDaemonProcess g processes=1 python-path={apps}
        WSGIScriptAlias / {work}/dying.py process-group=g \\
            application-group=%{GLOBAL}
        <Directory {work}>
            Require all granted
        </Directory>""")
    server.start()
    server.expect_log(rf"{NUMBER}.*\bg\b.*7")
    server.allow_log(NUMBER)
    begin = time.monotonic()
    answer = server.ask("/")
    assert answer.status == 503 and answer.get("Retry-After")
    assert time.monotonic() - begin < 8


# Time limits and overload

@pytest.mark.differs
def test_a_request_that_takes_too_long_is_a_504(apache):
    """request-timeout: 504; Python stack of exactly that thread."""
    server = apache(group("threads=1 request-timeout=1"))
    server.expect_log(f"{NUMBER}.*failing|failing.py")
    server.allow_log(f"{NUMBER}|File|sleep|line")
    begin = time.monotonic()
    assert server.ask("/failing/sleeps?seconds=20").status == 504
    assert time.monotonic() - begin < 6
    wait_for_hello(server)


@pytest.mark.differs
def test_a_stale_answer_never_reaches_the_next_request(apache):
    """gunicorn 26.1: an answer that comes after its time limit is dropped
    with its link."""
    server = apache(group("threads=2 socket-timeout=1"))
    server.expect_log(NUMBER)
    for _ in range(3):
        assert server.ask("/failing/sleeps?seconds=1.3").status == 504
        for _ in range(5):
            assert server.ask("/hello").body == b"Hello, world!\n"
            time.sleep(0.1)


def occupy(server, count: int, seconds: float) -> list:
    """Hold `count` threads of the group for some time."""
    held = []
    for number in range(count):
        flag = server.work / f"held-{number}-{time.monotonic_ns()}"
        connection = server.connect()
        connection.send(request(
            f"/failing/sleeps?seconds={seconds}&flag={flag}"))
        wait_for_file(flag)
        held.append(connection)
    return held


@pytest.mark.every_mpm
@pytest.mark.differs
def test_a_full_queue_answers_503_at_once(apache):
    """queue full: 503 with Retry-After; busy, queued; once per burst."""
    server = apache(group("threads=1 listen-backlog=1"))
    held = occupy(server, 1, 2)
    queued = server.connect()
    queued.send(request("/hello"))
    time.sleep(0.2)
    server.expect_log(rf"{NUMBER}.*\bg\b", 1)
    for _ in range(5):
        begin = time.monotonic()
        answer = server.ask("/hello")
        assert answer.status == 503 and answer.get("Retry-After")
        assert time.monotonic() - begin < 0.5
    assert held[0].read().status == 200
    assert queued.read().status == 200


@pytest.mark.differs
def test_too_long_in_the_queue_is_a_504(apache):
    """too old: 504, enforced while waiting."""
    server = apache(group("threads=1 queue-timeout=1"))
    occupy(server, 1, 4)
    server.expect_log(rf"{NUMBER}.*\bg\b")
    begin = time.monotonic()
    assert server.ask("/hello").status == 504
    assert 0.8 < time.monotonic() - begin < 2.5


def test_requests_queue_while_the_group_is_busy(apache):
    """One thread, ten requests: all are answered, one after the other."""
    from test_callables import ask_together
    server = apache(group("threads=1"))
    answers = ask_together(server, ["/failing/sleeps?seconds=0.1"] * 10)
    assert all(answer.startswith("slept") for answer in answers)


@pytest.mark.differs
def test_a_stopped_worker_does_not_stop_its_group(apache):
    """A worker whose heartbeat stands still gets no new requests; the
    others of its group go on."""
    server = apache(group("processes=2 threads=2"))
    pids = set()
    for _ in range(200):
        pids.add(int(server.ask("/failing/sleeps?seconds=0").text.split()[1]))
        if len(pids) == 2:
            break
    victim = pids.pop()
    os.kill(victim, signal.SIGSTOP)
    try:
        time.sleep(3)
        good = sum(server.ask("/hello", timeout=5).status == 200
                   for _ in range(10))
    finally:
        os.kill(victim, signal.SIGCONT)
    server.allow_log(NUMBER)
    assert good == 10
