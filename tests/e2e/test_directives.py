"""Directives: mounts, groups, contexts and the order among them."""

import json

import pytest

from groups import keys

GROUP = """
    WSGIDaemonProcess g python-path={apps}
    WSGIProcessGroup g
"""


@pytest.mark.every_mpm
def test_mounts_are_tried_in_their_order(apache):
    """First match wins, at the ends of path segments only."""
    server = apache(GROUP + """
        WSGIScriptAlias /a/b {apps}/environ.py
        WSGIScriptAlias /a {apps}/hello.py
        WSGIScriptAlias /late {apps}/hello.py
        WSGIScriptAlias /late/never {apps}/environ.py""")
    assert keys(server, "/a/b/c")["SCRIPT_NAME"] == "/a/b"
    assert server.ask("/a/bc").body == b"Hello, world!\n"
    assert server.ask("/late/never").body == b"Hello, world!\n"
    assert server.ask("/ab").status == 404


def test_runs_of_slashes_count_as_one(apache):
    server = apache(GROUP + "WSGIScriptAlias /a/b {apps}/environ.py")
    assert keys(server, "//a///b//c")["PATH_INFO"] == "/c"


def test_the_root_mount_takes_everything_that_no_alias_takes(apache):
    """Alias beats WSGIScriptAlias, whatever the order in the file."""
    server = apache(GROUP + """
        WSGIScriptAlias / {apps}/environ.py
        Alias /static/ {root}/htdocs/""")
    (server.root / "htdocs/a.txt").write_text("static")
    assert server.ask("/static/a.txt").body == b"static"
    server.allow_log("AH0")
    assert server.ask("/static/missing").status == 404
    for target in ("/", "/a", "/a/b/", "/static", "/favicon.ico"):
        seen = keys(server, target)
        assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("", target)


def test_script_alias_match_fills_in_its_groups(apache):
    server = apache(GROUP + """
        WSGIScriptAliasMatch ^/([a-z]+)-app {apps}/$1.py""")
    seen = keys(server, "/environ-app/rest")
    assert seen["SCRIPT_NAME"] == "/environ-app"
    assert seen["PATH_INFO"] == "/rest"
    assert server.ask("/hello-app").body == b"Hello, world!\n"


def test_a_folder_as_target_has_the_script_in_the_url(apache):
    server = apache(GROUP + "WSGIScriptAlias /apps {apps}")
    seen = keys(server, "/apps/environ.py/rest")
    assert seen["SCRIPT_NAME"] == "/apps/environ.py"
    assert seen["PATH_INFO"] == "/rest"
    server.allow_log("AH0|ETCL0|not found")
    assert server.ask("/apps/nothing.py").status == 404


def test_the_folder_of_the_script_needs_its_grant(apache):
    """<Directory> access control applies to the script."""
    server = apache(GROUP + """
        WSGIScriptAlias / {work}/hello.py
        """, start=False)
    (server.work / "hello.py").write_text(
        (server.apps / "hello.py").read_text())
    server.start()
    server.allow_log("ETCL0011")
    server.allow_log("AH01630")
    assert server.ask("/").status == 403


@pytest.mark.parametrize("options, group, app_group, name", [
    pytest.param("", "g", "", "application", marks=pytest.mark.differs),
    pytest.param("process-group=h", "h", "", "application",
                 marks=pytest.mark.differs),
    ("application-group=%{GLOBAL}", "g", "", "application"),
    ("process-group=h application-group=mine", "h", "mine", "application"),
    ("application-group=%{RESOURCE}", "g", "HOST|/environ", "application"),
    ("application-group=%{SERVER}", "g", "HOST", "application"),
])
def test_the_options_of_a_mount(apache, options, group, app_group, name):
    server = apache(GROUP + f"""
        WSGIDaemonProcess h python-path={{apps}}
        WSGIScriptAlias /environ {{apps}}/environ.py {options}""")
    seen = keys(server, "/environ")
    assert seen["mod_wsgi.process_group"] == group
    assert seen["mod_wsgi.application_group"] in [
        app_group.replace("HOST", host)
        for host in (f"localhost:{server.port}", "localhost")]
    assert seen["mod_wsgi.callable_object"] == name


