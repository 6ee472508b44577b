"""Contract 1.7: headers of proxies, believed or removed, by one table."""

import pytest

from compat.kit import environ

# header: (its value, the key it sets, what the key becomes)
HEADERS = {
    "X-Forwarded-For": ("192.0.2.7", "REMOTE_ADDR", "192.0.2.7"),
    "X-Client-IP": ("192.0.2.8", "REMOTE_ADDR", "192.0.2.8"),
    "X-Real-IP": ("192.0.2.9", "REMOTE_ADDR", "192.0.2.9"),
    "X-Forwarded-Host": ("front.test", "HTTP_HOST", "front.test"),
    "X-Host": ("side.test", "HTTP_HOST", "side.test"),
    "X-Forwarded-Server": ("srv.test", "SERVER_NAME", "srv.test"),
    "X-Forwarded-Port": ("8443", "SERVER_PORT", "8443"),
    "X-Script-Name": ("/pre", "SCRIPT_NAME", "/pre"),
    "X-Forwarded-Script-Name": ("/fix", "SCRIPT_NAME", "/fix"),
    "X-Forwarded-Proto": ("https", "wsgi.url_scheme", "https"),
    "X-Forwarded-Scheme": ("https", "wsgi.url_scheme", "https"),
    "X-Scheme": ("https", "wsgi.url_scheme", "https"),
    "X-Forwarded-HTTPS": ("On", "wsgi.url_scheme", "https"),
    "X-Forwarded-SSL": ("On", "wsgi.url_scheme", "https"),
    "X-HTTPS": ("On", "wsgi.url_scheme", "https"),
}
FAMILIES = (
    ("X-Forwarded-For", "X-Client-IP", "X-Real-IP"),
    ("X-Forwarded-Host", "X-Host"),
    ("X-Forwarded-Server",), ("X-Forwarded-Port",),
    ("X-Script-Name", "X-Forwarded-Script-Name"),
    ("X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Scheme",
     "X-Forwarded-HTTPS", "X-Forwarded-SSL", "X-HTTPS"),
)
FAMILY = {header: family for family in FAMILIES for header in family}
WITHOUT = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost",
           "SERVER_NAME": "localhost", "SCRIPT_NAME": "/probe",
           "wsgi.url_scheme": "http", "SERVER_PORT": None}
LISTS = {"open": "", "listed": "WSGITrustedProxies 127.0.0.1",
         "net": "WSGITrustedProxies 127.0.0.0/8",
         "two": "WSGITrustedProxies 10.0.0.1 127.0.0.1",
         "lines": "WSGITrustedProxies 10.0.0.1\nWSGITrustedProxies 127.0.0.1",
         "far": "WSGITrustedProxies 10.9.9.9",
         "farnet": "WSGITrustedProxies 10.0.0.0/8 2001:db8::/32"}
TRUSTED = ("open", "listed", "net", "two", "lines")
FAR = ("far", "farnet")


def location(path, *lines):
    return "<Location %s>\n%s\n</Location>\n" % (path, "\n".join(lines))


CONF = "WSGIScriptAlias /probe {apps}/probe.py\n" + "".join(
    location(f"/probe/{header}/{name}",
             f"WSGITrustedProxyHeaders {header}", addresses)
    for header in HEADERS for name, addresses in LISTS.items()
) + location("/probe/all", "WSGITrustedProxyHeaders " + " ".join(HEADERS)
) + location("/probe/chain", "WSGITrustedProxyHeaders X-Forwarded-For",
             "WSGITrustedProxies 127.0.0.0/8 10.0.0.0/8 2001:db8::/32"
) + location("/probe/lower", "WSGITrustedProxyHeaders x-forwarded-proto"
) + location("/probe/under", "WSGITrustedProxyHeaders X_Forwarded_Proto"
) + location("/probe/order", "WSGITrustedProxyHeaders X-Host X-Forwarded-Host"
) + location("/probe/order/turned",
             "WSGITrustedProxyHeaders X-Forwarded-Host X-Host"
) + location("/probe/lines", "WSGITrustedProxyHeaders X-Forwarded-Proto",
             "WSGITrustedProxyHeaders X-Forwarded-Host"
) + location("/probe/lines/inner", "WSGITrustedProxyHeaders X-Forwarded-Port"
) + location("/probe/X-Real-IP/far/inner", "WSGITrustedProxies 127.0.0.1"
) + location("/probe/ip", "WSGITrustedProxyHeaders X-Forwarded-For",
             "Require ip 127.0.0.1"
) + location("/probe/unknown", "WSGITrustedProxyHeaders X-Something-Else"
) + """
<VirtualHost *:*>
    ServerName plain.test
</VirtualHost>
<VirtualHost *:*>
    ServerName whole.test
    WSGITrustedProxyHeaders X-Forwarded-Proto
    WSGITrustedProxies 127.0.0.1
    <Location /probe/none>
        WSGITrustedProxies 10.0.0.1
    </Location>
</VirtualHost>
"""


