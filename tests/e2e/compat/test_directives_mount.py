"""Contract 1.3: where applications are mounted, and which callable."""

import pytest

from compat.kit import basic, do, environ

COMMON = """
WSGIScriptAlias /a/b {apps}/probe.py callable-object=other
WSGIScriptAlias /a {apps}/probe.py
WSGIScriptAlias /first {apps}/probe.py
WSGIScriptAlias /first/never {apps}/probe.py callable-object=other
WSGIScriptAlias /slash/ {apps}/probe.py
WSGIScriptAlias /folder {apps}
WSGIScriptAlias /folder2/ {apps}/
WSGIScriptAlias /missing {apps}/missing.py
WSGIScriptAlias /dir {root}/htdocs/sub
WSGIScriptAlias /both {apps}/probe.py application-group=%{GLOBAL}
WSGIScriptAlias /named {apps}/probe.py application-group=mine
WSGIScriptAlias /literal {apps}/probe.py callable-object=%{ENV:CALLABLE}
WSGIScriptAlias /call {apps}/probe.py
WSGIScriptAlias /nothere {apps}/probe.py callable-object=absent
WSGIScriptAlias /nocall {apps}/probe.py callable-object=MEMORY
WSGIScriptAlias /denied {root}/denied/probe.py
WSGIScriptAlias /noinfo {apps}/probe.py
WSGIScriptAlias /dot {apps}/callables.py callable-object=instance.method
WSGIScriptAlias /noext {apps}/noext
WSGIScriptAlias "/with blank" {apps}/probe.py
WSGIScriptAlias /quoted "{apps}/with blank.py"
WSGIScriptAlias /nested/x {apps}/probe.py
WSGIScriptAliasMatch ^/m/([a-z]+)-app {apps}/$1.py
WSGIScriptAliasMatch ^/n/(\\d+) {apps}/probe.py
WSGIScriptAliasMatch ^/o/(\\d+) {apps}/probe.py callable-object=other
WSGIScriptAliasMatch /anywhere {apps}/probe.py
Alias /a/static {root}/htdocs
Alias /nested {root}/htdocs
SetEnv CALLABLE other
<Location /call/other>
    WSGICallableObject other
</Location>
<Location /call/env>
    WSGICallableObject %{ENV:CALLABLE}
</Location>
<Location /call/unknown>
    WSGICallableObject %{SERVER}
</Location>
<Location /call/unset>
    WSGICallableObject %{ENV:UNSET_ANYWHERE}
</Location>
<Location /call/absent>
    WSGICallableObject absent
</Location>
<Location /noinfo>
    AcceptPathInfo Off
</Location>
<Files probe.py>
    SetEnv FROM_FILES yes
</Files>
<Directory {apps}>
    SetEnv FROM_DIRECTORY yes
</Directory>
<VirtualHost *:*>
    ServerName main.test
</VirtualHost>
<VirtualHost *:*>
    ServerName root.test
    WSGIScriptAlias / {apps}/probe.py
    WSGIScriptAlias /a {apps}/probe.py callable-object=other
    Alias /static/ {root}/htdocs/
    Alias /favicon.ico {root}/htdocs/page.txt
</VirtualHost>
<VirtualHost *:*>
    ServerName own.test
    WSGIScriptAlias /a {apps}/probe.py callable-object=other
</VirtualHost>
<VirtualHost *:*>
    ServerName options.test
    Options -ExecCGI
    AddHandler wsgi-script .py
    DocumentRoot {apps}
</VirtualHost>
<VirtualHost *:*>
    ServerName exec.test
    AddHandler wsgi-script .py
    DocumentRoot {apps}
    <Directory {apps}>
        Options +ExecCGI
    </Directory>
</VirtualHost>
"""


def CONF(mode):
    return COMMON


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(COMMON, mode)
    probe = (server.apps / "probe.py").read_text()
    (server.apps / "noext").write_text(probe)
    (server.apps / "with blank.py").write_text(probe)
    for name in ("htdocs/sub", "denied"):
        (server.root / name).mkdir()
        (server.root / name).chmod(0o755)
    (server.root / "denied/probe.py").write_text(probe)
    (server.root / "htdocs/page.txt").write_text("a page")
    yield from life(server.start())


def names(web, target, **how):
    keys = environ(web, target, **how)
    return keys["SCRIPT_NAME"], keys["PATH_INFO"]


