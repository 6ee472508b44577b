"""Contract 1.4: what the directives of requests and responses do."""

import pytest

from compat.kit import GIVEN, basic, do, environ, play

MODULES = ("deflate", "filter", "authz_user", "remoteip")
COMMON = """
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /given {apps}/probe.py pass-authorization=On
WSGIScriptAlias /kept {apps}/probe.py pass-authorization=Off
ErrorDocument 404 "the page of httpd"
ErrorDocument 500 "the failure page of httpd"
ErrorDocument 410 /probe/errors/page

<Location /probe/pass/on>
    WSGIPassAuthorization On
</Location>
<Location /probe/pass/off>
    WSGIPassAuthorization Off
</Location>
<Location /probe/pass/on/off>
    WSGIPassAuthorization Off
</Location>
<Location /probe/pass/cgi>
    CGIPassAuth On
</Location>
<Location /probe/pass/cgi/off>
    WSGIPassAuthorization Off
</Location>
<Location /probe/pass/cgioff>
    CGIPassAuth Off
</Location>
<Location ~ "^/(probe|given|kept)/authed">
    AuthType Basic
    AuthName realm
    AuthUserFile {root}/users
    Require valid-user
</Location>
<Location /probe/authed/on>
    WSGIPassAuthorization On
</Location>
<Location /probe/authed/off>
    WSGIPassAuthorization Off
</Location>

<Location /probe/chunked/on>
    WSGIChunkedRequest On
</Location>
<Location /probe/chunked/off>
    WSGIChunkedRequest Off
</Location>
<Location /probe/chunked/off/on>
    WSGIChunkedRequest On
</Location>

<Location /probe/override/on>
    WSGIErrorOverride On
</Location>
<Location /probe/override/on/off>
    WSGIErrorOverride Off
</Location>

<Location /probe/head/on>
    WSGIMapHEADToGET On
</Location>
<Location /probe/head/off>
    WSGIMapHEADToGET Off
</Location>
<Location /probe/head/auto>
    WSGIMapHEADToGET Auto
</Location>
<Location ~ "^/probe/head/[a-z]+/filtered">
    SetOutputFilter DEFLATE
</Location>

<Location /probe/sendfile/on>
    WSGIEnableSendfile On
    EnableSendfile On
</Location>
<Location /probe/sendfile/off>
    WSGIEnableSendfile Off
</Location>

<Location /probe/request/on>
    WSGIPassApacheRequest On
</Location>
<Location /probe/ignore>
    WSGIIgnoreActivity On
</Location>

<Location /probe/restrict/here>
    WSGIRestrictProcess HERE
</Location>
<Location /probe/restrict/several>
    WSGIRestrictProcess nobody HERE
</Location>
<Location /probe/restrict/other>
    WSGIRestrictProcess nobody
</Location>
<Location /probe/restrict/variable>
    WSGIRestrictProcess HERE
    SetEnvIf X-Group "(.*)" GROUP=$1
    WSGIProcessGroup %{ENV:GROUP}
</Location>
WSGIDaemonProcess nobody python-path={apps}
WSGIDaemonProcess somebody python-path={apps}

<Location /probe/redirect/on>
    WSGIInternalRedirect On
</Location>
Alias /internal {root}/htdocs/internal.txt

Alias /docs {root}/htdocs/docs
<Directory {root}/htdocs/docs>
    Options +ExecCGI
    AddHandler wsgi-script .py
    AllowOverride FileInfo
</Directory>

<VirtualHost *:*>
    ServerName plain.test
</VirtualHost>
<VirtualHost *:*>
    ServerName on.test
    WSGIPassAuthorization On
    WSGIErrorOverride On
    WSGIMapHEADToGET On
    WSGIChunkedRequest On
    <Location /probe/inner>
        WSGIPassAuthorization Off
        WSGIErrorOverride Off
        WSGIMapHEADToGET Off
        WSGIChunkedRequest Off
    </Location>
</VirtualHost>
<VirtualHost *:*>
    ServerName off.test
    WSGIPassAuthorization Off
    WSGIErrorOverride Off
    WSGIMapHEADToGET Off
    WSGIChunkedRequest Off
    <Location /probe/inner>
        WSGIPassAuthorization On
        WSGIErrorOverride On
        WSGIMapHEADToGET On
        WSGIChunkedRequest On
    </Location>
</VirtualHost>
"""