def seen(web, target, *headers, **how):
    return environ(web, f"/probe/{target}", headers=headers, **how)


def http(header):
    return "HTTP_" + header.upper().replace("-", "_")


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("peer", TRUSTED)
def test_a_declared_header_of_a_trusted_peer_has_its_effect(
        web, header, peer):
    value, key, want = HEADERS[header]
    keys = seen(web, f"{header}/{peer}", (header, value))
    assert keys[key] == want


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("peer", FAR)
def test_a_declared_header_of_another_peer_has_no_effect(web, header, peer):
    value, key, want = HEADERS[header]
    keys = seen(web, f"{header}/{peer}", (header, value))
    assert keys[key] != want
    if WITHOUT[key]:
        assert keys[key] == WITHOUT[key]


EMPTY = pytest.mark.since6("empty elements are skipped")
STRIPPED = pytest.mark.since6("untrusted Server and Port are stripped")


@pytest.mark.parametrize("header", [
    pytest.param(header, marks=STRIPPED if header in (
        "X-Forwarded-Server", "X-Forwarded-Port") else ())
    for header in HEADERS])
@pytest.mark.parametrize("peer", FAR)
def test_a_declared_header_of_another_peer_is_removed(web, header, peer):
    value = HEADERS[header][0]
    assert http(header) not in seen(web, f"{header}/{peer}", (header, value))


@pytest.mark.parametrize("header", [
    pytest.param(header, marks=pytest.mark.since6(
        "4.9.4 removes headers of the scheme always")
        if FAMILY[header][0] == "X-Forwarded-Proto" else ())
    for header in HEADERS])
def test_a_header_of_no_declared_family_passes_unchanged(web, header):
    value, key, want = HEADERS[header]
    keys = seen(web, "plain", (header, value))
    assert keys[http(header)] == value
    assert keys[key] != want


@pytest.mark.parametrize("declared, other", [
    (declared, other) for declared in HEADERS
    for other in FAMILY[declared] if other != declared])
def test_the_rest_of_a_declared_family_is_removed(web, declared, other):
    value, key, want = HEADERS[other]
    keys = seen(web, f"{declared}/open", (other, value))
    assert http(other) not in keys
    if WITHOUT[key]:
        assert keys[key] == WITHOUT[key]


@pytest.mark.parametrize("declared, other", [
    (declared, other) for declared in HEADERS
    for other in FAMILY[declared] if other != declared])
def test_the_rest_of_the_family_is_removed_of_another_peer(
        web, declared, other):
    keys = seen(web, f"{declared}/far", (other, HEADERS[other][0]))
    assert http(other) not in keys


@pytest.mark.parametrize("declared, other", [
    ("X-Forwarded-For", "X-Forwarded-Host"),
    ("X-Forwarded-Host", "X-Forwarded-Port"),
    ("X-Forwarded-Port", "X-Forwarded-For"),
    ("X-Script-Name", "X-Forwarded-Proto"),
    ("X-Forwarded-Proto", "X-Script-Name")])
@pytest.mark.parametrize("peer", ["open", "far"])
def test_other_families_are_not_touched(web, declared, other, peer):
    value = HEADERS[other][0]
    keys = seen(web, f"{declared}/{peer}", (other, value))
    assert keys[http(other)] == value


