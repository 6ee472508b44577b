"""configtest knows Python: file, line, cause and remedy, before a start."""

import os
import subprocess

import pytest

from server import APPS

pytestmark = pytest.mark.differs

OK = "WSGIScriptAlias / {apps}/hello.py process-group=g\n"

# Each case: the lines; whether it must fail (True), only warn (False) or may
# do either (None); and what the message must name.
CASES = {
    "an unknown group": (
        "WSGIProcessGroup nobody\nWSGIScriptAlias / {apps}/hello.py",
        True, ["nobody"]),
    "an unknown group in an alias": (
        "WSGIScriptAlias / {apps}/hello.py process-group=nobody", True,
        ["nobody"]),
    "an unknown group in a section": (
        "<Location /x>\nWSGIProcessGroup nobody\n</Location>\n"
        "WSGIScriptAlias / {apps}/hello.py", True, ["nobody"]),
    "a script that does not exist": (
        "WSGIDaemonProcess g\n"
        "WSGIScriptAlias / {apps}/nothing.py process-group=g", None,
        ["{apps}/nothing.py"]),
    "a script in a folder that does not exist": (
        "WSGIDaemonProcess g\n"
        "WSGIScriptAlias / {root}/no/such/wsgi.py process-group=g", None,
        ["{root}/no"]),
    "a path entry that does not exist": (
        "WSGIDaemonProcess g python-path={apps}:{root}/absent\n" + OK, None,
        ["{root}/absent"]),
    "a path entry that is a file": (
        "WSGIDaemonProcess g python-path={apps}/hello.py\n" + OK, None,
        ["{apps}/hello.py"]),
    "site-packages of another Python": (
        "WSGIDaemonProcess g python-path={work}/lib/python3.4/site-packages\n"
        + OK, None, [r"3\.4", r"3\.11"]),
    "a virtual environment of another Python": (
        "WSGIDaemonProcess g python-home={work}/env34\n" + OK, None,
        [r"3\.4", r"3\.11"]),
    "a home that does not exist": (
        "WSGIDaemonProcess g python-home={root}/absent\n" + OK, None,
        ["{root}/absent"]),
    "a warm-up page that is no page": (
        "WSGIDaemonProcess g warm-up=login\n" + OK, True,
        ["warm-up=login", "/login/"]),
    "a warm-up page below no script": (
        "WSGIDaemonProcess g warm-up=/shopping\n"
        "WSGIScriptAlias /shop {apps}/hello.py process-group=g", True,
        ["warm-up=/shopping", "WSGIScriptAlias"]),
    "a warm-up page of a script that is not there": (
        "WSGIDaemonProcess g warm-up=/\n"
        "WSGIScriptAlias / {apps}/nothing.py process-group=g", None,
        ["ETCL0361", "not a file"]),
    "a locale that is not installed": (
        "WSGIDaemonProcess g locale=xx_YY.UTF-8\n" + OK, False,
        [r"xx_YY\.UTF-8", r"(?i)C\.UTF-?8"]),
    "the same group twice, not the same": (
        "WSGIDaemonProcess g threads=2\nWSGIDaemonProcess g threads=3\n" + OK,
        True, [r"\bg\b", "threads"]),
    "mod_wsgi beside us": (
        "LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so\n"
        "WSGIDaemonProcess g\n" + OK, None, ["mod_wsgi"]),
    "the group's user is root": (
        "WSGIDaemonProcess g user=root group=root\n" + OK, True, ["root"]),
    "an account that does not exist": (
        "WSGIDaemonProcess g user=no-such-user\n" + OK, True,
        ["no-such-user"]),
    "a word that is no option": (
        "WSGIDaemonProcess g thread=5\n" + OK, True, ["thread"]),
    "an option without a value": (
        "WSGIDaemonProcess g threads\n" + OK, True, ["threads"]),
    "no name": ("WSGIDaemonProcess\n", True, ["WSGIDaemonProcess"]),
    "a flag that is neither On nor Off": (
        "WSGIRestrictEmbedded Maybe\n", True, ["On|on"]),
    "an alias without its script": (
        "WSGIScriptAlias /\n", True, ["WSGIScriptAlias"]),
    "an alias with an unknown option": (
        "WSGIDaemonProcess g\n"
        "WSGIScriptAlias / {apps}/hello.py colour=blue\n", True, ["colour"]),
    "a regular expression that is none": (
        "WSGIScriptAliasMatch ( {apps}/hello.py\n", True, [r"\("]),
    "a socket prefix that cannot be": (
        "WSGISocketPrefix /no/such/folder/wsgi\nWSGIDaemonProcess g\n" + OK,
        None, ["/no/such/folder"]),
}

