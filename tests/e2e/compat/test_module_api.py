"""Contract 6: import mod_wsgi, import apache; events, metrics, the log."""

import ast
import os
import signal
import time

import pytest

import config
from waiting import wait_until

from compat import kit
from compat.kit import GIVEN, HERE

CONF = """
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /module {apps}/module.py
WSGIScriptAlias /sub {apps}/module.py application-group=sub
LogLevel NAME:debug
""".replace("NAME", "wsgi" if config.PEER else "etcl")
DAEMON_ONLY = """
WSGIDaemonProcess counted python-path={apps} processes=3 threads=4 \
server-metrics=On
WSGIDaemonProcess private python-path={apps} threads=2
WSGIDaemonProcess signalled python-path={apps} threads=2
WSGIScriptAlias /counted {apps}/probe.py process-group=counted
WSGIScriptAlias /private {apps}/probe.py process-group=private
WSGIScriptAlias /signalled {apps}/module.py process-group=signalled \
application-group=%{GLOBAL}
"""
PLAIN = CONF


def CONF(mode):
    return kit.ONE_CHILD + PLAIN + DAEMON_ONLY * (mode == "daemon") + (
        "WSGIServerMetrics On\n" * (mode == "embedded"))


def do(web, act, target="/module", **how):
    answer = web.ask(target, headers=(kit.carried(act, how.pop("given", {})),
                                      *how.pop("headers", ())), **how)
    assert answer.status in (200, 201), (answer.status, answer.body[:300])
    return ast.literal_eval(answer.body.decode())


# Attributes

@pytest.mark.parametrize("name, kind", [
    ("version", "tuple"), ("process_group", "str"),
    ("application_group", "str"), ("maximum_processes", "int"),
    ("threads_per_process", "int"), ("FileWrapper", "type"),
    ("active_requests", "dict"), ("event_callbacks", "list"),
    ("shutdown_callbacks", "list"),
])
def test_an_attribute_of_mod_wsgi(web, name, kind):
    assert do(web, f"type(__import__('mod_wsgi').{name}).__name__",
              "/probe") == kind


@pytest.mark.since6("new in 6.0")
@pytest.mark.parametrize("name, kind", [
    ("LogHandler", "type"), ("RequestTimeout", "type"),
    ("signal_callbacks", "list")])
def test_an_attribute_that_is_new_in_6(web, name, kind):
    assert do(web, f"type(__import__('mod_wsgi').{name}).__name__",
              "/probe") == kind


@pytest.mark.parametrize("name", [
    "request_data", "subscribe_events", "subscribe_shutdown",
    "request_metrics", "process_metrics", "server_metrics",
    pytest.param("subscribe_signals", marks=pytest.mark.since6("new")),
    pytest.param("start_recording_metrics", marks=pytest.mark.since6("new")),
])
def test_a_function_of_mod_wsgi(web, name):
    assert do(web, f"callable(__import__('mod_wsgi').{name})", "/probe")


def test_the_version_is_that_of_the_environ(web):
    def versions(environ):
        import mod_wsgi
        return mod_wsgi.version, environ["mod_wsgi.version"]
    module, environ = do(web, versions, "/probe")
    assert module == environ
    assert all(isinstance(part, int) for part in module)
    assert len(module) >= 3
    assert module >= ((4,) if config.PEER else (6,))


def test_the_groups_are_those_of_the_environ(web, mode):
    def groups(environ):
        import mod_wsgi
        return (mod_wsgi.process_group, environ["mod_wsgi.process_group"],
                mod_wsgi.application_group,
                environ["mod_wsgi.application_group"])
    group = "g" if mode == "daemon" else ""
    assert do(web, groups, "/probe") == (group, group, "", "")
    assert do(web, groups, "/sub") == (group, group, "sub", "sub")


def test_the_module_is_built_in(web):
    def modules(environ):
        import sys
        return sorted(name for name in ("mod_wsgi", "apache")
                      if name in sys.modules or __import__(name))
    assert do(web, modules, "/probe") == ["apache", "mod_wsgi"]


@pytest.mark.ours("the same module under our name")
def test_mod_etcl_is_the_same_module(web):
    def same(environ):
        import mod_etcl
        import mod_wsgi
        return (mod_etcl.subscribe_events is mod_wsgi.subscribe_events,
                mod_etcl.FileWrapper is mod_wsgi.FileWrapper)
    assert do(web, same, "/probe") == (True, True)


