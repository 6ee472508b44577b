"""The main test: a Django site by the seed configuration, word for word."""

import re
import subprocess
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from demo import DEMO, LOCALE, deploy, seed_for
from leftovers import resident_kb

DESIGN_SEED = """\
WSGIRestrictEmbedded On
WSGIScriptAlias / /srv/etcl/src/etcl/wsgi.py
WSGIDaemonProcess etcl python-path=/srv/etcl/src:/srv/etcl/env/lib/python3.11/\
site-packages lang='en_US.UTF-8' locale='en_US.UTF-8'
WSGIProcessGroup etcl
Alias /static/ /srv/etcl/static/
Alias /media/ /srv/etcl/media/
<Directory /srv/etcl/static/>
    Require all granted
</Directory>
<Directory /srv/etcl/media/>
    Require all granted
</Directory>
<Directory /srv/etcl/src/etcl/>
    <Files wsgi.py>
        Require all granted
    </Files>
</Directory>
"""


def test_the_seed_is_the_one_of_the_design():
    assert (DEMO / "seed.conf").read_text() == DESIGN_SEED


class Visitor:
    """A browser's memory: cookies and the token of the last form."""

    def __init__(self, server):
        self.server, self.cookies, self.token = server, {}, ""

    def get(self, target):
        return self._keep(self.server.ask(target, headers=self._headers()))

    def post(self, target, fields, files=()):
        fields = {"csrfmiddlewaretoken": self.token, **fields}
        body = form(fields, files)
        return self._keep(self.server.ask(
            target, method="POST", body=body, headers=(
                *self._headers(),
                ("Content-Type", "multipart/form-data; boundary=edge"))))

    def login(self):
        self.get("/login/")
        answer = self.post("/login/", {"username": "admin",
                                       "password": "etcl"})
        assert (answer.status, answer.get("Location")) == (302, "/")
        return self

    def _headers(self):
        joined = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        return (("Cookie", joined),) if joined else ()

    def _keep(self, answer):
        for line in answer.all("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"',
                          answer.body.decode("utf-8", "replace"))
        self.token = found[1] if found else self.token
        return answer


def form(fields, files) -> bytes:
    head = '--edge\r\nContent-Disposition: form-data; name="{}"'
    parts = [head.format(name).encode() + b"\r\n\r\n" + value.encode()
             for name, value in fields.items()]
    parts += [head.format(name).encode()
              + f'; filename="{filename}"\r\n'.encode()
              + b"Content-Type: application/octet-stream\r\n\r\n" + content
              for name, filename, content in files]
    return b"\r\n".join(parts) + b"\r\n--edge--\r\n"


@pytest.mark.every_mpm
def test_the_page_comes_with_the_greeting_of_the_environment(site):
    """200 with the demo's page; the package of the virtual environment is
    imported."""
    site.allow_log(LOCALE)
    answer = site.ask("/")
    assert answer.status == 200
    assert "Welcome to the board" in answer.text


def test_a_locale_that_is_not_installed_is_a_clear_warning(apache):
    """a clear warning that names the installed ones"""
    have = subprocess.run(["locale", "-a"], capture_output=True, text=True,
                          check=True).stdout
    if re.search(r"(?i)en_US\.utf-?8", have):
        pytest.skip("en_US.UTF-8 is installed here")
    server = apache(start=False)
    deploy(server.root / "etcl")
    server.configure(seed_for(server.root / "etcl"))
    server.expect_log(LOCALE)
    server.start()
    assert server.ask("/").status == 200
    text = server.log.wait_for(LOCALE).text
    assert re.search(r"(?i)C\.utf-?8", text), "names the installed ones"


@pytest.mark.every_mpm
def test_style_and_media_come_from_httpd(site):
    answer = site.ask("/static/board/style.css")
    assert answer.status == 200 and b"--accent" in answer.body
    assert answer.get("Content-Type") == "text/css"
    assert site.ask("/static/admin/css/base.css").status == 200
    site.allow_log("AH0")
    assert site.ask("/static/../src/etcl/settings.py").status in (400, 404)
    for target in ("/src/etcl/settings.py", "/etcl/wsgi.py", "/wsgi.py"):
        assert site.ask(target).status == 404


