# SPDX-License-Identifier: MIT
"""Clients of one server that ends at any moment, and what must hold when it has started again: writers (writer.py), who
follows the changes of each account, and who keeps a session alive and ends others."""
import contextlib
import http.client
import random
import sqlite3
import subprocess
import threading
import time

from support import cluster, engine
from support.accounts import User
from support.changes import Follower, pages
from support.client import Client
from support.waiting import wait_until
from writer import Counts, Writer

GONE = (OSError, http.client.HTTPException)
ENDS_ONE_IN = 40  # refreshes
PATIENCE = 100  # answers of a server that has too much to do


class Patient(Client):
    """A connection that does not open itself again, and that asks again where the answer says to: `overloaded` is that
    nothing was done. Every answer is judged by other tests."""

    def __init__(self, user):
        super().__init__(user.server, user.token["access_token"], checked=False)
        self.retries = False

    def request(self, method, path, **more):  # pylint: disable=arguments-differ
        for _ in range(PATIENCE):
            answer = super().request(method, path, **more)
            if answer.status != 503 or answer.code != "overloaded":
                break
            time.sleep(random.uniform(0.01, 0.1))
        return answer


class Ledger:
    """The revisions of one user: each is given out once, and after a restart they go on growing."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = set()
        self.floor = 0

    def add(self, revision, fresh):
        """Notes one. `fresh`: given out since the last start."""
        with self.lock:
            assert revision not in self.seen, f"revision {revision} twice"
            assert not fresh or revision > self.floor, f"revision {revision} given out anew after {self.floor}"
            self.seen.add(revision)

    def crashed(self):
        """From here on new ones must be above all that were answered."""
        self.floor = max(self.seen, default=0)


class Listener:
    """Asks for the changes of an account, page by page, over all restarts."""

    def __init__(self, user, chance):
        self.follower, self.random, self.pages = Follower(Patient(user)), chance, 0

    def run(self, ended):
        """Until the server is gone. A page that did not come whole is asked for again."""
        try:
            while not ended():
                more = self.follower.read(self.random.choice([1, 3, 20, 500])).json["more"]
                self.pages += 1
                if not more:
                    time.sleep(self.random.uniform(0, 0.02))  # as a client does that has all there is
        except GONE:
            self.follower.client.close()

    def compare(self, found):
        """Holds what the list answers."""
        self.follower.follow(500)
        held = {key[1]: task for key, task in self.follower.held.items() if key[0] == "task"}
        assert held == found, [(held.get(i), found.get(i)) for i in held.keys() | found.keys() if held.get(i) != found.get(i)][:3]


class Sessions:
    """Refreshes one session over and over, and now and then ends it and begins another."""

    def __init__(self, user, chance, counts):
        self.user, self.random, self.counts, self.client = user, chance, counts, Patient(user)
        self.token, self.ending, self.ended = None, False, []
        self.begin()

    def begin(self):
        """A session of its own."""
        self.token = self.client.post("/v1/auth/login", {"email": self.user.email, "password": self.user.password},
                                      token=None).expect(200).json["refresh_token"]

    def call(self, name):
        """One call with the refresh token."""
        return self.client.post(f"/v1/auth/{name}", {"refresh_token": self.token}, token=None)

    def refresh(self):
        """The next token."""
        self.token = self.call("refresh").expect(200).json["refresh_token"]
        self.counts.verbs["refresh"] = self.counts.verbs.get("refresh", 0) + 1

    def run(self, ended):
        """Until the server is gone."""
        try:
            while not ended():
                self.refresh()
                if self.random.randrange(ENDS_ONE_IN) == 0:
                    self.end()
        except GONE:
            self.client.close()

    def end(self):
        """A logout."""
        self.ending = True
        self.call("logout").expect(204)
        self.ended.append(self.token)
        self.ending = False
        self.counts.verbs["logout"] = self.counts.verbs.get("logout", 0) + 1
        self.begin()

    def settle(self):
        """The session goes on with the token that the client has, though its successor may have been lost; one that
        was ended stays so."""
        for token in self.ended[-3:]:
            answer = self.client.post("/v1/auth/refresh", {"refresh_token": token}, token=None)
            assert answer.status == 401, f"an ended session goes on: {answer.body}"
        if self.token in self.ended:
            self.begin()  # the login was lost
        elif self.ending and self.call("refresh").status == 401:
            self.ended.append(self.token)
            self.begin()
        elif not self.ending:
            self.refresh()
        self.ending = False


class Account:
    """One user and all who share it."""

    def __init__(self, server, chance, counts):
        self.user, self.random, self.counts = User(server), chance, counts
        self.ledger, self.writers = Ledger(), []
        self.listener = Listener(self.user, random.Random(chance.random()))
        self.sessions = Sessions(self.user, random.Random(chance.random()), counts)

    def add_writer(self, number):
        """One more connection that writes."""
        chance = random.Random(self.random.random())
        self.writers.append(Writer(number, Patient(self.user), chance, self.ledger, self.counts))

    @property
    def actors(self):
        """All that do something until the server is gone."""
        return [writer.run for writer in self.writers] + [self.listener.run, self.sessions.run]

    def settle(self):
        """What must be there after a crash, and is."""
        self.user.client.close()
        self.sessions.settle()
        maybe = {}
        for writer in self.writers:
            request = writer.settle()
            if request is not None:
                maybe[request.effects[None]["title"]] = (writer, request)
        self.verify(maybe)
        for writer in self.writers:
            writer.replay()
        self.listener.compare(self.verify({}))

    def verify(self, maybe):
        """The list holds exactly what was acknowledged, and whole what may have been done; answers it."""
        awaited = {one: writer for writer in self.writers for one in writer.awaited}
        found = {task["id"]: task for task in pages(self.writers[0].client, "/v1/tasks")}
        for task_id in set(found) & set(awaited):
            awaited.pop(task_id).meet(found[task_id])
        assert not awaited, f"completed, and the next one is not there: {list(awaited)[:3]}"
        expected = {task_id: task for writer in self.writers for task_id, task in writer.tasks.items()}
        for task_id in set(found) - set(expected):
            task = found[task_id]
            assert task["title"] in maybe, f"nobody wrote this: {task}"
            writer, request = maybe.pop(task["title"])
            writer.adopt(request, task)
            expected[task_id] = task
        missing = [expected[task_id] for task_id in set(expected) - set(found)]
        assert not missing, f"acknowledged and lost: {missing[:3]}"
        assert found == expected, [(found[i], expected[i]) for i in expected if found[i] != expected[i]][:3]
        titles = [task["title"] for task in found.values() if not task["series_id"]]
        assert len(set(titles)) == len(titles), "one request, two effects"
        refused = set.union(*(writer.forbidden for writer in self.writers)) & set(titles)
        assert not refused, f"refused and visible: {refused}"
        trash = {item["task"]["id"] for item in pages(self.writers[0].client, "/v1/trash")}
        for writer in self.writers:
            writer.match_trash(trash)
        others = trash - {one for writer in self.writers for one in writer.trash}
        assert not others, f"nobody deleted these: {list(others)[:3]}"
        return found


class Store:
    """What a server wrote into, beside the server: its file, or its database."""

    def __init__(self, server):
        self.server = server

    @property
    def path(self):
        """The file."""
        return self.server.directory / "data" / "taskhold.db"

    def rows(self, sql):
        """Runs SQL that both engines know; numbers as text."""
        if engine.is_postgres():
            url, _, name = self.server.database["DATABASE_URL"].rpartition("/")
            return [tuple(line.split("|")) for line in cluster.query(url, sql, name).splitlines()]
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            return [tuple(map(str, row)) for row in database.execute(sql).fetchall()]

    def quiet(self):
        """PostgreSQL may still work at what a process left behind: waits until it has heard of its end."""
        if engine.is_postgres():
            wait_until(lambda: self.rows("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                                         "pid <> pg_backend_pid() AND backend_type = 'client backend'") == [("0",)],
                       20, "the end of the connections of a process that was killed")

    def check(self):
        """It is whole, and each change of a space has its row of the journal."""
        if not engine.is_postgres():
            assert self.rows("PRAGMA integrity_check") == [("ok",)]
            assert self.rows("PRAGMA foreign_key_check") == []
        holes = self.rows("SELECT s.owner_id, s.revision, count(j.revision), max(j.revision) FROM spaces s LEFT JOIN "
                          "journal j ON j.space_id = s.space_id GROUP BY s.space_id, s.owner_id, s.revision "
                          "HAVING count(j.revision) <> s.revision OR coalesce(max(j.revision), 0) <> s.revision")
        assert holes == [], f"revisions with gaps: {holes}"


class Run:
    """Writers, ends and restarts."""

    def __init__(self, server, seed, users, connections):
        self.server, self.random, self.counts = server, random.Random(seed), Counts()
        self.store = Store(server)
        self.accounts = [Account(server, self.random, self.counts) for _ in range(users)]
        for number in range(connections):
            self.accounts[number % users].add_writer(number)
        self.failures, self.slowest, self.threads = [], 0.0, []
        self.over = threading.Event()

    @property
    def writers(self):
        """Of all accounts."""
        return [writer for account in self.accounts for writer in account.writers]

    def _act(self, actor):
        try:
            actor(self.over.is_set)
        except AssertionError as wrong:
            self.failures.append(wrong)

    def begin(self):
        """Everybody at once."""
        self.over.clear()
        actors = [actor for account in self.accounts for actor in account.actors]
        self.threads = [threading.Thread(target=self._act, args=(actor,)) for actor in actors]
        for thread in self.threads:
            thread.start()

    def join(self):
        """The server is gone; or `over` was set."""
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[0]

    def restart(self, broken_starts=0.2):
        """Starts the server, now and then after a start that was killed too."""
        self.server.hang_up()  # who was not asking anything has a connection to nobody
        self.store.quiet()
        if self.random.random() < broken_starts:
            self.server.spawn()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.wait(self.random.uniform(0.001, 0.03))
            self.server.kill()
            self.store.quiet()
        started = time.monotonic()
        self.server.start()
        Client(self.server).get("/readyz").expect(200)
        self.slowest = max(self.slowest, time.monotonic() - started)

    def settle(self):
        """Everything that must hold after a crash."""
        for account in self.accounts:
            account.ledger.crashed()
        self.store.check()
        for account in self.accounts:
            account.settle()

    def said(self):
        """What happened up to now."""
        counts = self.counts
        return (f"{counts.acknowledged} acknowledged, {counts.refused} refused, {counts.unknown} without an answer "
                f"({counts.found} of them done), {counts.repeated} repeated, {counts.replayed} replayed, "
                f"{sum(account.listener.pages for account in self.accounts)} pages of changes, "
                f"ready after {self.slowest:.2f} s at most")
