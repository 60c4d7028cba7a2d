# SPDX-License-Identifier: MIT
"""Histories of sessions: many devices of one account log in, use and refresh their tokens, log out, end one another's
sessions and change the password, on all nodes at once. What they were told is held against what a session is:

* a token is taken until its session is ended, and never after: at once on the node that ended it, 2 s later elsewhere;
* a session has one chain of refresh tokens: whoever refreshes, also with an older token that was superseded less than
  GRACE_SECONDS ago, has the newest one, and none that is older than one that was handed out before. One that was
  superseded longer ago ends the session;
* the list of sessions has all those that are there, and none that has ended."""
import base64
import random
import threading
import time
from dataclasses import dataclass, replace

from history import LOST
from support.accounts import User
from support.client import Client
from support.tokens import parts
from support.waiting import wait_until

ELSEWHERE_SECONDS = 2.0
GRACE_SECONDS = 5
SETTINGS = {"REFRESH_GRACE_SECONDS": str(GRACE_SECONDS)}
LATER = 503
PASSWORDS = ["Correct-horse 7 battery", "Another-horse 8 battery", "Third-horse 9 battery"]


def counter_of(refresh_token):
    """How many tokens came before it: session, counter and MAC stand one after another."""
    return int.from_bytes(base64.urlsafe_b64decode(refresh_token + "=" * (-len(refresh_token) % 4))[16:24], "big")


@dataclass
class Event:
    """One call and what it was answered. `session`: which it was about; `by`: whose token was sent."""

    what: str
    session: str | None
    by: str | None
    node: int
    start: float
    end: float
    status: int
    detail: object = None