@pytest.mark.every_mpm
def test_log_in_fill_the_form_upload_and_see_it(site):
    """log in, fill the form, upload, see the uploaded file."""
    visitor = Visitor(site)
    assert visitor.get("/new/").get("Location") == "/login/?next=/new/"
    visitor.login()
    assert "New entry" in visitor.get("/new/").text
    content = bytes(range(256)) * 1000
    answer = visitor.post(
        "/new/", {"title": "Caf\u00e9 \U0001f40d", "text": "two\nlines"},
        [("attachment", "data.bin", content)])
    assert (answer.status, answer.get("Location")) == (302, "/")
    page = visitor.get("/").text
    assert "Caf\u00e9 \U0001f40d" in page and "two<br>lines" in page
    href = re.search(r'class="file" href="(/media/[^"]+)"', page)[1]
    assert site.ask(href).body == content


def test_a_form_without_its_token_is_refused(site):
    site.allow_log("Forbidden|CSRF")
    visitor = Visitor(site).login()
    visitor.token = "wrong"
    assert visitor.post("/new/", {"title": "t"}).status == 403


def test_wrong_passwords_do_not_log_in(site):
    visitor = Visitor(site)
    visitor.get("/login/")
    answer = visitor.post("/login/", {"username": "admin",
                                      "password": "no"})
    assert answer.status == 200 and "correct username" in answer.text


def test_the_admin_site_works(site):
    visitor = Visitor(site).login()
    assert "Site administration" in visitor.get("/admin/").text
    visitor.get("/admin/board/entry/add/")
    answer = visitor.post("/admin/board/entry/add/",
                          {"title": "by the admin", "text": "x"})
    assert answer.status == 302
    assert "by the admin" in visitor.get("/admin/board/entry/").text


def test_a_missing_page_is_djangos_own(site):
    site.allow_log("Not Found")
    answer = site.ask("/no/such/page")
    assert answer.status == 404 and b"Not Found" in answer.body


@pytest.mark.slow(180)
def test_a_large_upload_leaves_memory_flat(site):
    """A 100 MB upload through Django's own handlers."""
    visitor = Visitor(site).login()
    visitor.get("/new/")
    visitor.post("/new/", {"title": "small"}, [("attachment", "s", b"s")])
    before = resident_kb(site.processes())
    visitor.get("/new/")
    answer = visitor.post("/new/", {"title": "large"}, [
        ("attachment", "large.bin", b"x" * 100_000_000)])
    assert answer.status == 302
    assert resident_kb(site.processes()) - before < 20_000


def test_the_seed_serves_inside_a_vhost(apache):
    """at server level and inside a vhost."""
    server = apache(start=False)
    deploy(server.root / "etcl")
    server.configure(f"""
        <VirtualHost *:*>
            ServerName other.test
        </VirtualHost>
        WSGIRestrictEmbedded On
        <VirtualHost *:*>
            ServerName etcl.test
            {inside_vhost(server.root / "etcl")}
        </VirtualHost>""")
    server.allow_log(LOCALE)
    server.start()
    answer = server.ask("/", host="etcl.test")
    assert "Welcome to the board" in answer.text
    style = server.ask("/static/board/style.css", host="etcl.test")
    assert style.status == 200
    server.allow_log("AH0")
    assert b"Welcome" not in server.ask("/", host="other.test").body


def inside_vhost(base: Path) -> str:
    """WSGIRestrictEmbedded is the one line that is legal only outside."""
    return seed_for(base).replace("WSGIRestrictEmbedded On\n", "")


def test_deploying_again_keeps_what_visitors_made(apache):
    server = apache(start=False)
    base = server.root / "etcl"
    deploy(base)
    (base / "media/kept.txt").write_text("kept")
    before = (base / "data/etcl.sqlite3").read_bytes()
    deploy(base)
    assert (base / "media/kept.txt").read_text() == "kept"
    assert (base / "data/etcl.sqlite3").read_bytes() == before
