# SPDX-License-Identifier: MIT
"""Runs the story against a server and keeps every request with its answer."""

import dataclasses
import json
import re
import time
import urllib.parse

from . import samples, story, story_items
from .server import Server
from .steady import Steady
from .wire import Answer, exchange

VARIABLE = re.compile(r"\{\{([a-z_]+)\}\}")
API_QUOTA = 1200
PASSWORD_QUOTA = 60
SPARE_LOGINS = 4
OTHER = {"other_email": "charles@example.com", "used_key": "add-tea-1"}


@dataclasses.dataclass
class Request:
    """What was sent, with every variable filled in."""

    method: str
    target: str
    headers: list
    body: str


@dataclasses.dataclass
class Record:
    item: story_items.Item
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


def headers_of(operation, item):
    """The header fields of an item without its token, with `{{variables}}` still in them."""
    headers = dict(item.headers)
    if item.body is not None and "Content-Type" not in headers:
        headers["Content-Type"] = "application/json"
    return headers


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
        self.steady.keep(story_items.OWN_ID, story_items.ABSENT_ID)
        self.variables = {name: value for name, (value, _) in story_items.VARIABLES.items()} | OTHER

    def fill(self, text):
        return VARIABLE.sub(lambda found: self.variables[found[1]], text)

    def request(self, item):
        operation = self.description.operations.get(item.operation)
        headers = [(name, self.fill(value)) for name, value in headers_of(operation, item).items()]
        token = token_of(operation, item)
        if token is not None:
            headers.insert(0, ("Authorization", "Bearer " + self.fill(token)))
        body = body_of(item)
        return Request(
            method=item.raw[0] if item.raw else operation.method,
            target=urllib.parse.quote(self.fill(target_of(operation, item)), safe="/?&=,%-._~"),
            headers=headers,
            body=None if body is None else self.fill(body),
        )

    def prepare(self, item):
        """What Postman's script before the request does: sets the variables that it needs."""
        self.variables.update({name: sample for name, (sample, _) in item.before.items()})

    def send(self, item):
        """Sends a request and checks that the answer is the one that the story tells."""
        self.prepare(item)
        request = self.request(item)
        body = None if request.body is None else request.body.encode()
        answer = exchange(self.server, request.method, request.target, request.headers, body)
        code = (
            (answer.json() or {}).get("code") if answer.media_type() == "application/problem+json" else None
        )
        if (answer.status, code) != (item.status, item.code):
            raise SystemExit(
                f"{item.operation or request.target}: «{item.name}»: expected {item.status} {item.code}, "
                f"got {answer.status} {code}:\n{answer.body.decode(errors='replace')[:2000]}"
            )
        return Record(item, request, answer)

    def store(self, record):
        for name, where in record.item.store.items():
            if isinstance(where, tuple):
                self.variables[name] = where[1](record.answer.json())
            elif where.startswith("="):
                self.variables[name] = where[1:]
            elif where.startswith("header "):
                self.variables[name] = record.answer.header(where.removeprefix("header "))
            else:
                self.variables[name] = record.answer.json()[where]

    def run(self, item):
        """One item, with samples in place of what differs from run to run."""
        wait_for_the_next_millisecond()
        self.steady.next_step()
        record = self.send(item)
        self.store(record)
        return self.steadied(record)

    def steadied(self, record):
        """The answer first: it is where new values come from."""
        answer, request = record.answer, record.request
        steady = self.steady
        value = answer.json()
        short = abridged(record.item.operation, answer, value)
        if short is not None:
            body = short.encode()
        elif value is not None:
            body = json.dumps(steady.value(value), ensure_ascii=False, separators=(",", ":")).encode()
        else:
            body = steady.text(answer.body.decode()).encode()
        headers = [(name, steady.header(name, raw)) for name, raw in answer.headers]
        if body:
            headers = [
                (name, str(len(body)) if name.lower() == "content-length" else raw) for name, raw in headers
            ]
        return Record(
            record.item,
            Request(
                request.method,
                steady.text(request.target),
                [(name, steady.text(raw)) for name, raw in request.headers],
                None if request.body is None else steady.text(request.body),
            ),
            Answer(answer.status, answer.reason, headers, body),
        )