class Devices:
    """One account with many devices. `events` is all that happened."""

    def __init__(self, place, seed, count=5):
        self.place, self.random = place, random.Random(seed)
        self.user = User(place.nodes[0])
        self.lock, self.events, self.wrong = threading.Lock(), [], []
        self.known = {}  # session -> its tokens, all that were handed out
        self.passwords = [PASSWORDS[0]]
        self.threads = [threading.Thread(target=self.guard, args=(random.Random(self.random.getrandbits(64)),), daemon=True)
                        for _ in range(count)]

    def run(self, steps):
        """Each device makes so many calls; then everybody looks at what is left."""
        self.steps = steps
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        self.look_again()
        return self

    def guard(self, chance):
        """One device."""
        lines = {}
        try:
            for _ in range(self.steps):
                self.step(chance, lines)
        except Exception as problem:  # pylint: disable=broad-except
            self.wrong.append(repr(problem))

    def step(self, chance, lines):
        """One call."""
        if len(self.known) < 3:
            self.log_in(chance, lines)
            return
        chance.choices([self.use, self.refresh, self.log_in, self.log_out, self.end, self.list, self.end_others, self.change_password],
                       [10, 6, 2, 1, 1, 2, 0.3, 0.2])[0](chance, lines)

    def ask(self, chance, lines, what, session, token, call, detail=None, node=None):
        """Makes the call at one of the nodes and notes it; answers the answer."""
        number = chance.randrange(len(self.place.nodes)) if node is None else node
        line = lines.setdefault(number, Client(self.place.nodes[number], checked=False))
        line.token, line.retries = token, False
        start = time.monotonic()
        try:
            answer = line.request(*call[:2], **({"json": call[2]} if len(call) > 2 else {}))
            status = answer.status
        except LOST:
            line.close()
            answer, status = None, 0
        by = parts(token)[1]["sid"] if token else None
        event = Event(what, session, by, number, start, time.monotonic(), status, detail)
        if status == 200 and what in ("log in", "refresh"):
            event.detail = (detail, counter_of(answer.json["refresh_token"]))
            event.session = parts(answer.json["access_token"])[1]["sid"]
        elif status == 200 and what == "list":
            event.detail = {row["id"] for row in answer.json["items"]}
        with self.lock:
            self.events.append(event)
            if status == 200 and what in ("log in", "refresh"):
                self.known.setdefault(event.session, []).append(answer.json)
        return answer

    def some(self, chance):
        """A session, and any of its tokens; mostly one of the last."""
        with self.lock:
            session = chance.choice(list(self.known)[-8:])
            return session, chance.choice(self.known[session][-4:])

    # ---- calls ----

    def log_in(self, chance, lines):
        """A new session."""
        with self.lock:
            password = self.passwords[-1]
        self.ask(chance, lines, "log in", None, None,
                 ("POST", "/v1/auth/login", {"email": self.user.email, "password": password}), password)

    def use(self, chance, lines):
        """An access token."""
        session, token = self.some(chance)
        self.ask(chance, lines, "use", session, token["access_token"], ("GET", "/v1/tasks?limit=1"))

    def refresh(self, chance, lines):
        """With any refresh token."""
        session, token = self.some(chance)
        self.ask(chance, lines, "refresh", session, None, ("POST", "/v1/auth/refresh", {"refresh_token": token["refresh_token"]}),
                 counter_of(token["refresh_token"]))

    def log_out(self, chance, lines):
        """With either token."""
        session, token = self.some(chance)
        if chance.random() < 0.5:
            self.ask(chance, lines, "end", session, token["access_token"], ("POST", "/v1/auth/logout"))
        else:
            self.ask(chance, lines, "end", session, None, ("POST", "/v1/auth/logout", {"refresh_token": token["refresh_token"]}))

    def end(self, chance, lines):
        """Another's session, by its id."""
        session, _ = self.some(chance)
        _, token = self.some(chance)
        self.ask(chance, lines, "end", session, token["access_token"], ("DELETE", f"/v1/me/sessions/{session}"))

    def list(self, chance, lines):
        """All of them."""
        session, token = self.some(chance)
        self.ask(chance, lines, "list", session, token["access_token"], ("GET", "/v1/me/sessions"))

    def end_others(self, chance, lines):
        """All but one."""
        session, token = self.some(chance)
        self.ask(chance, lines, "end others", session, token["access_token"], ("DELETE", "/v1/me/sessions"))

    def change_password(self, chance, lines):
        """Which ends all others too. One at a time, so that the next login knows it."""
        session, token = self.some(chance)
        with self.lock:
            old = self.passwords[-1]
            new = PASSWORDS[(PASSWORDS.index(old) + 1) % len(PASSWORDS)]
            self.passwords.append(old)  # nobody else begins one with the same
        body = {"current_password": old, "new_password": new}
        answer = self.ask(chance, lines, "end others", session, token["access_token"], ("PUT", "/v1/me/password", body))
        with self.lock:
            self.passwords.append(new if answer is not None and answer.status == 204 else old)

    def look_again(self):
        """Every token that was handed out, at every node, when 2 s have passed."""
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + ELSEWHERE_SECONDS, 10, "2 s")
        lines, chance = {}, random.Random(1)
        for session, tokens in list(self.known.items()):
            for node in range(len(self.place.nodes)):
                self.ask(chance, lines, "use", session, tokens[-1]["access_token"], ("GET", "/v1/tasks?limit=1"), None, node)
        self.end_nothing(chance, lines)

    def end_nothing(self, chance, lines):
        """The list, as whoever is left sees it."""
        for tokens in list(self.known.values()):
            answer = self.ask(chance, lines, "list", None, tokens[-1]["access_token"], ("GET", "/v1/me/sessions"))
            if answer is not None and answer.status == 200:
                return


# ---- judging ----

