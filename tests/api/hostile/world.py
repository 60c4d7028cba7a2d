# SPDX-License-Identifier: MIT
"""Two accounts on one server: `ann`, who asks hostile things, and `bob`, who must not notice."""
import json
import os
import pathlib
import secrets
import uuid

from support import tokens
from support.accounts import User
from support.server import SECRET
from support.waiting import wait_until

BOBS = "canary-of-bob-Zq81"  # in all that is bob's
PASSWORD = "A-pass of nobody 5518 " + BOBS
# What no answer and no line of the log may hold, whoever asked.
NEVER = (b"$argon2", SECRET.encode(), b"canary-of-bob", b"SELECT ", b"sqlite3", b"SQLITE_", b"PQexec", b"libpq", b".c:",
         b"taskhold.db", b"/tmp/", b"/src/", b"Assertion", b"AddressSanitizer")
MORE_MEMORY = 64 << 20  # what a group may leave behind in buffers of the allocator


class Person(User):
    """An account with one of everything."""

    def __init__(self, server, password, mark):
        super().__init__(server, password=password)
        self.mark = mark
        self.client.checked = False
        self.list = self.made("/v1/lists", {"name": mark})["id"]
        self.task = self.made("/v1/tasks", {"title": mark, "labels": [mark], "list_id": self.list, "metadata": {"m": mark}})["id"]
        self.child = self.made("/v1/tasks", {"title": mark, "parent_id": self.task})["id"]
        self.daily = self.made("/v1/tasks", {"title": mark, "due": "2030-12-01", "recurrence": "FREQ=DAILY"})["id"]
        self.trash = self.made("/v1/tasks", {"title": mark})["id"]
        self.client.delete(f"/v1/tasks/{self.trash}").expect(204)
        self.session = tokens.parts(self.login()["access_token"])[1]["sid"]
        script = self.script_token("tasks:read", name=mark)
        self.script, self.script_id = script["token"], script["id"]
        self.writer = self.script_token("tasks:write", name=mark)["token"]
        self.access, self.refresh = self.token["access_token"], self.token["refresh_token"]
        self.own_session = tokens.parts(self.access)[1]["sid"]
        self.page = self.client.get("/v1/tasks?limit=1").expect(200).json["next_cursor"]
        self.feed, self.revision, self.tag = self.at()
        self.sign_in = {"email": self.email, "password": password}

    def made(self, path, body):
        """Creates something; answers it."""
        return self.client.post(path, body).expect(201).json

    def at(self):
        """Where the journal ends: the cursor, the revision and the entity tag of the answer."""
        cursor = ""
        while True:
            answer = self.client.get(f"/v1/changes?limit=500{cursor}").expect(200)
            page = answer.json
            cursor = "&cursor=" + page["next_cursor"]
            if not page["more"]:
                return page["next_cursor"], page["revision"], page["tag"]

    def account(self):
        """What the account is, but for when something was last used."""
        rows = [self.client.get(path).expect(200).json["items"] for path in ("/v1/me/sessions", "/v1/me/tokens")]
        known = sorted((row["id"], row.get("name"), row.get("current")) for page in rows for row in page)
        return self.client.get("/v1/me").expect(200).json, known


class World:
    """The server, both accounts, and what was true before."""

    def __init__(self, server):
        self.server = server
        self.ann = Person(server, "Correct-horse 7 of ann", "ann's own")
        self.bob = Person(server, PASSWORD, BOBS)
        self.names = {"uuid": lambda: str(uuid.uuid4()), "key": lambda: secrets.token_hex(8)}
        self.never = NEVER + tuple(one.encode() for one in (
            PASSWORD, self.bob.access, self.bob.refresh, self.bob.script, self.bob.email, self.bob.id))
        self.look()

    def value(self, name):
        """`ann.task` and the like, of a template."""
        if name in self.names:
            return self.names[name]()
        who, member = name.split(".")
        return str(getattr(getattr(self, who), member))

    def look(self):
        """Remembers what is there."""
        self.accounts = {who: getattr(self, who).account() for who in ("ann", "bob")}
        for who in (self.ann, self.bob):
            who.feed, who.revision, who.tag = who.at()
            who.nothing_new = who.client.get(f"/v1/changes?cursor={who.feed}").expect(200).etag

    def changed(self, who):
        """How many changes of this account came since the last look; each counts once."""
        before = who.revision
        quick = who.client.get(f"/v1/changes?cursor={who.feed}", headers={"If-None-Match": who.nothing_new})
        if quick.status == 304:
            return 0
        who.feed, who.revision, who.tag = who.at()
        who.nothing_new = who.client.get(f"/v1/changes?cursor={who.feed}").expect(200).etag
        return who.revision - before

    def accounts_are_as_before(self):
        """Neither account has other sessions, tokens or members than at the last look."""
        for who, before in self.accounts.items():
            now = getattr(self, who).account()
            assert now == before, f"the account of {who} was {before} and is {now}"

    def tells_nothing(self, data, where, sent=b""):
        """None of the secrets stands in `data`, but for those that were sent (a problem names the path)."""
        found = [secret for secret in self.never if secret in data and secret not in sent]
        assert not found, f"{where} tells {found}: {data[:600]!r}"


class Held:
    """What the process holds: descriptors, threads, memory. `same` waits until no more is left than before."""

    def __init__(self, server):
        self.folder = pathlib.Path("/proc") / str(server.pid)
        self.before = self.now()
        self.last = 0

    def now(self):
        """(descriptors, threads, bytes that are resident)."""
        kinds = [self.kind(one) for one in (self.folder / "fd").iterdir()]
        memory = int((self.folder / "statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")
        return sum(kinds), len(list((self.folder / "task").iterdir())), memory

    @staticmethod
    def kind(link):
        """1 for a socket of a client: files and pipes come and go by themselves."""
        try:
            return int(os.readlink(link).startswith("socket:"))
        except OSError:
            return 0

    def same(self, more=0, sanitized=False):
        """`more`: connections that the test itself still has open."""
        wait_until(lambda: self.now()[0] <= self.before[0] + more, 30, "the descriptors come back")
        now = self.now()
        self.last = now[2]
        assert now[1] <= self.before[1], f"threads: {self.before[1]}, now {now[1]}"
        if not sanitized:
            assert now[2] <= self.before[2] + MORE_MEMORY, f"memory: {self.before[2]}, now {now[2]}"


def log_is_clean(world):
    """Every line is an object of JSON, and none tells a secret."""
    text = world.server.log_text(this_run=True)
    for line in text.splitlines():
        entry = json.loads(line)
        assert isinstance(entry, dict) and "event" in entry, line
        # The start tells where the database is, and an account's id is how the operator finds it.
        told = [one for one in world.never if one in line.encode() and one not in (b"/tmp/", b"taskhold.db", world.bob.id.encode())]
        assert not told or entry["event"] in ("starting", "listening"), f"the log tells {told}: {line}"
