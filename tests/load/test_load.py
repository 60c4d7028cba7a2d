# SPDX-License-Identifier: MIT
"""All calls at once for a while: no answer that should not be, no report of a sanitizer, and a clean end.

    TASKHOLD_BIN=build/tsan/taskhold LOAD_SECONDS=10 CONNECTIONS=16 python3 -m pytest tests/load"""
import http.client
import os
import random
import threading
import time
import uuid

from support.accounts import PASSWORD, User
from support.client import Client
from support.metrics import metrics_of, read, url_of
from support.raw import RawConnection
from support.seed import SEED
from support.server import Server

SECONDS = float(os.environ.get("LOAD_SECONDS", "10"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "16"))
BUSY = {503}  # the pool that hashes passwords may be full


class Mixer:
    """One connection that makes all kinds of calls on accounts that others use too."""

    def __init__(self, number, server, users):
        self.random = random.Random(SEED * 1000 + number)
        self.server, self.users = server, users
        self.done, self.wrong = {}, []
        self.tasks = {user.id: [] for user in users}
        often = [self.create] * 6 + [self.read] * 8 + [self.change] * 6 + [self.list] * 4 + [self.remove] * 2
        self.calls = often * 8 + [self.refuse, self.service, self.pipeline, self.vanish] * 4
        self.calls += [self.session, self.account]  # seldom: a password takes as long as 100 tasks

    def run(self, until):
        """Calls until the time is over."""
        self.client = Client(self.server, checked=False)
        while time.monotonic() < until and not self.wrong:
            self.user = self.random.choice(self.users)
            self.client.token = self.user.token["access_token"]
            self.random.choice(self.calls)()

    def ask(self, method, path, good, **more):
        """One call; its status must be among `good`."""
        try:
            answer = self.client.request(method, path, **more)
        except (OSError, http.client.HTTPException) as problem:
            self.wrong.append(f"{method} {path}: {problem!r}")
            return None
        self.done[f"{method} {answer.status}"] = self.done.get(f"{method} {answer.status}", 0) + 1
        if answer.status not in good:
            self.wrong.append(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def key(self):
        """A header with a key that other connections use too, or none."""
        return {"Idempotency-Key": f"k{self.random.randrange(2000)}"} if self.random.random() < 0.3 else {}

    def create(self):
        """POST."""
        number = self.random.randrange(50)
        answer = self.ask("POST", "/v1/tasks", {201, 409, 422}, json={"title": f"t{number}"}, headers=self.key())
        if answer is not None and answer.status == 201:
            self.tasks[self.user.id] = self.tasks[self.user.id][-50:] + [answer.json["id"]]

    def path(self):
        """A task that is probably there."""
        return f"/v1/tasks/{self.random.choice(self.tasks[self.user.id] or [uuid.uuid4()])}"

    def read(self):
        """GET, with and without a condition."""
        answer = self.ask("GET", self.path(), {200, 404})
        if answer is not None and answer.status == 200:
            self.ask("GET", f"/v1/tasks/{answer.json['id']}", {200, 304, 404}, headers={"If-None-Match": answer.etag})

    def change(self):
        """PATCH and PUT."""
        body = {"title": f"t{self.random.randrange(50)}", "status": self.random.choice(["pending", "completed"])}
        condition = {"If-Match": self.user.client.tag({"revision": self.random.randrange(100)})} if self.random.random() < 0.3 else {}
        self.ask(self.random.choice(["PATCH", "PUT"]), self.path(), {200, 201, 404, 409, 412, 422}, json=body,
                 headers=self.key() | condition)

    def list(self):
        """A few pages."""
        sort = self.random.choice(["", "&sort=title", "&sort=-updated_at", "&status=pending", "&include=total"])
        answer = self.ask("GET", f"/v1/tasks?limit=20{sort}", {200})
        if answer is not None and answer.status == 200 and answer.json["next_cursor"]:
            self.ask("GET", f"/v1/tasks?limit=20{sort}&cursor={answer.json['next_cursor']}", {200})

    def remove(self):
        """DELETE."""
        self.ask("DELETE", self.path(), {204, 404, 409, 422}, headers=self.key())

    def session(self):
        """Log in, refresh twice, log out."""
        body = {"email": self.user.email, "password": PASSWORD}
        answer = self.ask("POST", "/v1/auth/login", {200} | BUSY, json=body)
        if answer is None or answer.status != 200:
            return
        token = answer.json
        for _ in range(2):
            self.ask("POST", "/v1/auth/refresh", {200}, json={"refresh_token": token["refresh_token"]})
        self.client.token = token["access_token"]
        self.ask("GET", "/v1/me/sessions", {200})
        self.ask("POST", "/v1/auth/logout", {204})
        self.ask("GET", "/v1/me", {401})

    def account(self):
        """A short life."""
        body = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
        answer = self.ask("POST", "/v1/auth/register", {201} | BUSY, json=body)
        if answer is None or answer.status != 201:
            return
        answer = self.ask("POST", "/v1/auth/login", {200} | BUSY, json=body)
        if answer is None or answer.status != 200:
            return
        self.client.token = answer.json["access_token"]
        self.ask("POST", "/v1/tasks", {201}, json={"title": "short"})
        self.ask("PATCH", "/v1/me", {200}, json={"name": "Short"})
        self.ask("POST", "/v1/me/deletion", {204} | BUSY, json={"password": PASSWORD})

    def refuse(self):
        """What must be refused."""
        self.ask("POST", "/v1/tasks", {400}, body=b'{"title":')
        self.ask("POST", "/v1/tasks", {422}, json={"title": "", "x": 1})
        self.ask("GET", "/v1/tasks?limit=0", {400})
        self.ask("GET", "/v1/tasks", {401}, token="not.a.token")
        self.ask("GET", "/nowhere", {404})

    def service(self):
        """Health and files."""
        self.ask("GET", self.random.choice(["/", "/livez", "/readyz", "/openapi.json", "/docs"]), {200})

    def pipeline(self):
        """Many requests in one write."""
        with RawConnection(self.server) as connection:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n" * 20)
            for _ in range(20):
                answer = connection.read()
                if answer is None or answer.status != 200:
                    self.wrong.append("a pipelined request without its answer")
                    return

    def vanish(self):
        """A client that leaves in the middle: of its request, and before the answer."""
        head = f"POST /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {self.client.token}\r\n"
        body = b'{"title":"gone"}'
        for rest in (b"Content-Length: 1000\r\n\r\n" + body, b"Content-Length: %d\r\n\r\n" % len(body) + body):
            with RawConnection(self.server) as connection:
                connection.send(head.encode() + rest)


def scrape(server, until, pages):
    """Reads /metrics again and again, as Prometheus would, but without a pause."""
    while time.monotonic() < until:
        pages.append(metrics_of(server))
        read(url_of(server, "/readyz"))


def check_pages(pages, answers):
    """Counters only grow, and in the end everything is counted."""
    name = "taskhold_http_requests_total"
    totals = [sum(sample.value for sample in page.families[name].samples) for page in pages]
    assert len(totals) > 2 and totals == sorted(totals)
    assert totals[-1] >= answers
    assert pages[-1].get("taskhold_http_requests_in_flight") <= CONNECTIONS


def test_all_calls_at_once():
    server = Server({"LOG_LEVEL": "info", "THREADS": "2", "METRICS_ADDR": "127.0.0.1:0"})
    try:
        users = [User(server) for _ in range(4)]
        for user in users:
            user.client.learn_space()
        mixers = [Mixer(number, server, users) for number in range(CONNECTIONS)]
        until = time.monotonic() + SECONDS
        pages = []
        threads = [threading.Thread(target=mixer.run, args=(until,)) for mixer in mixers]
        threads.append(threading.Thread(target=scrape, args=(server, until, pages)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong = [what for mixer in mixers for what in mixer.wrong]
        assert not wrong, f"seed {SEED}: {wrong[:5]}\n{server.log_text()[-3000:]}"
        total = {}
        for mixer in mixers:
            for name, count in mixer.done.items():
                total[name] = total.get(name, 0) + count
        print(f"\nseed {SEED}: {sum(total.values())} answers {dict(sorted(total.items()))}")
        assert sum(total.values()) > 100
        check_pages(pages + [metrics_of(server)], sum(total.values()))
    finally:
        server.stop()
