"""Contract 1.3, 2.4: import, dispatch and handler scripts, services."""

import ast
import os
import signal
import time

import pytest

from waiting import wait_until

from compat.kit import do, environ

SINCE6 = pytest.mark.since6("in the dispatch environ since 6.0")
COMMON = """
WSGIScriptAlias /probe {apps}/probe.py
SetEnv FROM_SETENV value
<Location /probe/d>
    WSGIDispatchScript {apps}/dispatch.py
</Location>
<Location /probe/d/named>
    WSGIDispatchScript {apps}/dispatch.py application-group=aside
</Location>
<Location /probe/d/global>
    WSGIDispatchScript {apps}/dispatch.py application-group=%{GLOBAL}
</Location>
<Location /probe/d/server>
    WSGIDispatchScript {apps}/dispatch.py application-group=%{SERVER}
</Location>
<Location /probe/d/host>
    WSGIDispatchScript {apps}/dispatch.py application-group=%{HOST}
</Location>
<Location /probe/d/partial>
    WSGIDispatchScript {apps}/partial.py
</Location>
<Location /probe/d/bare>
    WSGIDispatchScript {apps}/bare.py
</Location>
<Location /probe/d/absent>
    WSGIDispatchScript {apps}/absent.py
</Location>
<Location /probe/d/env>
    SetEnv CHOSEN other
    WSGICallableObject %{ENV:CHOSEN}
</Location>

WSGIHandlerScript compat {apps}/probe.py
WSGIHandlerScript aside {apps}/probe.py application-group=aside
WSGIHandlerScript passing {apps}/probe.py pass-authorization=On
WSGIHandlerScript absent {apps}/absent.py
WSGIHandlerScript nofunction {apps}/bare.py
AddHandler compat .xyz
AddHandler aside .aside
AddHandler passing .passing
AddHandler absent .absent
AddHandler nofunction .nofunction
AddHandler wsgi-script .wsgi
<Location /located>
    SetHandler compat
</Location>
<Location /located/other>
    WSGICallableObject other
</Location>
Alias /scripts {root}/htdocs/scripts
<Directory {root}/htdocs/scripts>
    Options +ExecCGI
</Directory>
Alias /typed {root}/htdocs/typed
<Directory {root}/htdocs/typed>
    Options +ExecCGI
    AddType application/x-httpd-wsgi .wtype
</Directory>
"""
DAEMON = """
WSGIDaemonProcess h threads=3 python-path={apps}
WSGIDaemonProcess import threads=2 python-path={apps}
WSGIImportScript {apps}/imported.py process-group=import \
    application-group=%{GLOBAL}
WSGIImportScript {apps}/imported2.py process-group=import \
    application-group=named
WSGIImportScript {apps}/failingimport.py process-group=import \
    application-group=%{GLOBAL}
WSGIScriptAlias /imported {apps}/probe.py process-group=import \
    application-group=%{GLOBAL}
WSGIHandlerScript ingroup {apps}/probe.py process-group=h
AddHandler ingroup .ingroup
WSGIDaemonProcess service threads=0 python-path={apps}
WSGIImportScript {apps}/service.py process-group=service \
    application-group=%{GLOBAL}
"""
EMBEDDED = """
WSGIImportScript {apps}/imported.py process-group=%{GLOBAL} \
    application-group=%{GLOBAL}
WSGIImportScript {apps}/imported2.py process-group=%{GLOBAL} \
    application-group=named
WSGIImportScript {apps}/failingimport.py process-group=%{GLOBAL} \
    application-group=%{GLOBAL}
WSGIDaemonProcess h threads=3 python-path={apps}
"""


def CONF(mode):
    return COMMON + (DAEMON if mode == "daemon" else EMBEDDED)


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode)
    docs = server.root / "htdocs"
    for name in ("a.xyz", "a.aside", "a.passing", "a.absent", "a.ingroup",
                 "a.nofunction", "plain.txt"):
        (docs / name).write_text("the text of the file")
    for folder, name in (("scripts", "s.wsgi"), ("typed", "t.wtype"),
                         ("noexec", "s.wsgi")):
        (docs / folder).mkdir()
        (docs / folder).chmod(0o755)
        (docs / folder / name).write_text(
            (server.apps / "probe.py").read_text())
    yield from life(server.start())


# WSGIDispatchScript

