"""Contract 12: the configurations that mod_wsgi's documentation teaches."""

import os
import signal
import subprocess

import pytest

from config import PYTHON_LIB
from waiting import wait_until

from compat.kit import basic, carried, do, environ, play

def test_1_a_root_mount_with_static_aliases(make, mode):
    server = make("""
        Alias /robots.txt {root}/htdocs/robots.txt
        Alias /favicon.ico {root}/htdocs/favicon.ico
        AliasMatch ^/([^/]*\\.css) {root}/htdocs/styles/$1
        Alias /media/ {root}/htdocs/media/
        Alias /static/ {root}/htdocs/static/
        WSGIScriptAlias / {apps}/probe.py""", mode)
    docs = server.root / "htdocs"
    for name in ("robots.txt", "favicon.ico", "styles/a.css", "media/m.txt",
                 "static/s.txt"):
        (docs / name).parent.mkdir(exist_ok=True)
        (docs / name).parent.chmod(0o755)
        (docs / name).write_text(name)
    for target, name in (("/robots.txt", "robots.txt"),
                         ("/favicon.ico", "favicon.ico"),
                         ("/a.css", "styles/a.css"),
                         ("/media/m.txt", "media/m.txt"),
                         ("/static/s.txt", "static/s.txt")):
        assert server.ask(target).text == name
    assert server.ask("/static/none").status == 404
    for target in ("/", "/x", "/staticx", "/media"):
        assert server.ask(target).body == b"probe"


def test_2_a_group_with_a_virtual_environment_and_a_preload(make):
    server = make("""
        WSGIRestrictEmbedded On
        WSGIDaemonProcess app python-home={work}/env python-path={work}/src \
            processes=2 threads=3 display-name=%{GROUP}
        WSGIScriptAlias / {apps}/probe.py process-group=app \
            application-group=%{GLOBAL}
        """, start=False)
    env = server.work / "env"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip",
                    str(env)], check=True, timeout=60)
    (server.work / "src").mkdir()
    (server.work / "src/own_module.py").write_text("NAME = 'own'\n")
    (env / PYTHON_LIB / "site-packages/installed.py").write_text("A = 1\n")
    server.start()
    assert do(server, "(__import__('own_module').NAME, "
                      "__import__('installed').A)", "/") == ("own", 1)
    keys = environ(server, "/")
    assert keys["mod_wsgi.process_group"] == "app"
    assert keys["mod_wsgi.application_group"] == ""


def test_2_a_preload_happens_before_the_first_request(make, mode):
    group = "g" if mode == "daemon" else "%{GLOBAL}"
    server = make("WSGIScriptAlias /own {apps}/counting.py process-group="
                  + group + " application-group=%{GLOBAL}", mode)
    assert wait_until(lambda: (server.work / "life").exists(), 5)


@pytest.mark.parametrize("group", ["g", "h"])
def test_3_a_group_by_setenvif(make, group):
    server = make("""
        WSGIDaemonProcess h python-path={apps}
        SetEnvIf X-Site ^(.*)$ PROCESS_GROUP=$1
        WSGIProcessGroup %{ENV:PROCESS_GROUP}
        WSGIScriptAlias / {apps}/probe.py""", "daemon")
    keys = environ(server, "/", headers=(("X-Site", group),))
    assert keys["mod_wsgi.process_group"] == group


def test_3_a_group_by_a_rewrite_rule_and_a_cookie(make):
    server = make("""
        WSGIDaemonProcess h python-path={apps}
        RewriteEngine On
        RewriteMap sites int:tolower
        RewriteRule . - [E=PROCESS_GROUP:g]
        RewriteCond %{HTTP_COOKIE} site=([GH])
        RewriteRule . - [E=PROCESS_GROUP:${sites:%1|g}]
        WSGIProcessGroup %{ENV:PROCESS_GROUP}
        WSGIScriptAlias / {apps}/probe.py""", "daemon",
                  extra=("rewrite",))
    for cookie, want in (("site=H", "h"), ("site=G", "g"),
                         ("site=none", "g"), ("", "g")):
        keys = environ(server, "/", headers=(
            (("Cookie", cookie),) if cookie else ()))
        assert keys["mod_wsgi.process_group"] == want


