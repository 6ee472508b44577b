"""Auth, access and dispatch scripts in daemon groups: what only we promise."""

import base64
from pathlib import Path

import pytest

import config
from tls import MODULES, NOISE, tls_ask, tls_host

pytestmark = pytest.mark.skipif(bool(config.PEER), reason="our extension")

AUTH = """
def check_password(environ, user, password):
    if user == "dies":
        import os
        os._exit(3)
    return password == "s3cr3t-w0rd"
def groups_for_user(environ, user):
    return ["staff"] * 3000 if user == "many" else ["staff"]
def allow_access(environ, host):
    return True
"""
SITE = """
    WSGIDaemonProcess g python-path={apps}
    WSGIDaemonProcess other python-path={apps}
    Alias /plain {root}/htdocs/plain
    <Location />
        AuthType Basic
        AuthName test
        AuthBasicProvider wsgi
        Require valid-user
    </Location>
"""
SCRIPT = "WSGIAuthUserScript {root}/auth/auth.py"


def basic(user="ann", password="s3cr3t-w0rd"):
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return "Authorization", f"Basic {pair}"


@pytest.fixture
def site(apache):
    """A server with a static page that needs a password."""
    def make(lines, htaccess="", **how):
        server = apache(SITE + lines, start=False, **how)
        folder = server.root / "auth"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "auth.py").write_text(AUTH)
        plain = server.root / "htdocs/plain"
        plain.mkdir()
        plain.chmod(0o755)
        (plain / "page.html").write_text("a page")
        (plain / ".htaccess").write_text(
            htaccess.replace("{root}", str(server.root)))
        server.start()
        server.allow_log("ETCL0184|AH01617|AH01618|AH01807")
        return server
    return make


def ask(server, *who, target="/plain/page.html"):
    return server.ask(target, headers=(basic(*who),))


def python_in_apache(server):
    maps = [Path(f"/proc/{pid}/maps").read_text()
            for pid in server.processes()
            if "apache2" in Path(f"/proc/{pid}/cmdline").read_text()]
    assert maps
    return any("libpython" in text for text in maps)


def test_a_static_page_behind_a_script_in_a_group(site):
    server = site(f"""
        WSGIRestrictEmbedded On
        <Location /plain>
            {SCRIPT} process-group=g
            WSGIAuthGroupScript {{root}}/auth/auth.py process-group=other
            WSGIAccessScript {{root}}/auth/auth.py process-group=other
            Require wsgi-group staff
        </Location>""")
    page = ask(server)
    assert (page.status, page.body) == (200, b"a page")
    assert page.get("Content-Type") == "text/html"
    assert ask(server, "ann", "wrong").status == 401
    assert ask(server, "many").status == 200
    assert not python_in_apache(server)


def test_a_script_without_a_group_uses_that_of_its_place(site):
    """WSGIRestrictEmbedded On keeps Python out whatever is asked."""
    server = site(f"""
        WSGIRestrictEmbedded On
        <Location /plain>
            WSGIProcessGroup g
            {SCRIPT}
        </Location>""")
    assert ask(server).status == 200
    assert not python_in_apache(server)


def test_without_any_group_the_remedy_is_named(site):
    server = site(f"""
        WSGIRestrictEmbedded On
        <Location /plain>
            {SCRIPT}
        </Location>""")
    server.expect_log("ETCL0180.*process-group=name", 1)
    assert ask(server).status == 500
    assert not python_in_apache(server)


@pytest.mark.parametrize("line, want", [
    ("", 500), ("WSGIProcessGroup g", 200), ("WSGIProcessGroup other", 500),
    ("WSGIRestrictProcess other g", 200), ("WSGIRestrictProcess other", 500)])
def test_htaccess_chooses_among_what_the_administrator_allows(
        site, line, want):
    server = site(f"""
        <Directory {{root}}/htdocs/plain>
            AllowOverride AuthConfig
            {line}
        </Directory>""", f"{SCRIPT} process-group=g\n")
    server.allow_log("ETCL0181|ETCL0125")
    assert ask(server).status == want


def test_a_password_is_in_no_log(site):
    server = site(f"""
        LogLevel trace8
        <Location /plain>
            {SCRIPT} process-group=g
        </Location>""")
    server.allow_log("")
    ask(server)
    ask(server, "ann", "Wr0ng-one")
    secrets = ["s3cr3t-w0rd", "Wr0ng-one"]
    for path in (server.root / "logs").iterdir():
        text = path.read_text(errors="replace")
        assert not [word for word in secrets if word in text]


def test_a_worker_that_dies_over_a_password_denies(site):
    server = site(f"""
        <Location /plain>
            {SCRIPT} process-group=g
        </Location>""")
    server.allow_log("ETCL")
    assert ask(server, "dies").status == 500
    assert ask(server).status == 200


def test_an_internal_redirect_needs_no_second_thread(apache):
    """The worker's thread is free again before the redirect begins."""
    server = apache("""
        WSGIDaemonProcess g processes=1 threads=1
        WSGIProcessGroup g
        WSGIInternalRedirect On
        WSGIScriptAlias / {apps}/elsewhere.py""", start=False)
    (server.apps / "elsewhere.py").write_text("""
def application(environ, start_response):
    if environ["PATH_INFO"] == "/to":
        assert environ["REQUEST_METHOD"] == "GET"
        start_response("200 OK", [])
        return [b"there"]
    start_response("200 OK", [("Location", "/to")])
    return [b"never sent"]
""")
    server.start()
    with server.connect() as connection:
        for how in ({}, {"method": "POST", "body": b"x" * 100},
                    {"method": "POST", "body": b"x" * 100000},
                    {"method": "POST", "body": b"x" * 50, "chunked": True},
                    {}):
            answer = connection.ask("/from", **how)
            assert (answer.status, answer.body) == (200, b"there")
            assert not answer.get("Content-Type")
            assert not answer.get("Location")


LOOKS = """
def allow_access(environ, host):
    look = environ["mod_ssl.var_lookup"]
    print("seen", environ["mod_ssl.is_https"](), look("SSL_PROTOCOL"),
          look("SSL_SERVER_S_DN_CN"), look("SSL_CLIENT_S_DN"),
          file=environ["wsgi.errors"])
    return not [key for key in environ if key.startswith("etcl.ssl")]
"""


@pytest.mark.parametrize("where", ["", "process-group=g"])
def test_a_script_asks_what_mod_ssl_knows(apache, where):
    """mod_ssl.is_https and mod_ssl.var_lookup, in a group as well."""
    server = apache(start=False, extra=MODULES)
    script = server.work / "looks.py"
    script.write_text(LOOKS)
    host, port = tls_host(server)
    server.configure(f"""
        WSGIDaemonProcess g python-path={{apps}}
        WSGIScriptAlias /hello {{apps}}/hello.py process-group=g
        <Location /hello>
            WSGIAccessScript {script} {where}
        </Location>{host}""")
    server.start()
    server.allow_log(NOISE)
    server.expect_log(r"seen True TLSv1\.\d localhost None", count=1)
    server.expect_log(r"seen False None None None", count=1)
    assert tls_ask(port).status == 200
    assert server.ask("/hello").status == 200
