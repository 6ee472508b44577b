"""PEP 3333, "The start_response() Callable"."""

import pytest

from puppet import play


@pytest.mark.every_mpm
def test_status_and_headers_reach_the_client_as_given(web):
    """status: str "999 Reason"; the headers in their order."""
    answer = play(web, status="299 Almost  OK", blocks=["x"], headers=[
        ["X-One", "1"], ["X-Two", "two words"], ["Content-Length", "1"]])
    assert (answer.status, answer.reason) == (299, "Almost  OK")
    assert answer.get("X-One") == "1" and answer.get("X-Two") == "two words"
    assert answer.body == b"x"


@pytest.mark.parametrize("status", [
    "200 OK", "201 Created", "202 Accepted", "301 Moved", "400 Bad", "404 No",
    "418 I'm a teapot", "451 Legal", "499 Own", "500 Broken", "503 Busy",
    "599 Last", "200 \xe9\xe8"])
def test_each_status_passes(web, status):
    answer = play(web, status=status, blocks=["body"])
    assert f"{answer.status} {answer.reason}" == status
    assert answer.body == b"body" and answer.complete


BAD_STATUS = [
    None, 200, "", "OK", "20 OK", "2000 OK", "1000 X", "099 Low", "000 Zero",
    "2OO OK", " 200 OK", "200  \r\nX-Evil: 1",
    "200 OK\r\nX-Evil: 1", "200 OK\nX-Evil: 1", "200 O\rK", "200 O\x00K",
    "200 \x7f", "200 \x1b[31m", "200 \u20ac", "-20 OK", "+20 OK", "200\tOK",
    "100 Continue", "101 Switching Protocols", "199 Odd",
]
LENIENT_PEER = {"1000 X", "099 Low", "000 Zero", "200 O\x00K",
                "100 Continue", "101 Switching Protocols", "199 Odd"}


def bad(values, lenient):
    return [pytest.param(value, id=ascii(value)[:30],
                         marks=[pytest.mark.differs]
                         if value in lenient else [])
            for value in values]


@pytest.mark.parametrize("status", bad(BAD_STATUS, LENIENT_PEER))
def test_anything_else_as_status_is_refused(web, status):
    """no control characters; anything else refused; strings beyond Latin-1
    are a fatal error."""
    web.expect_traceback("Error|ETCL0")
    answer = play(web, status=status, blocks=["secret"])
    assert answer.status == 500
    assert not answer.get("X-Evil") and b"secret" not in answer.body


BAD_HEADERS = [
    ["", "v"], ["a b", "v"], ["a:b", "v"], ["a\r\nX-Evil", "v"], ["a\n", "v"],
    ["a\x00b", "v"], ["a\x7f", "v"], ["\xe9", "v"], ["\u20ac", "v"],
    [" a", "v"], ["a ", "v"], ["a\t", "v"], ["(a)", "v"], ["a/b", "v"],
    ["a=b", "v"], ["a\"b", "v"], ["a@b", "v"], ["a,b", "v"], ["{a}", "v"],
    ["a", "v\r\nX-Evil: 1"], ["a", "v\nX-Evil: 1"], ["a", "v\rX"],
    ["a", "v\x00w"], ["a", "\x1b[31m"], ["a", "v\x7f"], ["a", "\u20ac"],
    ["a", "\r\n folded"], [None, "v"], ["a", None], ["a", 1], [1, "v"],
    ["a"], ["a", "b", "c"], [], None, "ab", 5,
    ["Content-Length", "many"], ["Content-Length", "-1"],
    ["Content-Length", "+1"], ["Content-Length", "1,1"],
    ["Content-Length", "0x1"], ["Content-Length", ""],
    ["Content-Length", "99999999999999999999"],
]


@pytest.mark.parametrize("pair", BAD_HEADERS, ids=lambda p: ascii(p)[:30])
@pytest.mark.differs
def test_a_bad_header_is_refused(web, pair):
    """headers: items 2-tuples of str, checked when called; names are valid
    field names; values hold no control character: nothing is injected."""
    web.expect_traceback("Error|ETCL0")
    how = {"pairs": "list"} if not isinstance(pair, list) else {}
    answer = play(web, headers=[pair], blocks=["x"], **how)
    assert answer.status == 500
    assert not answer.get("X-Evil")


@pytest.mark.parametrize("how", [
    {"container": "tuple", "headers": [["a", "b"]]},
    {"container": "dict", "headers": [["a", "b"]]},
    {"pairs": "list", "headers": "ab"},
    {"pairs": "list", "headers": None},
])
def test_headers_must_be_a_list(web, how):
    """headers: type is list."""
    web.expect_traceback("TypeError|list")
    assert play(web, blocks=["x"], **how).status == 500


@pytest.mark.differs
def test_header_pairs_must_be_tuples(web):
    """items 2-tuples of str."""
    web.expect_traceback("TypeError|tuple")
    assert play(web, pairs="list", headers=[["a", "b"]],
                blocks=["x"]).status == 500


GOOD_HEADERS = [
    ["X-Plain", "value"], ["x-lower", "kept"], ["X-Empty", ""],
    ["X-Latin", "\xe9\xff"], ["X-Tab", "a\tb"], ["X-Colon", "a: b"],
    ["X-Token!#$%&'*+.^_`|~9", "odd but valid"], ["Status", "403 Forged"],
    ["X-Long", "l" * 60000], ["Content-Type", "Text/HTML; charset=X"],
]