def CONF(mode):
    return COMMON.replace("HERE", "g" if mode == "daemon" else "%{GLOBAL}")


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode, extra=MODULES)
    (server.root / "users").write_text(
        "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    docs = server.root / "htdocs/docs"
    docs.mkdir()
    docs.chmod(0o755)
    (server.root / "htdocs/internal.txt").write_text("from inside")
    (server.root / "htdocs/docs/file.bin").write_bytes(
        bytes(range(256)) * 1000)
    for name, lines in (
            ("on", "WSGIPassAuthorization On\nWSGIErrorOverride On\n"
                   "WSGIMapHEADToGET On\nWSGIChunkedRequest On\n"
                   "WSGIIgnoreActivity On\nWSGIEnableSendfile On\n"
                   "WSGIScriptReloading Off\n"),
            ("off", "WSGIPassAuthorization Off\nWSGIErrorOverride Off\n"
                    "WSGIMapHEADToGET Off\nWSGIChunkedRequest Off\n"),
            ("name", "WSGICallableObject other\n"
                     "WSGITrustedProxyHeaders X-Forwarded-Proto\n"
                     "WSGITrustedProxies 127.0.0.1\n")):
        folder = docs / name
        folder.mkdir()
        folder.chmod(0o755)
        (folder / ".htaccess").write_text(lines)
        (folder / "p.py").write_text((server.apps / "probe.py").read_text())
    yield from life(server.start())


# WSGIPassAuthorization

def passed(web, target, **how):
    keys = environ(web, target, headers=(basic("ann"),), **how)
    return "HTTP_AUTHORIZATION" in keys


@pytest.mark.parametrize("target, want", [
    ("/probe/pass/on", True), ("/probe/pass/off", False),
    ("/probe/pass/on/off", False), ("/probe/pass/cgi", True),
    ("/given", True), ("/kept", False), ("/docs/on/p.py", True),
    ("/docs/off/p.py", False), ("/probe/authed/on", True),
    ("/probe/authed", False), ("/probe/authed/off", False),
    ("/given/authed", True), ("/kept/authed", False),
])
def test_whether_the_application_sees_authorization(web, target, want):
    assert passed(web, target) is want


@pytest.mark.differs("it passes when Apache did not authenticate")
@pytest.mark.parametrize("target", ["/probe", "/probe/pass"])
def test_authorization_passes_by_default(web, target):
    assert passed(web, target)


@pytest.mark.parametrize("host, target, want", [
    ("on.test", "/probe", True), ("on.test", "/probe/inner", False),
    ("off.test", "/probe", False), ("off.test", "/probe/inner", True)])
def test_pass_authorization_in_a_virtual_host(web, host, target, want):
    assert passed(web, target, host=host) is want


def test_the_value_passes_unchanged(web):
    keys = environ(web, "/probe/pass/on",
                   headers=(("Authorization", "Bearer a.b-c=="),))
    assert keys["HTTP_AUTHORIZATION"] == "Bearer a.b-c=="


@pytest.mark.parametrize("target, want", [
    ("/probe", False), ("/probe/pass/on", False), ("/probe/pass/cgi", True)])
def test_proxy_authorization_passes_only_by_cgi_pass_auth(web, target, want):
    keys = environ(web, target,
                   headers=(("Proxy-Authorization", "Basic x"),))
    assert ("HTTP_PROXY_AUTHORIZATION" in keys) is want


def test_the_user_is_known_when_apache_authenticated(web):
    keys = environ(web, "/probe/authed", headers=(basic("ann"),))
    assert (keys["REMOTE_USER"], keys["AUTH_TYPE"]) == ("ann", "Basic")


# WSGIChunkedRequest

def read_all(environ):
    return (environ["wsgi.input"].read(), environ.get("CONTENT_LENGTH"),
            environ["wsgi.input_terminated"])


def chunked(web, target, body=b"some bytes", **how):
    from compat.kit import carried
    return web.ask(target, method="POST", body=body, chunked=True,
                   headers=(carried(read_all),), **how)


@pytest.mark.parametrize("target, want", [
    ("/probe/chunked/on", 200), ("/probe/chunked/off", 411),
    ("/probe/chunked/off/on", 200), ("/docs/on/p.py", 200),
    ("/docs/off/p.py", 411)])
def test_whether_chunked_bodies_are_accepted(web, target, want):
    assert chunked(web, target).status == want


@pytest.mark.differs("accepted by default")
def test_chunked_bodies_are_accepted_by_default(web):
    assert chunked(web, "/probe").status == 200


@pytest.mark.parametrize("host, target, want", [
    ("on.test", "/probe", 200), ("on.test", "/probe/inner", 411),
    ("off.test", "/probe", 411), ("off.test", "/probe/inner", 200)])
def test_chunked_request_in_a_virtual_host(web, host, target, want):
    assert chunked(web, target, host=host).status == want


@pytest.mark.parametrize("size", [0, 1, 8192, 100000])
def test_a_chunked_body_arrives_without_a_length(web, size):
    import ast
    body = b"x" * size
    answer = chunked(web, "/probe/chunked/on", body)
    assert ast.literal_eval(answer.text) == (body, None, True)


def test_a_refused_body_does_not_reach_the_next_request(web):
    with web.connect() as connection:
        assert connection.ask("/probe/chunked/off", method="POST",
                              body=b"x" * 5000, chunked=True).status == 411
    assert web.ask("/probe").status == 200


def test_another_transfer_encoding_is_refused(web):
    answer = web.ask("/probe", method="POST", headers=(
        ("Transfer-Encoding", "gzip"),))
    assert answer.status in (400, 501)


# WSGIErrorOverride

def failing(environ, start_response):
    if environ["PATH_INFO"] == "/errors/page":
        start_response("410 Gone", [("Content-Type", "text/plain")])
        return [b"a page of the application"]
    start_response(GIVEN["STATUS"], [("Content-Type", "text/plain"),
                            ("X-Mark", "kept")])
    return [b"the words of the application"]


def answer(web, target, status, **how):
    return play(web, failing, target, given={"STATUS": status}, **how)


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "399 Odd"])
def test_override_leaves_good_answers_alone(web, status):
    assert answer(web, "/probe/override/on", status).body == \
        b"the words of the application"


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden",
                                    "500 Failed", "410 Gone"])
