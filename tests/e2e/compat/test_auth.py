"""Contract 1.9, 3.5, 5.9: authentication, groups and access by Python.

The mode "remote" is our extension: the scripts run in the daemon group.
"""

import ast
import hashlib
import os
import re
import time

import pytest

import config

from compat.kit import basic, do, environ
from waiting import wait_until

MODES = ("daemon", "embedded") + (() if config.PEER else ("remote",))
MODULES = ("auth_digest", "authz_groupfile", "socache_shmcb", "ssl")

EMPTY = pytest.mark.since6("an empty string is an error")
SUB = pytest.mark.since6("no subrequest for PATH_TRANSLATED any more")

TEXT = """
WSGIScriptAlias / {apps}/probe.py
SetEnv FROM_SETENV value
<Location />
    AuthName realm
    AuthType Basic
</Location>
<Location /basic>
    AuthBasicProvider wsgi
    WSGIAuthUserScript {apps}/auth.py AUTH
    Require valid-user
</Location>
<Location /basic/passed>
    WSGIPassAuthorization On
</Location>
<Location /basic/hidden>
    WSGIPassAuthorization Off
</Location>
<Location /basic/main>
    WSGIAuthUserScript {apps}/auth.py AUTH application-group=%{GLOBAL}
</Location>
<Location /basic/named>
    WSGIAuthUserScript {apps}/auth.py AUTH application-group=aside
</Location>
<Location /basic/server>
    WSGIAuthUserScript {apps}/auth.py AUTH application-group=%{SERVER}
</Location>
<Location /basic/host>
    WSGIAuthUserScript {apps}/auth.py AUTH application-group=%{HOST}
</Location>
<Location /basic/bare>
    WSGIAuthUserScript {apps}/bare.py AUTH
</Location>
<Location /basic/absent>
    WSGIAuthUserScript {apps}/absent.py AUTH
</Location>
<Location /basic/broken>
    WSGIAuthUserScript {apps}/broken.py AUTH
</Location>
<Location /basic/changing>
    WSGIAuthUserScript {apps}/changing.py AUTH
</Location>
<Location /basic/frozen>
    WSGIAuthUserScript {apps}/frozen.py AUTH
    WSGIScriptReloading Off
</Location>
<Location /basic/counted>
    WSGIAuthUserScript {apps}/counted.py AUTH
</Location>
<Location /chain>
    AuthBasicProvider wsgi file
    AuthUserFile {root}/users
    WSGIAuthUserScript {apps}/auth.py AUTH
    Require valid-user
</Location>
<Location /turned>
    AuthBasicProvider file wsgi
    AuthUserFile {root}/users
    WSGIAuthUserScript {apps}/auth.py AUTH
    Require valid-user
</Location>
<Location /unset>
    AuthBasicProvider wsgi
    Require valid-user
</Location>
<Location /digest>
    AuthType Digest
    AuthDigestProvider wsgi
    WSGIAuthUserScript {apps}/auth.py AUTH
    Require valid-user
</Location>
<Location /groups>
    AuthBasicProvider wsgi
    WSGIAuthUserScript {apps}/auth.py AUTH
    WSGIAuthGroupScript {apps}/auth.py AUTH
    WSGIGroupAuthoritative On
    Require wsgi-group staff
</Location>
<Location /groups/two>
    Require wsgi-group nobodys staff
</Location>
<Location /groups/case>
    Require wsgi-group STAFF
</Location>
<Location /groups/quoted>
    Require wsgi-group "staff"
</Location>
<Location /groups/not>
    <RequireAll>
        Require valid-user
        Require not wsgi-group staff
    </RequireAll>
</Location>
<Location /groups/any>
    <RequireAny>
        Require user false
        Require wsgi-group staff
    </RequireAny>
</Location>
<Location /groups/named>
    WSGIAuthGroupScript {apps}/auth.py AUTH application-group=aside
</Location>
<Location /groups/forbidden>
    AuthzSendForbiddenOnFailure On
</Location>
<Location /groups/bare>
    WSGIAuthGroupScript {apps}/bare.py AUTH
</Location>
<Location /groups/file>
    AuthBasicProvider file
    AuthUserFile {root}/users
</Location>
<Location /access>
    WSGIAccessScript {apps}/auth.py AUTH
</Location>
<Location /access/named>
    WSGIAccessScript {apps}/auth.py AUTH application-group=aside
</Location>
<Location /access/denied>
    Require all denied
</Location>
<Location /access/bare>
    WSGIAccessScript {apps}/bare.py AUTH
</Location>
<Location /access/user>
    AuthBasicProvider wsgi
    WSGIAuthUserScript {apps}/auth.py AUTH
    Require valid-user
</Location>
<Directory {root}/htdocs/plain>
    AllowOverride AuthConfig
</Directory>
Alias /plain {root}/htdocs/plain
"""