BAD_VALUES = [
    "threads=abc", "threads=", "threads=-1", "threads=2x", "threads=1.5",
    "threads=65534", "threads=99999999999", "processes=0", "processes=2x",
    "processes=-1", "processes=many", "request-timeout=soon",
    "request-timeout=-5", "queue-timeout=1s", "socket-timeout=",
    "umask=9", "umask=abc", "umask=7777777", "listen-backlog=x",
    "maximum-requests=lots", "home=relative", "home=/no/such/home",
    "switch-interval=0", "switch-interval=fast", "cpu-priority=high",
    "stack-size=big", "response-buffer-size=100", "header-buffer-size=10",
    "send-buffer-size=1", "server-metrics=Maybe", "memory-limit=1q",
    "graceful-timeout=x", "shutdown-timeout=x", "startup-timeout=x",
    "user=", "group=",
]

GOOD_VALUES = [
    "threads=1", "threads=65533", "processes=3", "request-timeout=0",
    "umask=022", "umask=0", "listen-backlog=1", "maximum-requests=1000",
    "home=/tmp", "switch-interval=0.001", "cpu-priority=5",
    "stack-size=524288", "response-buffer-size=65536",
    "header-buffer-size=8192", "send-buffer-size=512", "server-metrics=On",
    "memory-limit=1000000000", "display-name=%{GROUP}", "deadlock-timeout=60",
    "inactivity-timeout=300", "interrupt-timeout=5", "eviction-timeout=5",
    "restart-interval=3600", "cpu-time-limit=1000", "connect-timeout=5",
    "response-socket-timeout=5", "lang=C.UTF-8", "locale=C.UTF-8",
    "python-eggs=/tmp", "virtual-memory-limit=9000000000000",
    "receive-buffer-size=4096", "user=www-data group=www-data",
    "supplementary-groups=games", "display-name='two words'",
]


def prepare(server) -> None:
    """Folders that look like environments of a Python nobody has."""
    (server.work / "lib/python3.4/site-packages").mkdir(parents=True)
    (server.work / "env34/lib/python3.4/site-packages").mkdir(parents=True)
    (server.work / "env34/pyvenv.cfg").write_text(
        "home = /usr/bin\nversion = 3.4.10\n")


def test_a_good_configuration_passes_in_silence(apache):
    server = apache("WSGIDaemonProcess g python-path={apps}\n" + OK,
                    start=False)
    assert server.configtest() == (0, "Syntax OK\n")


@pytest.mark.parametrize("name", CASES)
def test_configtest_names_file_line_cause_and_remedy(apache, name):
    """fails or warns, with file, line, cause and remedy"""
    import re
    lines, fails, words = CASES[name]
    server = apache(start=False)
    prepare(server)
    server.configure(lines)
    code, said = server.configtest()
    for word in words:
        for key in ("root", "apps", "work"):
            word = word.replace("{%s}" % key, str(getattr(server, key)))
        assert re.search(word, said), said
    assert re.search(r"line \d+|\.conf:\d+", said), said
    assert "ETCL0" in said or "AH00526" in said, said
    assert "mod_etcl.so" not in said or "Cannot load" not in said
    if fails is not None:
        assert (code != 0) is fails, said


GRANT = "Require all granted\n"
SCRIPT = "WSGIScriptAlias / {work}/wsgi.py\n"
DENIED = {
    "Debian's default": "",
    "a grant for another folder": "<Directory {work}2>\n" + GRANT
                                  + "</Directory>\n",
}
GRANTED = {
    "for the file": "<Directory {work}>\n<Files wsgi.py>\n" + GRANT
                    + "</Files>\n</Directory>\n",
    "for a folder above": "<Directory {root}/>\n" + GRANT + "</Directory>\n",
    "by a pattern": '<DirectoryMatch "^/tmp/">\n' + GRANT
                    + "</DirectoryMatch>\n",
    "for the place": "<Location />\n" + GRANT + "</Location>\n",
    "for users": "<Directory {work}>\nRequire user ann\n</Directory>\n",
    "maybe, in a .htaccess": "<Directory {work}>\nAllowOverride AuthConfig\n"
                             "</Directory>\n",
}


@pytest.mark.parametrize("group", ["", "WSGIDaemonProcess g\n"
                                   "WSGIProcessGroup g\n"])
@pytest.mark.parametrize("access", [*DENIED, *GRANTED])
def test_a_script_that_nobody_may_ask_for_is_a_warning(apache, group, access):
    """403, client denied by server configuration, told before the start"""
    server = apache(start=False)
    (server.work / "wsgi.py").write_text("")
    server.configure(group + SCRIPT + (DENIED | GRANTED)[access])
    code, said = server.configtest()
    assert code == 0, said
    assert ("ETCL0011" in said) is (access in DENIED), said
    if access in DENIED:
        line = server.first_line + group.count("\n")
        assert f"{server.conf}:{line}: nobody may ask" in said
        assert f"{server.work}/wsgi.py: {server.conf}:" in said