def test_none_changes_nothing(web, mode):
    keys = environ(web, "/probe/d")
    group = "g" if mode == "daemon" else ""
    assert keys["mod_wsgi.process_group"] == group
    assert keys["mod_wsgi.application_group"] == ""
    assert keys["mod_wsgi.callable_object"] == "application"


@pytest.mark.parametrize("query, key, want", [
    ("pg=h", "process_group", "h"), ("pg=bytes", "process_group", "h"),
    ("pg=%25%7BGLOBAL%7D", "process_group", ""),
    ("ag=mine", "application_group", "mine"),
    ("ag=%25%7BGLOBAL%7D", "application_group", ""),
    ("ag=%25%7BSERVER%7D", "application_group", "localhost"),
    ("ag=%25%7BENV:FROM_SETENV%7D", "application_group", "value"),
    ("pg=h&ag=mine", "application_group", "mine"),
])
def test_a_group_that_is_dispatched_to(web, query, key, want):
    keys = environ(web, f"/probe/d?{query}")
    assert keys[f"mod_wsgi.{key}"].partition(":")[0] == want


def test_the_resource_of_a_dispatched_group(web):
    keys = environ(web, "/probe/d?ag=%25%7BRESOURCE%7D")
    assert keys["mod_wsgi.application_group"].endswith("|/probe")


@pytest.mark.parametrize("query, want", [
    ("call=other", b"other"), ("call=application", b"probe"),
    ("call=bytes", b"other")])
def test_a_callable_that_is_dispatched_to(web, query, want):
    assert web.ask(f"/probe/d?{query}").body == want


@pytest.mark.parametrize("query", [
    "pg=raise", "ag=raise", "call=raise", "pg=number", "ag=number",
    "call=number", "pg=unknown-group"])
def test_what_a_dispatch_script_must_not_do(web, query):
    assert web.ask(f"/probe/d?{query}").status == 500
    assert web.ask("/probe/d").status == 200


def test_a_missing_function_is_skipped(web):
    assert web.ask("/probe/d/partial").body == b"other"
    assert web.ask("/probe/d/bare").body == b"probe"


@pytest.mark.differs("mod_wsgi 4 goes on as if there were no script")
def test_a_dispatch_script_that_is_not_there_is_a_500(web):
    assert web.ask("/probe/d/absent").status == 500


def test_dispatch_wins_over_the_directive(web):
    assert web.ask("/probe/d/env").body == b"other"
    assert web.ask("/probe/d/env?call=application").body == b"probe"


def dispatched(web):
    return ast.literal_eval((web.work / "dispatch").read_text())


@pytest.mark.parametrize("target, want", [
    ("/probe/d", ""), ("/probe/d/global", ""), ("/probe/d/named", "aside"),
    ("/probe/d/server", "localhost"), ("/probe/d/host", "asked.test")])
def test_the_application_group_of_the_dispatch_script(web, target, want):
    web.ask(target, host="asked.test")
    group = dispatched(web)[1]["mod_wsgi.application_group"]
    assert group.partition(":")[0] == want