FILES = {
    "broken.py": "raise ImportError('never loads')\n",
    "changing.py": "def check_password(e, u, p): return u == 'first'\n",
    "frozen.py": "import os\n"
                 "with open('{work}/loads', 'a') as out:\n"
                 "    out.write(f'{os.getpid()} ')\n"
                 "def check_password(e, u, p): return u == 'first'\n",
    "counted.py": "def check_password(e, u, p):\n"
                  "    with open('{work}/calls', 'a') as out:\n"
                  "        out.write('!')\n"
                  "    return True\n",
}


def CONF(mode):
    return TEXT.replace(" AUTH", " process-group=g"
                        if mode == "remote" else "")


@pytest.fixture(scope="module")
def shared(mode):
    """The server of this file, with its own files in place."""
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode, extra=MODULES)
    for name, text in FILES.items():
        (server.apps / name).write_text(
            text.replace("{work}", str(server.work)))
    sha = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="       # "secret"
    (server.root / "users").write_text(
        f"fileonly:{sha}\nfalse:{sha}\nunknown:{sha}\nann:{sha}\n")
    plain = server.root / "htdocs/plain"
    plain.mkdir()
    plain.chmod(0o755)
    (plain / "page.txt").write_text("a page")
    option = " process-group=g" if mode == "remote" else ""
    (plain / ".htaccess").write_text(
        "AuthType Basic\nAuthName realm\nAuthBasicProvider wsgi\n"
        f"WSGIAuthUserScript {server.apps}/auth.py{option}\n"
        f"WSGIAuthGroupScript {server.apps}/auth.py{option}\n"
        f"WSGIAccessScript {server.apps}/auth.py{option}\n"
        "WSGIGroupAuthoritative On\n"
        "Require wsgi-group staff\n")
    yield from life(server.start())


def status(web, target, user, password="secret"):
    return web.ask(target, headers=(basic(user, password),)).status


def noted(web, name):
    """pid, environ and further arguments of the last call."""
    return ast.literal_eval((web.work / name).read_text())


# AuthBasicProvider wsgi: check_password(environ, user, password)

def test_without_credentials_the_answer_is_401(web):
    answer = web.ask("/basic")
    assert answer.status == 401
    assert answer.get("WWW-Authenticate") == 'Basic realm="realm"'


@pytest.mark.parametrize("user, want", [
    ("true", 200), ("somebody", 200), ("false", 401), ("unknown", 401),
    ("renamed", 200), ("one", 500), ("zero", 500),
    pytest.param("empty", 500, marks=EMPTY),
    ("list", 500), ("float", 500), ("bytes", 500),
    ("raises", 500), ("exits", 500),
])
def test_what_check_password_returns(web, user, want):
    assert status(web, "/basic", user) == want


def test_a_wrong_password_is_401(web):
    assert status(web, "/basic", "true", "wrong") == 401


def test_after_an_exception_the_script_still_serves(web):
    assert status(web, "/basic", "raises") == 500
    assert status(web, "/basic", "true") == 200


@pytest.mark.parametrize("user, seen", [
    ("true", "true"), ("renamed", "Somebody")])
def test_a_string_replaces_the_user(web, user, seen):
    keys = environ(web, "/basic", headers=(basic(user),))
    assert keys["REMOTE_USER"] == seen
    assert keys["AUTH_TYPE"] == "Basic"


def test_check_password_is_given_user_and_password(web):
    status(web, "/basic", "Ann", "pass:word")
    assert noted(web, "check_password")[2] == ("Ann", "pass:word")


@pytest.mark.since6("4.9.4 crashes on credentials that are not UTF-8")
def test_credentials_that_are_not_ascii(web):
    import base64
    pair = base64.b64encode(b"J\xfcrgen:\xff\xfe").decode()
    answer = web.ask("/basic", headers=(("Authorization", f"Basic {pair}"),))
    assert answer.status in (401, 500)
    assert status(web, "/basic", "true") == 200


def test_utf8_credentials_arrive(web):
    status(web, "/basic", "J\u00fcrgen", "\u00e9")
    user, password = noted(web, "check_password")[2]
    assert user in ("J\u00fcrgen", "J\u00fcrgen".encode().decode("latin-1"))
    assert password in ("\u00e9", "\u00e9".encode().decode("latin-1"))


@pytest.mark.parametrize("target, given", [
    ("/basic", False), ("/basic/passed", True), ("/basic/hidden", False)])