@pytest.fixture
def folder(make, mode):
    """Pattern 4: a folder of scripts."""
    server = make("""
        <Directory {root}/htdocs>
            Options +ExecCGI +MultiViews
            MultiviewsMatch Handlers
            AddHandler wsgi-script .wsgi
            AllowOverride FileInfo Indexes
            DirectoryIndex index.html main.wsgi
        </Directory>""", mode, extra=("negotiation", "rewrite"), start=False)
    docs = server.root / "htdocs"
    text = (server.apps / "probe.py").read_text()
    for name in ("main.wsgi", "other.wsgi", "funnel/site.wsgi"):
        (docs / name).parent.mkdir(exist_ok=True)
        (docs / name).parent.chmod(0o755)
        (docs / name).write_text(text)
    (docs / "funnel/.htaccess").write_text(
        "RewriteEngine On\nRewriteBase /funnel\n"
        "RewriteCond %{REQUEST_FILENAME} !-f\n"
        "RewriteRule ^(.*)$ site.wsgi/$1 [QSA,PT,L]\n")
    (docs / "funnel/real.txt").write_text("a file")
    return server.start()


@pytest.mark.parametrize("target, script, info", [
    ("/main.wsgi", "/main.wsgi", ""), ("/main.wsgi/x", "/main.wsgi", "/x"),
    ("/other/x", "/other.wsgi", "/x"), ("/other", "/other.wsgi", ""),
    ("/funnel/a/b", "/funnel/site.wsgi", "/a/b")])
def test_4_a_folder_of_scripts(folder, target, script, info):
    keys = environ(folder, target)
    assert (keys["SCRIPT_NAME"], keys["PATH_INFO"]) == (script, info)


def test_4_a_directory_index_and_a_file(folder):
    assert folder.ask("/").body == b"probe"
    assert folder.ask("/funnel/real.txt").body == b"a file"
    assert folder.ask("/nothing").status == 404


def test_5_a_handler_script_for_a_kind_of_file(make, mode):
    server = make("WSGIHandlerScript bobo {apps}/probe.py\n"
                  "AddHandler bobo .bobo", mode)
    (server.root / "htdocs/a.bobo").write_text("the source")
    assert server.ask("/a.bobo").body == b"handled"


def test_6_two_hosts_share_a_group_of_one_server_name(make):
    server = make("""
        <VirtualHost *:*>
            ServerName site.test
            WSGIDaemonProcess site python-path={apps}
            WSGIProcessGroup site
            WSGIScriptAlias / {apps}/probe.py
        </VirtualHost>
        <VirtualHost *:*>
            ServerName site.test
            ServerAlias secure.test
            WSGIProcessGroup site
            WSGIScriptAlias / {apps}/probe.py
        </VirtualHost>""")
    pids = {do(server, "__import__('os').getpid()", "/", host=host)
            for host in ("site.test", "secure.test")}
    assert len(pids) == 1


def test_7_a_process_ends_itself(make):
    """What a monitor thread does when a module has changed."""
    server = make("WSGIScriptAlias / {apps}/probe.py", "daemon")
    old = do(server, "__import__('os').getpid()", "/")

    def end(environ):
        import os
        import signal
        os.kill(os.getpid(), signal.SIGINT)
    assert do(server, end, "/") is None
    assert wait_until(lambda: server.ask("/").status == 200 and do(
        server, "__import__('os').getpid()", "/") != old, 8)


def test_7_usr1_is_graceful(make):
    server = make("WSGIScriptAlias / {apps}/probe.py", "daemon")
    old = do(server, "__import__('os').getpid()", "/")
    os.kill(old, signal.SIGUSR1)
    assert wait_until(lambda: server.ask("/").status == 200 and do(
        server, "__import__('os').getpid()", "/") != old, 8)


def test_8_the_log_level_of_wsgi(make, mode):
    server = make("LogLevel info wsgi:trace1\n"
                  "WSGIScriptAlias / {apps}/probe.py", mode)
    assert server.ask("/").body == b"probe"


