"""PEP 3333, "Calling the application"."""

import threading

import pytest

from conftest import life
from server import Server

KINDS = {
    "application": "function", "ClassApplication": "class",
    "instance": "instance", "method": "method", "opaque": "opaque",
    "count_arguments": "2 0", "partial": "partial", "lambda_": "lambda",
}


@pytest.fixture(scope="module")
def kinds(mpm):
    """One server that mounts every callable of callables.py."""
    mounts = "\n".join(
        f"WSGIScriptAlias /{name} {{apps}}/callables.py "
        f"process-group=g callable-object={name}"
        for name in KINDS)
    yield from life(Server(
        "WSGIDaemonProcess g python-path={apps} threads=4\n" + mounts,
        mpm=mpm).start())


@pytest.mark.parametrize("name", KINDS)
def test_any_callable_is_an_application(kinds, name):
    """Any callable is an application: function, class, instance; only
    called, never introspected; with two positional arguments."""
    kinds.log.mark()
    answer = kinds.ask(f"/{name}")
    assert (answer.status, answer.text) == (200, KINDS[name])


@pytest.mark.parametrize("name", ["not_callable", "absent"])
def test_what_cannot_be_called_is_a_logged_500(apache, name):
    server = apache(f"""
        WSGIDaemonProcess g python-path={{apps}}
        WSGIProcessGroup g
        WSGICallableObject {name}
        WSGIScriptAlias / {{apps}}/callables.py""")
    server.expect_traceback(name)
    assert server.ask("/").status == 500


def ask_together(web, targets) -> list[str]:
    """The answers to requests that are sent at the same time."""
    answers = [""] * len(targets)

    def one(index):
        answers[index] = web.ask(targets[index]).text
    threads = [threading.Thread(target=one, args=(index,))
               for index in range(len(targets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.mark.every_mpm
def test_requests_run_concurrently_when_multithread_is_true(web):
    """A callable invoked many times, also concurrently when multithread is
    true."""
    assert ask_together(web, ["/threads/meet?id=four&n=4"] * 4) == ["met"] * 4


def test_one_thread_serves_one_request_at_a_time(apache):
    """An option exists to run it on one thread."""
    server = apache("""
        WSGIDaemonProcess g threads=1 python-path={apps}
        WSGIProcessGroup g
        WSGIScriptAlias /threads {apps}/threads.py""")
    answers = ask_together(
        server, ["/threads/meet?id=two&n=2&seconds=0.5"] * 2)
    assert answers == ["alone"] * 2


def test_threads_are_kept_with_their_locals(web):
    """Thread states are kept: thread-locals survive between requests."""
    counts = [int(web.ask("/threads/local").text) for _ in range(40)]
    assert max(counts) > 1


def test_parallel_answers_are_never_mixed(web):
    """200 requests with headers of their own: each gets its own back
    (CVE-2014-0242)."""
    def own(number):
        value = f"v{number}"
        answer = web.ask(f"/threads/own?v={value}")
        return (answer.get("X-Own"), answer.get("X-Twin"), answer.text,
                answer.get("Content-Type")) == (
                    value, value, value, f"text/x-{value}")
    results = []

    def many(base):
        results.extend(own(base + offset) for offset in range(25))
    threads = [threading.Thread(target=many, args=(base,))
               for base in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert results == [True] * 200