def test_the_application_sees_authorization_only_when_passed(
        web, target, given):
    keys = environ(web, target, headers=(basic("true"),))
    assert ("HTTP_AUTHORIZATION" in keys) is given


# The environ of authentication scripts (3.5)

@pytest.fixture
def seen(web):
    assert web.ask("/basic/some/path?a=b", headers=(
        basic("true"), ("X-Own", "1"), ("Proxy", "http://bad/"),
        ("Cookie", "k=v"))).status == 200
    return noted(web, "check_password")[1]


@pytest.mark.parametrize("key, want", [
    ("REQUEST_METHOD", "GET"),
    pytest.param("QUERY_STRING", "a=b", marks=SUB),
    ("REQUEST_URI", "/basic/some/path?a=b"),
    pytest.param("SERVER_PROTOCOL", "HTTP/1.1", marks=SUB),
    ("SERVER_NAME", "localhost"), ("SERVER_ADDR", "127.0.0.1"),
    ("REMOTE_ADDR", "127.0.0.1"), ("HTTP_X_OWN", "1"),
    ("HTTP_COOKIE", "k=v"), ("HTTP_HOST", "localhost"),
    ("mod_wsgi.application_group", ""), ("wsgi.errors", "<TextIOWrapper>"),
])
def test_a_key_of_the_auth_environ(seen, key, want):
    if key == "wsgi.errors":
        assert key in seen
    else:
        assert seen[key] == want


@pytest.mark.parametrize("key", [
    "SERVER_SOFTWARE", "SERVER_PORT", "REMOTE_PORT", "DOCUMENT_ROOT",
    "SERVER_ADMIN", pytest.param("SCRIPT_FILENAME", marks=SUB)])
def test_a_key_is_there_and_is_a_str(seen, key):
    assert isinstance(seen[key], str)


@pytest.mark.parametrize("key", ["mod_wsgi.version", "apache.version"])
def test_a_version_is_a_tuple_of_int(seen, key):
    assert isinstance(seen[key], tuple)
    assert all(isinstance(part, int) for part in seen[key])


def test_the_process_group_of_auth_is_where_it_runs(seen, mode):
    assert seen["mod_wsgi.process_group"] == ("g" if mode == "remote" else "")


@pytest.mark.parametrize("key", [
    "HTTP_AUTHORIZATION", "FROM_SETENV", "wsgi.input"])
def test_a_key_is_not_in_the_auth_environ(seen, key):
    assert key not in seen


@pytest.mark.differs("mod_wsgi lets HTTP_PROXY into auth environs")
def test_the_proxy_header_is_not_in_the_auth_environ(seen):
    assert "HTTP_PROXY" not in seen


@pytest.mark.parametrize("key", ["mod_ssl.is_https", "mod_ssl.var_lookup"])
def test_the_callables_of_mod_ssl(seen, key, mode):
    if mode == "remote":
        pytest.skip("callables into Apache exist in Apache's processes only")
    assert seen[key] == "<callable>"


def test_no_internal_key_is_shown(seen):
    assert not [key for key in seen if key.startswith("mod_wsgi.x-")]


def test_where_the_script_runs(web, mode):
    """In an Apache child; with process-group= in that group."""
    pid = do(web, "__import__('os').getpid()", "/basic/where",
             headers=(basic("true"),))
    same = noted(web, "check_password")[0] == pid
    if mode == "remote":
        assert same
    if mode == "daemon":
        assert not same


# Options

@pytest.mark.parametrize("target, want", [
    ("/basic", ""), ("/basic/main", ""), ("/basic/named", "aside"),
    ("/basic/server", "localhost"), ("/basic/host", "asked.test")])
def test_the_application_group_of_the_script(web, target, want):
    web.ask(target, headers=(basic("true"),), host="asked.test")
    group = noted(web, "check_password")[1]["mod_wsgi.application_group"]
    assert re.fullmatch(re.escape(want) + r"(:\d+)?", group)


@pytest.mark.parametrize("target", [
    "/basic/bare", "/basic/absent", "/basic/broken", "/unset"])
def test_a_script_that_cannot_answer_is_a_500(web, target):
    assert status(web, target, "true") == 500


def change(path, text):
    path.write_text(text)
    os.utime(path, (time.time() + 5, time.time() + 5))


def test_a_changed_script_is_loaded_again(web):
    assert status(web, "/basic/changing", "first") == 200
    change(web.apps / "changing.py",
           "def check_password(e, u, p): return u == 'second'\n")
    for _ in range(6):
        assert wait_until(
            lambda: status(web, "/basic/changing", "second") == 200, 5)
        assert status(web, "/basic/changing", "first") == 401