def test_a_declared_header_that_is_absent_changes_nothing(web):
    keys = seen(web, "all")
    assert keys["REMOTE_ADDR"] == "127.0.0.1"
    assert keys["HTTP_HOST"] == "localhost"
    assert keys["SCRIPT_NAME"] == "/probe"
    assert keys["wsgi.url_scheme"] == "http"


def test_all_of_them_together(web):
    keys = seen(web, "all", *((header, HEADERS[header][0]) for header in (
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Server",
        "X-Forwarded-Port", "X-Script-Name", "X-Forwarded-Proto")))
    assert [keys[key] for key in (
        "REMOTE_ADDR", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT",
        "SCRIPT_NAME", "wsgi.url_scheme")] == [
            "192.0.2.7", "front.test", "srv.test", "8443", "/pre", "https"]


# X-Forwarded-For: the walk from the right

@pytest.mark.parametrize("value, want, left", [
    ("198.51.100.1", "198.51.100.1", "198.51.100.1"),
    ("198.51.100.1, 10.0.0.1", "198.51.100.1", "198.51.100.1, 10.0.0.1"),
    ("198.51.100.1,10.0.0.1", "198.51.100.1", "198.51.100.1, 10.0.0.1"),
    ("1.2.3.4, 198.51.100.1, 10.0.0.1, 10.0.0.2", "198.51.100.1",
     "198.51.100.1, 10.0.0.1, 10.0.0.2"),
    ("10.0.0.1, 10.0.0.2", "10.0.0.1", "10.0.0.1, 10.0.0.2"),
    ("10.0.0.7", "10.0.0.7", "10.0.0.7"),
    ("1.2.3.4, 198.51.100.1", "198.51.100.1", "198.51.100.1"),
    pytest.param("198.51.100.1,, 10.0.0.1", "198.51.100.1",
                 "198.51.100.1, 10.0.0.1", marks=EMPTY),
    (" 198.51.100.1 , 10.0.0.1 ", "198.51.100.1", "198.51.100.1, 10.0.0.1"),
    ("10.0.0.9, 198.51.100.1, 10.0.0.1", "198.51.100.1",
     "198.51.100.1, 10.0.0.1"),
    ("2001:db9::5, 2001:db8::1", "2001:db9::5", "2001:db9::5, 2001:db8::1"),
    ("198.51.100.1, 2001:db8::1, 10.0.0.1", "198.51.100.1",
     "198.51.100.1, 2001:db8::1, 10.0.0.1"),
])
def test_the_walk_over_trusted_addresses(web, value, want, left):
    keys = seen(web, "chain", ("X-Forwarded-For", value))
    assert keys["REMOTE_ADDR"] == want
    rest = keys["HTTP_X_FORWARDED_FOR"].replace(" ", "")
    assert rest == left.replace(" ", "")


def test_several_lines_are_one_list(web):
    keys = seen(web, "chain", ("X-Forwarded-For", "198.51.100.1"),
                ("X-Forwarded-For", "10.0.0.1"))
    assert keys["REMOTE_ADDR"] == "198.51.100.1"


@pytest.mark.since6("4.9.4 takes the last entry")
@pytest.mark.parametrize("value", [
    "198.51.100.1, 10.0.0.1", ", 198.51.100.1, 10.0.0.1", "198.51.100.1"])
def test_without_a_list_the_first_entry_is_the_client(web, value):
    keys = seen(web, "X-Forwarded-For/open", ("X-Forwarded-For", value))
    assert keys["REMOTE_ADDR"] == "198.51.100.1"


@EMPTY
@pytest.mark.parametrize("value", ["", ",", " , "])
def test_an_empty_list_changes_nothing(web, value):
    keys = seen(web, "X-Forwarded-For/open", ("X-Forwarded-For", value))
    assert keys["REMOTE_ADDR"] == "127.0.0.1"


def test_a_name_in_the_list_ends_the_walk(web):
    """A word that is no address is never skipped to what lies behind it."""
    keys = seen(web, "chain", (
        "X-Forwarded-For", "203.0.113.5, unknown.invalid, 10.0.0.1"))
    assert keys["REMOTE_ADDR"] != "203.0.113.5"


# Values