def test_file_wrapper_is_the_one_of_the_environ(web):
    assert do(web, "__import__('mod_wsgi').FileWrapper is "
                   "environ['wsgi.file_wrapper']", "/probe")


@pytest.mark.since6("new in 6.0")
def test_request_timeout_is_no_exception_that_applications_catch(web):
    def bases(environ):
        import mod_wsgi
        kind = mod_wsgi.RequestTimeout
        return issubclass(kind, BaseException), issubclass(kind, Exception)
    assert do(web, bases, "/probe") == (True, False)


def test_maximum_processes_and_threads_of_a_group(web, mode):
    if mode == "embedded":
        pytest.skip("of a group")
    def sizes(environ):
        import mod_wsgi
        return mod_wsgi.maximum_processes, mod_wsgi.threads_per_process
    assert do(web, sizes, "/counted") == (3, 4)
    assert do(web, sizes, "/private") == (1, 2)


def test_maximum_processes_and_threads_of_apache(web, mode):
    if mode == "daemon":
        pytest.skip("of Apache")
    def sizes(environ):
        import mod_wsgi
        return mod_wsgi.maximum_processes, mod_wsgi.threads_per_process
    processes, threads = do(web, sizes, "/probe")
    assert processes >= 1       # as the MPM says at that moment
    assert threads == (1 if kit.PREFORK else 8)     # ThreadsPerChild


# apache

@pytest.mark.parametrize("name, kind", [
    ("version", "tuple"), ("maximum_processes", "int"),
    ("threads_per_process", "int"), ("description", "str"),
    ("build_date", "str"), ("mpm_name", "str")])
def test_an_attribute_of_apache(web, name, kind):
    assert do(web, f"type(__import__('apache').{name}).__name__",
              "/probe") == kind


def test_what_apache_says(web):
    def say(environ):
        import apache
        return (apache.version, environ["apache.version"], apache.mpm_name,
                apache.description)
    version, same, mpm, description = do(web, say, "/probe")
    assert version == same
    assert version[:2] == (2, 4)
    assert mpm in ("event", "worker", "prefork")
    assert description.startswith("Apache")


# request_data, active_requests

def test_request_data_is_a_dict_of_the_request(web):
    def twice(environ):
        import mod_wsgi
        first = mod_wsgi.request_data()
        first["own"] = 1
        return type(first) is dict, mod_wsgi.request_data() is first
    assert do(web, twice, "/probe") == (True, True)
    assert do(web, "'own' in __import__('mod_wsgi').request_data()",
              "/probe") is False


def test_request_data_is_shared_with_events(web):
    assert do(web, "mod_wsgi.request_data()['mark']") == "set by the event"


def test_in_another_thread_there_is_no_request_data(web):
    def elsewhere(environ):
        import threading
        import mod_wsgi
        seen = []
        def ask():
            try:
                seen.append(type(mod_wsgi.request_data()).__name__)
            except RuntimeError:
                seen.append("RuntimeError")
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return seen
    assert do(web, elsewhere, "/probe") == ["RuntimeError"]


def test_the_running_request_is_an_active_one(web):
    def active(environ):
        import mod_wsgi
        key = environ["mod_wsgi.request_id"]
        return (key in mod_wsgi.active_requests,
                mod_wsgi.active_requests[key] is mod_wsgi.request_data())
    assert do(web, active, "/module") == (True, True)


def test_a_finished_request_is_no_active_one(web):
    for _ in range(5):
        web.ask("/module")
    assert do(web, "len(mod_wsgi.active_requests)") <= 2


# Events

def events(web, name, mark="", **how):
    """The payload of the events of a request with this query."""
    def found(environ):
        return [event for event in HERE.EVENTS if event[0] == GIVEN["NAME"]]
    tries = []
    for _ in range(12):     # embedded: until the same child answers
        rows = do(web, found, given={"NAME": name})
        tries.append(rows)
        if rows:
            return rows[-1][1]
        web.ask("/module" + (f"?{mark}" if mark else ""), **how)
    raise AssertionError(f"no event {name}")


STARTED = ["request_id", "thread_id", "application_object",
           "request_environ", "request_data", "request_start", "queue_start",
           "daemon_start"]
STARTED6 = ["callable_object", "server_pid", "application_start",
            "daemon_connects", "daemon_restarts"]
FINISHED = ["application_time", "input_reads", "input_length", "input_time",
            "output_writes", "output_length", "output_time", "request_data"]
