"""PEP 3333, "environ": what the application is told about its request."""

import json

import pytest

REQUIRED = ("REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL")


def environ(web, target="/environ", **how) -> dict:
    answer = web.ask(target, **how)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["keys"]


@pytest.mark.every_mpm
def test_a_builtin_dict_that_the_application_may_change(web):
    """A builtin dict, not a subclass; the application may change it."""
    answer = json.loads(web.ask("/environ").body)
    assert answer["exact dict"] and answer["may change"]


def test_required_keys_are_present_and_not_empty(web):
    """REQUEST_METHOD, SERVER_NAME, SERVER_PORT, SERVER_PROTOCOL."""
    keys = environ(web)
    assert all(keys[name] for name in REQUIRED)
    assert keys["REQUEST_METHOD"] == "GET"
    assert keys["SERVER_PORT"] == "80"    # as the Host header has it
    assert keys["SERVER_PROTOCOL"] == "HTTP/1.1"


@pytest.mark.parametrize("method", [
    "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "BREW"])
def test_the_method_is_told_as_it_was_sent(web, method):
    """REQUEST_METHOD is the client's, known to httpd or not."""
    assert environ(web, method=method)["REQUEST_METHOD"] == method


SPLITS = [
    # target, SCRIPT_NAME, PATH_INFO
    ("/environ", "/environ", ""),
    ("/environ/", "/environ", "/"),
    ("/environ/a/b", "/environ", "/a/b"),
    ("/environ/a%2Cb", "/environ", "/a,b"),
    ("/environ/%C3%A9", "/environ", "/\xc3\xa9"),
    ("/environ/%E9%FF", "/environ", "/\xe9\xff"),
    ("/environ/a;b=c", "/environ", "/a;b=c"),
    ("/environ/a%20b+c", "/environ", "/a b+c"),
    ("/environ//a///b", "/environ", "/a/b"),
    ("/environ/a/../b", "/environ", "/b"),
    ("/environ/./b", "/environ", "/b"),
    ("/environ/%3Fx", "/environ", "/?x"),
    ("/environ/%25", "/environ", "/%"),
]


@pytest.mark.parametrize("target, name, info", SPLITS)
def test_the_path_is_split_at_the_mount_and_decoded(web, target, name, info):
    """SCRIPT_NAME and PATH_INFO split at the mount, decoded, maybe empty."""
    keys = environ(web, target)
    assert (keys["SCRIPT_NAME"], keys["PATH_INFO"]) == (name, info)
    assert keys["REQUEST_URI"] == target


@pytest.mark.parametrize("query", ["", "a=b", "a=b&c=%20d+e", "%C3%A9", "?/?",
                                   "a=1;b=2", "&&", "x" * 4000])
def test_the_query_string_is_as_sent(web, query):
    """QUERY_STRING as sent; always present."""
    target = f"/environ?{query}" if query else "/environ"
    assert environ(web, target)["QUERY_STRING"] == query


def test_content_headers_have_only_their_own_names(web):
    """CONTENT_TYPE, CONTENT_LENGTH under those names only."""
    keys = environ(web, method="POST", body=b"12345",
                   headers=(("Content-Type", "x/y; z=1"),))
    assert keys["CONTENT_TYPE"] == "x/y; z=1"
    assert keys["CONTENT_LENGTH"] == "5"
    assert "HTTP_CONTENT_TYPE" not in keys
    assert "HTTP_CONTENT_LENGTH" not in keys


def test_absent_variables_are_left_out(web):
    """Absent variables (REMOTE_USER) are left out, never empty or None."""
    keys = environ(web)
    for name in ("REMOTE_USER", "AUTH_TYPE", "CONTENT_TYPE",
                 "CONTENT_LENGTH", "HTTP_COOKIE", "HTTPS"):
        assert name not in keys
    assert None not in keys.values()
    assert not [k for k, v in keys.items() if v == ["NoneType", "None"]]


def test_http_keys_are_the_headers_that_were_sent(web):
    """HTTP_* present exactly when the header was sent."""
    keys = environ(web, headers=(("X-One", "1"), ("x-tWo", "2"),
                                 ("X-Empty", ""), ("Accept", "a/b")))
    sent = {key for key in keys if key.startswith("HTTP_")}
    assert sent == {"HTTP_HOST", "HTTP_X_ONE", "HTTP_X_TWO", "HTTP_X_EMPTY",
                    "HTTP_ACCEPT", "HTTP_CONNECTION"}
    assert keys["HTTP_X_ONE"] == "1" and keys["HTTP_X_EMPTY"] == ""
    assert keys["HTTP_HOST"] == "localhost"


def test_repeated_headers_arrive_as_one_list(web):
    keys = environ(web, headers=(("X-Many", "a"), ("X-Other", "o"),
                                 ("X-Many", "b"), ("Cookie", "k=1")))
    assert keys["HTTP_X_MANY"] == "a, b"
    assert keys["HTTP_COOKIE"] == "k=1"


def test_every_cgi_variable_is_latin_1_text(web):
    """All CGI variables are str and hold only U+0000..U+00FF."""
    keys = environ(web, "/environ/%E2%82%AC?%E2%82%AC",
                   headers=(("X-Euro", "\xe2\x82\xac"),
                            ("X-All", "".join(map(chr, range(0x80, 0x100))))))
    cgi = {k: v for k, v in keys.items() if k.isupper()}
    assert all(isinstance(value, str) for value in cgi.values())
    assert all(ord(c) < 256 for value in cgi.values() for c in value)
    assert keys["HTTP_X_EURO"] == "\xe2\x82\xac"
    assert keys["HTTP_X_ALL"] == "".join(map(chr, range(0x80, 0x100)))


def test_wsgi_keys_are_present_and_truthful(web):
    """wsgi.version (1, 0); url_scheme; multithread, multiprocess..."""
    keys = environ(web)
    assert keys["wsgi.version"] == ["tuple", "(1, 0)"]
    assert keys["wsgi.url_scheme"] == "http"
    assert keys["wsgi.multithread"] is True
    assert keys["wsgi.multiprocess"] is True      # processes= was stated
    assert keys["wsgi.run_once"] is False
    assert keys["wsgi.input_terminated"] is True
    for name in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper"):
        assert name in keys


@pytest.mark.parametrize("options, thread, process", [
    ("threads=1", False, False),
    ("threads=2", True, False),
    ("threads=1 processes=2", False, True),
    ("", True, False),
])
def test_concurrency_is_told_truthfully(apache, options, thread, process):
    """multithread, multiprocess follow the group; one thread is possible
    ("An option exists to run it on one thread")."""
    server = apache(f"""
        WSGIDaemonProcess g {options} python-path={{apps}}
        WSGIScriptAlias /environ {{apps}}/environ.py process-group=g
        WSGIScriptAlias /threads {{apps}}/threads.py process-group=g""")
    keys = environ(server)
    assert keys["wsgi.multithread"] is thread
    assert keys["wsgi.multiprocess"] is process


def test_the_scheme_follows_the_https_variable(apache):
    """wsgi.url_scheme: SetEnv HTTPS works as with mod_wsgi."""
    server = apache("""
        WSGIDaemonProcess g python-path={apps}
        WSGIProcessGroup g
        SetEnvIf X-Https "(.+)" HTTPS=$1
        WSGIScriptAlias /environ {apps}/environ.py""")
    for value, scheme in (("on", "https"), ("1", "https"), ("On", "https"),
                          ("off", "http"), ("0", "http")):
        keys = environ(server, headers=(("X-Https", value),))
        assert keys["wsgi.url_scheme"] == scheme


def test_the_deployers_own_pairs_arrive(apache):
    """The deployer's own name-value pairs reach environ (SetEnv), but none
    of them can pose as a CGI variable or as a request's header."""
    server = apache("""
        WSGIDaemonProcess g python-path={apps}
        WSGIProcessGroup g
        SetEnv site.colour "deep blue"
        SetEnv wsgi.url_scheme forged
        SetEnv REQUEST_METHOD FORGED
        SetEnv PATH_INFO /forged
        SetEnv HTTP_X_MARK forged
        SetEnvIf User-Agent "(robot)" KIND=$1
        WSGIScriptAlias /environ {apps}/environ.py""")
    keys = environ(server, "/environ/real", headers=(
        ("User-Agent", "a robot"), ("X-Mark", "real")))
    assert keys["site.colour"] == "deep blue"
    assert keys["wsgi.url_scheme"] == "http"
    assert keys["KIND"] == "robot"
    assert keys["REQUEST_METHOD"] == "GET"
    assert keys["PATH_INFO"] == "/real"
    assert keys["HTTP_X_MARK"] == "real"


def test_server_defined_keys_are_dotted_and_lower_case(web):
    """Server-defined keys: lower case, dotted, prefixed."""
    keys = environ(web)
    ours = [key for key in keys if not key.isupper()]
    assert all(key.islower() and "." in key for key in ours)
    assert all(key.split(".")[0] in ("wsgi", "mod_wsgi", "apache", "etcl",
                                     "mod_etcl") for key in ours)
    assert keys["mod_wsgi.process_group"] == "etcl"
    assert keys["mod_wsgi.application_group"] == ""
    assert keys["mod_wsgi.callable_object"] == "application"
    assert not [key for key in keys if key.startswith("mod_wsgi.x-")]


def test_the_url_can_be_reconstructed(web):
    """The URL can be reconstructed from environ."""
    from wsgiref.util import request_uri
    keys = environ(web, "/environ/a%20b?c=d")
    assert request_uri(keys) == "http://localhost/environ/a%20b?c=d"


FORBIDDEN = ["Proxy", "X_Under", "X.Dot", "SCRIPT_NAME", "REMOTE_USER",
             "X!Mark", "X~Tilde", "HTTP_HOST"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_ambiguous_header_names_are_dropped(web, name):
    """Names outside [A-Za-z0-9-] and Proxy never arrive (httpoxy)."""
    keys = environ(web, headers=((name, "evil"),))
    assert "evil" not in [v for v in keys.values() if isinstance(v, str)]


@pytest.mark.parametrize("order", [("X_Auth", "X-Auth"), ("X-Auth", "X_Auth")])
def test_an_underscore_does_not_replace_a_dash(web, order):
    keys = environ(web, headers=tuple(
        (name, "good" if "-" in name else "evil") for name in order))
    assert keys["HTTP_X_AUTH"] == "good"


CGI_NAMES = ["Script-Name", "Path-Info", "Remote-User", "Request-Method",
             "Query-String", "Server-Name", "Server-Port", "Auth-Type",
             "Wsgi.url-scheme", "Https", "Document-Root", "Remote-Addr",
             "Request-Uri", "Script-Filename"]


def test_no_cgi_variable_comes_from_a_header(web):
    """Headers named like every CGI variable change none of them."""
    plain = environ(web)
    dressed = environ(web, headers=tuple((n, "evil") for n in CGI_NAMES))
    for key, value in plain.items():
        if key.isupper() and key not in ("REMOTE_PORT", "UNIQUE_ID"):
            assert dressed[key] == value, key
    for name in CGI_NAMES:
        assert name.upper().replace("-", "_") not in (
            set(dressed) - set(plain))


@pytest.mark.parametrize("header", [
    ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil"), ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Server", "evil"), ("X-Script-Name", "/evil"),
    ("X-Real-IP", "6.6.6.6"), ("X-Forwarded-SSL", "on"),
    ("Forwarded", "for=6.6.6.6;proto=https")])
def test_forwarding_headers_are_not_trusted_by_default(web, header):
    keys = environ(web, headers=(header,))
    assert keys["wsgi.url_scheme"] == "http"
    assert keys["REMOTE_ADDR"] == "127.0.0.1"
    assert keys["HTTP_HOST"] == keys["SERVER_NAME"] == "localhost"
    assert keys["SERVER_PORT"] == "80"
    assert keys["SCRIPT_NAME"] == "/environ"


def test_many_headers_arrive_complete(web):
    many = tuple((f"X-Number-{n}", str(n) * 50) for n in range(90))
    keys = environ(web, headers=many)
    assert all(keys[f"HTTP_X_NUMBER_{n}"] == str(n) * 50 for n in range(90))


@pytest.mark.parametrize("size", [65535, 65536, 65537, 200_000])
def test_a_header_of_64_kib_and_more_arrives_whole(web, size):
    """No 16-bit length anywhere (CVE-2020-11984)."""
    keys = environ(web, headers=(("X-Big", "b" * size),))
    assert keys["HTTP_X_BIG"] == "b" * size


def test_two_thousand_variables_arrive(web):
    """More than 1,024 variables (mod_wsgi 4.5.24)."""
    keys = environ(web, headers=tuple(
        (f"X-N{n}", str(n)) for n in range(2000)))
    assert all(keys[f"HTTP_X_N{n}"] == str(n) for n in range(2000))


def test_http_1_0_without_a_host_is_served(web):
    keys = environ(web, version="1.0", host=None)
    assert keys["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in keys
    assert keys["SERVER_NAME"] == "localhost"
