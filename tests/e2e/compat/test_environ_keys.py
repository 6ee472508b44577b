"""Contract 3.2 to 3.4: every key of the environ, its type and value."""

import time

import pytest

from compat.kit import PREFORK, do, environ

COMMON = """
WSGIScriptAlias /probe {apps}/probe.py
WSGIScriptAlias /sub {apps}/probe.py application-group=%{RESOURCE}
ServerAdmin admin@example.test
SetEnv FROM_SETENV value
SetEnv UMLAUT \u00fc
PassEnv LANG
SetEnvIf X-Set "(.+)" FROM_SETENVIF=$1
SetEnv PATH_INFO from-setenv
SetEnv HTTP_X_OWN from-setenv
SetEnv own.dotted from-setenv
SetEnv mod_wsgi.process_group from-setenv
SetEnv EMPTY ""
<Location /probe/https/on>
    SetEnv HTTPS on
</Location>
<Location /probe/https/one>
    SetEnv HTTPS 1
</Location>
<Location /probe/https/off>
    SetEnv HTTPS off
</Location>
<Location /probe/user>
    AuthType Basic
    AuthName realm
    AuthUserFile {root}/users
    Require valid-user
</Location>
<Location /probe/current>
    CGIVar REQUEST_URI current-uri
</Location>
ErrorDocument 404 /probe/errors?from=404
WSGITrustedProxyHeaders X-Nothing
<VirtualHost *:*>
    ServerName localhost
</VirtualHost>
<VirtualHost *:*>
    ServerName canonical.test:8080
    UseCanonicalName On
    AllowEncodedSlashes NoDecode
</VirtualHost>
<VirtualHost *:*>
    ServerName slashes.test
    AllowEncodedSlashes On
</VirtualHost>
<VirtualHost *:*>
    ServerName rewriting.test
    RewriteEngine On
    RewriteRule ^/old(.*) /probe/new$1 [PT,E=RULE:yes]
</VirtualHost>
"""
SIZES = """
WSGIDaemonProcess one processes=1 threads=1 python-path={apps}
WSGIDaemonProcess many processes=2 threads=2 python-path={apps}
WSGIDaemonProcess once threads=1 maximum-requests=1 python-path={apps}
WSGIScriptAlias /one {apps}/probe.py process-group=one
WSGIScriptAlias /many {apps}/probe.py process-group=many
WSGIScriptAlias /once {apps}/probe.py process-group=once
"""
MODULES = ("rewrite", "unique_id")


def CONF(mode):
    return COMMON + SIZES * (mode == "daemon")