FINISHED6 = ["application_finish", "cpu_user_time", "cpu_system_time",
             "status", "cpu_time", "gil_wait_time", "gil_wait_count"]


@pytest.mark.parametrize("key", STARTED)
def test_a_key_of_request_started(web, key):
    assert key in events(web, "request_started")


@pytest.mark.since6("the payload of 6.x")
@pytest.mark.parametrize("key", STARTED6)
def test_a_key_of_request_started_of_6(web, key):
    assert key in events(web, "request_started")


@pytest.mark.parametrize("key", [
    "request_id", "response_status", "response_headers", "exception_info",
    "request_data"])
def test_a_key_of_response_started(web, key):
    assert key in events(web, "response_started")


@pytest.mark.parametrize("key", FINISHED)
def test_a_key_of_request_finished(web, key):
    assert key in events(web, "request_finished")


@pytest.mark.since6("the payload of 6.x")
@pytest.mark.parametrize("key", FINISHED6)
def test_a_key_of_request_finished_of_6(web, key):
    assert key in events(web, "request_finished")


@pytest.mark.parametrize("key", ["request_id", "exception_info",
                                 "request_data"])
def test_a_key_of_request_exception(web, key):
    assert key in events(web, "request_exception", "raise")


def test_the_values_of_response_started(web):
    event = events(web, "response_started")
    assert event["response_status"] == "201 Made"
    assert ["X-Mark", "1"] in event["response_headers"]


def test_the_values_of_request_finished(web):
    def last(environ):
        import time
        time.sleep(0.1)
        return [event[1] for event in HERE.EVENTS
                if event[0] == "request_finished"
                and event[1]["input_length"] == 1000]
    found = []
    for _ in range(12):
        assert web.ask("/module", method="POST", body=b"x" * 1000).body
        found = do(web, last)
        if found:
            break
    event = found[-1]
    assert event["output_length"] == 1000
    assert event["output_writes"] >= 1
    assert event["input_reads"] >= 1
    assert event["application_time"] >= 0


def test_the_events_of_a_request_come_in_order(web):
    def names(environ):
        return [name for name, _ in HERE.ORDER][-40:]
    for _ in range(12):
        web.ask("/module")
    seen = " ".join(do(web, names))
    assert ("request_started response_started request_finished"
            in seen), seen


def test_a_subscriber_may_replace_the_application(web):
    assert web.ask("/module?replace").body == b"replaced"


def test_what_an_event_returns_is_seen_by_the_next(web):
    def keys(environ):
        return [keys for name, keys in HERE.ORDER
                if name == "request_started"][-1]
    assert "application_object" in do(web, keys)


def test_a_subscriber_that_fails_is_logged_and_no_more(web):
    answer = web.ask("/module?faulty")
    assert answer.status == 201
    web.log.wait_for("a subscriber that fails")


def test_an_exception_after_the_head_is_an_event_too(web):
    web.ask("/module?late")
    assert events(web, "request_exception", "late")


@pytest.mark.since6("decorators in 6.x")
def test_subscribe_gives_the_function_back(web):
    assert do(web, "(callable(listen), callable(second), callable(shutdown))"
              ) == (True, True, True)


@pytest.mark.since6("decorators in 6.x")
def test_the_lists_hold_the_subscribers(web):
    assert do(web, "(listen in mod_wsgi.event_callbacks, "
                   "shutdown in mod_wsgi.shutdown_callbacks)") == (True, True)


def test_subscriptions_are_of_their_interpreter(web):
    assert do(web, "len(mod_wsgi.event_callbacks)") == 3
    assert do(web, "len(mod_wsgi.event_callbacks)", "/sub") == 3


# Signals and the end of a process

def signs(web, pid):
    path = web.work / "signs"
    rows = path.read_text().splitlines() if path.exists() else []
    return [row.partition(" ")[2] for row in rows
            if row.startswith(f"{pid} ")]


@pytest.fixture
def daemon_pid(web, mode):
    if mode == "embedded":
        pytest.skip("of a daemon process")
    assert wait_until(lambda: web.ask("/signalled").status == 201)
    return do(web, "__import__('os').getpid()", "/signalled")