def test_without_reloading_no_process_loads_a_script_twice(web):
    for _ in range(2):
        for _ in range(8):
            status(web, "/basic/frozen", "first")
        change(web.apps / "frozen.py", (web.apps / "frozen.py").read_text())
    loads = (web.work / "loads").read_text().split()
    assert len(loads) == len(set(loads))


@SUB
def test_the_script_is_asked_once_for_each_request(web):
    (web.work / "calls").unlink(missing_ok=True)
    for _ in range(3):
        status(web, "/basic/counted", "true")
    assert (web.work / "calls").read_text() == "!!!"


# Several providers

@pytest.mark.parametrize("user, want", [
    ("unknown", 200), ("false", 401), ("true", 200)])
def test_none_asks_the_next_provider_and_false_does_not(web, user, want):
    assert status(web, "/chain", user) == want


def test_wsgi_as_the_second_provider(web):
    assert status(web, "/turned", "fileonly") == 200
    assert status(web, "/turned", "true") == 200
    assert status(web, "/turned", "zero2", "wrong") == 401


# AuthDigestProvider wsgi: get_realm_hash(environ, user, realm)

def digest(web, user, password="secret", target="/digest"):
    challenge = web.ask(target).get("WWW-Authenticate")
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    realm, nonce = field["realm"], field["nonce"]

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    response = md5(":".join((
        md5(f"{user}:{realm}:{password}"), nonce, "00000001", "c", "auth",
        md5(f"GET:{target}"))))
    value = (f'Digest username="{user}", realm="{realm}", nonce="{nonce}", '
             f'uri="{target}", response="{response}", algorithm=MD5, '
             f'qop=auth, nc=00000001, cnonce="c"')
    return web.ask(target, headers=(("Authorization", value),)).status


def test_digest_asks_for_credentials(web):
    answer = web.ask("/digest")
    assert answer.status == 401
    assert answer.get("WWW-Authenticate").startswith('Digest realm="realm"')


@pytest.mark.parametrize("user, password, want", [
    ("ann", "secret", 200), ("ann", "wrong", 401), ("unknown", "secret", 401),
    ("raises", "secret", 500), ("number", "secret", 500)])
def test_what_get_realm_hash_returns(web, user, password, want):
    assert digest(web, user, password) == want


def test_get_realm_hash_is_given_user_and_realm(web):
    digest(web, "ann")
    _, keys, more = noted(web, "get_realm_hash")
    assert more == ("ann", "realm")
    assert keys["REQUEST_URI"] == "/digest"


# Require wsgi-group: groups_for_user(environ, user)

@pytest.mark.parametrize("user, want", [
    ("ann", 200), ("tuple", 200), ("set", 200), ("bytes", 200),
    ("upper", 200), ("generator", 200), ("mixed", 200), ("others", 401),
    ("empty", 401), ("nobody", 401),
])
def test_what_groups_for_user_returns(web, user, want):
    # The password script lets these in by any name but its own words.
    if user in ("empty", "bytes"):
        pytest.skip("a word of the password script")
    assert status(web, "/groups", user) == want


@pytest.mark.parametrize("user", ["none", "number", "numbers", "raises2",
                                  "text"])
def test_groups_that_are_none_are_refused(web, user):
    """No iterable of str or bytes that has the name: not let in."""
    assert status(web, "/groups", user) in (401, 403, 500)


@pytest.mark.parametrize("target, user, want", [
    ("/groups/two", "ann", 200), ("/groups/two", "others", 401),
    ("/groups/case", "ann", 200), ("/groups/quoted", "ann", 200),
    ("/groups/not", "ann", 401), ("/groups/not", "others", 200),
    ("/groups/any", "ann", 200), ("/groups/forbidden", "others", 403),
    ("/groups/file", "ann", 200), ("/groups/file", "fileonly", 401),
])
def test_the_ways_to_require_a_group(web, target, user, want):
    assert status(web, target, user) == want


def test_groups_need_a_user(web):
    assert web.ask("/groups").status == 401


def test_groups_for_user_is_given_the_user(web):
    status(web, "/groups", "ann")
    _, keys, more = noted(web, "groups_for_user")
    assert more == ("ann",)
    assert keys["REQUEST_URI"] == "/groups"
    assert keys["mod_wsgi.application_group"] == ""


def test_groups_for_user_sees_the_replaced_name(web):
    status(web, "/groups", "renamed")
    assert noted(web, "groups_for_user")[2] == ("Somebody",)