@pytest.mark.parametrize("header, value, want", [
    (header, value, want)
    for header in ("X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Scheme")
    for value, want in (("https", "https"), ("http", "http"),
                        ("HTTPS", "https"), ("ftp", "http"), ("", "http"))
] + [
    (header, value, want)
    for header in ("X-Forwarded-HTTPS", "X-Forwarded-SSL", "X-HTTPS")
    for value, want in (("On", "https"), ("on", "https"), ("true", "https"),
                        ("1", "https"), ("Off", "http"), ("false", "http"),
                        ("0", "http"), ("perhaps", "http"))
])
def test_a_value_of_a_scheme_header(web, header, value, want):
    keys = seen(web, f"{header}/open", (header, value))
    assert keys["wsgi.url_scheme"] == want


def test_the_script_name_and_its_keys(web):
    keys = seen(web, "X-Script-Name/open/rest", ("X-Script-Name", "/pre"))
    assert keys["SCRIPT_NAME"] == "/pre"
    assert keys["mod_wsgi.mount_point"] == "/pre"
    assert keys["mod_wsgi.script_name"] == "/probe"
    assert keys["PATH_INFO"] == "/X-Script-Name/open/rest"


def test_without_the_header_there_is_no_mount_point_key(web):
    assert "mod_wsgi.mount_point" not in seen(web, "plain")


@pytest.mark.parametrize("target, want", [
    ("order", "a.test"), ("order/turned", "b.test")])
def test_the_last_declared_header_of_a_family_wins(web, target, want):
    keys = seen(web, target, ("X-Forwarded-Host", "a.test"),
                ("X-Host", "b.test"))
    assert keys["HTTP_HOST"] == want


@pytest.mark.parametrize("target", [
    "lower", pytest.param("under", marks=pytest.mark.since6(
        "4.9.4 crashes"))])
def test_the_spelling_of_a_declared_header(web, target):
    keys = seen(web, target, ("X-Forwarded-Proto", "https"))
    assert keys["wsgi.url_scheme"] == "https"


def test_a_header_with_an_underscore_is_never_believed(web):
    keys = seen(web, "all", ("X_Forwarded_Proto", "https"))
    assert keys["wsgi.url_scheme"] == "http"
    assert "HTTP_X_FORWARDED_PROTO" not in keys


def test_an_unknown_header_may_be_declared(web):
    keys = seen(web, "unknown", ("X-Something-Else", "1"))
    assert keys["HTTP_X_SOMETHING_ELSE"] == "1"


# Sections

def test_several_lines_of_a_section_add_up(web):
    keys = seen(web, "lines", ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "a.test"))
    assert (keys["wsgi.url_scheme"], keys["HTTP_HOST"]) == (
        "https", "a.test")


def test_a_section_replaces_the_list_of_headers(web):
    keys = seen(web, "lines/inner", ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Port", "8443"))
    assert (keys["wsgi.url_scheme"], keys["SERVER_PORT"]) == ("http", "8443")


def test_a_section_replaces_the_list_of_addresses(web):
    keys = seen(web, "X-Real-IP/far/inner", ("X-Real-IP", "192.0.2.9"))
    assert keys["REMOTE_ADDR"] == "192.0.2.9"


@pytest.mark.parametrize("target, want", [
    ("any", "https"), ("none", "http")])
def test_in_a_virtual_host(web, target, want):
    keys = seen(web, target, ("X-Forwarded-Proto", "https"),
                host="whole.test")
    assert keys["wsgi.url_scheme"] == want


def test_httpd_itself_is_not_affected(web):
    """`Require ip` sees the peer, not what a header says."""
    keys = seen(web, "ip", ("X-Forwarded-For", "192.0.2.7"))
    assert keys["REMOTE_ADDR"] == "192.0.2.7"


# configtest

@pytest.mark.parametrize("value", ["nonsense", "10.0.0.0/99",
                                   "1.2.3.4.5", "10.0.0.1/x", "2001:zz::1"])
def test_configtest_refuses_what_is_no_address(configtest, value):
    code, said = configtest(f"WSGITrustedProxies {value}")
    assert code != 0
    assert value in said


@pytest.mark.parametrize("value", [
    "127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "10.0.0.0/8 ::1",
    "10.0.0.0/255.0.0.0"])
def test_configtest_takes_addresses(configtest, value):
    code, said = configtest(f"WSGITrustedProxies {value}")
    assert code == 0, said
