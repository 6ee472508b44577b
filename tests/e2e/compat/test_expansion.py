"""Contract 1.2: %{...}, where it is expanded and where it is not."""

import pytest

from compat.kit import environ

COMMON = """
WSGIApplicationGroup %{RESOURCE}
PassEnv LANG
SetEnv GROUP_NAME chosen
SetEnv TO_GLOBAL %{GLOBAL}
SetEnv TO_SERVER %{SERVER}
SetEnv TO_ENV %{ENV:GROUP_NAME}
SetEnv CALLABLE other
SetEnvIf X-Group "(.+)" BY_HEADER=$1
WSGIScriptAlias /p {apps}/probe.py
WSGIScriptAlias /q/r {apps}/probe.py
WSGIScriptAlias / {apps}/probe.py
""" + "".join(f"<Location /p/{name}>\nWSGIApplicationGroup {value}\n"
              "</Location>\n" for name, value in {
    "global": "%{GLOBAL}", "server": "%{SERVER}", "host": "%{HOST}",
    "resource": "%{RESOURCE}", "env": "%{ENV:GROUP_NAME}",
    "setenvif": "%{ENV:BY_HEADER}", "twice": "%{ENV:TO_GLOBAL}",
    "twice2": "%{ENV:TO_SERVER}", "nested": "%{ENV:TO_ENV}",
    "process": "%{ENV:LANG}", "literal": "plain",
    "around": "x%{SERVER}", "after": "%{SERVER}x", "unknown": "%{NOTHING}",
    "vhost": "%{VIRTUALHOST}", "lower": "%{global}",
    "rewritten": "%{ENV:REWRITTEN}",
}.items()) + """
<Location /p/rewritten>
    RewriteEngine On
    RewriteRule ^ - [E=REWRITTEN:byrule]
</Location>
RewriteEngine On
RewriteRule ^/p/rewritten - [E=REWRITTEN:byrule]
<Location /p/callable>
    WSGICallableObject %{ENV:CALLABLE}
</Location>
<VirtualHost *:*>
    ServerName localhost
    RewriteEngine On
    RewriteOptions Inherit
</VirtualHost>
<VirtualHost *:*>
    ServerName default.test:80
    ServerAlias alias.test
</VirtualHost>
<VirtualHost *:*>
    ServerName ported.test:8123
    UseCanonicalName On
</VirtualHost>
<VirtualHost *:*>
    ServerName secure.test:443
</VirtualHost>
"""
DAEMON = "WSGIDaemonProcess h python-path={apps}\n" + "".join(
    f"<Location /p/group/{name}>\nWSGIProcessGroup {value}\n</Location>\n"
    for name, value in {
        "global": "%{GLOBAL}", "env": "%{ENV:BY_HEADER}", "plain": "h",
        "server": "%{SERVER}"}.items())
MODULES = ("rewrite",)


def CONF(mode):
    return COMMON + DAEMON * (mode == "daemon")


def group(web, target, **how):
    return environ(web, target, **how)["mod_wsgi.application_group"]


def bare(text):
    """Without the port, which is the test's own."""
    host, bar, rest = text.partition("|")
    return host.partition(":")[0] + bar + rest


@pytest.mark.parametrize("target, want", [
    ("/p/global", ""), ("/p/server", "localhost"), ("/p/host", "localhost"),
    ("/p/resource", "localhost|/p"), ("/p/env", "chosen"),
    ("/p/twice", ""), ("/p/twice2", "localhost"), ("/p/process", "C"),
    ("/p/literal", "plain"), ("/p/rewritten", "byrule"),
    ("/p", "localhost|/p"), ("/p/x/y", "localhost|/p"),
    ("/q/r/s", "localhost|/q/r"), ("/other", "localhost|"),
    ("//p//x", "localhost|/p"),
])
def test_a_variable(web, target, want):
    assert bare(group(web, target)) == want


@pytest.mark.parametrize("target, want", [
    ("/p/around", "x%{SERVER}"), ("/p/unknown", "%{NOTHING}"),
    ("/p/vhost", "%{VIRTUALHOST}"), ("/p/lower", "%{global}")])
def test_what_is_no_variable_is_a_name(web, target, want):
    assert group(web, target) == want


def test_a_nested_variable_of_the_environment_is_not_expanded(web):
    assert group(web, "/p/nested") != "chosen"


@pytest.mark.parametrize("host, target, want", [
    ("default.test", "/p/server", "default.test"),
    ("alias.test", "/p/server", "default.test"),
    ("alias.test", "/p/host", "alias.test"),
    ("ported.test", "/p/server", "ported.test:8123"),
    ("ported.test:8123", "/p/server", "ported.test:8123"),
    ("secure.test", "/p/server", "secure.test"),
    ("default.test", "/p", "default.test|/p"),
    ("ported.test", "/p", "ported.test:8123|/p"),
])
def test_server_and_host(web, host, target, want):
    """The port is left out when it is 80 or 443."""
    got = group(web, target, host=host)
    if ":" not in want:
        got = bare(got)
    assert got == want


def test_a_variable_that_a_request_sets(web):
    assert group(web, "/p/setenvif", headers=(("X-Group", "mine"),)) == "mine"
    assert group(web, "/p/setenvif", headers=(("X-Group", "%{GLOBAL}"),)) \
        == ""


def test_the_callable_by_a_variable(web):
    assert web.ask("/p/callable").body == b"other"


@pytest.mark.parametrize("name, header, want", [
    ("global", "", ""), ("plain", "", "h"), ("env", "h", "h"),
    ("env", "%{GLOBAL}", ""), ("env", "g", "g")])
def test_the_process_group_by_a_variable(web, mode, name, header, want):
    if mode == "embedded":
        pytest.skip("of daemon groups")
    headers = (("X-Group", header),) if header else ()
    keys = environ(web, f"/p/group/{name}", headers=headers)
    assert keys["mod_wsgi.process_group"] == want


@pytest.mark.parametrize("name, header", [
    ("env", "nobody"), ("server", "")])
def test_a_variable_that_names_no_group_is_a_500(web, mode, name, header):
    if mode == "embedded":
        pytest.skip("of daemon groups")
    headers = (("X-Group", header),) if header else ()
    assert web.ask(f"/p/group/{name}", headers=headers).status == 500


def test_the_default_group_is_the_resource(make, mode):
    """WSGIApplicationGroup is not stated."""
    from compat.kit import HEADS
    head = HEADS[mode].replace("WSGIApplicationGroup %{GLOBAL}\n", "")
    server = make(head + "WSGIScriptAlias /one {apps}/probe.py\n"
                  "WSGIScriptAlias /two {apps}/probe.py")
    assert bare(group(server, "/one")) == "localhost|/one"
    assert bare(group(server, "/two")) == "localhost|/two"
