"""Who is measured: what each needs, and how its Apache is configured."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from workloads import Setup, Workload

MODULES = Path("/usr/lib/apache2/modules")
UWSGI, GUNICORN = "/usr/bin/uwsgi", "/usr/bin/gunicorn"
UWSGI_PYTHON = Path("/usr/lib/uwsgi/plugins/python3_plugin.so")
USER = "www-data"
PRODUCT, PEER = "mod_etcl daemon", "mod_wsgi daemon"


@dataclass(frozen=True)
class Place:
    """Where one contender's Apache lives, and what it is to serve."""

    root: Path
    etcl: Path      # the copy of the build
    floor: Path     # the compiled C handler
    setup: Setup

    @property
    def script(self) -> Path:
        return self.root / "apps" / f"{self.setup.app}.py"

    @property
    def socket(self) -> Path:
        return self.root / "run/app.sock"


@dataclass(frozen=True)
class Contender:
    name: str
    why: str        # what to do when it is missing
    there: Callable[[Path], bool]               # of the build's folder
    lines: Callable[[Place], str]               # of httpd.conf
    program: Callable[[Place], list[str]] | None = None
    paths: frozenset[str] = frozenset()         # those it serves; none: all

    def serves(self, workload: Workload) -> bool:
        """C has no Python to compute with, and no processes to count."""
        return not self.paths or (workload.path in self.paths
                                  and workload.setup == Setup())


def load(name: str, path: Path | None = None) -> str:
    return f"LoadModule {name}_module {path or MODULES / f'mod_{name}.so'}\n"


def as_user(user: str, group: str) -> list[str]:
    """Options that name the account, where there is a choice."""
    return [user, USER, group, USER] if os.geteuid() == 0 else []


def daemon_lines(place: Place, more: str = "") -> str:
    setup = place.setup
    processes = f"processes={setup.processes} " if setup.processes > 1 else ""
    return (f"WSGISocketPrefix {place.root}/run/wsgi\n"
            f"WSGIRestrictEmbedded On\n"
            f"WSGIDaemonProcess bench {processes}threads={setup.threads} "
            f"display-name=%{{GROUP}}{more}\n"
            f"WSGIScriptAlias / {place.script} process-group=bench "
            f"application-group=%{{GLOBAL}}\n")


def embedded_lines(place: Place) -> str:
    return (f"WSGIScriptAlias / {place.script} "
            f"application-group=%{{GLOBAL}}\n")


def etcl_daemon(place: Place) -> str:
    preload = " preload=on" if place.setup.preload else ""
    return (load("etcl", place.etcl / "mod_etcl.so")
            + daemon_lines(place, preload))


def etcl_embedded(place: Place) -> str:
    return load("etcl", place.etcl / "mod_etcl.so") + embedded_lines(place)


def wsgi_daemon(place: Place) -> str:
    return load("wsgi") + daemon_lines(place)


def wsgi_embedded(place: Place) -> str:
    return load("wsgi") + embedded_lines(place)


def uwsgi_lines(place: Place) -> str:
    return (load("proxy") + load("proxy_uwsgi")
            + f"ProxyPass / unix:{place.socket}|uwsgi://localhost/\n")


def uwsgi_program(place: Place) -> list[str]:
    setup = place.setup
    return [UWSGI, "--plugin", "python3", "--master", "--need-app",
            "--die-on-term", "--disable-logging", "--thunder-lock",
            "--processes", str(setup.processes),
            "--threads", str(setup.threads), "--socket", str(place.socket),
            "--chdir", str(place.script.parent),
            "--wsgi-file", str(place.script), *as_user("--uid", "--gid")]


def gunicorn_lines(place: Place) -> str:
    return (load("proxy") + load("proxy_http")
            + f"ProxyPass / unix:{place.socket}|http://localhost/\n")


def gunicorn_program(place: Place) -> list[str]:
    setup = place.setup
    return [GUNICORN, "--worker-class", "gthread",
            "--workers", str(setup.processes),
            "--threads", str(setup.threads), "--bind", f"unix:{place.socket}",
            "--chdir", str(place.script.parent),
            *(["--preload"] if setup.preload else []),
            *as_user("--user", "--group"), f"{setup.app}:application"]


def floor_lines(place: Place) -> str:
    return (load("floor_handler", place.floor)
            + "<Location />\n    SetHandler etcl-floor\n</Location>\n")


def has_build(build: Path) -> bool:
    return (build / "mod_etcl.so").exists()


def has_mod_wsgi(_build: Path) -> bool:
    return (MODULES / "mod_wsgi.so").exists()


def has_uwsgi(_build: Path) -> bool:
    return os.access(UWSGI, os.X_OK) and UWSGI_PYTHON.exists()


def has_gunicorn(_build: Path) -> bool:
    return os.access(GUNICORN, os.X_OK)


def has_apxs(_build: Path) -> bool:
    return bool(shutil.which("apxs"))


NO_BUILD = "no mod_etcl.so in the build folder: make, or --build DIR"
NO_WSGI = "not installed: apt-get install libapache2-mod-wsgi-py3"
NO_UWSGI = "not installed: apt-get install uwsgi uwsgi-plugin-python3"
NO_GUNICORN = "not installed: apt-get install gunicorn"
NO_APXS = "cannot be compiled: apt-get install apache2-dev"

CONTENDERS = (
    Contender(PEER, NO_WSGI, has_mod_wsgi, wsgi_daemon),
    Contender(PRODUCT, NO_BUILD, has_build, etcl_daemon),
    Contender("mod_etcl embedded", NO_BUILD, has_build, etcl_embedded),
    Contender("mod_wsgi embedded", NO_WSGI, has_mod_wsgi, wsgi_embedded),
    Contender("uwsgi", NO_UWSGI, has_uwsgi, uwsgi_lines, uwsgi_program),
    Contender("gunicorn", NO_GUNICORN, has_gunicorn, gunicorn_lines,
              gunicorn_program),
    Contender("C handler", NO_APXS, has_apxs, floor_lines,
              paths=frozenset({"/hello", "/16k", "/1m", "/stream", "/post",
                               "/file"})),
)
QUICK = (PEER, PRODUCT)
