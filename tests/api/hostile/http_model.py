# SPDX-License-Identifier: MIT
"""What a strict server answers to a stream of bytes that ends: a second reading of RFC 9112 and of our own rules,
written apart from the server's. `predict` gives for each answer the set of statuses that are right."""
import functools
import ipaddress
import re

from support.openapi import description

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"}
LINE_MOST, FIELDS_MOST, LINES_MOST, EXTRA_MOST = 8192, 16384, 128, 8192
BODY_MOST, ACCOUNT_BODY_MOST = 262144, 4096
PCHAR = rb"[A-Za-z0-9\-._~!$&'()*+,;=:@]"
PATH = re.compile(rb"(?:/|" + PCHAR + rb"|%[0-9A-Fa-f]{2})*\Z")
QUERY = re.compile(rb"[!-~]*\Z")
NAME = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+\Z")
FUTURE = re.compile(rb"[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\Z")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Refused(Exception):
    """The request cannot be framed: this answer, and the connection ends."""


class Unfinished(Exception):
    """The stream ends before the request does: no answer."""


class Stream:
    """Bytes, and how far they are read."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def line(self, most, status):
        """Up to CRLF, which are the only control characters but the tab."""
        found = CONTROL.search(self.data, self.at)
        end = found.start() if found else len(self.data)
        if end - self.at > most:
            raise Refused(status)
        if found and found[0] != b"\r":
            raise Refused(400)
        if end + 1 >= len(self.data):
            raise Unfinished
        if self.data[end + 1] != 10:
            raise Refused(400)
        line = self.data[self.at:end]
        self.at = end + 2
        return line

    def byte(self):
        """The next one."""
        if self.at >= len(self.data):
            raise Unfinished
        self.at += 1
        return self.data[self.at - 1:self.at]


class Head:
    """What a head says."""

    def __init__(self):
        self.method = self.target = b""
        self.old = False
        self.fields = {}
        self.length = None
        self.chunked = self.close = self.keep = self.expects = False


def valid_host(host):
    """uri-host [ ":" port ]."""
    if host.startswith(b"["):
        literal, bracket, port = host[1:].partition(b"]")
        if not bracket or (port and not port.startswith(b":")):
            return False
        port = port[1:]
        try:
            ipaddress.IPv6Address(literal.decode("ascii"))
            named = b"%" not in literal
        except ValueError:
            named = FUTURE.match(literal) is not None
    else:
        name, _, port = host.partition(b":")
        named = NAME.match(name) is not None
    return named and (not port or (len(port) <= 5 and re.fullmatch(rb"[0-9]+", port) is not None and int(port) <= 65535))


def request_line(head, line):
    """method SP target SP version."""
    method, blank, rest = line.partition(b" ")
    if not TOKEN.match(method) or not blank:
        raise Refused(400)
    target, blank, version = rest.partition(b" ")
    if not target or not blank or not re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version):
        raise Refused(400)
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise Refused(505)
    if method not in METHODS:
        raise Refused(501)
    head.method, head.target, head.old = method, target, version == b"HTTP/1.0"


def field(head, line):
    """One field line; what frames the message is judged at once."""
    name, colon, value = line.partition(b":")
    value, name = value.strip(b" \t"), name.lower()
    if not colon or not TOKEN.match(name):
        raise Refused(400)
    if name == b"content-length":
        if head.length is not None or not re.fullmatch(rb"[0-9]+", value) or int(value) >= 1 << 63:
            raise Refused(400)
        head.length = int(value)
    elif name == b"transfer-encoding":
        codings = [one.strip(b" \t").lower() for one in value.split(b",")]
        if head.chunked or codings[-1] != b"chunked" or codings.count(b"chunked") > 1 or not all(map(TOKEN.match, codings)):
            raise Refused(400)
        if len(codings) > 1:
            raise Refused(400 if head.old else 501)
        head.chunked = True
    elif name == b"connection":
        options = [one.strip(b" \t").lower() for one in value.split(b",")]
        if not all(not one or TOKEN.match(one) for one in options):
            raise Refused(400)
        head.close = head.close or b"close" in options
        head.keep = head.keep or b"keep-alive" in options
    elif name == b"expect" and not head.old:
        if head.expects or value.lower() != b"100-continue":
            raise Refused(417)
        head.expects = True
    else:
        head.fields.setdefault(name, []).append(value)


def read_head(stream):
    """The head at the front of the stream."""
    head = Head()
    line = stream.line(LINE_MOST, 414)
    request_line(head, line or stream.line(LINE_MOST, 414))
    began, lines = stream.at, 0
    while line := stream.line(FIELDS_MOST - (stream.at - began), 431):
        lines += 1
        split = line.partition(b":")
        if lines > LINES_MOST and split[1] and TOKEN.match(split[0]):
            raise Refused(431)
        field(head, line)
    hosts = head.fields.get(b"host", [])
    if len(hosts) > 1 or (not hosts and not head.old) or (head.chunked and (head.length is not None or head.old)):
        raise Refused(400)
    return head


def read_chunks(stream, most):
    """A chunked body."""
    body, extra = b"", 0
    while True:
        digits = b""
        while re.fullmatch(rb"[0-9A-Fa-f]", byte := stream.byte()):
            digits += byte
            if len(digits) > 16:
                raise Refused(400)
        if not digits or byte not in (b"\r", b";"):
            raise Refused(400)
        size = int(digits, 16)
        if len(body) + size > most:
            raise Refused(413)
        while byte != b"\r":
            byte = stream.byte()
            extra += byte != b"\r"
            if extra > EXTRA_MOST:
                raise Refused(431)
            if CONTROL.match(byte) and byte != b"\r":
                raise Refused(400)
        if stream.byte() != b"\n":
            raise Refused(400)
        if size == 0:
            break
        body += stream.data[stream.at:stream.at + size]
        stream.at += size
        if stream.byte() != b"\r" or stream.byte() != b"\n":
            raise Refused(400)
    trailers(stream, extra)
    return body


def trailers(stream, extra):
    """The lines after the last chunk, which are dropped."""
    while True:
        name = b""
        while (byte := stream.byte()) not in (b":", b"\r"):
            name += byte
            extra += 1
            if extra > EXTRA_MOST:
                raise Refused(431)
            if not TOKEN.match(byte):
                raise Refused(400)
        if byte == b"\r":
            if name or stream.byte() != b"\n":
                raise Refused(400)
            return
        if not name:
            raise Refused(400)
        while (byte := stream.byte()) != b"\r":
            extra += 1
            if extra > EXTRA_MOST:
                raise Refused(431)
            if CONTROL.match(byte):
                raise Refused(400)
        if stream.byte() != b"\n":
            raise Refused(400)


def split_target(head):
    """(path, query or None), decoded; 400 when it is none."""
    target = head.target
    scheme = re.match(rb"https?://", target, re.I)
    if target == b"*" and head.method == b"OPTIONS":
        return b"*", None
    if scheme:
        authority = re.match(rb"[^/?#]*", target[scheme.end():])[0]
        target = target[scheme.end() + len(authority):]
        if not valid_host(authority):
            raise Refused(400)
        target = target if target.startswith(b"/") else b"/" + target
    elif not target.startswith(b"/"):
        raise Refused(400)
    path, mark, query = target.partition(b"?")
    if not PATH.match(path) or not QUERY.match(query) or b"#" in query:
        raise Refused(400)
    plain = re.sub(rb"%(..)", lambda m: bytes([int(m[1], 16)]), path)
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400) from None
    if re.search(rb"[\x00-\x1f\x7f]", plain):
        raise Refused(400)
    return plain, query if mark else None


@functools.lru_cache(maxsize=4096)
def allowed(path):
    """The methods of a path, by the description."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return frozenset()
    return frozenset(op.method for op in description().operations if op.pattern.match(text))