@pytest.mark.parametrize("target, script, info", [
    ("/a", "/a", ""), ("/a/", "/a", "/"), ("/a/x", "/a", "/x"),
    ("/a/x/y/", "/a", "/x/y/"), ("/a?q=/z", "/a", ""),
    ("//a", "/a", ""), ("/a//x", "/a", "/x"), ("//a///x//y", "/a", "/x/y"),
    ("/a/%41%2C", "/a", "/A,"), ("/a/x;y=1", "/a", "/x;y=1"),
    ("/a/./x", "/a", "/x"), ("/a/y/../x", "/a", "/x"),
    ("/a/%C3%A9", "/a", "/\u00c3\u00a9"), ("/a/%20", "/a", "/ "),
    ("/first/never", "/first", "/never"),
    ("/folder/probe.py", "/folder/probe.py", ""),
    ("/folder/probe.py/x", "/folder/probe.py", "/x"),
    ("/folder2/probe.py/x", "/folder2/probe.py", "/x"),
    ("/m/probe-app", "/m/probe-app", ""),
    ("/m/probe-app/x", "/m/probe-app", "/x"),
    ("/n/17", "/n/17", ""), ("/n/17/x", "/n/17", "/x"),
    ("/noext/x", "/noext", "/x"), ("/with%20blank/x", "/with blank", "/x"),
    ("/quoted/x", "/quoted", "/x"),
])
def test_script_name_and_path_info(web, target, script, info):
    assert names(web, target) == (script, info)


@pytest.mark.parametrize("target", [
    "/ab", "/a-b", "/firstnever", "/missing", "/missing/x", "/nothing",
    "/folder/absent.py", "/m/absent-app", "/A"])
def test_what_is_mounted_nowhere_is_a_404(web, target):
    assert web.ask(target).status == 404


def test_a_mount_with_a_slash_at_its_end_does_not_work_for_a_file(web):
    assert web.ask("/slash").status == 404
    assert web.ask("/slash/x").status == 404


@pytest.mark.parametrize("target, want", [
    ("/a/b", b"other"), ("/a/b/c", b"other"), ("/a/bc", b"probe"),
    ("/a", b"probe"), ("/first/never", b"probe"), ("/o/1", b"other")])
def test_the_first_mount_that_matches_wins(web, target, want):
    assert web.ask(target).body == want


@pytest.mark.parametrize("host, target, want", [
    ("main.test", "/a", b"probe"), ("own.test", "/a", b"other"),
    ("own.test", "/first", b"probe"), ("root.test", "/a", b"probe"),
    ("root.test", "/", b"probe"), ("root.test", "/first", b"probe")])
def test_the_mounts_of_a_virtual_host_come_first(web, host, target, want):
    assert web.ask(target, host=host).body == want


@pytest.mark.parametrize("target, script, info", [
    ("/", "", "/"), ("/x", "", "/x"), ("/x/y/", "", "/x/y/"),
    ("//x", "", "/x"), ("/static", "", "/static"),
    ("/favicon.icon", "", "/favicon.icon")])
def test_the_root_mount(web, target, script, info):
    assert names(web, target, host="root.test") == (script, info)


@pytest.mark.parametrize("host, target", [
    ("root.test", "/static/page.txt"), ("root.test", "/favicon.ico"),
    ("main.test", "/a/static/page.txt"), ("main.test", "/nested/page.txt")])
def test_an_alias_wins_wherever_it_stands(web, host, target):
    assert web.ask(target, host=host).body == b"a page"


def test_an_alias_beats_a_longer_mount(web):
    assert web.ask("/nested/x").status == 404


@pytest.mark.parametrize("target, status", [
    ("/dir/", 403), ("/folder/", 403), ("/denied", 403), ("/noinfo", 200),
    ("/noinfo/x", 404), ("/nothere", 500), ("/nocall", 500),
    ("/call/absent", 500), ("/dot", 500)])
def test_the_checks_of_a_mount(web, target, status, mode):
    answer = web.ask(target)
    if target in ("/nothere", "/call/absent", "/dot"):
        assert answer.status in (404, 500)
    else:
        assert answer.status == status


@pytest.mark.differs("500 in both modes; mod_wsgi: 404 in embedded mode")
@pytest.mark.parametrize("target", ["/nothere", "/call/absent", "/dot"])
def test_a_missing_callable_is_a_500_in_both_modes(web, target):
    assert web.ask(target).status == 500


@pytest.mark.parametrize("target, want", [
    ("/call", b"probe"), ("/call/other", b"other"), ("/call/env", b"other"),
    ("/call/unknown", b"probe"), ("/a/b", b"other")])
def test_the_callable(web, target, want):
    assert web.ask(target).body == want


@pytest.mark.parametrize("target, want", [
    ("/call", "application"), ("/both", "application")])
def test_the_callable_in_the_environ(web, target, want):
    assert environ(web, target)["mod_wsgi.callable_object"] == want


def test_callable_object_of_a_mount_is_literal(web):
    assert web.ask("/literal").status in (404, 500)


