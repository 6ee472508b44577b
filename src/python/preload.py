"""A template: this process is forked once the applications are loaded. Until
then it is noted who starts threads, for a fork would not have them."""

import _imp
import _thread
import gc
import sys
import sysconfig
import threading

PATIENCE = 0.2  # seconds for the kernel to forget a thread that has ended
STARTS = "start_new_thread", "start_joinable_thread"  # the latter since 3.13
STANDARD = sysconfig.get_path("stdlib")

thread_starters = {}  # of Python: identity of a thread -> who started it
library_starters = []  # of C: names of extension modules
watched = []  # (module, name, what was there, what we put there)


def watch_loading():
    for name in STARTS:
        put_around(_thread, name, note_start)
        put_around(threading, f"_{name}", note_start)
    put_around(_imp, "create_dynamic", note_library)
    put_around(_imp, "exec_dynamic", note_library)


def put_around(module, name, note):
    before = getattr(module, name, None)

    def watch(*arguments, **named):
        return note(before, *arguments, **named)
    if before:
        setattr(module, name, watch)
        watched.append((module, name, before, watch))


def note_start(start, function, *rest, **named):
    started = start(function, *rest, **named)
    ident = getattr(started, "ident", started)
    thread_starters[ident] = caller_of(sys._getframe(2))
    return started


def note_library(call, module, *rest):
    """Extension modules whose libraries start threads, as some for numbers
    do."""
    alone = is_alone()
    result = call(module, *rest)
    if alone and not is_alone():
        library_starters.append(getattr(module, "name", None)
                                or module.__name__)
    return result


def caller_of(frame):
    """The innermost code that is not Python's own library."""
    found = frame
    while found.f_back and is_standard(found):
        found = found.f_back
    if is_standard(found):
        found = frame
    name = found.f_globals.get("__name__", "?")
    place = f"{found.f_code.co_filename}:{found.f_lineno}"
    return (f"script {place}" if name.startswith("_mod_wsgi_")
            else f"module {name} ({place})")


def is_standard(frame):
    name = frame.f_code.co_filename
    return name.startswith((STANDARD, "<")) and "-packages" not in name


def stop_watching():
    """What others put in the place of ours meanwhile stays there."""
    for module, name, before, ours in watched:
        if getattr(module, name) is ours:
            setattr(module, name, before)
    watched.clear()


def settle():
    """True: a fork of this process has everything that it has. The collector
    ran while it was loaded: memory that it gave back was used again, and with
    that less is to be shared than without it (measured)."""
    alone = is_alone()
    for _ in range(int(PATIENCE / 0.01)):
        alone = alone or is_alone() or time.sleep(0.01)
    starters = living_starters()
    stop_watching()
    if starters or not alone:
        # A thread that is in C all the time has no frame of Python.
        say_threads(starters or sorted({*thread_starters.values()})
                    or library_starters)
        return False
    gc.collect()
    gc.freeze()
    return True


def living_starters():
    living = sys._current_frames()
    return sorted({who for ident, who in thread_starters.items()
                   if ident in living})


def say_threads(starters):
    report(LOG_WARNING, "ETCL0341: preload=on is not possible with this "
           "application: a thread was started while it was loaded, by "
           f"{', '.join(starters) or 'a library'}; a fork would be without "
           "it. Every worker loads the application by itself. Start threads "
           "in the first request, or set what keeps the library from it, as "
           "env=OPENBLAS_NUM_THREADS=1 does")


def begin_process():
    """In a fork of the template, which is a process of its own."""
    config["started"] = time.time()
    MEASURED.update(at=config["started"], user=0.0, system=0.0)


if config["forks"] and config["is_main"]:
    watch_loading()
