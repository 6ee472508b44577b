"""What the process is to its applications: path, account, signals, end."""

import atexit
import faulthandler
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


def name_account(user, home):
    if user:
        os.environ["USER"] = os.environ["LOGNAME"] = user
    if home:
        os.environ["HOME"] = home


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
    one, every, fd = dump_channel()
    faulthandler.register(one, fd, all_threads=False)
    faulthandler.register(every, fd, all_threads=True)
    if config["process_group"]:
        faulthandler.enable(2)


def run_exit_callbacks(reason):
    """As at Python's own end; returns how many threads are left behind."""
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        say(LOG_ERR, describe("ETCL0324: an exit callback failed", error))
    return sum(1 for thread in threading.enumerate()
               if thread is not threading.main_thread()
               and not isinstance(thread, threading._DummyThread))


extend_path(config["python_path"], config["home"])
if config["is_main"]:
    name_account(config["user"], config["user_home"])
    watch_stacks()
    if config["switch_interval"] > 0:
        sys.setswitchinterval(config["switch_interval"])
if config["restrict_signal"] and config["threads"]:
    ignore_signals()
