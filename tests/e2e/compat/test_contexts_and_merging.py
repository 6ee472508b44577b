"""Contract 1.1: where each directive may stand, and how values merge."""

import pytest

from compat.kit import environ

A = "{apps}/auth.py"
# directive: (class, a good value)
GLOBAL, SERVER, DIR, FILEINFO, AUTHCFG = range(5)
TABLE = {
    "WSGISocketPrefix": (GLOBAL, "{root}/run/wsgi"),
    "WSGISocketRotation": (GLOBAL, "On"),
    "WSGIAcceptMutex": (GLOBAL, "default"),
    "WSGIVerboseDebugging": (GLOBAL, "Off"),
    "WSGIDontWriteBytecode": (GLOBAL, "On"),
    "WSGIPythonWarnings": (GLOBAL, "ignore"),
    "WSGIPythonOptimize": (GLOBAL, "1"),
    "WSGIPythonHome": (GLOBAL, "/usr"),
    "WSGIPythonPath": (GLOBAL, "{apps}"),
    "WSGIPythonEggs": (GLOBAL, "{work}"),
    "WSGIPythonHashSeed": (GLOBAL, "17"),
    "WSGISwitchInterval": (GLOBAL, "0.01"),
    "WSGIDestroyInterpreter": (GLOBAL, "On"),
    "WSGIPerInterpreterGIL": (GLOBAL, "Off"),
    "WSGIFreeThreading": (GLOBAL, "Off"),
    "WSGIRestrictStdin": (GLOBAL, "Off"),
    "WSGIRestrictStdout": (GLOBAL, "Off"),
    "WSGIRestrictSignal": (GLOBAL, "On"),
    "WSGICaseSensitivity": (GLOBAL, "On"),
    "WSGIServerMetrics": (GLOBAL, "On"),
    "WSGISlowRequests": (GLOBAL, "5"),
    "WSGITelemetryService": (GLOBAL, "unix:{root}/run/t interval=1"),
    "WSGITelemetryOptions": (GLOBAL, "+CaptureUserAgent"),
    "WSGIScriptAlias": (SERVER, "/x {apps}/probe.py"),
    "WSGIScriptAliasMatch": (SERVER, "^/x {apps}/probe.py"),
    "WSGIDaemonProcess": (SERVER, "own"),
    "WSGIImportScript": (SERVER, A + " process-group=%{GLOBAL} "
                                     "application-group=%{GLOBAL}"),
    "WSGIRestrictProcess": (DIR, "g"),
    "WSGIProcessGroup": (DIR, "g"),
    "WSGIApplicationGroup": (DIR, "%{GLOBAL}"),
    "WSGIDispatchScript": (DIR, A),
    "WSGIPassApacheRequest": (DIR, "On"),
    "WSGIHandlerScript": (DIR, "own " + A),
    "WSGICallableObject": (FILEINFO, "other"),
    "WSGIPassAuthorization": (FILEINFO, "On"),
    "WSGIScriptReloading": (FILEINFO, "On"),
    "WSGIErrorOverride": (FILEINFO, "On"),
    "WSGIChunkedRequest": (FILEINFO, "On"),
    "WSGIMapHEADToGET": (FILEINFO, "Auto"),
    "WSGIIgnoreActivity": (FILEINFO, "On"),
    "WSGITrustedProxyHeaders": (FILEINFO, "X-Forwarded-For"),
    "WSGITrustedProxies": (FILEINFO, "127.0.0.1"),
    "WSGIEnableSendfile": (FILEINFO, "On"),
    "WSGIAccessScript": (AUTHCFG, A),
    "WSGIAuthUserScript": (AUTHCFG, A),
    "WSGIAuthGroupScript": (AUTHCFG, A),
    "WSGIGroupAuthoritative": (AUTHCFG, "On"),
}
NEW = {"WSGISwitchInterval", "WSGIPerInterpreterGIL", "WSGIFreeThreading",
       "WSGISlowRequests", "WSGITelemetryService", "WSGITelemetryOptions"}
LISTS = ("WSGIRestrictProcess", "WSGITrustedProxyHeaders",
         "WSGITrustedProxies")            # may be empty
