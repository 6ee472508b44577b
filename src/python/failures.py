"""Errors as text for the log: tracebacks, and who may not read what."""

import os
import traceback


def describe(title, error):
    """`title` and below it the traceback, as bytes of one log entry."""
    try:
        lines = traceback.format_exception(type(error), error,
                                           error.__traceback__)
        text = "".join(lines).rstrip("\n")
    except Exception as second:  # its __str__ or its source cannot be had
        text = f"{type(error).__name__} (no traceback: {second!r:.200})"
    return encode(f"{title}\n{text}")


def without_us(error):
    """The error, its trace without the frames of ours that it begins with."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith("<mod_etcl"):
        trace = trace.tb_next
    error.__traceback__ = trace
    return error


def encode(text):
    return text.encode("utf-8", "backslashreplace")


def report(level, text):
    say(level, encode(text))


def user_name():
    uid = os.geteuid()
    try:
        import pwd
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def components(path):
    """/, /a, /a/b for /a/b."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end]) or "/"


def first_obstacle(path):
    """Why the file cannot be read, naming the first component to blame."""
    for part in components(os.path.abspath(path)):
        try:
            os.stat(part)
        except FileNotFoundError:
            return f"{part} does not exist"
        except PermissionError:
            return f"{os.path.dirname(part)} may not be entered"
        except OSError as error:
            return f"{part}: {error.strerror}"
        if os.path.isdir(part) and part != path:
            if not os.access(part, os.X_OK, effective_ids=True):
                return f"{part} may not be entered"
    if os.path.isdir(path):
        return f"{path} is a folder"
    if not os.access(path, os.R_OK, effective_ids=True):
        return f"{path} itself may not be read"
    return "something beside file permissions (AppArmor, SELinux) refuses it"


LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG = range(2, 8)
