"""Loading a script file, and saying precisely why it did not load."""

import importlib.machinery
import sys
import traceback
import types

try:
    from _md5 import md5
except ImportError:
    from hashlib import md5


def load_script(path, again):
    """The namespace of the script, executed anew; None: it did not load."""
    name = "_mod_wsgi_" + md5(path, usedforsecurity=False).hexdigest()
    path = os.fsdecode(path)
    if again:
        report(LOG_INFO, f"ETCL0312: {path} changed and is loaded again")
    module = module_of(name, path)
    before = sys.modules.get(name)
    try:
        with open(path, "rb") as file:
            module.__mtime__ = os.fstat(file.fileno()).st_mtime
            source = file.read()
    except OSError as error:
        say_unreadable(path, error)
        return None
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec", dont_inherit=True),
             module.__dict__)
        return module.__dict__
    except BaseException as error:
        if config["service"] and isinstance(error, SystemExit):
            report(LOG_INFO, f"ETCL0340: service script {path} called "
                   f"sys.exit({error.code!r}): its end")
            return module.__dict__
        restore(name, before)
        say_load_error(path, error)
        return None


def module_of(name, path):
    """Empty; Flask and others find their folders by its spec."""
    module = types.ModuleType(name)
    module.__file__ = path
    module.__package__ = ""
    module.__loader__ = importlib.machinery.SourceFileLoader(name, path)
    module.__spec__ = importlib.machinery.ModuleSpec(
        name, module.__loader__, origin=path)
    module.__spec__.has_location = True
    return module


def restore(name, before):
    """A failed script leaves no half-made module behind."""
    if before is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = before


def say_unreadable(path, error):
    report(LOG_ERR, f"ETCL0307: script {path} cannot be read by "
           f"{user_name()}: {error.strerror}: {first_obstacle(path)}")


def say_load_error(path, error):
    title = title_of(path, error)
    say(LOG_ERR, describe(title, without_us(error)))


def title_of(path, error):
    if isinstance(error, SystemExit):
        return (f"ETCL0326: script {path} called sys.exit({error.code!r}) "
                "while it was loaded")
    if isinstance(error, ModuleNotFoundError):
        return (f"ETCL0308: script {path} needs the module {error.name}, "
                f"which was not found; searched: {', '.join(sys.path)}; "
                f"Python {sys.version.split()[0]} in {sys.prefix}: install it "
                "there, or see python-home and python-path")
    return (f"ETCL0309: script {path} does not load: "
            f"{type(error).__name__} at {place_of(path, error)}")


def place_of(path, error):
    """file:line of the innermost frame of somebody's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in frames
              if not frame.filename.startswith("<")]
    if frames:
        return f"{frames[-1].filename}:{frames[-1].lineno}"
    return path


def say_no_callable(path, name, space):
    path = os.fsdecode(path)
    report(LOG_ERR, f"ETCL0310: script {path} has no callable named {name}; "
           f"found: {', '.join(callables_in(space)) or 'none'}"
           "; see WSGICallableObject")


def callables_in(space):
    return sorted(name for name, value in list(space.items())
                  if isinstance(name, str) and not name.startswith("_")
                  and callable(value))[:20]


def ask_reload(hook, path):
    """Whether the script's reload_required() wants it to be loaded again."""
    try:
        return bool(hook(os.fsdecode(path)))
    except BaseException as error:
        say(LOG_ERR, describe("ETCL0338: reload_required() failed",
                              without_us(error)))
        return False