@pytest.mark.since6("signal events are new in 6.0")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR2"])
def test_a_signal_is_an_event(web, daemon_pid, name):
    number = getattr(signal, name)
    os.kill(daemon_pid, number)
    want = f"signal process_signal {name} {int(number)}"
    assert wait_until(lambda: want in signs(web, daemon_pid), 5), \
        signs(web, daemon_pid)
    assert do(web, "__import__('os').getpid()", "/signalled") == daemon_pid


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_what_runs_at_the_end_of_a_process(web, daemon_pid, name):
    os.kill(daemon_pid, getattr(signal, name))
    assert wait_until(lambda: "atexit" in signs(web, daemon_pid), 8), \
        signs(web, daemon_pid)
    seen = signs(web, daemon_pid)
    assert [row for row in seen if row.startswith("shutdown")]
    first = next(row for row in seen if row.startswith(("shutdown", "event")))
    assert "process_stopping" in first
    assert seen.index(first) < seen.index("atexit")


def test_shutdown_callbacks_run_once(web, daemon_pid):
    os.kill(daemon_pid, signal.SIGTERM)
    assert wait_until(lambda: "atexit" in signs(web, daemon_pid), 8)
    seen = [row for row in signs(web, daemon_pid)
            if row.startswith("shutdown")]
    assert len(seen) == 1


@pytest.mark.since6("new in 6.0")
def test_embedded_subscribe_signals_is_discarded_with_a_note(web, mode):
    if mode == "daemon":
        pytest.skip("of embedded mode")
    assert do(web, "callable(signals)") is True
    assert do(web, "len(mod_wsgi.signal_callbacks)") == 0


@pytest.mark.since6("4.9.4 forgets atexit of sub-interpreters")
def test_sub_interpreters_run_their_ends_too(make, mode):
    server = make("WSGIScriptAlias /sub {apps}/module.py "
                  "application-group=sub", mode)
    if mode == "embedded" and os.environ.get("ETCL_MPM") == "prefork":
        pytest.skip("which child it is, is chance")
    assert server.ask("/sub").status == 201
    pid = do(server, "__import__('os').getpid()", "/sub")
    server.stop()
    seen = signs(server, pid)
    assert [row for row in seen if row.startswith("shutdown")], seen
    assert "atexit" in seen


# Metrics

PROCESS = ["pid", "restart_time", "current_time", "running_time",
           "request_count", "request_busy_time", "request_threads",
           "active_requests", "memory_rss", "memory_max_rss", "threads"]


@pytest.mark.parametrize("key", PROCESS)
def test_a_key_of_process_metrics(web, key):
    assert key in do(web, "mod_wsgi.process_metrics()", "/module")


def test_process_metrics_count(web, mode):
    def count(environ):
        import mod_wsgi
        import os
        found = mod_wsgi.process_metrics()
        return (found["pid"] == os.getpid(), found["request_count"],
                len(found["threads"]), sorted(found["threads"][0]))
    own, first, threads, keys = do(web, count)
    assert own
    assert threads >= 1
    assert keys == ["request_count", "thread_id"]
    if mode == "daemon":
        web.ask("/module")
        assert do(web, count)[1] > first


REQUEST = [
    "pid", "start_time", "stop_time", "sample_period", "request_count",
    "request_throughput", "capacity_utilization", "request_threads_maximum",
    "request_threads_started", "request_threads_active",
    "request_threads_completed", "input_bytes", "input_reads",
    "output_bytes", "output_writes", "status_2xx", "status_5xx",
    "cpu_utilization", "cpu_user_utilization", "memory_rss",
    "memory_max_rss", "gil_wait_count"] + [
    f"{phase}_time{end}"
    for phase in ("server", "application", "request", "gil_wait")
    for end in ("", "_min_us", "_max_us", "_buckets")]


@pytest.fixture(scope="module")
def metrics(make_metrics, mode):
    return make_metrics(mode)


@pytest.fixture(scope="module")
def make_metrics():
    """One interval of metrics, from a server with a single process."""
    from conftest import life
    lives = []

    def one(mode):
        server = kit.scene(kit.ONE_CHILD + "WSGIScriptAlias /module "
                           "{apps}/module.py\n", mode)
        lives.append(life(server))
        next(lives[-1])
        kit.tolerate(server)
        server.start()

        def interval(environ):
            import os
            import mod_wsgi
            if hasattr(mod_wsgi, "start_recording_metrics"):
                before = mod_wsgi.request_metrics()
                mod_wsgi.start_recording_metrics()
                mod_wsgi.request_metrics()
                return os.getpid(), before, None
            return os.getpid(), None, mod_wsgi.request_metrics()
        first, before, _ = do(server, interval)
        for _ in range(60):
            server.ask("/module")
            server.ask("/module?raise")
            if mode == "daemon" and _ > 4:
                break
        time.sleep(0.1)
        for _ in range(20):
            pid, after = do(
                server, "(__import__('os').getpid(), "
                        "mod_wsgi.request_metrics())")
            if pid == first and after:
                return before, after
        raise AssertionError("no metrics")

    yield one
    for each in lives:
        next(each, None)


