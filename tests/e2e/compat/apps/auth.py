"""Authentication and access: the user's name or the path says the outcome."""

import hashlib
import os

WORK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "work")
PLAIN = (str, int, float, bool, tuple, type(None))
ANSWERS = {
    "true": True, "false": False, "unknown": None, "renamed": "Somebody",
    "empty": "", "one": 1, "zero": 0, "bytes": b"other", "list": ["a"],
    "float": 1.5,
}
GROUPS = {
    "ann": ["staff", "wheel"], "tuple": ("staff",), "set": {"staff"},
    "bytes": [b"staff"], "upper": ["STAFF"], "none": None, "empty": [],
    "number": 3, "numbers": [1, 2], "others": ["guests"],
    "text": "staff", "mixed": ["guests", b"staff"],
}


def note(name, environ, *more):
    """Leave the environ for the test; other values by their type."""
    seen = {key: value if isinstance(value, PLAIN) else
            "<callable>" if callable(value) else "<%s>" % type(value).__name__
            for key, value in environ.items()}
    path = os.path.join(WORK, name)
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(repr((os.getpid(), seen, more)))
    os.rename(path + ".new", path)


def check_password(environ, user, password):
    note("check_password", environ, user, password)
    if user == "raises":
        raise ValueError("no such luck")
    if user == "exits":
        raise SystemExit(3)
    if user == "prints":
        print("said by the auth script")
    if user == "errors":
        environ["wsgi.errors"].write("written by the auth script\n")
    if password != "secret":
        return False
    return ANSWERS.get(user, True)


def get_realm_hash(environ, user, realm):
    note("get_realm_hash", environ, user, realm)
    if user == "raises":
        raise ValueError("no such luck")
    if user == "unknown":
        return None
    if user == "number":
        return 5
    whole = "%s:%s:%s" % (user, realm, "secret")
    return hashlib.md5(whole.encode()).hexdigest()


def groups_for_user(environ, user):
    note("groups_for_user", environ, user)
    if user == "raises":
        raise ValueError("no such luck")
    if user == "generator":
        return (name for name in ("guests", "staff"))
    return GROUPS.get(user, [])


def allow_access(environ, host):
    note("allow_access", environ, host)
    word = environ["REQUEST_URI"].rpartition("/")[2]
    if word == "raises":
        raise ValueError("no such luck")
    return {"yes": True, "no": False, "none": None, "text": "yes",
            "one": 1}.get(word)