def test_without_override_the_application_speaks(web, status):
    for target in ("/probe", "/probe/override/on/off"):
        got = answer(web, target, status)
        assert got.body == b"the words of the application"
        assert got.status == int(status[:3])


BOTH = pytest.mark.differs("ErrorOverride works in embedded mode too")


@BOTH
@pytest.mark.parametrize("status, text", [
    ("404 Not Found", b"the page of httpd"),
    ("500 Failed", b"the failure page of httpd"), ("403 Forbidden", b"403")])
def test_override_lets_httpd_speak(web, status, text):
    got = answer(web, "/probe/override/on", status)
    assert got.status == int(status[:3])
    assert text in got.body
    assert b"the words of the application" not in got.body


@BOTH
def test_override_may_lead_to_a_page_of_the_application(web):
    got = answer(web, "/probe/override/on", "410 Gone")
    assert (got.status, got.body) == (410, b"a page of the application")


@BOTH
@pytest.mark.parametrize("host, target, want", [
    ("on.test", "/probe", True), ("on.test", "/probe/inner", False),
    ("off.test", "/probe", False), ("off.test", "/probe/inner", True)])
def test_error_override_in_a_virtual_host(web, host, target, want):
    got = answer(web, target, "404 Not Found", host=host)
    assert (b"the page of httpd" in got.body) is want


@BOTH
def test_error_override_in_htaccess(web):
    assert b"the page of httpd" in answer(
        web, "/docs/on/p.py", "404 Not Found").body
    assert b"the words of the application" in answer(
        web, "/docs/off/p.py", "404 Not Found").body


# WSGIMapHEADToGET

def method(environ, start_response):
    start_response("200 OK", [("X-Method", environ["REQUEST_METHOD"]),
                              ("Content-Type", "text/plain"),
                              ("Content-Length", "5")])
    return [b"12345"]


def head(web, target, **how):
    got = play(web, method, target, method="HEAD", **how)
    assert got.body == b""
    return got.get("X-Method")


@pytest.mark.parametrize("target, want", [
    ("/probe/head/on", "GET"), ("/probe/head/off", "HEAD"),
    ("/probe/head/on/filtered", "GET"), ("/probe/head/off/filtered", "HEAD"),
    ("/docs/on/p.py", "GET"), ("/docs/off/p.py", "HEAD")])
def test_the_method_of_a_head_request(web, target, want):
    assert head(web, target) == want


@pytest.mark.since6("Auto is the default and has its effect since 6.0")
@pytest.mark.parametrize("target, want", [
    ("/probe", "HEAD"), ("/probe/head/auto", "HEAD"),
    ("/probe/head/auto/filtered", "GET"),
    ("/probe/head/unset/filtered", "GET")])
def test_auto_looks_for_a_filter(web, target, want):
    assert head(web, target, headers=(("Accept-Encoding", "gzip"),)) == want


@pytest.mark.parametrize("host, target, want", [
    ("on.test", "/probe", "GET"), ("on.test", "/probe/inner", "HEAD"),
    ("off.test", "/probe", "HEAD"), ("off.test", "/probe/inner", "GET")])
def test_map_head_to_get_in_a_virtual_host(web, host, target, want):
    assert head(web, target, host=host) == want