def test_the_more_specific_section_wins(apache):
    server = apache(GROUP + """
        WSGIDaemonProcess vhost python-path={apps}
        WSGIDaemonProcess place python-path={apps}
        WSGIScriptAlias /environ {apps}/environ.py
        <VirtualHost *:*>
            ServerName plain.test
        </VirtualHost>
        <VirtualHost *:*>
            ServerName special.test
            WSGIProcessGroup vhost
            <Location /environ/place>
                WSGIProcessGroup place
            </Location>
        </VirtualHost>""")
    for host, target, group in (
            ("plain.test", "/environ", "g"),
            ("special.test", "/environ", "vhost"),
            ("special.test", "/environ/place/x", "place")):
        assert keys(server, target, host=host)[
            "mod_wsgi.process_group"] == group


def test_a_vhosts_mounts_come_before_the_main_servers(apache):
    server = apache(GROUP + """
        WSGIScriptAlias /x {apps}/hello.py
        WSGIScriptAlias /main {apps}/hello.py
        <VirtualHost *:*>
            ServerName v.test
            WSGIScriptAlias /x {apps}/environ.py
        </VirtualHost>""")
    assert keys(server, "/x", host="v.test")
    assert server.ask("/main", host="v.test").status == 200


def test_the_seed_at_server_level_applies_to_all_vhosts(apache):
    """conf-enabled: the group and mounts of the main server serve every
    vhost, those of another ServerName too."""
    server = apache(GROUP + """
        WSGIRestrictEmbedded On
        WSGIScriptAlias / {apps}/environ.py
        <VirtualHost *:*>
            ServerName one.test
        </VirtualHost>
        <VirtualHost *:*>
            ServerName two.test
        </VirtualHost>""")
    for host in ("one.test", "two.test"):
        assert keys(server, "/", host=host)["HTTP_HOST"] == host


@pytest.mark.parametrize("value, header, group", [
    ("%{ENV:GROUP}", ("X-Group", "h"), "h"),
    ("%{ENV:GROUP}", ("X-Group", "g"), "g"),
])
def test_the_group_comes_from_a_variable(apache, value, header, group):
    """ProcessGroup %{ENV:...}"""
    server = apache(f"""
        WSGIDaemonProcess g python-path={{apps}}
        WSGIDaemonProcess h python-path={{apps}}
        SetEnvIf X-Group "^([gh])$" GROUP=$1
        WSGIProcessGroup {value}
        WSGIScriptAlias /environ {{apps}}/environ.py""")
    seen = keys(server, "/environ", headers=(header,))
    assert seen["mod_wsgi.process_group"] == group


def test_a_group_that_a_variable_invents_is_a_500(apache):
    server = apache("""
        WSGIDaemonProcess g python-path={apps}
        SetEnvIf X-Group "(.*)" GROUP=$1
        WSGIProcessGroup %{ENV:GROUP}
        WSGIScriptAlias /environ {apps}/environ.py""")
    server.expect_log("nobody-has-it")
    assert server.ask("/environ", headers=(
        ("X-Group", "nobody-has-it"),)).status == 500


def test_restrict_embedded_refuses_what_has_no_group(apache):
    server = apache("""
        WSGIRestrictEmbedded On
        WSGIDaemonProcess g python-path={apps}
        WSGIScriptAlias /environ {apps}/environ.py""")
    server.expect_log("(?i)embedded")
    assert server.ask("/environ").status == 500


@pytest.mark.parametrize("section", ["Directory {apps}", "Location /c",
                                     "Files callables.py"])
def test_the_callable_of_a_section(apache, section):
    """CallableObject, in every kind of section."""
    server = apache(GROUP + f"""
        WSGIScriptAlias /c {{apps}}/callables.py
        <{section}>
            WSGICallableObject instance
        </{section.split()[0]}>""")
    assert server.ask("/c").text == "instance"


def test_the_callable_of_a_variable(apache):
    server = apache(GROUP + """
        SetEnvIf X-Name "(.+)" NAME=$1
        WSGICallableObject %{ENV:NAME}
        WSGIScriptAlias /c {apps}/callables.py""")
    assert server.ask("/c", headers=(("X-Name", "method"),)).text == "method"


@pytest.mark.differs
def test_two_equal_definitions_are_one_group(apache):
    """two identical WSGIDaemonProcess definitions are one group (certbot
    copies vhosts)."""
    server = apache("""
        <VirtualHost *:*>
            ServerName a.test
            WSGIDaemonProcess g processes=1 python-path={apps}
            WSGIScriptAlias / {apps}/process.py process-group=g
        </VirtualHost>
        <VirtualHost *:*>
            ServerName b.test
            WSGIDaemonProcess g processes=1 python-path={apps}
            WSGIScriptAlias / {apps}/process.py process-group=g
        </VirtualHost>""")
    pids = {json.loads(server.ask("/status", host=host).body)["pid"]
            for host in ("a.test", "b.test")}
    assert len(pids) == 1