def test_the_application_group_of_the_group_script(web):
    status(web, "/groups/named", "ann")
    keys = noted(web, "groups_for_user")[1]
    assert keys["mod_wsgi.application_group"] == "aside"


def test_a_group_script_without_its_function_lets_nobody_in(web):
    assert status(web, "/groups/bare", "ann") in (401, 403, 500)


# WSGIAccessScript: allow_access(environ, host)

@pytest.mark.parametrize("word, want", [
    ("yes", 200), ("no", 403), ("none", 200), ("text", 403), ("one", 403),
    ("raises", 403)])
def test_what_allow_access_returns(web, word, want):
    assert web.ask(f"/access/{word}").status == want


def test_true_does_not_lift_what_httpd_denies(web):
    assert web.ask("/access/denied/yes").status == 403


def test_allow_access_is_given_the_host(web):
    web.ask("/access/yes")
    _, keys, more = noted(web, "allow_access")
    assert more[0] in ("127.0.0.1", "localhost")
    assert keys["REQUEST_URI"] == "/access/yes"


def test_the_application_group_of_the_access_script(web):
    web.ask("/access/named/yes")
    keys = noted(web, "allow_access")[1]
    assert keys["mod_wsgi.application_group"] == "aside"


def test_an_access_script_without_its_function_denies(web):
    assert web.ask("/access/bare/yes").status in (403, 500)


def test_access_comes_before_the_password(web):
    (web.work / "check_password").unlink(missing_ok=True)
    assert status(web, "/access/user/no", "true") == 403
    assert not (web.work / "check_password").exists()
    assert status(web, "/access/user/yes", "true") == 200


# .htaccess, logs, static files

@pytest.mark.parametrize("user, want", [
    ("ann", 200), ("others", 401), ("false", 401)])
def test_all_of_it_in_htaccess_over_a_static_file(web, user, want):
    answer = web.ask("/plain/page.txt", headers=(basic(user),))
    assert answer.status == want
    if want == 200:
        assert answer.body == b"a page"


@pytest.mark.parametrize("user, text", [
    ("prints", "said by the auth script"),
    ("errors", "written by the auth script"),
    ("raises", "no such luck")])
def test_what_an_auth_script_says_is_logged(web, user, text):
    status(web, "/basic", user)
    web.log.wait_for(text)


# configtest

@pytest.mark.parametrize("name", [
    "WSGIAuthUserScript", "WSGIAuthGroupScript", "WSGIAccessScript"])
@pytest.mark.parametrize("rest", [
    "", "{apps}/auth.py nonsense", "{apps}/auth.py unknown=x",
    "{apps}/auth.py application-group="])
def test_configtest_refuses(configtest, name, rest):
    code, said = configtest(f"<Location /x>\n{name} {rest}\n</Location>")
    assert code != 0, said
    assert "yntax error" in said


@pytest.mark.ours("process-group= runs auth scripts in a daemon group")
@pytest.mark.parametrize("name", [
    "WSGIAuthUserScript", "WSGIAuthGroupScript", "WSGIAccessScript"])
@pytest.mark.parametrize("group, good", [("g", True), ("missing", False)])
def test_the_group_of_an_auth_script_is_checked(configtest, name, group,
                                                good):
    code, said = configtest(
        "WSGIDaemonProcess g\n<Location /x>\n"
        f"{name} {{apps}}/auth.py process-group={group}\n</Location>")
    assert (code == 0) is good, said


@pytest.mark.ours("auth in a daemon group")
def test_with_auth_in_a_group_no_python_is_in_the_children(make):
    """WSGIRestrictEmbedded On and process-group=: no libpython in Apache."""
    from pathlib import Path
    server = make("""
        WSGIRestrictEmbedded On
        WSGIScriptAlias / {apps}/probe.py
        <Location />
            AuthType Basic
            AuthName realm
            AuthBasicProvider wsgi
            WSGIAuthUserScript {apps}/auth.py process-group=g
            Require valid-user
        </Location>""", "daemon")
    assert status(server, "/", "true") == 200
    for pid in server.processes():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        if "apache2" in command:
            assert "libpython" not in Path(f"/proc/{pid}/maps").read_text()


def test_restrict_embedded_does_not_forbid_auth_scripts(make):
    """Without process-group= they run in the children all the same."""
    server = make("""
        WSGIRestrictEmbedded On
        WSGIScriptAlias / {apps}/probe.py
        <Location />
            AuthType Basic
            AuthName realm
            AuthBasicProvider wsgi
            WSGIAuthUserScript {apps}/auth.py
            Require valid-user
        </Location>""", "daemon")
    assert status(server, "/", "true") == 200
    assert status(server, "/", "false") == 401
