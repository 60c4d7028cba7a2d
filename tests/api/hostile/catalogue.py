# SPDX-License-Identifier: MIT
"""Reads cases/*.yaml and plays a case: one line, one request (or what is none), and what must come back.

A line has
    is        what is hostile about it
    send      bytes as they are, or in its place
    call      `METHOD target`, from which a request is put together, with
    as        whose token: ann (the default), nobody, or text that stands after `Authorization: `
    fields    more header fields, as they are
    json      a body, as JSON; or `body`, as it is; `rest`: what follows the head, whose fields frame it
    back      what must come back: `400 malformed_request`, or a list where there are several requests
    errors    the entries of the problem: `/title blank`
    says      a part of the body
    changes   how many changes of ann's things it makes; else none
    ends      true where the connection must end after it. Else a request that follows must be answered
    half      true where the client ends its direction after it
In all of them <ann.task> is put in, <ab*9000> is 9000 times ab, and bytes above 127 are written \\xNN.
"""
import json
import pathlib
import re

import yaml

from support import contract
from support.raw import RawConnection
from support.waiting import wait_until

CASES = pathlib.Path(__file__).resolve().parent / "cases"
MEMBERS = {"is", "send", "call", "as", "fields", "json", "body", "rest", "back", "errors", "says", "changes", "ends", "half"}
TEMPLATE = re.compile(r"<(?:(\w+\.\w+|uuid|key)|([^<>*]+)\*(\d+))>")
PROBE_ID = "the-probe"
PROBE = f"GET /livez HTTP/1.1\r\nHost: t\r\nX-Request-Id: {PROBE_ID}\r\n\r\n".encode()
# After these nobody knows where the next request would begin.
ENDS = {"malformed_request", "uri_too_long", "header_fields_too_large", "http_version_not_supported", "expectation_failed",
        "content_too_large", "request_timeout"}
OVERLOADED = b'"code":"overloaded"'
AGAIN_SECONDS = 20
FRAMES = re.compile(r"^(Content-Length|Transfer-Encoding)\s*:", re.I | re.M)


class Case:
    """One line of the catalogue."""

    def __init__(self, group, line):
        assert set(line) <= MEMBERS and "is" in line and "back" in line and ("send" in line) != ("call" in line), line
        self.group, self.line, self.name = group, line, line["is"]
        back = line["back"]
        self.back = [str(one) for one in (back if isinstance(back, list) else [back]) if one != "none"]
        self.ends = line.get("ends", any(one.partition(" ")[2] in ENDS for one in self.back))

    def fill(self, world, text):
        """Puts the values of templates in."""
        return TEMPLATE.sub(lambda m: world.value(m[1]) if m[1] else m[2] * int(m[3]), text)

    def filled(self, world, value):
        """The same in all texts of a JSON value."""
        if isinstance(value, str):
            return self.fill(world, value)
        if isinstance(value, list):
            return [self.filled(world, one) for one in value]
        if isinstance(value, dict):
            return {self.fill(world, name): self.filled(world, one) for name, one in value.items()}
        return value

    def data(self, world):
        """The bytes to send."""
        line = self.line
        if "send" in line:
            return self.fill(world, line["send"]).encode("latin-1")
        fields, body = ["Host: t"], b""
        who = line.get("as", "ann")
        if who != "nobody":
            fields.append("Authorization: " + (f"Bearer {world.ann.access}" if who == "ann" else self.fill(world, who)))
        own = line.get("fields", [])
        fields += [self.fill(world, one) for one in ([own] if isinstance(own, str) else own)]
        if "json" in line:
            body = json.dumps(self.filled(world, line["json"])).encode()
        elif "body" in line:
            body = self.fill(world, line["body"]).encode("latin-1")
        if ("json" in line or "body" in line) and not FRAMES.search("\n".join(fields)):
            fields.append(f"Content-Length: {len(body)}")
        rest = self.fill(world, line.get("rest", "")).encode("latin-1")
        head = self.fill(world, line["call"]) + " HTTP/1.1\r\n" + "".join(one + "\r\n" for one in fields)
        return head.encode("latin-1") + b"\r\n" + body + rest

    def play(self, world):
        """Sends it and judges all that comes back. Where the server had no time, which changes nothing, it is asked again."""
        wait_until(lambda: self.played(world), AGAIN_SECONDS, "an answer that is not `overloaded`", 0.5)

    def played(self, world):
        """False: the server was overloaded; the machine may have other work too."""
        method = self.line.get("call", self.line.get("send", "")).partition(" ")[0]
        with RawConnection(world.server) as connection:
            sent = self.data(world)
            connection.send(sent + PROBE)
            if self.line.get("half"):
                connection.socket.shutdown(1)
            answers = self.answers(connection, method)
            if any(one.status == 503 and OVERLOADED in one.body for one in answers):
                return False
            self.judge(world, answers, method, sent)
            if self.ends:
                assert connection.closed(), "the connection goes on"
        return True

    def answers(self, connection, method):
        """All answers before that of the probe, which is left out where it must come."""
        found = []
        while True:
            try:
                answer = connection.read(method if len(found) < len(self.back) else "GET")
            except ConnectionResetError:
                raise AssertionError(f"reset after {[one.status for one in found]}") from None
            if answer is None:
                assert self.ends, f"ended after {[(one.status, one.body[:300]) for one in found]}"
                return found
            if answer.headers.get("X-Request-Id") == PROBE_ID:
                assert not self.ends, f"went on after {[(one.status, one.body[:300]) for one in found]}"
                assert answer.status == 200
                return found
            found.append(answer)
            assert len(found) <= len(self.back) + 3, "more answers than requests"

    def judge(self, world, answers, method, sent):
        """Status, code, entries; whether it is as described; what it tells."""
        got = [f"{one.status} {one.code}" if one.status >= 400 and one.body and method != "HEAD" else str(one.status)
               for one in answers]
        assert got == self.back, f"{got} in place of {self.back}: {[one.body[:600] for one in answers]}"
        for answer in answers:
            world.tells_nothing(answer.body + str(answer.headers).encode(), "the answer", sent)
        if answers and "call" in self.line and not (self.ends and answers[0].status >= 400):  # else there was no path yet
            target = self.fill(world, self.line["call"]).partition(" ")[2]
            contract.check(method, target, {}, answers[0], False)
        if "errors" in self.line:
            wished = self.line["errors"]
            wished = {tuple(one.rsplit(" ", 1)) for one in ([wished] if isinstance(wished, str) else wished)}
            assert answers[0].errors == wished, f"{answers[0].errors} in place of {wished}"
        if "says" in self.line:
            assert self.fill(world, self.line["says"]).encode() in answers[0].body, answers[0].body


def groups():
    """The names of the files."""
    return sorted(path.stem for path in CASES.glob("*.yaml"))


def cases(group):
    """The cases of a file."""
    lines = yaml.safe_load((CASES / f"{group}.yaml").read_text(encoding="utf-8"))
    return [Case(group, line) for line in lines]
