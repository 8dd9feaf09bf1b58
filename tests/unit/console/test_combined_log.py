"""Lines of combined access logs: each is read whole, or named as something else."""

import pytest

from services.console.combined_log import NotALogLine, read_line, read_time, unescaped

AGENT = "Mozilla/5.0 (compatible; GPTBot/1.0)"


def a_line(
    *,
    host: str = "",
    client: str = "192.0.2.7",
    user: str = "-",
    time: str = "31/Jan/2026:12:00:00 +0000",
    request: str = "GET /posts/1 HTTP/1.1",
    status: str = "200",
    size: str = "512",
    referrer: str = "-",
    agent: str = AGENT,
) -> str:
    return f'{host}{client} - {user} [{time}] "{request}" {status} {size} "{referrer}" "{agent}"'


def test_a_line_says_who_asked_for_what_and_when() -> None:
    line = read_line(
        '192.0.2.7 - - [17/May/2015:10:05:03 +0200] "GET /a/b.png?size=2#x HTTP/1.1" 206 203023'
        ' "http://example.com/" "Mozilla/5.0 (X11; Linux x86_64)"'
    )

    assert line.client == "192.0.2.7"
    assert line.at.ToJsonString() == "2015-05-17T08:05:03Z"
    assert (line.method, line.path, line.status) == ("GET", "/a/b.png", 206)
    assert line.user_agent == "Mozilla/5.0 (X11; Linux x86_64)"


@pytest.mark.parametrize(
    "client", ["2001:db8::7", "::1", "fe80::1", "crawler.example.net", "1:2:3:4:5:6:7:8"]
)
def test_a_client_is_an_address_of_either_kind_or_a_name(client: str) -> None:
    assert read_line(a_line(client=client)).client == client


@pytest.mark.parametrize(
    "host", ["www.example.com:443 ", "[2001:db8::1]:80 ", "www.example.com ", "10.0.0.1:80 "]
)
@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7", "::1"])
@pytest.mark.parametrize("user", ["-", "jane", "john smith", "a [b"])
def test_a_virtual_host_may_stand_before_the_client(host: str, client: str, user: str) -> None:
    assert read_line(a_line(host=host, client=client, user=user)).client == client


def test_a_user_whose_name_has_spaces_is_no_virtual_host() -> None:
    assert read_line(a_line(client="crawler.example", user="john smith")).client == "crawler.example"
    assert read_line(a_line(client="fe80::1", user="john smith")).client == "fe80::1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"say \"hi\"", 'say "hi"'),
        (r"C:\\dir\\", "C:\\dir\\"),
        (r"\x22GPTBot\x22", '"GPTBot"'),
        (r"M\xc3\xbcller", "M\u00fcller"),
        (r"\xe4", "\ufffd"),
        (r"a\tb", "a\tb"),
        ("", ""),
        ("-", "-"),
    ],
)
def test_quotes_and_backslashes_of_a_user_agent_are_what_they_were(written: str, meant: str) -> None:
    assert read_line(a_line(agent=written)).user_agent == meant
    assert unescaped(written) == meant


@pytest.mark.parametrize(
    "fields", [{"referrer": ""}, {"size": "-"}, {"agent": ""}, {"referrer": r"\"[x] \""}]
)
def test_what_a_request_did_not_have_is_empty_or_a_dash(fields: dict[str, str]) -> None:
    assert read_line(a_line(**fields)).status == 200


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        ("GET / HTTP/2.0", "GET", "/"),
        ("GET /posts/1", "GET", "/posts/1"),
        ("GET /with space HTTP/1.1", "GET", "/with space"),
        ("GET http://example.com/posts/1?x HTTP/1.1", "GET", "/posts/1"),
        ("GET http://example.com HTTP/1.1", "GET", ""),
        ("CONNECT example.com:443 HTTP/1.1", "CONNECT", "example.com:443"),
        ("-", "", ""),
        ("", "", ""),
        (r"\x16\x03\x01", "", ""),
    ],
)
def test_a_request_has_a_method_and_a_path_or_neither(request_line: str, method: str, path: str) -> None:
    line = read_line(a_line(request=request_line, status="400"))

    assert (line.method, line.path) == (method, path)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("31/Dec/2025:23:59:59 -0001", "2026-01-01T00:00:59Z"),
        ("01/Jan/2026:00:00:00 +0000", "2026-01-01T00:00:00Z"),
        ("01/Jan/2026:00:00:00 +0530", "2025-12-31T18:30:00Z"),
        ("29/Feb/2024:12:00:00 +1400", "2024-02-28T22:00:00Z"),
        ("28/Feb/2024:23:30:00 -0100", "2024-02-29T00:30:00Z"),
        ("29/Feb/2000:00:00:00 -1200", "2000-02-29T12:00:00Z"),
    ],
)
def test_a_time_is_of_its_own_zone(written: str, utc: str) -> None:
    assert read_time(written).ToJsonString() == utc


@pytest.mark.parametrize(
    "time",
    [
        "31/Jan/2026:12:00:00 +2561",
        "31/Jan/2026:12:00:00 +0060",
        "31/Jan/2026:12:00:00 +1401",
        "31/Jan/2026:12:00:00 -1201",
        "31/Jan/2026:12:00:00",
        "31/Jan/2026:12:00:00 CET",
        "29/Feb/2023:12:00:00 +0000",
        "31/Apr/2026:12:00:00 +0000",
        "00/Jan/2026:12:00:00 +0000",
        "31/Jan/2026:24:00:00 +0000",
        "31/Jan/2026:12:00:60 +0000",
        "31/Jan/0000:12:00:00 +0000",
        "01/Jan/0001:00:00:00 +0100",
        "31/Foo/2026:12:00:00 +0000",
        "31/jan/2026:12:00:00 +0000",
        "3\u0661/Jan/2026:12:00:00 +0000",
        "",
    ],
)
def test_a_time_that_never_was_is_refused(time: str) -> None:
    with pytest.raises(ValueError, match=r"zone|no such time|is expected|out of range") as refused:
        read_line(a_line(time=time))

    assert not isinstance(refused.value, NotALogLine)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "\x00\x01\x02",
        a_line()[:-1],
        a_line()[:60],
        a_line() + ' "more"',
        " " + a_line(),
        a_line(status="20"),
        a_line(status="\u0662\u0660\u0660"),
        a_line(size="x"),
        a_line(agent='lone " quote'),
        a_line(agent="ends with \\"),
        a_line(client="-"),
        a_line(client=""),
        a_line().replace("[", ""),
    ],
)
def test_what_is_no_such_line_is_told_apart(text: str) -> None:
    with pytest.raises(NotALogLine):
        read_line(text)


def test_a_line_made_to_be_slow_is_not() -> None:
    for hostile in ('[] "' * 20_000, 'a - b [] "' + "\\" * 50_001, "a - " + " [" * 40_000, '"' * 80_000):
        with pytest.raises(NotALogLine):
            read_line(hostile)