@pytest.mark.ours("WSGIInternalRedirect On brings the redirect")
def test_9_a_file_by_an_internal_redirect(make, mode):
    server = make("""
        WSGIInternalRedirect On
        WSGIScriptAlias / {apps}/probe.py
        Alias /private/ {root}/htdocs/private/
        RewriteEngine On
        RewriteCond %{IS_SUBREQ} false
        RewriteCond %{ENV:REDIRECT_STATUS} ^$
        RewriteRule ^/private/ - [F]""", mode, extra=("rewrite",))
    (server.root / "htdocs/private").mkdir()
    (server.root / "htdocs/private").chmod(0o755)
    (server.root / "htdocs/private/f.txt").write_text("delegated")

    def app(environ, start_response):
        start_response("200 OK", [("Location", "/private/f.txt")])
        return []
    assert play(server, app, "/get").body == b"delegated"
    assert server.ask("/private/f.txt").status == 403


def test_9_a_file_by_the_file_wrapper(make, mode):
    server = make("WSGIScriptAlias / {apps}/probe.py", mode)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "a/b")])
        return environ["wsgi.file_wrapper"](
            open(environ["SCRIPT_FILENAME"], "rb"))
    assert play(server, app, "/").body == (
        server.apps / "probe.py").read_bytes()


def test_10_a_service_behind_mod_proxy(make):
    """threads=0: an own server on loopback, reached by ProxyPass."""
    from server import free_port
    port = free_port()
    server = make(f"""
        WSGIDaemonProcess service threads=0
        WSGIImportScript {{work}}/service.py process-group=service \\
            application-group=%{{GLOBAL}}
        ProxyPass /service http://127.0.0.1:{port}/""",
                  extra=("proxy", "proxy_http"), start=False)
    (server.work / "service.py").write_text(
        "from http.server import BaseHTTPRequestHandler, HTTPServer\n"
        "class Handler(BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'from the service')\n"
        f"HTTPServer(('127.0.0.1', {port}), Handler).serve_forever()\n")
    server.start()
    server.log.allow(".*")
    assert wait_until(
        lambda: server.ask("/service").body == b"from the service", 8)


def test_11_behind_a_reverse_proxy(make, mode):
    server = make("""
        WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Host \
            X-Forwarded-Port X-Forwarded-Proto X-Script-Name
        WSGITrustedProxies 127.0.0.1
        WSGIScriptAlias / {apps}/probe.py""", mode)
    keys = environ(server, "/x", headers=(
        ("X-Forwarded-For", "198.51.100.9"), ("X-Forwarded-Host", "www.test"),
        ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https"),
        ("X-Script-Name", "/app")))
    assert [keys[key] for key in ("REMOTE_ADDR", "HTTP_HOST", "SERVER_PORT",
                                  "wsgi.url_scheme", "SCRIPT_NAME",
                                  "PATH_INFO")] == [
        "198.51.100.9", "www.test", "443", "https", "/app", "/x"]


def test_12_a_health_check(make, mode):
    server = make("""
        WSGIScriptAlias / {apps}/probe.py
        <Location /health>
            WSGIIgnoreActivity On
        </Location>""", mode)
    assert server.ask("/health").body == b"probe"


def test_13_a_group_and_a_user_for_each_customer(make):
    server = make("""
        WSGIRestrictEmbedded On
        WSGIDaemonProcess ann user=daemon group=daemon python-path={apps}
        WSGIDaemonProcess bob python-path={apps}
        WSGIScriptAlias /ann {apps}/probe.py process-group=ann
        WSGIScriptAlias /bob {apps}/probe.py process-group=bob
        WSGIScriptAlias /stolen {apps}/probe.py process-group=ann
        <Location /ann>
            WSGIRestrictProcess ann
        </Location>
        <Location /bob>
            WSGIRestrictProcess bob
        </Location>
        <Location /stolen>
            WSGIRestrictProcess bob
        </Location>""")
    assert server.ask("/ann").status == server.ask("/bob").status == 200
    assert server.ask("/stolen").status == 500
    if os.geteuid() == 0:
        assert do(server, "__import__('os').getuid()", "/ann") == 1


