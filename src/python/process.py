"""What the process is to its applications: path, account, signals, end."""

import atexit
import os
import signal
import site
import sys
import threading


def extend_path(python_path, home):
    """Each entry with its .pth files, before the standard library."""
    before = list(sys.path)
    for entry in filter(None, (python_path or "").split(":")):
        try:
            site.addsitedir(entry)
        except Exception as error:  # one broken .pth must not stop the others
            report(LOG_WARNING, f"ETCL0305: python-path entry {entry} could "
                   f"not be added completely: {error!r}")
    new = [entry for entry in sys.path if entry not in before]
    sys.path[:] = new + [entry for entry in sys.path if entry in before]
    if home:
        sys.path[:] = [home] + [e for e in sys.path if e != home]


def restore_environment():
    """The process's first one, whatever other interpreters did to it."""
    variables = os.environ._data  # a plain update would change the process
    variables.clear()
    for entry in config["environment"]:
        name, _, value = entry.partition(b"=")
        variables[name] = value


def name_account(user, home):
    names = {"USER": user, "USERNAME": user, "LOGNAME": user, "HOME": home}
    for name, value in names.items():
        if value and config["is_main"]:
            os.environ[name] = value
        elif value:
            os.environ._data[os.fsencode(name)] = os.fsencode(value)


def leave_on_signals():
    """A service runs in the main thread, which is asked to go by signal."""
    def leave(number, frame):
        raise SystemExit
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK,
                           (signal.SIGTERM, signal.SIGINT))


def ignore_signals():
    """The supervisor's signals are not the application's."""
    def register(number, handler):
        stack = "".join(traceback.format_stack(sys._getframe(1), 3)).rstrip()
        report(LOG_INFO, f"ETCL0322: signal.signal({number!r}) is ignored: "
               f"see WSGIRestrictSignal\n{stack}")
        return signal.getsignal(number)
    signal.signal = register


def watch_stacks():
    """Stacks on demand, and on a crash where the process is ours alone."""
    import faulthandler  # not for an interpreter with a GIL of its own
    one, every, fd = dump_channel()
    faulthandler.register(one, fd, all_threads=False)
    faulthandler.register(every, fd, all_threads=True)
    if config["process_group"]:
        faulthandler.enable(2)


def run_exit_callbacks():
    """As at Python's own end; returns how many threads are left behind."""
    # Whichever thread imported threading is its main one, and would be
    # waited for.
    threading.main_thread()._ident = threading.get_ident()
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        say(LOG_ERR, describe("ETCL0324: an exit callback failed", error))
    return sum(1 for thread in threading.enumerate()
               if thread is not threading.main_thread()
               and not isinstance(thread, threading._DummyThread))


if not config["is_main"]:
    restore_environment()
name_account(config["user"], config["user_home"])
for python_path in config["python_paths"]:
    extend_path(python_path, None)
extend_path(None, config["home"])
graft_package()
if config["is_main"]:
    watch_stacks()
if config["switch_interval"] > 0:
    sys.setswitchinterval(config["switch_interval"])
if config["restrict_signal"]:
    ignore_signals()
if config["service"]:
    leave_on_signals()
