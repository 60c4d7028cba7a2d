#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asks generated hostile requests, many: tests/api/hostile/campaign.py [--cases N] [--seed N] [--only KIND]

First the exhaustive ones, as far as N goes, then random ones, of whole requests, bodies, tokens, queries, fields, cursors. Each answer is
held against a second reading of the rules (http_model.py, json_model.py); no answer tells a secret; all along nothing of
either account changes. On PostgreSQL under tests/with-postgres; another build by TASKHOLD_BIN. The last line is
`N cases, N wrong`.
"""
import argparse
import collections
import itertools
import pathlib
import random
import sys
import time

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parent)]
    sys.dont_write_bytecode = True

import generators
import json_model
import player
from catalogue import OVERLOADED
from world import Held, World, log_is_clean

from support.client import Client
from support.server import Server
from support.waiting import wait_at_most

LOOK_EVERY = 2000  # cases; then the accounts must be as before
PIPELINE = 24
WRONG_MOST = 20
AGAIN_SECONDS = 20  # for which a case is asked again when the server is overloaded: the machine may have other work too
# A task that is as the rules say is refused for its precondition, so that nothing is written.
NEVER_HOLDS = 'If-Match: "never"\r\n'


class Campaign:
    """Counts what was played, and what was wrong."""

    def __init__(self, world, seed):
        self.world, self.seed, self.server = world, seed, world.server
        self.address = (world.server.host, world.server.port)
        self.reader = world.ann.script_token("account:read", name="reads the account")["token"]
        world.look()
        self.judge = generators.judge([self.reader, world.ann.access])
        self.counts = collections.Counter()
        self.kinds = collections.Counter()
        self.wrong = []
        self.cases = 0
        self.again = 0  # times that the server had no time for a case

    def note(self, kind, got):
        """One more case; sometimes the world is looked at."""
        self.kinds[kind] += 1
        self.counts.update(got)
        self.cases += 1
        if self.cases % LOOK_EVERY == 0:
            self.look(kind)

    def fail(self, kind, sent, says):
        """Writes down what was wrong."""
        self.wrong.append(f"{kind}: {says}\n    sent {sent!r}")
        assert len(self.wrong) < WRONG_MOST, "too much is wrong:\n" + "\n".join(self.wrong)

    def look(self, kind):
        """Nothing changed, and the server is there."""
        changed = [self.world.changed(who) for who in (self.world.ann, self.world.bob)]
        if changed != [0, 0]:
            self.fail(kind, b"", f"{changed} changes in the last {LOOK_EVERY} cases")
        assert Client(self.server).get("/livez").status == 200

    def requests(self, kind, cases):
        """Whole requests, each on its own connection. What is refused for want of time is asked again."""
        left = [*cases]

        def all_are_answered():
            left[:] = self.requests_once(kind, left)
            return not left
        if not wait_at_most(AGAIN_SECONDS, all_are_answered, 1):
            self.fail(kind, left[0], f"overloaded all along, {len(left)} of them")

    def requests_once(self, kind, cases):
        """Answers those to ask again."""
        again = []
        for (data, cuts), back in player.exchange(self.address, cases):
            if OVERLOADED in back:
                again.append((data, cuts))
                continue
            expected = self.judge.predict(data)
            try:
                got = player.statuses(back)
                self.world.tells_nothing(back, "the answer", data)
                fits = len(got) == len(expected) if None not in expected else len(got) >= len(expected) - 1
                fits = fits and all(right is None or one in right for one, right in zip(got, expected))
                if not fits:
                    self.fail(kind, (data, cuts), f"{got} in place of {expected}")
            except (AssertionError, ValueError, KeyError) as error:
                got = []
                self.fail(kind, (data, cuts), str(error))
            self.note(kind, got)
        self.again += len(again)
        return again

    def pipelined(self, kind, cases, request, right):
        """Requests that leave the connection as it is: many on one."""
        line = player.Pipeline(self.address)
        cases = iter(cases)
        while batch := list(itertools.islice(cases, PIPELINE)):
            for case, (status, body) in zip(batch, line.ask([request(case) for case in batch])):
                if status == 503 and OVERLOADED in body:
                    status, body = self.asked_again(line, request(case))
                if status not in right(case):
                    self.fail(kind, case, f"{status} in place of {right(case)}: {body[:300]!r}")
                if status >= 400:
                    player.whole(status, body)
                self.world.tells_nothing(body, "the answer", case)
                self.note(kind, [status])
        line.close()

    def asked_again(self, line, data):
        """The answer of a server that has time, if it has some soon."""
        answer = 503, OVERLOADED

        def is_answered():
            nonlocal answer
            self.again += 1
            [answer] = line.ask([data])
            return answer[0] != 503 or OVERLOADED not in answer[1]
        wait_at_most(AGAIN_SECONDS, is_answered, 0.2)
        return answer

    def bodies(self, kind, cases):
        """Bodies of a task that is replaced under a condition that never holds."""
        head = (f"PUT /v1/tasks/{self.world.ann.child} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {self.world.ann.access}\r\n"
                f"{NEVER_HOLDS}Content-Length: ").encode()
        self.pipelined(kind, cases, lambda body: head + b"%d\r\n\r\n" % len(body) + body,
                       lambda body: {412 if one == 201 else one for one in json_model.statuses(body)})

    def tokens(self, kind, cases):
        """Tokens that a field can carry on one connection; the others each on its own."""
        head, tail = b"GET /v1/me HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer ", b"\r\n\r\n"
        good = {self.world.ann.access.encode(), self.reader.encode()}

        def right(token):
            plain = token.strip(b" ")
            return {200} if plain.rstrip(b" \t") in good and plain[:1] != b"\t" else {401}

        plain, broken = [], []
        for token in cases:
            (broken if generators.http_model.CONTROL.search(token) else plain).append(token)
        self.pipelined(kind, plain, lambda token: head + token + tail, right)
        self.requests(kind, ((head + token + tail + generators.PROBE, ()) for token in broken))

    def bearer(self, line):
        """A request of ann's, to which the rest of its head is added."""
        return f"{line} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {self.world.ann.access}\r\n".encode()

    def all_queries(self, share, access):
        """Queries of tasks: answered or refused, never more."""
        head, tail = self.bearer("GET /v1/tasks?QUERY").split(b"QUERY")
        self.pipelined("random queries", itertools.islice(generators.queries(self.seed), share),
                       lambda query: head + query + tail + b"\r\n", lambda query: {200, 400})

    def all_fields(self, share, access):
        """Header fields of a read, and of a write whose condition never holds."""
        task, body = self.world.ann.child, b'{"title":"x"}'
        read, write = self.bearer(f"GET /v1/tasks/{task}"), self.bearer(f"PUT /v1/tasks/{task}") + NEVER_HOLDS.encode()
        self.pipelined("random fields of a read", itertools.islice(generators.fields(self.seed), share // 2),
                       lambda lines: read + lines + b"\r\n", lambda lines: {200, 304, 400, 406, 412})
        # A second If-Match could make the condition hold.
        cases = (lines for lines in generators.fields(self.seed + 1) if b"if-match" not in lines.lower())
        self.pipelined("random fields of a write", itertools.islice(cases, share - share // 2),
                       lambda lines: write + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body, lambda lines: {400, 406, 412, 415})

    def all_cursors(self, share, access):
        """Cursors and refresh tokens that are not quite right: refused, and the session goes on."""
        ann = self.world.ann
        for path, cursor in (("/v1/tasks?limit=1&cursor=", ann.page), ("/v1/changes?cursor=", ann.feed)):
            head, tail = self.bearer("GET " + path + "CURSOR").split(b"CURSOR")
            cases = (one for one in generators.every_letter(cursor) if one != cursor.encode())
            self.pipelined(f"every letter of a cursor of {path[:11]}", some(cases, share // 3, f"{self.seed}-{path}"),
                           lambda case, head=head, tail=tail: head + case + tail + b"\r\n", lambda case: {400})
        head = b"POST /v1/auth/refresh HTTP/1.1\r\nHost: t\r\nContent-Length: "
        cases = (b'{"refresh_token":"' + one + b'"}' for one in generators.every_letter(ann.refresh) if one != ann.refresh.encode())
        self.pipelined("every letter of a refresh token", some(cases, share // 3, f"{self.seed}-refresh"),
                       lambda body: head + b"%d\r\n\r\n" % len(body) + body, lambda body: {422} if b'""' in body else {401})

    def run(self, most, only=None):
        """`most` cases: a half of them whole requests, a fifth bodies, a fifth tokens, and the rest in three."""
        access = self.world.ann.access
        shares = {"requests": most // 2, "bodies": most // 5, "tokens": most // 5, "queries": most // 30, "fields": most // 30}
        shares["cursors"] = most - sum(shares.values())
        for kind, share in shares.items():
            if only in (None, kind):
                getattr(self, "all_" + kind)(share, access)
        self.look("the end")

    def all_requests(self, share, access):
        """A part of each exhaustive kind, and the rest at random."""
        kinds = list(generators.requests(self.reader))
        for kind, cases in kinds:
            self.requests(kind, some(cases, share // len(kinds), f"{self.seed}-{kind}"))
        rest = share - sum(self.kinds.values())
        self.requests("random requests", itertools.islice(generators.random_requests(self.reader, self.seed), rest))

    def all_bodies(self, share, access):
        """The same of bodies."""
        self.bodies("every byte and cut of a body", some(generators.bodies(), share // 2, f"{self.seed}-body"))
        rest = share - self.kinds["every byte and cut of a body"]
        self.bodies("random bodies", itertools.islice(generators.random_bodies(self.seed), rest))

    def all_tokens(self, share, access):
        """The same of tokens."""
        for name, one in (("an access token", access), ("a token for scripts", self.reader)):
            self.tokens(f"every byte and cut of {name}", some(generators.tokens(one), share // 3, f"{self.seed}-{name}"))
        rest = share - sum(count for kind, count in self.kinds.items() if kind.startswith("every byte and cut of a") and "token" in kind)
        goods = [access, self.reader, self.world.ann.refresh]
        self.tokens("random tokens", itertools.islice(generators.random_tokens(goods, self.seed), rest))

    def tell(self):
        """A table."""
        for kind, count in self.kinds.items():
            print(f"    {kind:44} {count:9,}")
        print("    answers: " + ", ".join(f"{count:,} of {status}" for status, count in sorted(self.counts.items())))
        if self.again:
            print(f"    overloaded and asked again: {self.again:,}")


def some(cases, most, seed):
    """All of them, or where that is more than `most` a part that the seed picks."""
    rng, kept = random.Random(seed), []
    for number, case in enumerate(cases):
        if len(kept) < most:
            kept.append(case)
        elif (at := rng.randrange(number + 1)) < most:
            kept[at] = case
    return kept


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--only", choices=("requests", "bodies", "tokens", "queries", "fields", "cursors"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    server, began = Server(env={"ACCESS_TOKEN_TTL": "86400"}), time.monotonic()
    try:
        world = World(server)
        held, campaign = Held(server), Campaign(world, options.seed)
        campaign.run(options.cases, options.only)
        world.accounts_are_as_before()
        held.same(more=4, sanitized=True)
        log_is_clean(world)
        campaign.tell()
    finally:
        server.stop()  # fails at a report of a sanitizer
    print("\n".join(campaign.wrong))
    print(f"{time.monotonic() - began:.0f} s, memory at the end and before: {held.last >> 20} and {held.before[2] >> 20} MiB")
    print(f"{campaign.cases} cases, {len(campaign.wrong)} wrong")
    return 1 if campaign.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
