# SPDX-License-Identifier: MIT
"""Sends each request and its examples to a fresh server, and keeps what was sent and answered."""

import dataclasses
import json
import re
import signal
import time
import urllib.parse

from .items import PASSWORD, PURGED, VARIABLES, Item
from .server import Server
from .steady import Steady
from .wire import Answer, exchange

VARIABLE = re.compile(r"\{\{([a-z_]+)\}\}")
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
TRIES = 1001  # one more than the lists of an account
# What the samples are made of: in Postman, before.js makes such things.
SAMPLES = {
    "email": "ada@example.com",
    "new_email": "ada.king@example.com",
    "other_email": "charles@example.com",
    "new_password": "staple under the moon",
    "used_key": "add-tea-1",
    "label": "shop",
    "new_label": "errand",
}
MILK = {
    "title": "Buy milk",
    "description": "Two litres",
    "due": "{{tomorrow}}",
    "priority": "high",
    "labels": ["{{label}}"],
}
SCRIPT_TOKEN = {"name": "Nightly backup", "scopes": ["tasks:read"], "password": "{{password}}"}
# What a request may be about besides the tasks that are always there: variable -> operation, body. Those that its
# request and its examples name are made beforehand, in this order.
WEEKLY = {"title": "Water the plants", "due": "{{today}}", "recurrence": "FREQ=WEEKLY"}
MADE = {
    "list_id": ("createList", {"name": "Household", "color": "#3584e4"}),
    "full_list_id": ("createList", {"name": "Work"}),
    "task_in_list_id": ("createTask", {"title": "Write to Mary", "list_id": "{{full_list_id}}"}),
    "weekly_id": ("createTask", WEEKLY),
    "last_id": ("createTask", {**WEEKLY, "recurrence": "FREQ=WEEKLY;COUNT=1"}),
    "done_id": ("createTask", {**WEEKLY, "status": "completed"}),
}
# What lists show: that is made beforehand too.
SHOWN = {"listTokens": "script_token_id", "listTrash": "trashed_id"}
NEEDS = {"full_list_id": "task_in_list_id"}


@dataclasses.dataclass
class Request:
    """What was sent, with every variable filled in."""

    method: str
    target: str
    headers: list
    body: str


@dataclasses.dataclass
class Record:
    item: Item
    request: Request
    answer: Answer


def target_of(operation, item):
    """The path and the query of an item, with `{{variables}}` still in them."""
    if item.raw:
        return item.raw[1]
    path = operation.path
    for name, value in item.path.items():
        path = path.replace("{" + name + "}", value)
    query = "&".join(f"{name}={value}" for name, value in item.query.items())
    return path + ("?" + query if query else "")


def headers_of(item):
    """The header fields of an item without its token, with `{{variables}}` still in them."""
    typed = item.body is None or "Content-Type" in item.headers
    return item.headers if typed else {**item.headers, "Content-Type": "application/json"}


def token_of(operation, item):
    """The token that an item sends; None: none, as on all calls that need none."""
    return None if operation and operation.public else item.token


def body_of(item):
    if item.body is None or isinstance(item.body, str):
        return item.body
    return json.dumps(item.body, ensure_ascii=False, indent=4)