@pytest.mark.parametrize("key, want", [
    ("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "/probe"),
    ("PATH_INFO", "/d/x"), ("QUERY_STRING", "a=b"), ("HTTP_X_OWN", "1"),
    ("FROM_SETENV", "value"), ("mod_wsgi.process_group", ""),
    ("SERVER_PROTOCOL", "HTTP/1.1"), ("HTTP_HOST", "localhost")])
def test_a_key_of_the_dispatch_environ(web, key, want):
    web.ask("/probe/d/x?a=b", headers=(("X-Own", "1"),))
    assert dispatched(web)[1][key] == want


@pytest.mark.parametrize("key, there", [
    ("wsgi.errors", True), ("wsgi.input", False),
    ("mod_wsgi.callable_object", False), ("HTTP_PROXY", False),
    pytest.param("apache.version", True, marks=SINCE6),
    pytest.param("mod_wsgi.version", True, marks=SINCE6)])
def test_a_key_is_in_the_dispatch_environ_or_not(web, key, there):
    web.ask("/probe/d", headers=(("Proxy", "x"),))
    assert (key in dispatched(web)[1]) is there


def test_dispatch_runs_in_an_apache_child(web, mode):
    pid = do(web, "__import__('os').getpid()", "/probe/d")
    if mode == "daemon":
        assert dispatched(web)[0] != pid


@pytest.mark.parametrize("rest", ["", "{apps}/dispatch.py unknown=x",
                                  "{apps}/dispatch.py application-group="])
def test_configtest_refuses_a_dispatch_script(configtest, rest):
    assert configtest(f"WSGIDispatchScript {rest}")[0] != 0


def test_restrict_embedded_does_not_forbid_dispatch(make):
    server = make("""
        WSGIRestrictEmbedded On
        WSGIDispatchScript {apps}/dispatch.py
        WSGIScriptAlias /probe {apps}/probe.py""", "daemon")
    assert server.ask("/probe?call=other").body == b"other"


def test_a_changed_dispatch_script_is_loaded_again(make, mode):
    server = make("WSGIDispatchScript {work}/own.py\n"
                  "WSGIScriptAlias /probe {apps}/probe.py", mode, start=False)
    path = server.work / "own.py"
    path.write_text("def callable_object(e): return 'other'\n")
    server.start()
    assert server.ask("/probe").body == b"other"
    path.write_text("def callable_object(e): return None\n")
    os.utime(path, (time.time() + 5, time.time() + 5))
    for _ in range(6):
        assert wait_until(
            lambda: server.ask("/probe").body == b"probe", 5)


# WSGIHandlerScript

def test_a_handler_script_answers_for_a_kind_of_file(web):
    assert web.ask("/a.xyz").body == b"handled"


def test_its_callable_is_handle_request(web):
    keys = environ(web, "/a.xyz")
    assert keys["mod_wsgi.callable_object"] == "handle_request"


@pytest.mark.parametrize("key, end", [
    ("mod_wsgi.request_handler", "compat"),
    ("mod_wsgi.handler_script", "/apps/probe.py"),
    ("SCRIPT_FILENAME", "/htdocs/a.xyz"),
    ("SCRIPT_NAME", "/a.xyz"), ("PATH_INFO", "")])
def test_the_environ_of_a_handler_script(web, key, end):
    assert environ(web, "/a.xyz")[key].endswith(end)


def test_path_info_of_a_handler_script(web):
    keys = environ(web, "/a.xyz/more")
    assert (keys["SCRIPT_NAME"], keys["PATH_INFO"]) == ("/a.xyz", "/more")


def test_the_file_need_not_exist(web):
    assert web.ask("/missing.xyz").body == b"handled"


def test_a_handler_needs_no_exec_cgi_and_callable_object_is_unused(web):
    assert web.ask("/located").body == b"handled"
    assert web.ask("/located/other").body == b"handled"


def test_the_application_group_of_a_handler(web):
    keys = environ(web, "/a.aside")
    assert keys["mod_wsgi.application_group"] == "aside"
    assert keys["mod_wsgi.request_handler"] == "aside"


def test_the_process_group_of_a_handler(web, mode):
    if mode == "embedded":
        pytest.skip("its option names a group")
    assert environ(web, "/a.ingroup")["mod_wsgi.process_group"] == "h"


def test_pass_authorization_of_a_handler(web):
    keys = environ(web, "/a.passing", headers=(("Authorization", "Own x"),))
    assert keys["HTTP_AUTHORIZATION"] == "Own x"


@pytest.mark.parametrize("target", ["/a.absent", "/a.nofunction"])
def test_a_handler_script_that_cannot_answer(web, target):
    assert web.ask(target).status in (404, 500)


def test_other_files_are_left_alone(web):
    assert web.ask("/plain.txt").body == b"the text of the file"


@pytest.mark.parametrize("rest", [
    "", "name", "name {apps}/probe.py unknown=x", "name {apps}/probe.py x",
    "name {apps}/probe.py process-group=",
    "name {apps}/probe.py application-group=",
    "name {apps}/probe.py pass-authorization=Perhaps"])
def test_configtest_refuses_a_handler_script(configtest, rest):
    assert configtest(f"WSGIHandlerScript {rest}")[0] != 0


# The handler names wsgi-script and application/x-httpd-wsgi

def test_add_handler_wsgi_script(web):
    keys = environ(web, "/scripts/s.wsgi/p")
    assert keys["SCRIPT_NAME"] == "/scripts/s.wsgi"
    assert keys["PATH_INFO"] == "/p"
    assert keys["mod_wsgi.request_handler"] == "wsgi-script"


def test_the_media_type_is_a_handler_too(web):
    assert web.ask("/typed/t.wtype").body == b"probe"


def test_without_exec_cgi_it_is_a_403(web):
    assert web.ask("/noexec/s.wsgi").status == 403


# WSGIImportScript

def imports(web):
    path = web.work / "imports"
    return [ast.literal_eval(row) for row in path.read_text().splitlines()] \
        if path.exists() else []


def test_an_import_script_runs_in_its_groups(web, mode):
    group = "import" if mode == "daemon" else ""
    assert wait_until(lambda: any(row[1:] == (group, "", "imported.py", False)
                                  for row in imports(web)))


def test_import_scripts_run_in_the_order_of_the_configuration(web):
    assert wait_until(lambda: any(row[1] == "second" for row in imports(web)))
    first = imports(web)[0][0]
    rows = [row[1] for row in imports(web) if row[0] == first]
    assert rows[-1] == "second" and len(rows) == 2


def test_an_import_comes_before_the_first_request(web, mode):
    target = "/imported" if mode == "daemon" else "/probe"
    assert do(web, "__import__('sys').compat_imported", target) is True


def test_an_import_is_of_its_interpreter(web, mode):
    if mode == "daemon":
        assert do(web, "hasattr(__import__('sys'), 'compat_imported')") \
            is False
    else:
        assert do(web, "hasattr(__import__('sys'), 'compat_imported')",
                  "/a.aside") is False


def test_an_import_that_fails_is_logged_and_no_more(shared, mode):
    from pathlib import Path
    text = "".join(Path(path).read_text() for path in shared.log.paths
                   if Path(path).exists())
    assert "this import fails" in text
    assert shared.ask("/imported" if mode == "daemon" else "/probe"
                      ).status == 200


@pytest.mark.parametrize("rest", [
    "", "{apps}/imported.py", "{apps}/imported.py process-group=g",
    "{apps}/imported.py application-group=x",
    "{apps}/imported.py process-group=later application-group=x",
    "{apps}/imported.py process-group=g application-group=x other=1",
    "{apps}/imported.py process-group= application-group=x"])
def test_configtest_refuses_an_import_script(configtest, rest):
    code, said = configtest(f"WSGIDaemonProcess g\nWSGIImportScript {rest}")
    assert code != 0, said


def test_an_import_may_not_name_a_group_of_another_vhost(configtest):
    code, _ = configtest("""
        <VirtualHost *:*>
            ServerName one.test
            WSGIDaemonProcess own
        </VirtualHost>
        <VirtualHost *:*>
            ServerName two.test
            WSGIImportScript {apps}/imported.py process-group=own \
application-group=x
        </VirtualHost>""")
    assert code != 0


# Service processes: threads=0

def service(web):
    path = web.work / "service"
    rows = [row.partition(" ") for row in path.read_text().splitlines()] \
        if path.exists() else []
    return [(int(pid), text) for pid, _, text in rows]


@pytest.fixture
def running(web, mode):
    if mode == "embedded":
        pytest.skip("a daemon process")
    assert wait_until(lambda: any("start" in row[1] for row in service(web)))
    return [row[0] for row in service(web) if "start" in row[1]][-1]


def test_a_service_runs_in_the_main_thread(web, running):
    assert (running, "start main=True") in service(web)


def test_a_service_handles_its_own_signals(web, running):
    assert wait_until(
        lambda: [row for row in service(web)
                 if row == (running, "handler True")])
    os.kill(running, signal.SIGUSR2)
    assert wait_until(lambda: (running, "usr2") in service(web))


@pytest.mark.parametrize("name", [
    "SIGTERM", pytest.param("SIGINT", marks=pytest.mark.since6("as SIGTERM"))])
def test_a_signal_is_a_system_exit_in_a_service(web, running, name):
    pid = [row[0] for row in service(web) if "start" in row[1]][-1]
    os.kill(pid, getattr(signal, name))
    assert wait_until(lambda: (pid, "SystemExit") in service(web))
    assert wait_until(lambda: any(
        "start" in row[1] and row[0] != pid for row in service(web)[-3:]))


def test_a_service_that_ends_is_started_again(web, running):
    pid = [row[0] for row in service(web) if "start" in row[1]][-1]
    (web.work / "service-end").write_text("now")
    assert wait_until(lambda: (pid, "end") in service(web))
    assert wait_until(lambda: any(
        "start" in row[1] and row[0] != pid for row in service(web)[-3:]))
