"""Questions of Apache: the functions of auth, access and dispatch scripts,
and what their results mean. The values travel as include/etcl_call.h says."""

CHECK_PASSWORD, REALM_HASH, GROUPS, ACCESS, DISPATCH = range(2, 7)
FUNCTIONS = {CHECK_PASSWORD: "check_password", REALM_HASH: "get_realm_hash",
             GROUPS: "groups_for_user", ACCESS: "allow_access",
             DISPATCH: "dispatch"}
NOTHING = b""


class Missing(Exception):
    """The script has no such function."""


def ask(kind, path, space, environ):
    """(status, value) for Apache; whatever goes wrong is in the log."""
    path = os.fsdecode(path)
    given = {name: environ.pop(f"etcl.{name}", "")
             for name in ("user", "password", "realm", "host")}
    offer_mod_ssl(environ)
    try:
        return QUESTIONS[kind](space, environ, given)
    except Missing as error:
        report(LOG_ERR, f"ETCL0330: script {path} has no function named "
               f"{error}; found: {', '.join(callables_in(space)) or 'none'}")
        return 500, NOTHING
    except BaseException as error:
        say(LOG_ERR, describe(f"ETCL0331: {FUNCTIONS[kind]} of script {path} "
                              "failed", without_us(error)))
    return 403 if kind == ACCESS else 500, NOTHING


def offer_mod_ssl(environ):
    """mod_ssl.is_https() and mod_ssl.var_lookup(name), with mod_ssl."""
    if "etcl.ssl" not in environ:
        return
    is_https = environ.pop("etcl.ssl") == "1"
    prefix = "etcl.ssl."
    found = {key[len(prefix):]: environ.pop(key)
             for key in list(environ) if key.startswith(prefix)}
    environ["mod_ssl.is_https"] = lambda: is_https
    environ["mod_ssl.var_lookup"] = found.get


def function(space, name):
    found = space.get(name)
    if not callable(found):
        raise Missing(name)
    return found


def wrong(name, value, wanted):
    return TypeError(f"{name}() must give {wanted}, not {value!r:.100}")


def as_bytes(name, value):
    """Text that can travel: no NUL, no end of line."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        raise wrong(name, value, "str or bytes")
    if any(byte in value for byte in b"\0\r\n"):
        raise ValueError(f"{name}(): {value!r:.100} holds NUL or a line end")
    return value


def native(name, value):
    """As REMOTE_USER stands in environ: Latin-1, where that can be."""
    try:
        value = value.encode("latin-1")
    except UnicodeEncodeError:
        pass
    return as_bytes(name, value)


def check_password(space, environ, given):
    result = function(space, "check_password")(
        environ, given["user"], given["password"])
    if result is True:
        return 200, NOTHING
    if result is False:
        return 401, NOTHING
    if result is None:
        return 404, NOTHING
    if isinstance(result, str) and result:
        return 200, native("check_password", result)
    raise wrong("check_password", result,
                "True, False, None or a name that is not empty")


def realm_hash(space, environ, given):
    result = function(space, "get_realm_hash")(
        environ, given["user"], given["realm"])
    if result is None:
        return 404, NOTHING
    if isinstance(result, str) and result:
        return 200, as_bytes("get_realm_hash", result)
    raise wrong("get_realm_hash", result, "None or a str, the hash")


def groups(space, environ, given):
    result = function(space, "groups_for_user")(environ, given["user"])
    return 200, b"".join(as_bytes("groups_for_user", name) + b"\0"
                         for name in result)


def access(space, environ, given):
    result = function(space, "allow_access")(environ, given["host"])
    if result is True:
        return 200, NOTHING
    if result is False:
        return 403, NOTHING
    if result is None:
        return 404, NOTHING
    raise wrong("allow_access", result, "True, False or None")


def dispatch(space, environ, given):
    fields = []
    for name in ("process_group", "application_group", "callable_object"):
        found = space.get(name)
        value = found(environ) if callable(found) else None
        fields.append(b"-" if value is None else b"=" + as_bytes(name, value))
    return 200, b"".join(field + b"\0" for field in fields)


QUESTIONS = {CHECK_PASSWORD: check_password, REALM_HASH: realm_hash,
             GROUPS: groups, ACCESS: access, DISPATCH: dispatch}
