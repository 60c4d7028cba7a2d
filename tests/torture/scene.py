# SPDX-License-Identifier: MIT
"""One history: accounts, their clients, those who follow, and what happens to the place meanwhile."""
import copy
import random
import socket
import threading
import time

from followers import LOST, Listener, Poller
from history import Gate, History, Recorder, Snapshot
from replay import KEEP_SECONDS, Model, Replay
from support.accounts import User
from support.client import Client
from support.server import Server
from support.waiting import wait_at_most
from world_of_many import ManyWorld, Shared


class Account:
    """One account, which several clients share."""

    def __init__(self, place, chance, clients, faults, forgets, plain):
        self.place, self.chance, self.faults = place, chance, faults
        self.user = User(place.nodes[0])
        self.history, self.gate, self.versions = History(self.user.id), Gate(), {}
        self.shared = Shared(chance, forgets, plain)
        self.worlds = []
        for number in range(clients):
            own = random.Random(chance.getrandbits(64))
            self.worlds.append(ManyWorld(Recorder(self, f"c{number}", own), own, self.shared))

    def login(self, chance):
        """The tokens of a new session."""
        node = chance.choice(self.place.nodes)
        body = {"email": self.user.email, "password": self.user.password}
        return Client(node, checked=False).post("/v1/auth/login", body).expect(200).json

    def reader(self):
        """A connection to one of the nodes, with a session that nobody ends."""
        return Client(self.chance.choice(self.place.nodes), self.user.token["access_token"], checked=False)


class Asker(threading.Thread):
    """Asks GET /v1/changes, and notes what it holds whenever it is told that this is all."""

    def __init__(self, account, number):
        super().__init__(daemon=True)
        self.account, self.number, self.ended = account, number, threading.Event()
        self.chance = random.Random(account.chance.getrandbits(64))
        self.poller, self.last = Poller(account.reader(), self.chance), 0

    def run(self):
        more = False
        while not self.ended.wait(self.pause(more)):
            try:
                more = self.read()
            except LOST:
                self.poller.follower.client.close()
            except Exception as problem:  # pylint: disable=broad-except
                self.account.history.complain(f"who asks: {problem!r}")
                return

    def pause(self, more):
        """Seconds until the next page. `more`: there is one."""
        del more
        return self.chance.uniform(0, 0.03)

    def read(self):
        """One page; is there more?"""
        start, before = time.monotonic(), self.poller.begun_again
        more = self.poller.read()
        end = time.monotonic()
        if self.poller.begun_again > before:
            self.account.history.forgotten.append((self.last, end))
            return True
        follower = self.poller.follower
        if not more and (follower.revision > self.last or self.chance.random() < 0.05):
            assert follower.revision >= self.last, f"revision {follower.revision} after {self.last}"
            self.last = follower.revision
            self.account.history.snapshots.append(
                Snapshot(f"who asks ({self.number})", follower.revision, start, end, dict(follower.held)))
        return more


class SeldomAsker(Asker):
    """Asks so seldom that what it last saw has been forgotten at times."""

    def pause(self, more):
        return 0 if more else self.chance.choice([1, KEEP_SECONDS + 15])


class Hearer(Listener):
    """Holds the stream, reads it slowly at times, and notes what it holds at each `ready`."""

    def __init__(self, account, number):
        self.account, self.number, self.upto = account, number, 0
        own = random.Random(account.chance.getrandbits(64))
        self.slow = own.random() < 0.5
        super().__init__(own.choice(account.place.nodes), account.reader(), own)

    def walk(self):
        super().walk()
        self.upto = self.follower.revision

    def hear(self, stream):
        if self.slow:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().hear(Noting(self, stream))

    def note(self, event, start):
        """One event that was applied, or is about to be."""
        if event.name == "change":
            revision = event.json["revision"]
            assert revision > self.upto, f"revision {revision} after {self.upto}"
            self.upto = revision
        if event.name == "ready":
            self.account.history.snapshots.append(
                Snapshot(f"who listens ({self.number})", self.upto, start, time.monotonic(), dict(self.follower.held)))
        if self.slow:
            self.ended.wait(self.chance.uniform(0, 0.02))