class Judge:
    """Knows the tokens that open, and the right answer of each call that the generators make."""

    def __init__(self, opens, rights):
        self.opens = opens  # values of Authorization
        self.rights = rights  # (method, path) -> function of (head, query, body) to a set of statuses

    def from_head(self, head, path):
        """What the head alone decides, as a set; None: it goes on."""
        methods = allowed(path)
        method = head.method.decode()
        if path == b"*":
            return {204}
        if not methods:
            return {404}
        if method == "OPTIONS":
            return {204}
        if method not in methods and not (method == "HEAD" and "GET" in methods):
            return {405}
        operation = description().find(method, path.decode())
        if not operation.public and operation.id != "logout":
            # The scheme in any case, and after it one blank or more (RFC 9110 11.4).
            fields = [re.sub(rb"\A(?i:bearer) +", b"Bearer ", one) for one in head.fields.get(b"authorization", [])]
            if len(fields) != 1 or fields[0] not in self.opens:
                return {401}
        return None

    def one(self, stream):
        """(statuses, whether the connection goes on) of the request at the front."""
        head = read_head(stream)
        path, query = split_target(head)
        if head.fields.get(b"host") and head.fields[b"host"][0] and not valid_host(head.fields[b"host"][0]):
            raise Refused(400)
        goes_on = not head.close and (not head.old or head.keep)
        early = self.from_head(head, path)
        most = ACCOUNT_BODY_MOST if path.startswith((b"/v1/auth", b"/v1/me/")) or path in (b"/v1/me",) else BODY_MOST
        if early is None and (head.length or 0) > most:
            raise Refused(413)
        try:
            body = read_chunks(stream, most) if head.chunked else self.sized(stream, head.length or 0)
        except (Unfinished, Refused):
            if early is not None:
                return early, None  # the head is judged first
            raise
        if early is not None:
            # Whoever waits for 100 (Continue) may have sent the body or not, and chunks that have not come yet are not
            # waited for: then the connection may end (RFC 9110 10.1.1, RFC 9112 9.6).
            return early, None if head.chunked or (head.expects and head.length) else goes_on
        right = self.rights.get((head.method, path))
        return (right(head, query, body) if right else set(range(200, 500))), goes_on

    @staticmethod
    def sized(stream, length):
        """A body of a known length."""
        if len(stream.data) - stream.at < length:
            raise Unfinished
        stream.at += length
        return stream.data[stream.at - length:stream.at]

    def predict(self, data):
        """The answers to all that stands in `data`, after which the client ends: [set of statuses]. A last None: what
        comes after may be answered or not."""
        stream, answers = Stream(data), []
        while stream.at < len(data):
            try:
                statuses, goes_on = self.one(stream)
            except Unfinished:
                break
            except Refused as why:
                answers.append({why.args[0]})
                break
            answers.append(statuses)
            if goes_on is None:
                answers.append(None)
                break
            if not goes_on:
                break
        return answers