@pytest.mark.parametrize("target", ["/probe/head/on", "/probe/head/off"])
def test_a_head_response_has_the_headers_of_a_get(web, target):
    got = play(web, method, target, method="HEAD")
    assert got.get("Content-Length") == "5"


@pytest.mark.parametrize("target", ["/probe/head/on", "/probe/head/off"])
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "DELETE", "OPTIONS",
                                  "PATCH", "PROPFIND"])
def test_other_methods_are_never_mapped(web, target, verb):
    assert play(web, method, target, method=verb).get("X-Method") == verb


# WSGIEnableSendfile

@pytest.mark.parametrize("target", [
    "/probe", "/probe/sendfile/on", "/probe/sendfile/off"])
def test_a_file_arrives_whole_either_way(web, target):
    def send(environ, start_response):
        path = environ["DOCUMENT_ROOT"] + "/docs/file.bin"
        start_response("200 OK", [("Content-Type", "x/y")])
        return environ["wsgi.file_wrapper"](open(path, "rb"), 8192)
    got = play(web, send, target)
    assert got.body == bytes(range(256)) * 1000
    assert got.get("Content-Length") == "256000"


# WSGIPassApacheRequest

@pytest.mark.parametrize("target", ["/probe", "/probe/request/on"])
def test_pass_apache_request_is_accepted_and_daemons_have_no_request(
        web, target, mode):
    keys = environ(web, target)
    if mode == "daemon" or target == "/probe":
        assert "apache.request_rec" not in keys


# WSGIRestrictProcess

@pytest.mark.parametrize("target, want", [
    ("here", 200), ("several", 200), ("other", 500)])
def test_restrict_process(web, target, want):
    assert web.ask(f"/probe/restrict/{target}").status == want


def test_restrict_process_guards_a_variable(web, mode):
    here = "g" if mode == "daemon" else "%{GLOBAL}"
    answers = [web.ask("/probe/restrict/variable", headers=(
        ("X-Group", group),)).status for group in (here, "somebody")]
    assert answers == [200, 500]


# 200 with Location: /path

def to_inside(environ, start_response):
    start_response("200 OK", [("Location", "/internal"),
                              ("Content-Type", "text/plain")])
    return [b"the words of the application"]


@pytest.mark.differs("sent as it is; WSGIInternalRedirect On redirects")
def test_a_200_with_a_location_is_sent_as_it_is(web):
    got = play(web, to_inside)
    assert got.status == 200
    assert got.get("Location") == "/internal"
    assert got.body == b"the words of the application"


@pytest.mark.ours("WSGIInternalRedirect")
def test_internal_redirect_as_mod_wsgi_does_it(web):
    got = play(web, to_inside, "/probe/redirect/on")
    assert (got.status, got.body) == (200, b"from inside")


@pytest.mark.parametrize("status, location", [
    ("200 OK", "http://other.test/x"), ("302 Found", "/internal"),
    ("303 See Other", "/internal"), ("301 Moved", "/internal"),
    ("201 Created", "/internal")])
def test_other_locations_pass(web, status, location):
    def send(environ, start_response):
        start_response(GIVEN["STATUS"], [("Location", GIVEN["LOCATION"]),
                                ("Content-Type", "text/plain")])
        return [b"words"]
    got = play(web, send, given={"STATUS": status, "LOCATION": location})
    assert got.status == int(status[:3])
    assert got.get("Location").endswith(location)
    assert got.body == b"words"


# .htaccess

def test_callable_object_and_proxies_in_htaccess(web):
    assert web.ask("/docs/name/p.py").body == b"other"


@pytest.mark.parametrize("name", ["WSGIPassAuthorization",
                                  "WSGIChunkedRequest", "WSGIErrorOverride",
                                  "WSGIEnableSendfile", "WSGIIgnoreActivity",
                                  "WSGIScriptReloading"])
@pytest.mark.parametrize("value, good", [
    ("On", True), ("off", True), ("ON", True), ("yes", False), ("1", False),
    ("", False)])
def test_the_words_of_a_flag(configtest, name, value, good):
    code, said = configtest(f"{name} {value}")
    assert (code == 0) is good, said


@pytest.mark.parametrize("value, good", [
    ("On", True), ("off", True), ("AUTO", True), ("auto", True),
    ("perhaps", False), ("", False)])
def test_the_words_of_map_head_to_get(configtest, value, good):
    code, said = configtest(f"WSGIMapHEADToGET {value}")
    assert (code == 0) is good, said
    if value == "perhaps":
        assert "auto" in said.lower()


def test_the_probe_answers(web):
    assert do(web, "1 + 1") == 2