@pytest.mark.parametrize("pair", GOOD_HEADERS, ids=lambda pair: pair[0])
@pytest.mark.differs
def test_a_valid_header_passes_untouched(web, pair):
    """(name, value) pairs are data: nobody parses them again."""
    answer = play(web, headers=[pair], blocks=["x"])
    assert answer.status == 200
    assert tuple(pair) in answer.headers


@pytest.mark.differs
def test_repeated_headers_stay_lines_of_their_own(web):
    pairs = [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"],
             ["Link", "</a>"], ["Link", "</b>"],
             ["WWW-Authenticate", "Basic"], ["WWW-Authenticate", "Digest"]]
    answer = play(web, headers=pairs, blocks=["x"])
    for name in ("Set-Cookie", "Link", "WWW-Authenticate"):
        assert answer.all(name) == [v for n, v in pairs if n == name]


@pytest.mark.parametrize("pair", [
    ["Connection", "X-Secret"], ["Keep-Alive", "timeout=9"],
    ["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "gzip"],
    ["Upgrade", "h2c"], ["TE", "trailers"], ["Trailer", "X-T"],
    ["Proxy-Authenticate", "Basic"], ["Connection", "close"]],
    ids=lambda pair: f"{pair[0]}: {pair[1]}")
@pytest.mark.differs
def test_hop_by_hop_headers_do_no_harm(web, pair):
    """Hop-by-hop headers refused, or at least harmless."""
    web.allow_log(".*")
    answer = play(web, headers=[pair], blocks=["body"])
    assert answer.complete
    assert answer.status == 500 or (
        answer.body == b"body" and tuple(pair) not in answer.headers)


@pytest.mark.differs
def test_two_lengths_are_never_sent(web):
    web.log.allow(".*")
    for values in (("1", "1"), ("1", "2")):
        answer = play(web, blocks=["x"], headers=[
            ["Content-Length", value] for value in values])
        assert answer.status == 500 or answer.get("Content-Length") == "1"


def test_a_second_call_never_mixes(web):
    """A second call without exc_info is fatal (relaxed): what comes is one
    of the two, or an error, never a mixture."""
    web.log.allow(".*")
    answer = play(web, how="twice", blocks=["x"], headers=[["X-First", "1"]],
                  twice={"status": "201 Second",
                         "headers": [["X-Second", "2"]]})
    assert answer.status in (201, 500)
    assert not answer.get("X-First")


def test_exc_info_before_output_replaces(web):
    """exc_info before output replaces; after output raises."""
    answer = web.ask("/streams/replaced")
    assert (answer.status, answer.body) == (500, b"oops")
    assert not answer.get("X-First")


@pytest.mark.differs
def test_exc_info_after_output_raises_what_was_given(web):
    """after output raises the given exception; the client sees a
    truncated response."""
    web.expect_traceback("KeyError: 'too late'")
    answer = web.ask("/streams/too-late")
    assert (answer.status, answer.body) == (200, b"started\n")
    assert not answer.complete


def test_headers_wait_for_the_first_bytes(web):
    """Headers are not sent before the first non-empty bytes."""
    answer = web.ask("/streams/head-waits")
    assert (answer.status, answer.body) == (404, b"replaced")
    assert answer.get("X-Second") and not answer.get("X-First")


def test_date_and_server_are_there_once(web):
    """Missing required headers (Date, Server) are added, once."""
    for given in ([], [["Date", "Thu, 01 Jan 1970 00:00:00 GMT"]],
                  [["Server", "mine"]]):
        answer = play(web, headers=given, blocks=["x"])
        assert len(answer.all("Date")) == len(answer.all("Server")) == 1


@pytest.mark.differs
def test_location_with_200_is_no_internal_redirect(web):
    """An application's Location with 200 reaches the client untouched, and
    httpd serves nothing in its place (CVE-2024-38476's class)."""
    answer = play(web, headers=[["Location", "/hello"]], blocks=["mine"])
    assert (answer.status, answer.body) == (200, b"mine")
    assert answer.get("Location") == "/hello"


@pytest.mark.differs
@pytest.mark.parametrize("name, value", [
    ("X-Sendfile", "/etc/passwd"), ("X-Accel-Redirect", "/hello"),
    ("X-LIGHTTPD-send-file", "/etc/passwd")])
def test_no_header_makes_httpd_serve_something_else(web, name, value):
    answer = play(web, headers=[[name, value]], blocks=["mine"])
    assert (answer.status, answer.body) == (200, b"mine")


@pytest.mark.differs
@pytest.mark.parametrize("status", [
    "200 Error", "200 Continue", "200 Rejected", "200 Timeout"])
def test_no_status_line_means_something_to_the_transport(web, status):
    answer = play(web, status=status, blocks=["body"])
    assert (answer.status, answer.body) == (200, b"body")


def test_start_response_takes_positional_arguments_only(web):
    """Positional arguments, exc_info optional, returns write()."""
    answer = play(web, how="write", blocks=["a", "b"])
    assert answer.body == b"ab"
