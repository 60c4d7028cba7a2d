# SPDX-License-Identifier: MIT
"""The generated requests: one seed makes one list of them, the same for both servers.

A step does not see answers; what it needs of one it names: `«task 3»` is the id that the server gave the third
task."""
import collections
import json
import random
import uuid
from urllib.parse import quote

import texts
from compare import NOWHERE

USERS = 6
PASSWORD = "Correct-horse 7 battery"
STATUSES = ["pending", "in-progress", "completed"]
SORTS = [sign + name for name in ("created_at", "updated_at", "title", "status") for sign in ("", "-")]
WRONG_PASSWORDS = 6  # a user: fewer than the quota of failures
LAST = 2 + 2 * USERS  # steps of late_replay
MERGE_PATCH = "application/merge-patch+json"

Step = collections.namedtuple("Step", "method path body fields saves")


def member(name):
    """Finds a member of a JSON answer that went well."""
    def find(answer):
        return json.loads(answer.body).get(name) if answer.status < 300 and answer.body else None
    return find


def field(name):
    """Finds a header field."""
    return lambda answer: answer.field(name)


def first_session(answer):
    """Finds the id of the newest session in a list."""
    return json.loads(answer.body)["items"][0]["id"] if answer.status == 200 else None


class User:
    """What the plan knows of one account."""

    def __init__(self, number):
        self.number = number
        self.email = texts.EMAIL if number == 0 else f"user{number}.Ii@Example.com"
        self.password = PASSWORD
        self.sessions = 0  # the newest one is never ended at random
        self.wrong = 0
        self.tasks = []
        self.keys = []
        self.cursors = 0
        self.address = f"192.0.2.{number + 1}"