HEAD = "WSGIDaemonProcess g\n"
PLACES = {
    "server": (HEAD + "{line}", (GLOBAL, SERVER, DIR, FILEINFO)),
    "vhost": (HEAD + "<VirtualHost *:*>\nServerName v.test\n{line}\n"
              "</VirtualHost>", (SERVER, DIR, FILEINFO)),
    "directory": (HEAD + "<Directory {apps}>\n{line}\n</Directory>",
                  (DIR, FILEINFO, AUTHCFG)),
    "location": (HEAD + "<Location /x>\n{line}\n</Location>",
                 (DIR, FILEINFO, AUTHCFG)),
    "files": (HEAD + "<Files probe.py>\n{line}\n</Files>",
              (DIR, FILEINFO, AUTHCFG)),
}


def marked(name, *rest):
    return pytest.param(name, *rest, marks=pytest.mark.since6(
        "new in 6.0") if name in NEW else ())


@pytest.mark.parametrize("name, place", [
    marked(name, place) for name, (kind, _) in TABLE.items()
    for place, (_, good) in PLACES.items() if kind in good])
def test_a_place_where_a_directive_may_stand(configtest, name, place):
    line = f"{name} {TABLE[name][1]}"
    code, said = configtest(PLACES[place][0].replace("{line}", line))
    assert code == 0, said


@pytest.mark.parametrize("name, place", [
    (name, place) for name, (kind, _) in TABLE.items()
    for place, (_, good) in PLACES.items() if kind not in good])
def test_a_place_where_a_directive_may_not_stand(configtest, name, place):
    line = f"{name} {TABLE[name][1]}"
    code, said = configtest(PLACES[place][0].replace("{line}", line))
    assert code != 0, said
    if name not in NEW:
        assert "Invalid command" not in said


@pytest.mark.parametrize("place", ["directory", "location"])
def test_restrict_embedded_is_of_the_server(configtest, place):
    """(Ours may stand in a virtual host too, where it restricts that.)"""
    code, said = configtest(PLACES[place][0].replace(
        "{line}", "WSGIRestrictEmbedded On"))
    assert code != 0 and "Invalid command" not in said
    assert configtest("WSGIRestrictEmbedded On")[0] == 0


@pytest.mark.parametrize("name", [
    name for name, (kind, _) in TABLE.items() if kind != AUTHCFG
    and name not in NEW and name not in LISTS])
def test_without_its_argument_a_directive_is_refused(configtest, name):
    code, said = configtest(name)
    assert code != 0
    assert "Invalid command" not in said


FLAGS = [name for name, (_, value) in TABLE.items() if value in ("On", "Off")]


@pytest.mark.parametrize("name", [marked(name) for name in FLAGS])
def test_a_flag_takes_on_and_off_only(configtest, name):
    auth = TABLE[name][0] == AUTHCFG
    frame = "<Location /x>\n%s\n</Location>" if auth else "%s"
    for value, good in (("on", True), ("OFF", True), ("Perhaps", False)):
        code, said = configtest(frame % f"{name} {value}")
        assert (code == 0) is good, said


# .htaccess: what a file there may say, by AllowOverride

@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(MERGED + """
        Alias /docs {root}/htdocs/docs
        <Directory {root}/htdocs/docs>
            Options +ExecCGI
            AddHandler wsgi-script .wsgi
            AllowOverride FileInfo AuthConfig
        </Directory>
        <Directory {root}/htdocs/docs/none>
            AllowOverride None
        </Directory>
        <Directory {root}/htdocs/docs/limit>
            AllowOverride Limit
        </Directory>
        """, mode)
    (server.root / "htdocs/docs").mkdir()
    (server.root / "htdocs/docs").chmod(0o755)
    for name, (kind, value) in TABLE.items():
        htaccess(server, name, f"{name} {value}")
    for name in ("none", "limit"):
        htaccess(server, name, "WSGICallableObject other")
    yield from life(server.start())


def htaccess(server, name, line):
    folder = server.root / "htdocs/docs" / name
    folder.mkdir()
    folder.chmod(0o755)
    for key in ("root", "apps", "work"):
        line = line.replace("{%s}" % key, str(getattr(server, key)))
    (folder / ".htaccess").write_text(line + "\n")
    (folder / "p.wsgi").write_text((server.apps / "probe.py").read_text())