@pytest.mark.parametrize("target, want", [
    ("/both", ""), ("/named", "mine")])
def test_the_application_group_of_a_mount(web, target, want):
    assert environ(web, target)["mod_wsgi.application_group"] == want


def test_a_mount_implies_the_right_to_execute(web):
    """ExecCGI is not needed; with AddHandler it is."""
    assert web.ask("/a", host="options.test").status == 200
    assert web.ask("/probe.py", host="options.test").status == 403
    assert web.ask("/probe.py", host="exec.test").status == 200
    assert names(web, "/probe.py/x", host="exec.test") == ("/probe.py", "/x")


@pytest.mark.parametrize("key", ["FROM_FILES", "FROM_DIRECTORY"])
def test_sections_of_the_script_apply(web, key):
    assert environ(web, "/a")[key] == "yes"


def test_script_filename_is_as_written(web):
    assert environ(web, "/a/x")["SCRIPT_FILENAME"] == \
        str(web.apps / "probe.py")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH",
                                    "OPTIONS", "PROPFIND", "MKCOL",
                                    "REPORT", "X-OWN"])
def test_every_method_reaches_the_application(web, method):
    assert do(web, "environ['REQUEST_METHOD']", "/a", method=method) == method


def test_trace_is_httpds(web):
    assert web.ask("/a", method="TRACE").status in (200, 405)


def test_options_star_is_httpds(web):
    assert web.ask("*", method="OPTIONS").status in (200, 400, 404)


def test_a_query_and_a_fragment(web):
    keys = environ(web, "/a/x?a=b&c=%20?d")
    assert keys["QUERY_STRING"] == "a=b&c=%20?d"
    assert keys["REQUEST_URI"] == "/a/x?a=b&c=%20?d"


# pass-authorization= of a mount: test_directives_behaviour

@pytest.mark.parametrize("rest", [
    "", "/x", "/x {apps}/probe.py nonsense", "/x {apps}/probe.py other=1",
    "/x {apps}/probe.py process-group=",
    "/x {apps}/probe.py application-group=",
    "/x {apps}/probe.py callable-object=",
    "/x {apps}/probe.py pass-authorization=Perhaps",
    "/x {apps}/probe.py process-group=g application-group=a",
])
@pytest.mark.parametrize("name", ["WSGIScriptAlias", "WSGIScriptAliasMatch"])
def test_configtest_refuses_a_mount(configtest, name, rest):
    code, said = configtest(f"{name} {rest}")
    assert code != 0, said


def test_configtest_refuses_a_broken_expression(configtest):
    assert configtest("WSGIScriptAliasMatch ^/(x {apps}/probe.py")[0] != 0


@pytest.mark.parametrize("lines", [
    "WSGIScriptAlias /x {apps}/probe.py pass-authorization=On",
    "WSGIScriptAlias /x {apps}/probe.py pass-authorization=off",
    "WSGIScriptAlias /x {apps}/probe.py application-group='a b'",
    "WSGIScriptAlias '/x y' '{apps}/probe.py'",
    "WSGIScriptAlias /x {apps}/probe.py process-group=%{GLOBAL} "
    "application-group=%{GLOBAL}",
    "WSGIDaemonProcess g\nWSGIScriptAlias /x {apps}/probe.py "
    "process-group=g application-group=%{GLOBAL}",
])
def test_configtest_takes_a_mount(configtest, lines):
    code, said = configtest(lines)
    assert code == 0, said


@pytest.mark.differs("a group that nobody defines is found by configtest")
@pytest.mark.parametrize("lines", [
    "WSGIScriptAlias /x {apps}/probe.py process-group=nobody",
    "WSGIScriptAlias /x {apps}/probe.py\nWSGIProcessGroup nobody"])
def test_configtest_finds_a_group_that_is_not_defined(configtest, lines):
    assert configtest(lines)[0] != 0


def test_the_user_of_httpd_is_known(web):
    answer = web.ask("/a", headers=(basic("ann"),))
    assert answer.status == 200


# WSGICaseSensitivity

@pytest.mark.since6("4.9.4 lowers the case always")
@pytest.mark.parametrize("value, want", [("On", "/CaSe"), ("Off", "/case")])
def test_case_sensitivity_is_that_of_the_resource(make, mode, value, want):
    server = make(f"WSGICaseSensitivity {value}\n"
                  "WSGIApplicationGroup %{RESOURCE}\n"
                  "WSGIScriptAlias /CaSe {apps}/probe.py\n"
                  "WSGIScriptAlias /two {apps}/probe.py", mode)
    keys = environ(server, "/CaSe")
    assert keys["mod_wsgi.application_group"].endswith("|" + want)
    assert keys["SCRIPT_NAME"] == "/CaSe"