class Noting:
    """A stream whose events are looked at as they pass."""

    def __init__(self, hearer, stream):
        self.hearer, self.stream, self.opened = hearer, stream, hearer.opening

    def event(self, seconds):
        """The next one. What was certain when the stream began is in what it tells."""
        event = self.stream.event(seconds)
        if event is not None:
            self.hearer.note(event, self.opened)
        return event


class Scene:
    """A place with accounts. `trouble` is called by one of the threads now and then. `forgets`: the place deletes what is
    old, and the clients take their time. `plain`: four clients, who like all calls."""

    PAUSE = 3.0

    def __init__(self, place, seed, trouble=None, forgets=False, plain=False):
        self.place, self.chance, self.trouble, self.forgets = place, random.Random(seed), trouble, forgets
        self.accounts = [Account(place, random.Random(self.chance.getrandbits(64)), 4 if plain else self.chance.choice([2, 4, 6]),
                                 trouble is not None, forgets, plain) for _ in range(2)]
        kinds = (Asker, Hearer, SeldomAsker) if forgets else (Asker, Hearer)
        self.followers = [kind(account, number) for account in self.accounts for number, kind in enumerate(kinds)]

    def run(self, steps):
        """All clients make so many calls."""
        threads = [threading.Thread(target=self.work, args=(account, world, steps), daemon=True)
                   for account in self.accounts for world in account.worlds]
        for one in self.followers:
            if isinstance(one, Asker):
                one.start()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(self.chance.uniform(0.2, 1.0) if self.trouble else 60)
            for thread in threads[1:] if not self.trouble else ():
                thread.join()
            if self.trouble and any(thread.is_alive() for thread in threads):
                self.trouble(self.place)
                self.read_journals()
        self.finish()

    def read_journals(self):
        """What has come since. Nothing is forgotten between two looks."""
        for account in self.accounts:
            account.history.journal += self.place.rows(account.user.id, len(account.history.journal))

    def work(self, account, world, steps):
        """One client."""
        pause = threading.Event()
        try:
            for _ in range(steps):
                world.step()
                pause.wait(world.chance.uniform(0, self.PAUSE) if self.forgets else 0)
        except Exception as problem:  # pylint: disable=broad-except
            account.history.complain(f"{world.client.name}: {problem!r}")

    def finish(self):
        """Those who follow come to the end, and the journal is read."""
        self.read_journals()
        for one in self.followers:
            account = one.account
            last = len(account.history.journal)
            begun = time.monotonic()
            try:
                if isinstance(one, Asker):
                    one.ended.set()
                    one.join(30)
                    one.poller.finish()
                    account.history.snapshots.append(Snapshot("who asks, at last", one.poller.follower.revision, begun,
                                                              time.monotonic(), dict(one.poller.held)))
                else:
                    wait_at_most(15, lambda: (one.ready and one.upto == last) or one.failure, 0.002)
                    if one.failure or one.upto != last:
                        account.history.complain(f"who listens: {one.failure!r}, at revision {one.upto} of {last}")
            except AssertionError as problem:
                account.history.complain(f"who follows: {problem!r}")

    def close(self):
        """Everybody leaves."""
        for one in self.followers:
            one.ended.set()
            if isinstance(one, Hearer):
                one.close()


class Judge:
    """A server for the model: SQLite, whatever the history was made on."""

    def __init__(self):
        self.server = Server({"DATABASE_URL": "sqlite:data/taskhold.db", "THREADS": "1", "LOG_LEVEL": "warn",
                              "ACCESS_TOKEN_TTL": "86400"})

    def replay(self, history):
        """A history against a new account; what is wrong, and how much was looked at."""
        replay = Replay(copy.copy(history), Model(self.server, User(self.server)))
        return replay.run(), replay.counts

    def close(self):
        """Ends it."""
        self.server.stop()
