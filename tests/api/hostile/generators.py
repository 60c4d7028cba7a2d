# SPDX-License-Identifier: MIT
"""Makes hostile cases without end from good ones: every byte at every place, every cut, every split, and then at random.

Each kind is a generator of (bytes, splits): what is sent on a connection of its own, and where it is cut. A seed drives
what is random. Each request is followed by a probe, so that what a broken one leaves behind is seen.
"""
import itertools
import random

import http_model
import json_model

PROBE = b"GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n"
TASK = b'{"title":"a \\u00e9 b","priority":"low","labels":["x","\xc3\xa4"]}'
# Bytes that mean something somewhere.
SPICES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"%", b"%00", b"%2e", b"..", b"//", b"\xff", b"\xc0\xaf", b"\x7f",
          b"0", b"-1", b"+", b"0x", b"chunked", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: u\r\n",
          b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.0", b"[", b"]", b"{", b"}", b'"', b"\\", b"?", b"#", b"*",
          b"http://t", b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", b"0\r\n\r\n"]


def bases(token):
    """Good requests, which the others are made from."""
    bearer = b"Authorization: Bearer " + token.encode() + b"\r\n"
    return [
        b"GET /livez HTTP/1.1\r\nHost: t:80\r\nConnection: keep-alive\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/auth/login HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n01\r\n}\r\n0\r\nT: x\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nHost: [::1]\r\n" + bearer + b"\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\nHEAD /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"PUT http://t/v1/tasks?a=%20b HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    ]


def rights():
    """The right answers of what `bases` ask, for the judge."""

    def live(head, query, body):
        return {200}  # whatever comes along: probes are answered

    def login(head, query, body):
        if head.fields.keys() & {b"content-type", b"content-encoding", b"accept", b"idempotency-key"}:
            return {400, 406, 415, 422}
        if query:
            return {400}
        try:
            json_model.parse(body)
        except (ValueError, RecursionError):
            return {400}
        return {422, 401}

    def me(head, query, body):
        if head.fields.keys() & {b"accept", b"if-match", b"if-none-match"}:
            return {200, 304, 400, 406, 412, 422}
        return {400} if query else {422} if body else {200}

    calls = {(method, b"/livez"): live for method in (b"GET", b"HEAD")}
    calls.update({(method, b"/readyz"): live for method in (b"GET", b"HEAD")})
    calls[b"POST", b"/v1/auth/login"] = login
    calls[b"GET", b"/v1/me"] = calls[b"HEAD", b"/v1/me"] = me
    return calls


def every_byte(base):
    """Each byte replaced by each, each put before each place, each left out."""
    for at in range(len(base) + 1):
        for value in range(256):
            yield base[:at] + bytes([value]) + base[at:]
            if at < len(base) and base[at] != value:
                yield base[:at] + bytes([value]) + base[at + 1:]
        if at < len(base):
            yield base[:at] + base[at + 1:]


def every_cut(base):
    """The client ends after each byte."""
    for at in range(len(base)):
        yield base[:at]


def spoiled(base, rng):
    """One to four changes at random places."""
    data = base
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        length = rng.choice((0, 0, 1, 1, 2, 5, 20))
        kind = rng.randrange(4)
        if kind == 0:
            piece = bytes([rng.randrange(256)])
        elif kind == 1:
            piece = rng.choice(SPICES)
        elif kind == 2 and data:
            start = rng.randrange(len(data))
            piece = data[start:start + rng.randint(1, 30)]
        else:
            piece = b""
        data = data[:at] + piece + data[at + length:]
    return data


def requests(token):
    """(name, cases) of whole requests, the exhaustive ones; each case is (bytes, places to cut at)."""
    for number, base in enumerate(bases(token)):
        yield f"every byte of request {number}", plain(every_byte(base))
        yield f"every cut of request {number}", cut(base)
        yield f"every split of request {number}", split(base + PROBE, 1)
        yield f"every two splits of request {number}", split(base + PROBE, 2)


def plain(cases):
    """Uncut, and with a probe."""
    return ((one + PROBE, ()) for one in cases)


def cut(base):
    """Ended after each byte."""
    return ((one, ()) for one in every_cut(base))


def split(data, number):
    """Cut at every choice of so many places."""
    return ((data, cuts) for cuts in itertools.combinations(range(1, len(data)), number))


def random_requests(token, seed):
    """Without end."""
    rng, good = random.Random(f"{seed}-requests"), bases(token)
    while True:
        data = spoiled(rng.choice(good), rng) + (rng.choice(good) if rng.random() < 0.3 else b"") + PROBE
        cuts = tuple(sorted(rng.sample(range(1, len(data)), rng.choice((0, 0, 0, 1, 2)))))
        yield data, cuts


def bodies():
    """Every byte and every cut of a new task."""
    return itertools.chain(every_byte(TASK), every_cut(TASK))


def random_bodies(seed):
    """Without end."""
    rng = random.Random(f"{seed}-bodies")
    more = [b"null", b"true", b"1e5", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\xed\xa0\x80", b'"title":"x"', b"[[[[", b"{}", b"\xef\xbb\xbf",
            b"\xc2\x85", b"\xe2\x80\x83", b"\\n", b"\\u009f", b"1.5", b"-0", b'"labels":[]']
    while True:
        data = spoiled(TASK, rng)
        if rng.random() < 0.5:
            at = rng.randrange(len(data) + 1)
            data = data[:at] + rng.choice(more) + data[at + rng.choice((0, 1, 3)):]
        yield data


def tokens(good):
    """Every byte and every cut of a token, and each two neighbours changed about."""
    base = good.encode()
    yield from every_byte(base)
    yield from every_cut(base)
    for at in range(len(base) - 1):
        if base[at] != base[at + 1]:
            yield base[:at] + base[at + 1:at + 2] + base[at:at + 1] + base[at + 2:]


def random_tokens(goods, seed):
    """Without end: spoiled ones, and parts of several put together."""
    rng = random.Random(f"{seed}-tokens")
    parts = [part for one in goods for part in one.encode().split(b".")]
    while True:
        if rng.random() < 0.3:
            yield b".".join(rng.choice(parts) for _ in range(rng.randint(1, 5)))
        else:
            yield spoiled(rng.choice(goods).encode(), rng)


# What GET /v1/tasks takes, and words that its values are made of.
QUERY = b"status=pending,completed&priority=high&label=a&label.all=b&due.from=2026-01-01&due.before=2027-01-01T00:00:00Z&overdue=true" \
        b"&ready=true&q=%22a+b%22&sort=-due,title&include=total&limit=10&time_zone=Europe/Berlin&parent=none&list=inbox&due=any"
WORDS = [b"&", b"=", b",", b"none", b"any", b"inbox", b"-", b"[]", b"%00", b"%ff", b"%22", b"%25", b"+", b".from", b"9999-99-99", b"%f0%9f%90%84",
         b"%cc%81", b"'", b"\\", b"*", b"%", b"(", b"18446744073709551616", b"true", b"2026-12-31T23:59:60Z", b"01a203c9-2b03-70a1-81ce-000000000001"]
FIELDS = [b'If-Match: "a-1", W/"b-2"', b'If-None-Match: "a-1"', b"If-None-Match: *", b"Accept: application/json;q=0.5, */*;q=0.1", b"X-Request-Id: a.b-c",
          b"Accept-Encoding: gzip;q=0.5, br", b"Origin: https://a.example", b"Idempotency-Key: \"abc\"", b"Content-Type: application/json; charset=utf-8",
          b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", b"Range: bytes=0-1", b"Cookie: a=b", b"X-Forwarded-For: 1.2.3.4, ::1"]
VISIBLE = bytes(range(33, 127))


def queries(seed):
    """Without end: parts of the query left out, put twice, spoiled; only bytes that a target may have."""
    rng = random.Random(f"{seed}-queries")
    parts = QUERY.split(b"&")
    while True:
        data = b"&".join(rng.choice(parts) for _ in range(rng.randint(1, 4)))
        for _ in range(rng.randint(0, 3)):
            at = rng.randrange(len(data) + 1)
            data = data[:at] + (rng.choice(WORDS) if rng.random() < 0.6 else bytes([rng.choice(VISIBLE)])) + data[at + rng.choice((0, 0, 1, 4)):]
        yield data.replace(b"#", b"%23")


def fields(seed):
    """Without end: a few header fields whose values are spoiled, without control characters."""
    rng = random.Random(f"{seed}-fields")
    while True:
        lines = []
        for one in rng.sample(FIELDS, rng.randint(1, 3)):
            name, _, value = one.partition(b": ")
            spoilt = bytes(c for c in spoiled(value, rng) if c >= 32 and c != 127) if rng.random() < 0.8 else value
            lines.append(name + b": " + spoilt + b"\r\n")
        yield b"".join(lines)


def every_letter(text):
    """Each letter replaced by some, put in and left out, of what is only good as a whole. Never the text itself."""
    base = text.encode()
    for at in range(len(base) + 1):
        for letter in b"A", b"z", b"0", b"-", b"_", b"=", b".", b"%00", b"%ff", b"+", b"~":
            yield base[:at] + letter + base[at:]
            if base[at:at + 1] not in (letter, b""):
                yield base[:at] + letter + base[at + 1:]
        yield base[:at]
        if at < len(base):
            yield base[:at] + base[at + 1:]


def judge(opens):
    """The judge of whole requests."""
    return http_model.Judge({b"Bearer " + one.encode() for one in opens}, rights())