class Recorder:
    def __init__(self, description, server):
        self.description = description
        self.server = server
        self.steady = Steady()
        self.variables = {name: value for name, (value, _) in VARIABLES.items()} | SAMPLES | {"password": PASSWORD}
        self.variables |= self.steady.dates()

    def fill(self, text):
        return VARIABLE.sub(lambda found: self.variables[found[1]], text)

    def request(self, item):
        operation = self.description.operations.get(item.operation)
        headers = [(name, self.fill(value)) for name, value in headers_of(item).items()]
        token = token_of(operation, item)
        if token is not None:
            headers.insert(0, ("Authorization", "Bearer " + self.fill(token)))
        body = body_of(item)
        return Request(
            method=item.raw[0] if item.raw else item.method or operation.method,
            target=urllib.parse.quote(self.fill(target_of(operation, item)), safe="/?&=,%-._~"),
            headers=headers,
            body=None if body is None else self.fill(body),
        )

    def exchange(self, request):
        body = None if request.body is None else request.body.encode()
        return exchange(self.server, request.method, request.target, request.headers, body)

    def send(self, item):
        """Sends a request and checks that the answer is the one that the item names."""
        self.variables.update({name: value for name, (value, _) in item.before.items()})
        if "{{answer_etag}}" in item.headers.values():
            plain = dataclasses.replace(item, headers={})
            self.variables["answer_etag"] = self.exchange(self.request(plain)).header("ETag")
            self.steady.header("ETag", self.variables["answer_etag"])
        if item.stopping:
            self.server.process.send_signal(signal.SIGTERM)
        request = self.request(item)
        for _ in range(TRIES if item.until or item.stopping else 1):
            answer = self.exchange(request)
            problem = answer.media_type() == "application/problem+json"
            code = answer.json().get("code") if problem else None
            if (answer.status, code) == (item.status, item.code):
                return Record(item, request, answer)
        raise SystemExit(
            f"{item.operation or request.target}: «{item.name}»: expected {item.status} {item.code}, "
            f"got {answer.status} {code}:\n{answer.body.decode(errors='replace')[:2000]}"
        )

    def prepare(self, items=()):
        """What the requests are about: two accounts, the first with two sessions and two tasks, and what they name."""
        body = {"email": "{{email}}", "password": "{{password}}"}
        self.made("registerUser", 201, body={**body, "email": "{{other_email}}"})
        self.made("registerUser", 201, body={**body, "name": "Ada Lovelace"})
        tokens = self.made("login", 200, body=body).json()
        self.variables.update(access_token=tokens["access_token"], refresh_token=tokens["refresh_token"])
        self.made("login", 200, body=body, headers={"User-Agent": "Second device"})
        sessions = self.made("listSessions", 200).json()["items"]
        self.variables["session_id"] = next(one["id"] for one in sessions if not one["current"])
        task = self.made("createTask", 201, body=MILK)
        self.variables.update(task_id=task.json()["id"], etag=task.header("ETag"))
        tea = {"title": "Buy tea", "status": "in-progress"}
        self.made("createTask", 201, body=tea, headers={"Idempotency-Key": "{{used_key}}"})
        named = set(VARIABLE.findall(repr(items))) | {SHOWN.get(one.operation) for one in items}
        if "task_revision" in named:
            path = {"id": "{{task_id}}"}
            changed = self.made("updateTask", 200, path=path, body={"title": "Buy oat milk"})
            self.variables["task_revision"] = str(changed.json()["revision"])
        if named & {"script_token", "script_token_id"}:
            made = self.made("makeToken", 201, body=SCRIPT_TOKEN).json()
            self.variables.update(script_token=made["token"], script_token_id=made["id"])
        for name, (operation, body) in MADE.items():
            if name in named or named & {one for one, other in NEEDS.items() if other == name}:
                self.variables[name] = self.made(operation, 201, body=body).json()["id"]
        self.prepare_the_past(named)

    def prepare_the_past(self, named):
        """Tasks to which more has happened than their making."""
        if "trashed_id" in named:
            self.variables["trashed_id"] = self.made("createTask", 201, body={"title": "Call the plumber"}).json()["id"]
            self.made("deleteTask", 204, path={"id": "{{trashed_id}}"})
        if "purged_key" in named:
            self.variables["purged_key"] = "add-tea-2"
            made = self.made("createTask", 201, body=PURGED, headers={"Idempotency-Key": "{{purged_key}}"}).json()
            self.purge(made["id"])
        if "purged_batch_key" in named:
            self.variables["purged_batch_key"] = "add-tea-3"
            body = {"operations": [{"op": "create", "task": PURGED}]}
            made = self.made("batchTasks", 200, body=body, headers={"Idempotency-Key": "{{purged_batch_key}}"}).json()
            self.purge(made["results"][0]["task"]["id"])
        if "made_id" in named:
            made = self.made("createTask", 201, body={"title": "Buy bread"}).json()
            self.variables.update(made_id=made["id"], made_revision=str(made["revision"]))
        if "moved_id" in named:
            old = self.made("createList", 201, body={"name": "Work"}).json()["id"]
            task = self.made("createTask", 201, body={"title": "Write to Mary", "list_id": old}).json()["id"]
            moved = self.made("moveTask", 200, path={"id": task}, body={"list_id": None}).json()
            self.made("deleteList", 204, path={"id": old})
            self.variables.update(moved_id=task, moved_revision=str(moved["revision"]))

    def purge(self, task):
        self.made("deleteTask", 204, path={"id": task})
        self.made("purgeTask", 204, path={"id": task})

    def made(self, operation, status, **more):
        return self.run(Item("preparation", operation, status, **more), False).answer

    def run(self, item, steady=True):
        """One request, with samples in place of what differs from run to run where `steady`."""
        wait_for_the_next_millisecond()
        self.steady.next_step()
        record = self.send(item)
        samples = self.steadied(record)
        return samples if steady else record

    def steadied(self, record):
        """The answer first: it is where new values come from."""
        answer, request = record.answer, record.request
        steady = self.steady
        short = abridged(record.item.operation, answer, self.description.document["info"]["title"])
        if short is not None:
            body = short
        elif answer.json() is not None:
            body = json.dumps(steady.value(answer.json()), ensure_ascii=False)
        else:
            body = steady.text(answer.body.decode())
        return Record(
            record.item,
            Request(
                request.method,
                steady.text(request.target),
                [(name, steady.text(raw)) for name, raw in request.headers],
                None if request.body is None else steady.text(request.body),
            ),
            Answer(
                answer.status,
                answer.reason,
                [(name, steady.header(name, raw)) for name, raw in answer.headers],
                body.encode(),
            ),
        )


def abridged(operation, answer, title):
    """Files and pages stand elsewhere in full: their examples show only how they begin."""
    if answer.status != 200:
        return None
    if operation in ("getOpenapiJson", "getOpenapi30Json"):
        return json.dumps({"openapi": answer.json()["openapi"], "info": {"title": title}, "paths": {}})
    if operation == "getPostmanCollection":  # not read: it may be what this run is to mend
        return json.dumps({"info": {"name": title, "schema": SCHEMA}, "item": []})
    if operation == "getOpenapiYaml":
        return "".join(answer.body.decode().splitlines(True)[:3])
    if answer.media_type() == "text/html":
        return "<!doctype html>\n<title>Abridged</title>\n"
    if answer.media_type() == "text/css":
        return "/* Abridged */\n"
    return None


def wait_for_the_next_millisecond():
    """Two steps never share a time: else the order of two tasks, and which samples are equal, would be chance."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= now + 1:
        pass


def on_a_fresh_server(description, items):
    """A record of each item, in order. All share a server; what they are about is there beforehand."""
    with Server(*items[0].server) as server:
        recorder = Recorder(description, server)
        if items[0].operation != "registerUser" or not items[0].server:
            recorder.prepare(items)
        return [recorder.run(item) for item in items]


def record(description, item):
    """The record of a request and of each of its examples: success first, then by status."""
    plain = [one for one in item.examples if not one.server]
    groups = [[item, *plain] if item.first else [*plain, item], *([one] for one in item.examples if one.server)]
    found = [one for group in groups for one in on_a_fresh_server(description, group)]
    return sorted(found, key=lambda one: (one.item is not item, one.item.status))
