"""The text of an httpd.conf: one MPM, few modules, one port, short times."""

import os
import pwd
import sys
from pathlib import Path

HTTPD = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
USER, GROUP = "www-data", "www-data"
# Of Debian's Python, which runs these tests and which the runtime embeds.
PYTHON_LIB = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"

PEER = os.environ.get("ETCL_PEER", "")
BUILD = Path(os.environ.get("ETCL_BUILD", "build")).absolute()

BASIC_MODULES = (
    "authz_core", "authn_core", "authn_file", "auth_basic", "authz_user",
    "authz_host", "alias", "mime", "dir", "env", "setenvif", "headers",
)

THREADED = """\
ThreadsPerChild 8
MaxRequestWorkers 32
MinSpareThreads 4
MaxSpareThreads 32"""
MPM_SIZES = {
    "event": THREADED,
    "worker": THREADED,
    "prefork": "MaxRequestWorkers 16",
}

TEMPLATE = """\
ServerRoot {root}
ServerName localhost
DefaultRuntimeDir {root}/run
PidFile {root}/run/httpd.pid
Listen 127.0.0.1:{port}
{modules}
{identity}
{sizes}
StartServers 2
Timeout {timeout}
KeepAliveTimeout 10
GracefulShutdownTimeout 10
TypesConfig /etc/mime.types
ErrorLog {root}/logs/error.log
LogLevel notice {our_level}
DocumentRoot {root}/htdocs
<Directory />
    Require all denied
</Directory>
<Directory {root}/apps>
    Require all granted
</Directory>
<Directory {root}/htdocs>
    Require all granted
</Directory>
"""


def our_module() -> str:
    """The LoadModule line of the module under test."""
    if PEER == "mod_wsgi":
        return f"LoadModule wsgi_module {MODULES}/mod_wsgi.so"
    return f"LoadModule etcl_module {BUILD}/mod_etcl.so"


def our_level() -> str:
    return "wsgi:info" if PEER else "etcl:info"


def load_module(name: str) -> str:
    """The LoadModule line of one of Debian's modules."""
    return f"LoadModule {name}_module {MODULES}/mod_{name}.so"


def is_root() -> bool:
    return os.geteuid() == 0


def group_user() -> str:
    """The account that Apache's children and the groups run as."""
    return USER if is_root() else pwd.getpwuid(os.geteuid()).pw_name


def httpd_conf(root: Path, port: int, mpm: str, *, extra: tuple = (),
               timeout: int = 10, module: bool = True) -> str:
    """Everything that comes before the lines of a test."""
    names = (f"mpm_{mpm}", *BASIC_MODULES, *extra)
    lines = [load_module(name) for name in names]
    if module:
        lines.append(our_module())
    return TEMPLATE.format(
        root=root, port=port, timeout=timeout, modules="\n".join(lines),
        identity=f"User {USER}\nGroup {GROUP}" if is_root() else "",
        sizes=MPM_SIZES[mpm], our_level=our_level() if module else "")
