"""Python in Apache's own processes: its beginning, its end, its silence."""

import ast
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from waiting import wait_until

ACCESS = "<Directory {root}>\nRequire all granted\n</Directory>\n"
ALIAS = "WSGIScriptAlias / {work}/app.py\n" + ACCESS
APP = """
import atexit, mod_wsgi, os, time
WORK = os.path.dirname(__file__)
def note(text):
    with open(os.path.join(WORK, "notes"), "a") as out:
        out.write(text + "\\n")
atexit.register(note, "atexit")
mod_wsgi.subscribe_shutdown(
    lambda name, **event: note(f"{name} {event['shutdown_reason']!r}"))
def application(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    groups = mod_wsgi.process_group, mod_wsgi.application_group
    return [repr((os.getpid(), *groups)).encode()]
"""
MPMS = pytest.mark.parametrize("kind", ["event", "worker", "prefork"])


def server_of(apache, kind="event", lines=ALIAS, text=APP):
    server = apache(lines, start=False, mpm=kind)
    (server.work / "app.py").write_text(text)
    return server.start()


def notes(server) -> list[str]:
    path = server.work / "notes"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def asked(server, target="/"):
    answer = server.ask(target)
    assert answer.status == 200, answer
    return ast.literal_eval(answer.body.decode())


@MPMS
def test_an_alias_alone_is_embedded_in_the_group_of_its_url(apache, kind):
    server = server_of(apache, kind)
    pid, process_group, application_group = asked(server)
    assert pid != server.pid and process_group == ""
    assert application_group.endswith("|")


@MPMS
def test_python_ends_with_its_process(apache, kind):
    server = server_of(apache, kind)
    asked(server)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4
    assert notes(server) == ["process_stopping ''", "atexit"]


@MPMS
def test_a_graceful_restart_lets_a_request_finish(apache, kind):
    server = server_of(apache, kind)
    pid = asked(server)[0]
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(server.ask("/?1.5")))
    thread.start()
    time.sleep(0.4)
    os.kill(server.pid, signal.SIGUSR1)
    assert wait_until(lambda: asked(server)[0] != pid)
    thread.join()
    assert answers[0].status == 200 and answers[0].complete


@pytest.mark.slow(30)
def test_an_exit_callback_that_hangs_does_not_hold_apache(apache):
    server = server_of(apache, text=APP + "atexit.register(time.sleep, 60)\n")
    server.allow_log("ETCL0173|AH00045")
    asked(server)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 9


def test_restarts_keep_mod_wsgis_names(apache):
    """<IfModule> after many readings of the configuration."""
    server = server_of(apache, lines="<IfModule !wsgi_module>\nWrong\n"
                       "</IfModule>\n<IfModule mod_wsgi.c>\n"
                       + ALIAS + "</IfModule>\n")
    for number in (signal.SIGHUP, signal.SIGUSR1) * 3:
        os.kill(server.pid, number)
        time.sleep(0.4)
    assert wait_until(lambda: server.ask("/").status == 200)


def test_a_changed_script_is_loaded_again_in_place(apache):
    server = server_of(apache, lines=ALIAS, kind="prefork")
    asked(server)
    (server.work / "app.py").write_text(APP.replace("repr((", "repr(('new', "))
    assert asked(server)[0] == "new"


def test_a_script_with_literal_groups_is_loaded_ahead(apache):
    server = server_of(
        apache, lines="WSGIScriptAlias / {work}/app.py "
        "process-group=%{GLOBAL} application-group=ahead\n" + ACCESS,
        text=APP + "note(f'loaded {mod_wsgi.application_group}')\n")
    assert wait_until(lambda: "loaded ahead" in notes(server))


def test_restricted_processes_stay_without_python(apache):
    server = server_of(apache, lines="WSGIRestrictEmbedded On\n" + ALIAS)
    server.expect_log("ETCL0120")
    assert server.ask("/").status == 500
    assert not any("libpython" in Path(f"/proc/{pid}/maps").read_text()
                   for pid in server.processes())


def test_the_telemetry_directives_have_one_warning(apache):
    server = apache("WSGITelemetryService unix:/tmp/none interval=2\n"
                    "WSGISlowRequests 1.5\nWSGITelemetryOptions None\n",
                    start=False)
    code, said = server.configtest()
    assert code == 0 and said.count("ETCL0060") == 1


@pytest.mark.parametrize("lines, words", [
    ("WSGIPythonOptimize 3", "0, 1 or 2"),
    ("WSGIPythonOptimize 1x", "0, 1 or 2"),
    ("WSGIPythonHashSeed 4294967296", "4294967295"),
    ("WSGIPythonHashSeed -1", "4294967295"),
    ("WSGISwitchInterval 0", "above 0"),
    ("WSGIAcceptMutex spin", "posixsem"),
    ("WSGITelemetryService udp:127.0.0.1:1", "UDP"),
    ("WSGITelemetryService unix:/x interval=0.1", "0.5"),
    ("WSGITelemetryOptions +CaptureUserAgent None", "\\+ or -"),
    ("WSGIImportScript /x process-group=%{GLOBAL}", "application-group"),
    ("WSGIImportScript /x application-group=a", "process-group"),
    ("WSGIImportScript /x process-group=g application-group=a",
     "not yet configured"),
    ("WSGIScriptAlias / /x process-group=g application-group=a\n"
     "WSGIDaemonProcess g", "not yet configured"),
    ("<WSGIInterpreterOptions>\nWSGIPythonOptimize 1\n"
     "</WSGIInterpreterOptions>", "WSGIPythonOptimize not allowed"),
    ("<WSGIInterpreterOptions process-group=a process-group=b>\n"
     "</WSGIInterpreterOptions>", "twice"),
])
def test_what_configtest_refuses(apache, lines, words):
    code, said = apache(lines, start=False).configtest()
    assert code and re.search(words, said), said