@pytest.mark.since6("the dictionary of 6.x")
@pytest.mark.parametrize("key", REQUEST)
def test_a_key_of_request_metrics(metrics, key):
    assert key in metrics[1]


@pytest.mark.since6("recording must be started in 6.x")
def test_request_metrics_are_none_before_recording(metrics):
    assert metrics[0] is None


@pytest.mark.since6("the dictionary of 6.x")
def test_request_metrics_add_up(metrics):
    found = metrics[1]
    statuses = [found[f"status_{n}xx"] for n in range(1, 6)]
    assert sum(statuses) == found["request_count"] > 0
    assert found["status_5xx"] > 0
    assert len(found["application_time_buckets"]) == 65
    assert sum(found["application_time_buckets"]) == found["request_count"]
    assert found["memory_rss"] > 1000000


@pytest.mark.since6("the dictionary of 6.x")
@pytest.mark.parametrize("phase", ["queue", "daemon"])
def test_embedded_mode_has_no_queue_and_no_daemon(metrics, mode, phase):
    value = metrics[1][f"{phase}_time"]
    if mode == "embedded":
        assert value is None
    else:
        assert value >= 0


@pytest.mark.differs("a worker shares no memory with Apache: mod_status")
def test_server_metrics_of_a_group_are_none(web, mode):
    if mode == "embedded":
        pytest.skip("of a group")
    assert do(web, "__import__('mod_wsgi').server_metrics()",
              "/counted") is None


def test_server_metrics_where_they_are_permitted(web, mode):
    if mode == "daemon":
        pytest.skip("of embedded mode")
    found = do(web, "repr(__import__('mod_wsgi').server_metrics())", "/probe")
    assert found != "None"
    for key in ("server_limit", "thread_limit", "running_generation",
                "restart_time", "running_time", "processes", "workers",
                "pid", "generation", "quiescing", "status", "access_count"):
        assert f"'{key}'" in found


def test_server_metrics_where_they_are_not(web, mode):
    if mode == "embedded":
        pytest.skip("permitted in this server")
    assert do(web, "__import__('mod_wsgi').server_metrics()",
              "/private") is None


# LogHandler

LEVELS = [("debug", "debug"), ("info", "info"), ("warning", "warn"),
          ("error", "error"), ("critical", "crit")]


@pytest.mark.since6("LogHandler is new in 6.0")
@pytest.mark.parametrize("method, level", LEVELS)
def test_a_level_of_the_log_handler(web, method, level):
    def log(environ):
        method = GIVEN["METHOD"]
        getattr(HERE.LOG, method)("words of %s", method)
    do(web, log, given={"METHOD": method})
    line = web.log.wait_for(f"words of {method}")
    assert line.level == level


@pytest.mark.since6("LogHandler is new in 6.0")
def test_the_log_handler_gives_tracebacks(web):
    def log(environ):
        try:
            raise ValueError("in the log")
        except ValueError:
            HERE.LOG.exception("it failed")
    do(web, log)
    web.log.wait_for("it failed")
    web.log.wait_for("ValueError: in the log")


@pytest.mark.since6("LogHandler is new in 6.0")
def test_the_log_handler_names_the_client(web):
    do(web, "LOG.error('who was it')")
    assert "127.0.0.1" in web.log.wait_for("who was it").text


@pytest.mark.since6("LogHandler is new in 6.0")
def test_the_log_handler_formats(web):
    def log(environ):
        import logging
        import mod_wsgi
        handler = mod_wsgi.LogHandler()
        handler.setFormatter(logging.Formatter("<%(name)s> %(message)s"))
        own = logging.getLogger("formatted")
        own.propagate = False
        own.addHandler(handler)
        own.error("tidy")
        own.removeHandler(handler)
        return isinstance(handler, logging.Handler)
    assert do(web, log) is True
    web.log.wait_for("<formatted> tidy")