def test_14_cleaning_up_with_subscribe_shutdown(make, mode):
    server = make("WSGIScriptAlias /module {apps}/module.py", mode)
    assert server.ask("/module").status == 201
    server.stop()
    assert "shutdown process_stopping" in (server.work / "signs").read_text()


def test_15_detecting_the_server(make, mode):
    server = make("WSGIScriptAlias / {apps}/probe.py", mode)

    def detect(environ):
        try:
            from mod_wsgi import version
        except ImportError:
            return "not under mod_wsgi"
        return version == environ["mod_wsgi.version"]
    assert do(server, detect, "/") is True


EXPRESS = """
ServerTokens Prod
WSGISocketRotation Off
WSGISocketPrefix {root}/run/wsgi
WSGIPythonHome /usr
WSGIVerboseDebugging Off
WSGIRestrictEmbedded On
<IfDefine !ONE_PROCESS>
<IfModule mod_wsgi.c>
WSGIDaemonProcess localhost:8000 display-name='(wsgi:localhost:8000:0)' \
   home='{work}' threads=5 maximum-requests=0 python-path='{apps}' \
   python-eggs='{work}' lang='C.UTF-8' locale='C.UTF-8' listen-backlog=100 \
   queue-timeout=45 socket-timeout=60 connect-timeout=15 request-timeout=60 \
   inactivity-timeout=0 startup-timeout=15 deadlock-timeout=60 \
   graceful-timeout=15 eviction-timeout=0 restart-interval=0 \
   cpu-time-limit=0 shutdown-timeout=5 send-buffer-size=0 \
   receive-buffer-size=0 response-buffer-size=0 header-buffer-size=0 \
   response-socket-timeout=0 server-metrics=Off
WSGICallableObject 'application'
WSGIPassAuthorization On
WSGIMapHEADToGET Auto
WSGIEnableSendfile On
<Location />
    WSGIProcessGroup localhost:8000
    WSGIApplicationGroup %{GLOBAL}
</Location>
</IfModule>
</IfDefine>
<IfDefine ONE_PROCESS>
WSGIRestrictStdin Off
</IfDefine>
WSGIScriptAlias '/' '{apps}/probe.py'
"""


def test_7_what_express_writes_is_understood(make):
    """Contract 7 and 13: express-generated configurations load."""
    server = make(EXPRESS)
    assert server.ask("/").body == b"probe"
    keys = environ(server, "/x", headers=(("Authorization", "Own x"),))
    assert keys["mod_wsgi.process_group"] == "localhost:8000"
    assert keys["HTTP_AUTHORIZATION"] == "Own x"


def test_a_password_script_before_a_mount(make, mode):
    server = make("""
        WSGIScriptAlias / {apps}/probe.py
        <Location />
            AuthType Basic
            AuthName 'Top Secret'
            AuthBasicProvider wsgi
            WSGIAuthUserScript {apps}/auth.py
            WSGIAuthGroupScript {apps}/auth.py
            Require wsgi-group staff
        </Location>""", mode)
    assert server.ask("/", headers=(basic("ann"),)).body == b"probe"
    assert server.ask("/", headers=(basic("others"),)).status == 401
    assert server.ask("/").status == 401


def test_the_user_is_in_the_access_log(make, mode):
    server = make("""
        LogFormat "%u %{mod_wsgi.process_group}e" own
        CustomLog {root}/logs/access.log own
        WSGIScriptAlias / {apps}/probe.py
        <Location /private>
            AuthType Basic
            AuthName x
            AuthUserFile {root}/users
            Require valid-user
        </Location>""", mode, start=False)
    (server.root / "users").write_text(
        "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    server.start()
    assert server.ask("/private", headers=(
        basic("ann"), carried("1"))).status == 200
    path = server.root / "logs/access.log"
    assert wait_until(lambda: path.exists()
                      and path.read_text().startswith("ann "))