class Plan:
    """`steps` is the whole list; `ours` the ids that a client made."""

    def __init__(self, seed, length):
        self.random = random.Random(seed)
        self.steps = []
        self.ours = {NOWHERE, *(name for name in texts.BAD_IDS if len(name) == 36)}
        self.tasks = self.logins = self.lists = 0
        self.users = [User(number) for number in range(USERS)]
        for user in self.users:
            self.enter(user)
        self.fixed_part()
        while len(self.steps) < length:
            kinds, weights = zip(*KINDS)
            self.random.choices(kinds, weights)[0](self, self.random.choice(self.users))
        del self.steps[length - LAST:]
        self.late_replay()

    # ---- one request ----

    def add(self, method, path, body=None, user=None, fields=None, saves=(), token=None):
        """Adds a step; `body`: bytes and text as they are, anything else as JSON. None as a field leaves it out."""
        sent = {}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=self.random.random() < 0.5)
        if body is not None:
            sent["Content-Type"] = "application/json"
        if user is not None:
            sent["Authorization"] = f"Bearer «{token or f'access {user.number}'}»"
        if path.startswith("/v1/auth"):
            sent["X-Forwarded-For"] = self.address()
        sent.update(fields or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        self.steps.append(Step(method, path, body, sent, tuple(saves)))

    def address(self):
        """Whom a quota of addresses counts: a new one each time."""
        return f"198.18.{len(self.steps) // 250}.{len(self.steps) % 250 + 1}"

    def one_of(self, *choices):
        """Any of them."""
        return self.random.choice(choices)

    def chance(self, share):
        """True in this share of the cases."""
        return self.random.random() < share

    def title(self):
        """A title; many are equal, so that ids decide."""
        text = self.random.choice(texts.ORDERED)
        return text if self.chance(0.6) else f"{text}{self.random.choice(texts.ORDERED)}"

    def path(self, user, lost=0.1):
        """A task of this user's; sometimes another's, or none."""
        if user.tasks and not self.chance(lost):
            return f"/v1/tasks/{self.random.choice(user.tasks)}"
        other = self.random.choice(self.users)
        return f"/v1/tasks/{self.random.choice(other.tasks) if other.tasks and self.chance(0.5) else NOWHERE}"

    def task(self):
        """A whole task."""
        body = {"title": self.title()}
        if self.chance(0.5):
            body["description"] = self.random.choice(texts.DESCRIPTIONS)
        if self.chance(0.5):
            body["status"] = self.random.choice(STATUSES)
        return body

    # ---- what happens once ----

    def enter(self, user):
        """Registers, logs in and makes the first tasks."""
        self.add("POST", "/v1/auth/register", {"email": user.email, "password": PASSWORD, "name": self.name()},
                 saves=[(f"user {user.number}", member("id"))], fields={"X-Forwarded-For": user.address})
        self.login(user, email=user.email)
        for _ in range(12):
            self.create(user)

    def fixed_part(self):
        """What must not be left to chance."""
        first = self.users[0]
        for sort in SORTS:
            self.walk(first, f"sort={sort}&limit=3", 4)
        for email in texts.SAME_EMAILS + texts.OTHER_EMAILS:
            self.add("POST", "/v1/auth/register", {"email": email, "password": PASSWORD})
        for email in texts.SAME_EMAILS + texts.OTHER_EMAILS:
            self.add("POST", "/v1/auth/login", {"email": email, "password": PASSWORD})
        for name, text in texts.LIMITS:
            self.add("POST", "/v1/tasks", {"title": "limit", name: text}, first)
        for body in texts.RAW_BODIES + texts.ODD_BODIES:
            self.add("POST", "/v1/tasks", body, first)
        for query in texts.QUERIES:
            self.add("GET", f"/v1/tasks?{query}", user=first)
        for task in texts.BAD_IDS:
            self.add(self.one_of("GET", "DELETE"), f"/v1/tasks/{task}", user=first)
        for method, fields in (("BREW", {}), ("DELETE", {}), ("GET", {"Accept": "text/html"}), ("GET", {"Expect": "x"}),
                               ("POST", {"Content-Length": "300000"}), ("GET", {"If-None-Match": "*"})):
            self.add(method, "/v1/tasks", user=first, fields=fields)
        self.add("GET", "/v1/tasks?cursor=" + "A" * 9000, user=first)
        self.add("POST", "/v1/tasks", {"title": "x"}, first, fields={"Content-Type": "text/plain"})
        self.add("PATCH", self.path(first, 0), {"title": "x"}, first, fields={"If-Match": '"0"'})
        self.late_replay_begins()
        self.close_account()
        self.too_many_failures()

    def walk(self, user, query, pages):
        """Some pages, one after the other, by the cursor of the page before."""
        self.lists += 1
        name = f"cursor of {self.lists}"
        self.add("GET", f"/v1/tasks?{query}", user=user, saves=[(name, member("next_cursor"))])
        for _ in range(pages - 1):
            self.add("GET", f"/v1/tasks?{query}&cursor=«{name}»", user=user, saves=[(name, member("next_cursor"))])

    def late_replay_begins(self):
        """A refresh token is used. It comes again at the very end, when that is theft: see late_replay."""
        user = User(52)
        self.enter(user)
        self.add("POST", "/v1/auth/refresh", '{"refresh_token":"«refresh 52»"}')

    def late_replay(self):
        """LAST steps. The whole session ends: what its newer tokens could do is over too."""
        self.add("POST", "/v1/auth/refresh", '{"refresh_token":"«refresh 52»"}')
        self.add("GET", "/v1/me", user=User(52))
        for user in self.users:
            self.add("GET", "/v1/me/sessions", user=user)
            self.add("GET", "/v1/me/export", user=user)

    def close_account(self):
        """An account that ends: its session and its tasks are gone and its address is free again."""
        user = User(50)
        self.enter(user)
        self.add("POST", "/v1/me/deletion", {"password": "wrong " + PASSWORD}, user)
        self.add("POST", "/v1/me/deletion", {"password": PASSWORD}, user)
        for method, path in (("GET", "/v1/me"), ("GET", "/v1/tasks"), ("POST", "/v1/me/deletion")):
            self.add(method, path, {"password": PASSWORD} if method == "POST" else None, user)
        self.add("POST", "/v1/auth/login", {"email": user.email, "password": PASSWORD})
        self.enter(User(50))

    def too_many_failures(self):
        """Wrong passwords until there is an end to it."""
        user = User(51)
        self.add("POST", "/v1/auth/register", {"email": user.email, "password": PASSWORD})
        for number in range(12):
            self.add("POST", "/v1/auth/login", {"email": self.one_of(user.email, user.email.upper()),
                                                "password": f"wrong {number} {PASSWORD}"})
        self.add("POST", "/v1/auth/login", {"email": user.email, "password": PASSWORD})

    # ---- tasks ----

    def create(self, user):
        """POST, or PUT under an id of the client's."""
        self.tasks += 1
        name = f"task {self.tasks}"
        if self.chance(0.7):
            user.tasks.append(f"«{name}»")
            self.add("POST", "/v1/tasks", self.task(), user, saves=[(name, member("id"))], fields=self.some_fields())
            return
        # Before all ids that servers make now or after them: the order does not hang on the time of the run.
        made = self.one_of("00000000", "ffffffff") + str(uuid.UUID(int=self.random.getrandbits(128)))[8:]
        self.ours.add(made)
        user.tasks.append(made)
        fields = {"If-None-Match": "*"} if self.chance(0.3) else {}
        self.add("PUT", f"/v1/tasks/{made}", self.task(), user, fields=fields)

    def some_fields(self):
        """Header fields that change little."""
        return self.one_of({}, {}, {}, {"X-Request-Id": f"same-{len(self.steps)}"}, {"X-Request-Id": "not valid !"},
                           {"Content-Type": None}, {"Content-Type": "application/json; charset=UTF-8"},
                           {"Accept": "application/json"}, {"Accept": "*/*;q=0.1"})

    def replace(self, user):
        """PUT on a task that is mostly there."""
        self.add("PUT", self.path(user), self.task(), user)

    def patch(self, user):
        """A merge patch, with null and with nothing."""
        body = {}
        for name, value in (("title", self.title()), ("description", self.random.choice(texts.DESCRIPTIONS)),
                            ("status", self.random.choice(STATUSES))):
            if self.chance(0.4):
                body[name] = value
        if self.chance(0.1):
            body[self.one_of("title", "status", "description")] = None
        self.add("PATCH", self.path(user), body, user,
                 fields={"Content-Type": self.one_of("application/json", MERGE_PATCH, MERGE_PATCH, "text/plain")
                         if self.chance(0.5) else MERGE_PATCH})

    def delete(self, user):
        """Sometimes twice; then perhaps made again under the same id."""
        path = self.path(user)
        self.add("DELETE", path, user=user)
        if self.chance(0.4):
            self.add("DELETE", path, user=user)
        if self.chance(0.3):
            self.add("PUT", path, self.task(), user)

    def read(self, user):
        """One task."""
        self.add(self.one_of("GET", "GET", "GET", "HEAD"), self.path(user), user=user, fields=self.some_fields())

    def query(self, short=False):
        """A good query; `short`: of pages that more come after."""
        parts = []
        if self.chance(0.8):
            parts.append(f"sort={self.random.choice(SORTS)}")
        if self.chance(0.4):
            chosen = self.random.sample(STATUSES, self.random.randint(1, 3))
            parts.append("status=" + quote(",".join(chosen), safe=self.one_of("", ",")))
        if short or self.chance(0.7):
            parts.append(f"limit={self.one_of(1, 2, 3) if short else self.one_of(1, 2, 3, 5, 10, 50, 100)}")
        if self.chance(0.4):
            parts.append("include=total")
        self.random.shuffle(parts)
        return "&".join(parts)

    def list(self, user):
        """A page, or some; now and then with a cursor where it does not belong."""
        pages = self.one_of(1, 1, 1, 3, 4)
        self.walk(user, self.query(pages > 1), pages)
        if self.chance(0.15):
            other = self.random.choice(self.users)
            self.add("GET", f"/v1/tasks?{self.query()}&cursor=«cursor of {self.lists}»".replace("?&", "?"), user=other)

    def list_again(self, user):
        """A list that has not changed, or has."""
        path = f"/v1/tasks?{self.query()}".rstrip("?")
        self.add("GET", path, user=user, saves=[("list tag", field("ETag"))])
        if self.chance(0.5):
            self.add("PATCH", self.path(user, 0), {"status": self.random.choice(STATUSES)}, user)
        self.add(self.one_of("GET", "HEAD"), path, user=user, fields={"If-None-Match": "«list tag»"})

    def conditional(self, user):
        """A read and a write that hang on a tag, one that holds or one that does not."""
        path = self.path(user, 0.05)
        self.add("GET", path, user=user, saves=[("tag", field("ETag"))])
        form = self.one_of("«tag»", "«tag»", "W/«tag»", '"0", «tag»', "*", '"0"', '"x"', "0", '"', "", ",,«tag»",
                           '"99999999999999999999"')
        method = self.one_of("GET", "HEAD", "PATCH", "PUT", "DELETE")
        name = "If-None-Match" if method in ("GET", "HEAD") or self.chance(0.15) else "If-Match"
        body = self.task() if method == "PUT" else {"title": self.title()} if method == "PATCH" else None
        self.add(method, path, body, user, fields={name: form})
        if self.chance(0.3):
            self.add(method, path, body, user, fields={name: form})

    def idempotent(self, user):
        """A write with a key; then again, changed, by somebody else, or after the task has changed."""
        key = self.one_of(f"key-{len(self.steps)}", f'"key-{len(self.steps)}"')
        if self.chance(0.2):
            key = self.one_of("K" * 255, "k" * 256, "", "a b", "ü".encode().decode("latin-1"), '"', "'; --")
        if user.keys and self.chance(0.3):
            key = self.random.choice(user.keys)
        user.keys.append(key)
        method = self.one_of("POST", "POST", "PUT", "PATCH", "DELETE")
        path = "/v1/tasks" if method == "POST" else self.path(user)
        body = None if method == "DELETE" else json.dumps(self.task())
        fields = {"Idempotency-Key": key}
        self.add(method, path, body, user, fields=fields)
        if self.chance(0.3) and method != "POST":
            self.add("PATCH", path, {"title": self.title()}, user)
        for _ in range(self.one_of(1, 1, 2)):
            self.add(method, path, body, user, fields=fields)
        if body and self.chance(0.4):  # the same members with the same values, written otherwise
            again = json.dumps(dict(reversed(json.loads(body).items())), indent=1, ensure_ascii=False)
            self.add(method, path, again, user, fields=fields)
        if self.chance(0.4):
            self.add(method, path, None if body is None else json.dumps(self.task()), user, fields=fields)
        if self.chance(0.4):
            self.add(method, path, body, self.random.choice(self.users), fields=fields)

    def invalid(self, user):
        """Members that are wrong in one way or in several."""
        body = self.task()
        for name in self.random.sample(["title", "description", "status", "id", "completed_at", "Title", ""],
                                       self.one_of(1, 1, 2, 4)):
            body[name] = self.random.choice(texts.WRONG_TYPES + texts.REFUSED_TITLES)
        if self.chance(0.2):
            del body["title"]
        method, path = self.one_of(("POST", "/v1/tasks"), ("PUT", self.path(user)), ("PATCH", self.path(user)))
        self.add(method, path, body, user)

    def unreadable(self, user):
        """A body that is no JSON object, a query that is none of ours, an id that is none."""
        kind = self.random.randrange(3)
        if kind == 0:
            method, path = self.one_of(("POST", "/v1/tasks"), ("PUT", self.path(user)), ("PATCH", "/v1/me"),
                                       ("POST", "/v1/auth/login"), ("POST", "/v1/auth/refresh"),
                                       ("PUT", "/v1/me/password"))
            self.add(method, path, self.random.choice(texts.RAW_BODIES), user)
        elif kind == 1:
            self.add("GET", f"/v1/tasks?{self.random.choice(texts.QUERIES)}", user=user)
        else:
            self.add(self.one_of("GET", "PUT", "PATCH", "DELETE"),
                     self.one_of("/v1/tasks/", "/v1/me/sessions/") + self.random.choice(texts.BAD_IDS),
                     self.one_of(None, {"title": "x"}), user)

    # ---- accounts and sessions ----

    def name(self):
        """The name of a person."""
        return self.one_of(None, "Ada", "İnci Işık", "ﬁ", "  spaces  ", "\U0001f404" * 100, "שלום", "O'Neil")

    def login(self, user, email=None):
        """A new session, which the user's later requests belong to."""
        user.sessions += 1
        email = email or self.one_of(user.email, user.email.upper(), user.email.lower())
        agent = self.one_of("same/1.0", "ünï/1".encode().decode("latin-1"), "x" * 300, "", None)
        self.add("POST", "/v1/auth/login", {"email": email, "password": user.password},
                 fields={"User-Agent": agent, "X-Forwarded-For": user.address},
                 saves=[(f"access {user.number}", member("access_token")),
                        (f"refresh {user.number}", member("refresh_token"))])

    def refresh(self, user):
        """Trades a token in, now and then one that was used a moment ago, or one that is none."""
        now = f"refresh {user.number}"
        self.add("POST", "/v1/auth/refresh", '{"refresh_token":"%s"}' % f"«{now}»",
                 saves=[(f"access {user.number}", member("access_token")),
                        (f"next {user.number}", member("refresh_token"))])
        if self.chance(0.5):
            self.add("POST", "/v1/auth/refresh", '{"refresh_token":"%s"}' % f"«{now}»")
        self.add("POST", "/v1/auth/refresh", '{"refresh_token":"%s"}' % f"«next {user.number}»",
                 saves=[(now, member("refresh_token")), (f"access {user.number}", member("access_token"))])
        if self.chance(0.3):
            bad = self.one_of("x", "«%s»A" % now, "«%s»=" % now, f"«access {user.number}»", "A" * 75, "")
            self.add("POST", "/v1/auth/refresh", '{"refresh_token":"%s"}' % bad)

    def sessions(self, user):
        """The list, one more, and the end of one."""
        kind = self.random.randrange(6)
        if kind == 0:
            self.add("GET", "/v1/me/sessions", user=user)
        elif kind == 1:
            self.login(user)
            self.add("GET", "/v1/me/sessions", user=user, saves=[("session", first_session)])
            self.add("DELETE", "/v1/me/sessions/«session»", user=self.random.choice(self.users))
            self.add("GET", "/v1/me/sessions", user=user)
            self.login(user)
        elif kind == 2:
            self.add("POST", "/v1/auth/logout", user=user)
            self.add("GET", "/v1/tasks?limit=1", user=user)
            self.add("POST", "/v1/auth/refresh", f'{{"refresh_token":"«refresh {user.number}»"}}')
            self.login(user)
        elif kind == 3:
            body = f'{{"refresh_token":"«refresh {user.number}»"}}'
            self.add("POST", "/v1/auth/logout", body, user=user)  # beside a good access token
            self.add("POST", "/v1/auth/logout", body)
            self.add("POST", "/v1/auth/logout", body)
            self.add("GET", "/v1/tasks?limit=1", user=user)
            self.login(user)
        elif kind == 4:
            self.login(user)
            self.add("DELETE", "/v1/me/sessions", user=user)
            self.add("GET", "/v1/me/sessions", user=user)
        else:
            self.add("DELETE", f"/v1/me/sessions/{NOWHERE}", user=user)

    def account(self, user):
        """Reads and changes the account."""
        kind = self.random.randrange(6)
        if kind == 0:
            self.add("GET", "/v1/me", user=user)
        elif kind == 1:
            self.add("PATCH", "/v1/me", {"name": self.name()}, user)
        elif kind == 2:
            self.add("PATCH", "/v1/me", self.one_of({}, {"name": ""}, {"name": 5}, {"name": "a\u0000"},
                                                    {"name": "x" * 101}, {"email": "x"}), user)
        elif kind == 3:
            self.change_email(user)
        elif kind == 4:
            self.change_password(user)
        else:
            self.add("GET", "/v1/me/export", user=user)

    def change_email(self, user):
        """To another case of the same address, to a free one, to one that is taken."""
        choices = [user.email.swapcase(), f"moved{len(self.steps)}@Example.com"]
        taken = self.random.choice(self.users).email.upper()
        wish = self.one_of(*choices, taken, "no address", texts.OTHER_EMAILS[1])
        wrong = self.wrong(user)
        self.add("PUT", "/v1/me/email", {"email": wish, "password": wrong or user.password}, user)
        if wish in choices and not wrong:
            user.email = wish
        self.add("GET", "/v1/me", user=user)

    def change_password(self, user):
        """Which ends the other sessions."""
        wrong = self.wrong(user)
        wish = self.one_of(f"Another-horse {len(self.steps)}", "short", "password", "x" * 1025)
        self.add("PUT", "/v1/me/password", {"current_password": wrong or user.password, "new_password": wish}, user)
        if wish.startswith("Another") and not wrong:
            user.password = wish
        self.add("GET", "/v1/me/sessions", user=user)

    def wrong(self, user):
        """A wrong password in some cases, else None."""
        if user.wrong >= WRONG_PASSWORDS or self.chance(0.6):
            return None
        user.wrong += 1
        return self.one_of(user.password.upper(), user.password + " ", "x")

    # ---- the rest ----

    def strange(self, user):
        """Methods, paths and fields that are none of ours, and what is open to all."""
        every = ["/", "/livez", "/healthz", "/health", "/readyz", "/openapi.json", "/openapi-3.0.json", "/openapi.yaml", "/postman.json",
                 "/docs",
                 "/docs/page.css", "/docs/none", "/problems/validation_failed", "/problems/none", "/v1/tasks", "/v1/me",
                 "/v1/me/sessions", "/v1/me/export", "/v1/auth/login", "/v1", "/v1/", "/v1/tasks/", "/v2/tasks",
                 "/%2f", "/v1/TASKS", "//"]
        kind = self.random.randrange(6)
        if kind == 0:
            self.add(self.one_of("GET", "HEAD"), self.random.choice(every), user=self.one_of(user, None))
        elif kind == 1:
            origin = self.one_of("https://app.example", "https://evil.example")
            self.add("OPTIONS", self.random.choice(every), fields=self.one_of({}, {
                "Origin": origin, "Access-Control-Request-Method": self.one_of("PATCH", "BREW")}))
        elif kind == 2:
            self.add(self.one_of("BREW", "TRACE", "POST", "PUT", "DELETE", "PATCH"), self.random.choice(every),
                     user=user)
        elif kind == 3:
            self.add("GET", self.path(user), fields={"Authorization": self.one_of(
                None, "", "Bearer", "Bearer x", "Basic eDp5", "bearer «access 0»", "Bearer «access 0»x",
                "Bearer «refresh 0»")})
        elif kind == 4:
            self.add("GET", "/v1/tasks?limit=2", user=user, fields=self.one_of(
                {"Accept": "text/html"}, {"Origin": "https://app.example"}, {"Expect": "x"},
                {"Accept": "text/html, application/*"}))
        elif self.chance(0.5):
            self.add("GET", "/v1/tasks?cursor=" + "A" * 9000, user=user)
        else:
            self.add("POST", "/v1/tasks", user=user, fields={"Content-Length": "300000"})


KINDS = [(Plan.create, 15), (Plan.replace, 5), (Plan.patch, 12), (Plan.delete, 4), (Plan.read, 5), (Plan.list, 13),
         (Plan.list_again, 3), (Plan.conditional, 10), (Plan.idempotent, 6), (Plan.invalid, 5), (Plan.unreadable, 5),
         (Plan.refresh, 2), (Plan.sessions, 2), (Plan.account, 6), (Plan.strange, 8)]