class Lives:
    """When each session began and may or must have ended, by what was told."""

    def __init__(self, events):
        self.events = events
        self.begun, self.ends, self.given = {}, [], {}
        for event in sorted(events, key=lambda one: one.start):
            if event.what in ("log in", "refresh") and event.status == 200:
                self.given.setdefault((event.session, event.detail[1]), event)
            if event.what == "log in" and event.status == 200:
                self.begun[event.session] = event
            elif event.what in ("end", "end others") and event.status in (204, 0, LATER):
                self.ends.append(event)
        self.ends += [self.replay_of(event) for event in events if self.is_late_replay(event)]

    def is_late_replay(self, event):
        """Can a refresh have ended the session, because its token was superseded too long ago?"""
        if event.what != "refresh" or event.status not in (401, 0, LATER):
            return False
        sent = event.detail
        since = self.given.get((event.session, sent + 1))
        later = [one for (session, given), one in self.given.items() if session == event.session and given > sent]
        first = since or (min(later, key=lambda one: one.start) if later else None)
        return first is not None and event.end - first.start >= GRACE_SECONDS

    @staticmethod
    def replay_of(event):
        """It as a call that may have ended the session."""
        return replace(event, what="end", status=0)

    def ended_by(self, session):
        """The calls that may have ended it."""
        for one in self.ends:
            begun = self.begun[session]
            if one.what == "end" and one.session == session or \
                    one.what == "end others" and one.by != session and begun.start < one.end:
                yield one

    def must_have_ended(self, session, moment, node):
        """Is it over for a call to that node that begins then? `node` None: for the database."""
        for one in self.ended_by(session):
            late = 0 if node in (None, one.node) else ELSEWHERE_SECONDS
            whole = one.what == "end" or self.begun[session].end < one.start
            if one.status == 204 and whole and one.end + late < moment:
                return one
        return None

    def may_have_ended(self, session, moment):
        """Can it be over for a call that ends then?"""
        return any(one.start < moment for one in self.ended_by(session))


def judge_use(lives, event, wrong):
    """Of a call with an access token."""
    session = event.by
    if event.status == 401 and not lives.may_have_ended(session, event.end):
        wrong.append(f"refused, and nobody ended its session: {event}")
    if 200 <= event.status < 300 and (end := lives.must_have_ended(session, event.start, event.node)):
        wrong.append(f"taken, though its session had ended: {event}, {end}")


def judge_list(lives, event, wrong):
    """All that are there, and no other."""
    for session, begun in lives.begun.items():
        if session in event.detail and (end := lives.must_have_ended(session, event.start, None)):
            wrong.append(f"listed, though it had ended: {session}, {event}, {end}")
        if session not in event.detail and begun.end < event.start and not lives.may_have_ended(session, event.end):
            wrong.append(f"not listed, though it is there: {session}, {event}")


def judge_refreshes(lives, wrong):
    """One chain for each session."""
    told = {}
    for event in sorted(lives.events, key=lambda one: one.start):
        if event.what not in ("log in", "refresh"):
            continue
        if event.status == 401 and event.what == "refresh" and not lives.may_have_ended(event.session, event.end):
            wrong.append(f"no new tokens, and nobody ended the session: {event}")
        if event.status != 200:
            continue
        sent, given = event.detail
        if event.what == "refresh":
            before = [one for one in told[event.session] if one.end < event.start]
            newest = max((one.detail[1] for one in before), default=0)
            if given < newest or given <= sent:
                wrong.append(f"handed out {given} when {newest} had been handed out: {event}")
            if end := lives.must_have_ended(event.session, event.start, None):
                wrong.append(f"refreshed, though it had ended: {event}, {end}")
        told.setdefault(event.session, []).append(event)
    for session, events in told.items():
        made = {one.detail[1] for one in events}
        if max(made) - min(made) > len(events) - 1:
            wrong.append(f"more tokens than refreshes: {session}, {sorted(made)}")


def judge(devices):
    """What is wrong with it."""
    wrong, lives = list(devices.wrong), Lives(devices.events)
    for event in devices.events:
        if event.status not in (200, 204, 401, 404, 403, 0, LATER):
            wrong.append(f"unexpected: {event}")
        if event.by and event.by in lives.begun:
            judge_use(lives, event, wrong)
        if event.what == "list" and event.status == 200:
            judge_list(lives, event, wrong)
    judge_refreshes(lives, wrong)
    return wrong
