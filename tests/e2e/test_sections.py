"""Directives in sections: logins, codings, handlers, .htaccess, reloading."""

import base64
import hashlib
import json
import os
import time

import pytest

from client import request
from groups import keys

GROUP = """
    WSGIDaemonProcess g python-path={apps}
    WSGIProcessGroup g
"""
BASIC = ("Authorization", "Basic " + base64.b64encode(b"u:secret").decode())


@pytest.mark.parametrize("line, passes", [
    pytest.param("", True, marks=pytest.mark.differs),
    ("WSGIPassAuthorization On", True), ("WSGIPassAuthorization Off", False)])
def test_authorization_passes_when_apache_did_not_use_it(apache, line,
                                                         passes):
    """Authorization passes unless Apache itself authenticated; the
    directive forces either."""
    server = apache(GROUP + f"""
        {line}
        WSGIScriptAlias /environ {{apps}}/environ.py""")
    seen = keys(server, "/environ", headers=(BASIC, (
        "Proxy-Authorization", "Basic eDp5")))
    assert ("HTTP_AUTHORIZATION" in seen) is passes
    assert "HTTP_PROXY_AUTHORIZATION" not in seen


@pytest.mark.parametrize("line, passes", [
    ("", False), ("WSGIPassAuthorization On", True)])
def test_apaches_own_login_is_told_without_its_password(apache, line, passes):
    """REMOTE_USER and AUTH_TYPE when httpd authenticated."""
    server = apache(GROUP + f"""
        WSGIScriptAlias /environ {{apps}}/environ.py
        <Location />
            AuthType Basic
            AuthName test
            AuthUserFile {{root}}/users
            Require valid-user
            {line}
        </Location>""", start=False)
    (server.root / "users").write_text(
        "u:{SHA}" + base64.b64encode(
            hashlib.sha1(b"secret").digest()).decode() + "\n")
    server.start()
    server.allow_log("AH01617|AH01618")
    assert server.ask("/environ").status == 401
    seen = keys(server, "/environ", headers=(BASIC,))
    assert (seen["REMOTE_USER"], seen["AUTH_TYPE"]) == ("u", "Basic")
    assert ("HTTP_AUTHORIZATION" in seen) is passes


@pytest.mark.parametrize("line, status", [
    pytest.param("", 200, marks=pytest.mark.differs),
    ("WSGIChunkedRequest On", 200), ("WSGIChunkedRequest Off", 411)])
def test_chunked_requests_are_accepted_unless_forbidden(apache, line, status):
    server = apache(GROUP + f"""
        {line}
        WSGIScriptAlias /body {{apps}}/body.py""")
    if status == 411:
        server.allow_log("(?i)chunk|length")
    assert server.ask("/body/all", method="POST", body=b"hello",
                      chunked=True).status == status


def test_an_unknown_transfer_coding_is_refused(apache):
    server = apache(GROUP + "WSGIScriptAlias /body {apps}/body.py")
    server.allow_log("AH0|ETCL0")
    with server.connect() as connection:
        connection.send(request("/body/all", method="POST", headers=(
            ("Transfer-Encoding", "gzip"),)).replace(
                b"Content-Length: 0\r\n", b""))
        assert connection.read().status in (400, 501)


HANDLERS = {
    "AddHandler wsgi-script .py": "Options +ExecCGI",
    "SetHandler wsgi-script": "Options +ExecCGI",
    "AddType application/x-httpd-wsgi .py": "Options +ExecCGI",
}


@pytest.mark.parametrize("line", HANDLERS)
def test_the_handler_name_serves_a_file_in_place(apache, line):
    """handler name wsgi-script with SetHandler/AddHandler; without
    ExecCGI it is forbidden."""
    server = apache(GROUP + f"""
        Alias /files {{apps}}
        Alias /closed {{apps}}
        <Location /files>
            {line}
            Options +ExecCGI
        </Location>
        <Location /closed>
            {line}
        </Location>""")
    seen = keys(server, "/files/environ.py/rest")
    assert seen["SCRIPT_NAME"] == "/files/environ.py"
    assert seen["PATH_INFO"] == "/rest"
    server.expect_log("ExecCGI", 1)
    assert server.ask("/closed/environ.py").status == 403


def test_accept_path_info_off_is_obeyed(apache):
    server = apache(GROUP + """
        AcceptPathInfo Off
        WSGIScriptAlias /apps {apps}""")
    assert server.ask("/apps/environ.py").status == 200
    server.allow_log("AH0|ETCL0|path info")
    assert server.ask("/apps/environ.py/rest").status == 404


@pytest.mark.parametrize("slashes, status", [("Off", 404), ("NoDecode", 200)])
def test_encoded_slashes_are_as_httpd_is_told(apache, slashes, status):
    server = apache(GROUP + f"""
        AllowEncodedSlashes {slashes}
        WSGIScriptAlias /environ {{apps}}/environ.py""")
    server.allow_log("AH00026")
    answer = server.ask("/environ/a%2fb")
    assert answer.status == status
    if status == 200:
        assert json.loads(answer.body)["keys"]["PATH_INFO"] == "/a%2fb"


def test_one_application_is_alone_in_the_main_interpreter(apache):
    """one application in a group: main interpreter; several: one each."""
    server = apache("""
        WSGIDaemonProcess one python-path={apps}
        WSGIDaemonProcess two python-path={apps}
        WSGIScriptAlias /a {apps}/threads.py process-group=two
        WSGIScriptAlias /b {apps}/threads.py process-group=two
        WSGIScriptAlias /c {apps}/environ.py process-group=one""")
    assert server.ask("/c").status == 200
    for target in ("/a", "/b"):
        assert server.ask(f"{target}/own?v=x").text == "x"


def test_htaccess_may_name_the_callable(apache):
    """FILEINFO directives in .htaccess."""
    server = apache(GROUP + """
        WSGIScriptAlias /c {apps}/callables.py
        <Directory {apps}>
            AllowOverride FileInfo
        </Directory>""")
    (server.apps / ".htaccess").write_text("WSGICallableObject partial\n")
    assert server.ask("/c").text == "partial"


def test_script_reloading_off_keeps_the_old_code(apache):
    server = apache(start=False)
    script = server.work / "version.py"
    text = (server.apps / "hello.py").read_text()
    script.write_text(text)
    server.configure(GROUP + """
        WSGIScriptReloading Off
        WSGIScriptAlias / {work}/version.py
        <Directory {work}>
            Require all granted
        </Directory>""")
    server.start()
    assert server.ask("/").body == b"Hello, world!\n"
    script.write_text(text.replace("Hello", "Later"))
    os.utime(script, (time.time() + 5,) * 2)
    for _ in range(3):
        assert server.ask("/").body == b"Hello, world!\n"