@pytest.mark.parametrize("name", [
    marked(name) for name, (kind, _) in TABLE.items()])
def test_htaccess_may_hold_it_or_not(web, name):
    status = web.ask(f"/docs/{name}/p.wsgi").status
    if TABLE[name][0] in (FILEINFO, AUTHCFG):
        assert status != 500 or name == "WSGIAccessScript"
    else:
        assert status == 500


def test_allow_override_none_ignores_the_file(web):
    assert web.ask("/docs/none/p.wsgi").body == b"probe"


def test_allow_override_of_another_class_refuses_it(web):
    assert web.ask("/docs/limit/p.wsgi").status == 500


# Merging: unset, base, vhost, both; On then Off

MERGED = """
WSGIScriptAlias /p {apps}/probe.py
WSGICallableObject application
WSGIPassAuthorization Off
WSGITrustedProxyHeaders X-Forwarded-Proto
WSGIApplicationGroup base
<Location /p/loc>
    WSGIApplicationGroup location
    WSGICallableObject other
    WSGIPassAuthorization On
</Location>
<Location /p/loc/deeper>
    WSGIApplicationGroup deeper
</Location>
<Location /p/twice>
    WSGIPassAuthorization On
    WSGIPassAuthorization Off
</Location>
<Directory {apps}>
    WSGIPassAuthorization Off
</Directory>
<VirtualHost *:*>
    ServerName unset.test
</VirtualHost>
<VirtualHost *:*>
    ServerName set.test
    WSGIApplicationGroup vhost
    WSGICallableObject other
    WSGITrustedProxyHeaders X-Forwarded-Host
    <Location /p/inner>
        WSGICallableObject application
    </Location>
</VirtualHost>
"""


@pytest.mark.parametrize("host, target, want", [
    ("unset.test", "/p", "base"), ("set.test", "/p", "vhost"),
    ("unset.test", "/p/loc", "location"), ("set.test", "/p/loc", "location"),
    ("unset.test", "/p/loc/deeper/x", "deeper"),
    ("unset.test", "/p/loc/x", "location")])
def test_the_more_specific_value_wins(web, host, target, want):
    from compat.kit import do
    # Of the callable `other` there is no X-Do: the group is asked by name.
    if "/loc" in target:
        assert web.ask(target, host=host).body == b"other"
        return
    if host == "set.test":
        assert web.ask(target, host=host).body == b"other"
        target = "/p/inner"
    assert do(web, "environ['mod_wsgi.application_group']", target,
              host=host) == want


@pytest.mark.parametrize("host, scheme, name", [
    ("unset.test", "https", "unset.test"), ("set.test", "http", "front")])
def test_a_list_replaces_a_list(web, host, scheme, name):
    keys = environ(web, "/p/inner", host=host, headers=(
        ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "front")))
    assert (keys["wsgi.url_scheme"], keys["HTTP_HOST"]) == (scheme, name)


@pytest.mark.parametrize("target, want", [
    ("/p", False), ("/p/twice", False)])
def test_the_last_line_of_a_section_wins(web, target, want):
    keys = environ(web, target, headers=(("Authorization", "Own x"),))
    assert ("HTTP_AUTHORIZATION" in keys) is want


def test_a_later_kind_of_section_wins(web):
    """Location comes after Directory."""
    assert web.ask("/p/loc").body == b"other"


@pytest.mark.since6("a crash before 6.0.2")
def test_restrict_embedded_off_after_on(make):
    server = make("WSGIRestrictEmbedded On\nWSGIRestrictEmbedded Off\n"
                  "WSGIScriptAlias /p {apps}/probe.py", "embedded")
    assert server.ask("/p").body == b"probe"


def test_restrict_embedded(make):
    server = make("WSGIRestrictEmbedded On\n"
                  "WSGIScriptAlias /p {apps}/probe.py", "embedded")
    assert server.ask("/p").status == 500


def test_warnings_add_up(make, mode):
    from compat.kit import do
    server = make("WSGIPythonWarnings ignore::UserWarning\n"
                  "WSGIPythonWarnings error::BytesWarning\n"
                  "WSGIScriptAlias /p {apps}/probe.py", mode)
    assert do(server, "__import__('sys').warnoptions", "/p") == [
        "ignore::UserWarning", "error::BytesWarning"]