@pytest.fixture(scope="module")
def shared(mode):
    from conftest import life
    from compat import kit
    server = kit.scene(CONF(mode), mode, extra=MODULES)
    (server.root / "users").write_text(
        "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    yield from life(server.start())


@pytest.fixture
def keys(web):
    return environ(web, "/probe/some/path?a=b", headers=(
        ("X-Own", "1"), ("Cookie", "c=d")))


@pytest.mark.parametrize("key, want", [
    ("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "/probe"),
    ("PATH_INFO", "/some/path"), ("QUERY_STRING", "a=b"),
    ("REQUEST_URI", "/probe/some/path?a=b"), ("REQUEST_SCHEME", "http"),
    ("SERVER_PROTOCOL", "HTTP/1.1"), ("SERVER_NAME", "localhost"),
    ("SERVER_ADDR", "127.0.0.1"), ("SERVER_ADMIN", "admin@example.test"),
    ("REMOTE_ADDR", "127.0.0.1"), ("CONTEXT_PREFIX", ""),
    ("HTTP_HOST", "localhost"), ("HTTP_COOKIE", "c=d"),
    ("HTTP_X_OWN", "1"), ("FROM_SETENV", "value"), ("LANG", "C"),
    ("wsgi.version", (1, 0)), ("wsgi.url_scheme", "http"),
    ("wsgi.input_terminated", True), ("wsgi.run_once", False),
    ("mod_wsgi.application_group", ""),
    ("mod_wsgi.callable_object", "application"),
    ("mod_wsgi.request_handler", "wsgi-script"),
    ("mod_wsgi.handler_script", ""), ("mod_wsgi.script_name", "/probe"),
    ("mod_wsgi.path_info", "/some/path"), ("EMPTY", ""),
    ("mod_wsgi.listener_host", "127.0.0.1"),
])
def test_a_key_has_its_value(keys, key, want):
    assert keys[key] == want
    assert type(keys[key]) is type(want)


@pytest.mark.parametrize("key, kind", [
    ("SERVER_PORT", str), ("SERVER_SOFTWARE", str), ("REMOTE_PORT", str),
    ("DOCUMENT_ROOT", str), ("CONTEXT_DOCUMENT_ROOT", str),
    ("SCRIPT_FILENAME", str), ("UNIQUE_ID", str),
    ("wsgi.multithread", bool), ("wsgi.multiprocess", bool),
    ("mod_wsgi.version", tuple), ("apache.version", tuple),
    ("mod_wsgi.process_group", str),
    ("mod_wsgi.listener_port", str), ("mod_wsgi.request_id", str),
    ("mod_wsgi.thread_id", int),
])
def test_a_key_has_its_type(keys, key, kind):
    assert type(keys[key]) is kind


@pytest.mark.since6("floats and server_pid since 6.0")
@pytest.mark.parametrize("key, kind", [
    ("mod_wsgi.request_start", float), ("mod_wsgi.queue_start", float),
    ("mod_wsgi.daemon_start", float), ("mod_wsgi.application_start", float),
    ("mod_wsgi.server_pid", str)])
def test_a_key_of_6_has_its_type(keys, key, kind):
    assert type(keys[key]) is kind


@pytest.mark.since6("dropped in 6.0")
@pytest.mark.parametrize("key", [
    "GATEWAY_INTERFACE", "PATH_TRANSLATED", "SERVER_SIGNATURE",
    "REMOTE_HOST", "REMOTE_IDENT", "mod_wsgi.script_reloading",
    "mod_wsgi.script_start", "mod_wsgi.input_chunked",
    "mod_wsgi.enable_sendfile", "mod_wsgi.ignore_activity"])
def test_a_key_that_6_dropped_is_not_there(keys, key):
    assert key not in keys


@pytest.mark.parametrize("key", [
    "PATH", "LD_LIBRARY_PATH", "HTTPS", "REMOTE_USER", "AUTH_TYPE",
    "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_CONTENT_TYPE",
    "HTTP_CONTENT_LENGTH", "HTTP_AUTHORIZATION", "HTTP_PROXY",
    "mod_wsgi.mount_point", "apache.request_rec", "REDIRECT_STATUS"])
def test_a_key_that_has_no_reason_is_not_there(keys, key):
    assert key not in keys


def test_no_internal_key_and_no_none(keys):
    assert not [key for key in keys if key.startswith("mod_wsgi.x-")]
    assert not [key for key in keys if keys[key] is None]


def test_the_environ_is_a_dict_of_str_keys(web):
    assert do(web, "(type(environ) is dict, "
                   "all(type(key) is str for key in environ))") == (True,) * 2


@pytest.mark.parametrize("key, kind", [
    ("wsgi.input", "Input"), ("wsgi.errors", "TextIOWrapper"),
    ("wsgi.file_wrapper", "FileWrapper")])
def test_the_objects_of_wsgi(web, key, kind):
    expression = f"type(environ[{key!r}]).__name__"
    if key == "wsgi.file_wrapper":
        expression = f"environ[{key!r}].__name__"
    got = do(web, expression)
    # wsgi.errors is our own subclass of it
    assert got == kind or (key == "wsgi.errors" and do(
        web, "isinstance(environ['wsgi.errors'], "
             "__import__('io').TextIOWrapper)"))


def test_file_wrapper_is_a_class_that_can_be_subclassed(web):
    def subclass(environ):
        wrapper = environ["wsgi.file_wrapper"]
        return isinstance(wrapper, type), issubclass(
            type("Own", (wrapper,), {}), wrapper)
    assert do(web, subclass) == (True, True)


def test_the_process_group(keys, mode):
    want = "g" if mode == "daemon" else ""
    assert keys["mod_wsgi.process_group"] == want


def test_the_times_are_in_order(web, mode):
    before = time.time()
    found = environ(web)
    values = [float(found.get(f"mod_wsgi.{name}", 0)) for name in (
        "request_start", "queue_start", "daemon_start")]
    scale = 1e6 if values[0] > 1e12 else 1
    start, queue, daemon = (value / scale for value in values)
    assert before - 1 < start < time.time() + 1
    if mode == "daemon":
        assert start <= queue <= daemon
    else:
        assert (queue, daemon) == (0, 0)


def test_the_ids_are_those_of_the_request(web):
    found = {environ(web)["mod_wsgi.request_id"] for _ in range(5)}
    assert len(found) == 5


def test_the_thread_id_begins_at_one_and_stays_small(web):
    found = {environ(web)["mod_wsgi.thread_id"] for _ in range(10)}
    assert min(found) >= 1
    assert max(found) <= 40


def test_the_listener_port_is_the_one_that_listens(web, keys):
    assert keys["mod_wsgi.listener_port"] == str(web.port)


def test_the_server_pid_is_that_of_a_child(web, mode):
    keys = environ(web)
    if "mod_wsgi.server_pid" in keys:
        assert int(keys["mod_wsgi.server_pid"]) in web.processes()


@pytest.mark.parametrize("target, thread, process, once", [
    ("/probe", True, False, False), ("/one", False, True, False),
    ("/many", True, True, False), ("/once", False, False, True)])
def test_multithread_multiprocess_run_once_of_a_group(
        web, mode, target, thread, process, once):
    if mode == "embedded":
        pytest.skip("of daemon groups")
    keys = environ(web, target)
    assert (keys["wsgi.multithread"], keys["wsgi.multiprocess"],
            keys["wsgi.run_once"]) == (thread, process, once)


def test_multithread_and_multiprocess_of_apache(web, mode):
    if mode == "daemon":
        pytest.skip("of Apache")
    keys = environ(web)
    assert keys["wsgi.multithread"] is not PREFORK
    assert keys["wsgi.multiprocess"] is True


# wsgi.url_scheme

@pytest.mark.parametrize("name, want", [
    ("on", "https"), ("one", "https"), ("off", "http")])
def test_the_scheme_follows_https(web, name, want):
    keys = environ(web, f"/probe/https/{name}")
    assert keys["wsgi.url_scheme"] == want
    assert "HTTPS" not in keys


def test_a_header_does_not_set_the_scheme(web):
    keys = environ(web, headers=(("X-Forwarded-Proto", "https"),
                                 ("HTTPS", "on")))
    assert keys["wsgi.url_scheme"] == "http"


# Headers (3.3)

@pytest.mark.parametrize("name, key", [
    ("X-Some-Header", "HTTP_X_SOME_HEADER"), ("x-lower", "HTTP_X_LOWER"),
    ("X123", "HTTP_X123"), ("Expect", "HTTP_EXPECT"),
    ("User-Agent", "HTTP_USER_AGENT"), ("Referer", "HTTP_REFERER"),
    ("If-None-Match", "HTTP_IF_NONE_MATCH"), ("Range", "HTTP_RANGE"),
    ("Content-Type", "CONTENT_TYPE"),
    ("Content-Encoding", "HTTP_CONTENT_ENCODING")])
def test_the_name_of_a_header(web, name, key):
    value = "100-continue" if name == "Expect" else "v/x"
    assert environ(web, headers=((name, value),))[key] == value


@pytest.mark.parametrize("name", [
    "X_Own_Under", "X.Dot", "X!Bang", "X~Tilde", "Proxy", "X_Forwarded_For",
    "Content_Length", "REMOTE_USER", "SCRIPT_NAME", "PATH_INFO", "Host_"])
def test_a_header_that_is_never_passed(web, name):
    keys = environ(web, headers=((name, "smuggled"),))
    assert "smuggled" not in keys.values()


@pytest.mark.parametrize("name", [
    "Script-Name", "Path-Info", "Remote-User", "Request-Method",
    "Wsgi.Input"])
def test_a_header_is_never_a_variable_of_cgi(web, name):
    keys = environ(web, "/probe/p", headers=((name, "smuggled"),))
    for key in ("SCRIPT_NAME", "PATH_INFO", "REQUEST_METHOD"):
        assert keys[key] != "smuggled"
    assert "REMOTE_USER" not in keys


@pytest.mark.parametrize("name", ["Cookie", "X-Twice", "Accept"])
def test_headers_of_one_name_are_joined(web, name):
    keys = environ(web, headers=((name, "a=1"), (name, "b=2")))
    assert keys["HTTP_" + name.upper().replace("-", "_")] in (
        "a=1, b=2", "a=1; b=2")


def test_bytes_beyond_ascii_are_latin_1(web):
    keys = environ(web, headers=(("X-Bytes", "\u00e9\u00ff\u0080"),))
    assert keys["HTTP_X_BYTES"] == "\u00e9\u00ff\u0080"


@pytest.mark.parametrize("value", ["", "a", "x" * 4000, "a  b", "\"q\"", "=",
                                   "a\tb"])
def test_a_value_passes_unchanged(web, value):
    assert environ(web, headers=(("X-V", value),))["HTTP_X_V"] == value


def test_a_body_has_its_length_and_type(web):
    keys = environ(web, method="POST", body=b"12345",
                   headers=(("Content-Type", "a/b; c=d"),))
    assert (keys["CONTENT_LENGTH"], keys["CONTENT_TYPE"]) == ("5", "a/b; c=d")


# SetEnv and its like

def test_setenv_does_not_overrule_what_is_computed(web, mode):
    keys = environ(web, "/probe/p", headers=(("X-Own", "1"),))
    assert keys["PATH_INFO"] == "/p"
    assert keys["HTTP_X_OWN"] == "1"
    assert keys["mod_wsgi.process_group"] == (
        "g" if mode == "daemon" else "")


def test_setenv_of_other_names_passes(web):
    keys = environ(web, headers=(("X-Set", "by if"),))
    assert keys["FROM_SETENVIF"] == "by if"
    assert keys["own.dotted"] == "from-setenv"
    assert keys["UMLAUT"] == "\u00c3\u00bc"


# URL decoding (3.4)

@pytest.mark.parametrize("path, want", [
    ("/a%2Cb", "/a,b"), ("/%E2%82%AC", "/\u00e2\u0082\u00ac"),
    ("/%FF", "/\u00ff"), ("/a%20b", "/a b"), ("/a+b", "/a+b"),
    ("/a%25b", "/a%b"), ("/a;b=c", "/a;b=c"), ("//a", "/a"),
    ("/a%3Fb", "/a?b"), ("/a%0Ab", "/a\nb"), ("/a:b@c", "/a:b@c"),
    ("/%7Ea", "/~a"), ("/a/b/../c", "/a/c"), ("/a/./b", "/a/b"),
    ("/x" * 500, "/x" * 500)])
def test_the_path_is_decoded(web, path, want):
    keys = environ(web, f"/probe{path}")
    assert keys["PATH_INFO"] == want
    assert keys["REQUEST_URI"] == f"/probe{path}"


@pytest.mark.parametrize("host, status, want", [
    ("localhost", 200, "/errors"), ("canonical.test", 200, "/a%2Fb"),
    ("slashes.test", 200, "/a/b")])
def test_an_encoded_slash_is_as_httpd_allows(web, host, status, want):
    from compat.kit import carried
    answer = web.ask("/probe/a%2Fb", host=host, headers=(
        carried("environ['PATH_INFO']"),))
    assert answer.status == status
    assert answer.text == repr(want)


# Names of the server

@pytest.mark.parametrize("host, name, port", [
    ("localhost", "localhost", None), ("asked.test", "asked.test", None),
    ("localhost:8123", "localhost", "8123"),
    ("canonical.test", "canonical.test", "8080")])
def test_the_name_and_port_of_the_server(web, host, name, port):
    keys = environ(web, host=host)
    assert keys["SERVER_NAME"] == name
    if port:
        assert keys["SERVER_PORT"] == port


def test_http_1_0_without_a_host(web):
    keys = environ(web, version="1.0", host=None)
    assert keys["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in keys
    assert keys["SERVER_NAME"] == "localhost"


# Users, redirects, rewriting

def test_the_user_that_httpd_authenticated(web):
    from compat.kit import basic
    keys = environ(web, "/probe/user", headers=(basic("ann"),))
    assert (keys["REMOTE_USER"], keys["AUTH_TYPE"]) == ("ann", "Basic")


def test_the_environ_of_an_error_document(web):
    from compat.kit import carried
    answer = web.ask("/nowhere?q=1", headers=(carried(
        "{key: environ[key] for key in environ "
        "if key.startswith(('REDIRECT_', 'QUERY', 'REQUEST_URI'))}"),))
    import ast
    keys = ast.literal_eval(answer.text)
    assert answer.status == 200         # as the application says
    assert keys["REDIRECT_STATUS"] == "404"
    assert keys["REDIRECT_URL"] == "/nowhere"
    assert keys["REDIRECT_QUERY_STRING"] == "q=1"
    assert keys["QUERY_STRING"] == "from=404"
    assert keys["REQUEST_URI"] == "/nowhere?q=1"


def test_the_environ_after_rewriting(web):
    keys = environ(web, "/old/x?q=1", host="rewriting.test")
    assert keys["SCRIPT_NAME"] == "/probe"
    assert keys["PATH_INFO"] == "/new/x"
    assert keys["REQUEST_URI"] == "/old/x?q=1"
    assert keys["QUERY_STRING"] == "q=1"
    assert keys["RULE"] == "yes"


def test_cgi_var_request_uri(web):
    assert environ(web, "/probe/current/x?q=1")["REQUEST_URI"] == \
        "/probe/current/x"


def test_many_variables(make, mode):
    """More than 1024 strings (a bug of 4.5.24)."""
    lines = "".join(f"SetEnv VARIABLE_{n} {n}\n" for n in range(1200))
    server = make(lines + "WSGIScriptAlias /probe {apps}/probe.py", mode)
    assert do(server, "sum(key.startswith('VARIABLE_') for key in environ)"
              ) == 1200


def test_a_mount_of_its_own_interpreter(web):
    assert environ(web, "/sub")["mod_wsgi.application_group"].endswith(
        "|/sub")