def test_the_seed_grants_its_script(apache):
    """Word for word: no warning; without its last section: one."""
    seed = (APPS / "etcl/seed.conf").read_text()
    server = apache(seed, start=False)
    assert "ETCL0011" not in server.configtest()[1]
    server = apache(seed[:seed.rindex("<Directory")], start=False)
    assert server.configtest()[1].count("ETCL0011") == 1


@pytest.mark.parametrize("option", BAD_VALUES)
def test_a_bad_option_value_is_an_error_with_its_line(apache, option):
    """strict option values: threads=abc is an error with file and line"""
    server = apache(f"WSGIDaemonProcess g {option}\n" + OK, start=False)
    code, said = server.configtest()
    assert code == 1, said
    assert (f"line {server.first_line} of {server.conf}" in said
            or f"{server.conf}:{server.first_line}" in said)
    assert option.split("=")[0] in said


@pytest.mark.parametrize("option", GOOD_VALUES)
def test_a_good_option_value_passes(apache, option):
    server = apache(f"WSGIDaemonProcess g {option}\n" + OK, start=False)
    code, said = server.configtest()
    assert (code, said) == (0, "Syntax OK\n")


@pytest.mark.parametrize("section", ["VirtualHost *:*", "Directory /",
                                     "Location /"])
@pytest.mark.parametrize("line", [
    "WSGISocketPrefix run/x", "WSGIPythonHome /usr", "WSGIPythonPath /tmp"])
def test_global_directives_are_refused_in_sections(apache, section, line):
    server = apache(f"<{section}>\n{line}\n</{section.split()[0]}>",
                    start=False)
    code, said = server.configtest()
    assert code == 1 and line.split()[0] in said


@pytest.mark.parametrize("line", [
    "WSGIRestrictEmbedded On",
    "WSGIScriptAlias /x {apps}/hello.py", "WSGIDaemonProcess g",
    "WSGIScriptAliasMatch ^/x {apps}/hello.py"])
def test_server_directives_are_refused_in_sections(apache, line):
    server = apache(f"<Location />\n{line}\n</Location>", start=False)
    code, said = server.configtest()
    assert code == 1 and line.split()[0] in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a file")
@pytest.mark.parametrize("hidden", ["file", "folder"])
def test_what_the_groups_user_cannot_read_names_what_blocks(apache, hidden):
    """a script that the group's user cannot read (naming the first path
    component that blocks)"""
    server = apache(start=False)
    script = server.root / "closed/inner/wsgi.py"
    script.parent.mkdir(parents=True)
    script.write_text("application = None\n")
    blocker = script if hidden == "file" else server.root / "closed"
    blocker.chmod(0o600 if hidden == "file" else 0o700)
    server.configure(f"WSGIDaemonProcess g\n"
                     f"WSGIScriptAlias / {script} process-group=g")
    _, said = server.configtest()
    blocker.chmod(0o755)
    assert "ETCL0" in said and "www-data" in said, said
    assert str(blocker) in said.replace(str(script), "") or (
        hidden == "file" and str(script) in said)


def test_two_different_definitions_name_both_places(apache):
    """different ones under one name name both places and the option that
    differs"""
    server = apache("""
        WSGIDaemonProcess g threads=2
        WSGIDaemonProcess g threads=3""", start=False)
    code, said = server.configtest()
    assert code == 1
    for offset in (1, 2):
        assert str(server.first_line + offset) in said, said


def test_configtest_starts_no_process_and_leaves_no_file(apache):
    server = apache("WSGIDaemonProcess g python-path={apps}\n" + OK,
                    start=False)
    before = {path for path in server.root.rglob("*")}
    server.configtest()
    assert {path for path in server.root.rglob("*")} == before
    assert not server.tree.alive()


def test_a_broken_python_does_not_stop_httpd(apache):
    """A broken Python cannot stop httpd from starting."""
    server = apache("""
        WSGIDaemonProcess g python-home={work}
        WSGIScriptAlias /app {apps}/hello.py process-group=g""", start=False)
    (server.root / "htdocs/a.txt").write_text("still served")
    server.allow_log(".*")
    server.start()
    assert server.ask("/a.txt").body == b"still served"


def test_our_words_stand_in_for_mod_wsgis(apache):
    """The directives answer to <IfModule> by our own names."""
    server = apache("""
        <IfModule etcl_module>
            WSGIDaemonProcess g
        </IfModule>
        <IfModule mod_etcl.c>
            WSGIScriptAlias / {apps}/hello.py process-group=g
        </IfModule>""")
    assert server.ask("/").status == 200


def test_debian_has_no_such_locale():
    """The seed's en_US.UTF-8 is missing on a bare machine; the tests above
    rely on xx_YY not being there either."""
    have = subprocess.run(["locale", "-a"], capture_output=True, text=True,
                          check=True).stdout
    assert "xx_YY" not in have
