"""What kind of process this is, seen from inside."""

import locale
import os
import subprocess
import sys

from routing import as_json, by_path, query, text


def status(environ, start_response):
    old = os.umask(0)
    os.umask(old)
    return as_json(start_response, {
        "pid": os.getpid(), "ppid": os.getppid(),
        "uids": os.getresuid(), "gids": os.getresgid(),
        "groups": os.getgroups(), "cwd": os.getcwd(), "umask": old,
        "path": sys.path, "argv": sys.argv, "prefix": sys.prefix,
        "encoding": sys.getfilesystemencoding(),
        "environ": dict(os.environ), "version": sys.version_info[:2],
        "locale": locale.setlocale(locale.LC_ALL),
        "name": __name__, "file": __file__,
        "no_new_privs": proc_field("NoNewPrivs"),
        "title": open("/proc/self/cmdline", "rb").read().decode(),
    })


def proc_field(name):
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(line.split()[1] for line in lines
                    if line.startswith(name))


def regain(environ, start_response):
    """Each way back to root; all must fail."""
    ways = {"setuid": lambda: os.setuid(0), "seteuid": lambda: os.seteuid(0),
            "setresuid": lambda: os.setresuid(0, 0, 0),
            "setgid": lambda: os.setgid(0),
            "setgroups": lambda: os.setgroups([0])}
    done = []
    for name, way in ways.items():
        try:
            way()
        except PermissionError:
            continue
        done.append(name)
    return as_json(start_response, done)


def descriptors(environ, start_response):
    """What a program started by the application would inherit."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
            if os.get_inheritable(int(name)):
                found[name] = target
        except OSError:
            pass
    listed = subprocess.run(["/bin/ls", "-l", "/proc/self/fd"],
                            capture_output=True, text=True, check=False,
                            close_fds=False)
    return as_json(start_response, {"inheritable": found,
                                    "child": listed.stdout.splitlines()})


def count_descriptors(environ, start_response):
    return text(start_response, str(len(os.listdir("/proc/self/fd"))))


def remember(environ, start_response):
    """`hex` is turned over, so that the request itself has it not."""
    global KEPT
    KEPT = bytes.fromhex(query(environ)["hex"])[::-1]
    return text(start_response, str(os.getpid()))


application = by_path({
    "/status": status, "/regain": regain, "/descriptors": descriptors,
    "/count-fds": count_descriptors, "/remember": remember,
})
