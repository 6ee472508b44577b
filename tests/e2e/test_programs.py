"""Real programs behind the module: Flask, a git server, httpbin."""

import json
import os
import subprocess

import pytest

MOUNT = """
    WSGIDaemonProcess g threads=8 python-path={apps} home={work}
    WSGIProcessGroup g
    WSGIApplicationGroup %%{GLOBAL}
    WSGIScriptAlias / {apps}/%s.py
"""


def program(apache, name: str, package: str, **how):
    """A server with one program, or a skip when it is not installed."""
    from conftest import missing
    found = subprocess.run(["/usr/bin/python3", "-c", f"import {package}"],
                           capture_output=True, check=False)
    if found.returncode:
        missing(package)
    return apache(MOUNT % name, **how)


def multipart(fields: dict, filename: str, content: bytes) -> tuple:
    """A form as a browser sends it: (body, headers)."""
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{name}"'
             f"\r\n\r\n{value}\r\n" for name, value in fields.items()]
    file = ('--edge\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{filename}"\r\nContent-Type: text/plain\r\n\r\n')
    body = "".join(parts).encode() + file.encode() + content
    return body + b"\r\n--edge--\r\n", (
        ("Content-Type", "multipart/form-data; boundary=edge"),)


@pytest.mark.every_mpm
def test_flask(apache):
    server = program(apache, "flask_app", "flask")
    assert server.ask("/").body == b"<h1>Flask</h1>"
    body, headers = multipart({"name": "\u00e9"}, "f.txt", b"x" * 300_000)
    answer = server.ask("/form", method="POST", body=body, headers=headers)
    assert json.loads(answer.body) == {
        "name": "\u00e9", "size": 300_000, "filename": "f.txt"}
    assert len(server.ask("/stream").body.splitlines()) == 1000
    cookie = server.ask("/session").get("Set-Cookie").split(";")[0]
    assert server.ask("/session", headers=(("Cookie", cookie),)).text == "2"
    assert server.ask("/redirect").get("Location") == "http://localhost/"
    assert server.ask("/missing").status == 404


def test_flask_sends_files_with_their_conditions(apache):
    server = program(apache, "flask_app", "flask")
    whole = server.ask("/file")
    source = (server.apps / "flask_app.py").read_bytes()
    assert whole.body == source
    same = server.ask("/file", headers=(
        ("If-None-Match", whole.get("ETag")),))
    assert same.status == 304
    part = server.ask("/file", headers=(("Range", "bytes=3-9"),))
    assert (part.status, part.body) == (206, source[3:10])


def test_an_error_in_flask_is_in_the_log(apache):
    server = program(apache, "flask_app", "flask")
    server.expect_traceback("RuntimeError: boom in Flask")
    server.allow_log("Exception on /boom")
    assert server.ask("/boom").status == 500


def git(*arguments, cwd=None) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c",
         "init.defaultBranch=main", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
             "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_repository(server, content: bytes) -> None:
    """A bare repository with one large commit, owned by the group."""
    source = server.root / "source"
    git("init", source)
    (source / "big.bin").write_bytes(content)
    git("add", ".", cwd=source)
    git("commit", "-m", "first", cwd=source)
    git("clone", "--bare", source, server.work / "repo.git")
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "www-data:www-data",
                        server.work / "repo.git"], check=True)


@pytest.mark.slow(150)
@pytest.mark.every_mpm
@pytest.mark.differs
def test_git_clones_and_pushes_over_dulwich(apache):
    """a git clone and git push of more than 5 MB over dulwich's server"""
    server = program(apache, "dulwich_app", "dulwich", start=False)
    content = os.urandom(6_000_000)
    make_repository(server, content)
    server.start()
    url = f"http://127.0.0.1:{server.port}/repo.git"
    copy = server.root / "copy"
    git("clone", url, copy)
    assert (copy / "big.bin").read_bytes() == content
    more = os.urandom(6_500_000)
    (copy / "more.bin").write_bytes(more)
    git("add", ".", cwd=copy)
    git("commit", "-m", "second", cwd=copy)
    git("push", "origin", "HEAD:refs/heads/second", cwd=copy)
    again = server.root / "again"
    git("clone", "-b", "second", url, again)
    assert (again / "more.bin").read_bytes() == more
    server.allow_log("dulwich|GET|POST|\\[pid|git")


HTTPBIN = [
    # target, status
    ("/get?a=b", 200), ("/status/418", 418), ("/bytes/70000?seed=1", 200),
    ("/stream/5", 200), ("/gzip", 200), ("/drip?numbytes=3&duration=0", 200),
    ("/redirect-to?url=/get", 302), ("/basic-auth/u/p", 401),
    ("/cookies/set?a=b", 302), ("/range/100", 200), ("/encoding/utf8", 200),
    ("/image/png", 200), ("/stream-bytes/5000?chunk_size=100", 200),
]


def test_httpbin(apache):
    server = program(apache, "httpbin_app", "httpbin")
    server.allow_log("(?i)warning|import|deprecat")
    for target, status in HTTPBIN:
        answer = server.ask(target)
        assert (answer.status, answer.complete) == (status, True), target
    answer = server.ask("/anything/x?q=1", method="PUT", body=b"hello",
                        headers=(("X-Mark", "yes"),))
    seen = json.loads(answer.body)
    assert seen["method"] == "PUT" and seen["data"] == "hello"
    assert seen["headers"]["X-Mark"] == "yes"
    assert seen["args"] == {"q": "1"}


@pytest.mark.differs
def test_httpbin_gets_the_login_that_it_asks_for(apache):
    """Authorization passes unless Apache itself authenticated."""
    server = program(apache, "httpbin_app", "httpbin")
    server.allow_log("(?i)warning|import|deprecat")
    answer = server.ask("/basic-auth/u/p", headers=(
        ("Authorization", "Basic dTpw"),))
    assert answer.status == 200