def abridged(operation, answer, value):
    """Files and pages stand elsewhere in full: their examples show only how they begin."""
    if answer.status != 200:
        return None
    if operation in ("getOpenapiJson", "getOpenapi30Json"):
        return json.dumps(
            {"openapi": value["openapi"], "info": {"title": value["info"]["title"]}, "paths": {}},
            separators=(",", ":"),
        )
    if operation == "getPostmanCollection":
        return json.dumps(
            {"info": {name: value["info"][name] for name in ("name", "schema")}, "item": []},
            separators=(",", ":"),
        )
    if operation == "getOpenapiYaml":
        return "".join(answer.body.decode().splitlines(True)[:3])
    if answer.media_type() == "text/html":
        return "<!doctype html>\n<title>Abridged</title>\n"
    return None


def wait_for_the_next_millisecond():
    """Two steps never share a time: else the order of two tasks, and which samples are equal, would be chance."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= now + 1:
        pass


def record_story(description):
    """Every item of the story with its answer and the examples beside it: [(folders, record, [record])]."""
    shown = {}
    for _, item in story.items():
        shown.setdefault(item.operation, set()).add(item.status)
    out, seen = [], set()
    with Server() as server:
        recorder = Recorder(description, server)
        for folders, item in story.items():
            beside = []
            operation = description.operations.get(item.operation)
            if operation and operation.id not in seen:
                seen.add(operation.id)
                beside = record_beside(recorder, operation, item, shown[operation.id])
            out.append((folders, recorder.run(item), beside))
    return out


def record_beside(recorder, operation, item, shown):
    needs_file_etag = 304 in operation.responses and 304 not in shown
    if needs_file_etag:
        recorder.variables["file_etag"] = recorder.send(dataclasses.replace(item, store={})).answer.header(
            "ETag"
        )
    if operation.id == "changeEmail":
        recorder.send(samples.second_account())
    if operation.id == "deleteTask":
        made = recorder.send(samples.used_key()).answer.json()
        recorder.send(samples.removed(made["id"]))
    recorder.prepare(item)
    return [recorder.run(one) for one in samples.missing(operation, item, shown)]


def record_quotas(description):
    """For each call that a quota covers, its answer when the quota is used up: {operation id: record}."""
    first = {}
    for _, item in story.items():
        if item.operation and description.operations[item.operation].limited:
            first.setdefault(item.operation, item)
    order = sorted(
        first,
        key=lambda name: (name not in samples.WRONG_PASSWORD and not description.operations[name].public),
    )
    with Server() as server:
        recorder = Recorder(description, server)
        recorder.variables.update(
            {name: story_items.ABSENT_ID for name in ("session_id", "task_id", "own_task_id")}
        )
        recorder.send(first["registerUser"])
        tokens = [recorder.send(first["login"]).answer.json()["access_token"] for _ in range(SPARE_LOGINS)]
        return {name: exhaust(recorder, samples.throttled(first[name]), tokens) for name in order}


def exhaust(recorder, item, tokens):
    """The answer of a call whose quota is used up. A body that cannot be read uses the quota up without doing
    anything; the quota comes before the body, so the answer to the real one is the same. Where a request gets
    through and does something all the same (logging out), the next login takes over."""
    recorder.prepare(item)
    harmless = dataclasses.replace(item, body=None if item.body is None else "{")
    for _ in range(API_QUOTA + 2 * PASSWORD_QUOTA):
        recorder.variables["access_token"] = tokens[-1]
        recorder.steady.learn_members({"access_token": tokens[-1]})
        request = recorder.request(harmless)
        body = None if request.body is None else request.body.encode()
        answer = exchange(recorder.server, request.method, request.target, request.headers, body)
        if answer.status == 429:
            recorder.steady.next_step()
            return recorder.steadied(Record(item, recorder.request(item), answer))
        if answer.status == 204 and item.operation == "logout":
            tokens.pop()
    raise SystemExit(f"{item.operation}: its quota never ends")
