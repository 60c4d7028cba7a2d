# SPDX-License-Identifier: MIT
"""Puts the collection together (Postman Collection Format v2.1.0)."""

import http
import json
import re
import uuid

from . import scripts, story, story_items
from .recorder import body_of, headers_of, target_of, token_of

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
NAMESPACE = uuid.UUID("2f1cf3a1-0c3e-5d0c-9a43-5b0c5f1d7a10")
LANGUAGES = {"text/html": "html", "application/yaml": "yaml"}
LONG = 400  # characters of a value that a saved example shows in full
DESCRIPTION = """{summary}. {text}

**How to run it.** Start a server (`script/server` listens on `http://127.0.0.1:8080`), import this file and
press *Run*. It needs nothing else: it makes its own account with a fresh e-mail address, walks through every
call, provokes the errors that a client can provoke, and deletes the account at the end. For a server
somewhere else choose the environment *Taskhold: cloud* and put its address in `base_url`.

**How to use one request.** Run *Accounts / Register* and *Accounts / Log in* once. The tokens are kept in the
variables of the collection, and every request sends `{{{{access_token}}}}`. It lasts 15 minutes: then run
*Refresh the tokens* or *Log in* again.

**Saved examples.** Each request has them with full header fields: what it answers when all is well, and each
error. They were recorded from a running server; ids, times, tokens and counters in them are samples. The
folder *Errors / HTTP itself* holds what no call is responsible for.
"""


def identity(*names):
    return str(uuid.uuid5(NAMESPACE, "/".join(names)))


def script(listen, lines):
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def plain(text):
    """The first sentence on one line, for the descriptions of single fields."""
    return re.sub(r"\s+", " ", text).strip()


def split_target(target):
    path, _, query = target.partition("?")
    pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
    return path, pairs


def url(operation, target, values):
    """`target` is the path and query to show; `values` are those of the path's parameters."""
    path, pairs = split_target(target)
    query = [{"key": name, "value": value} for name, value in pairs]
    out = {}
    if operation:
        known = {one["name"]: one for one in operation.parameters}
        path = re.sub(r"\{([a-z]+)\}", r":\1", operation.path)
        for one in query:
            if one["key"] in known:
                one["description"] = plain(known[one["key"]]["description"])
        if values:
            out["variable"] = [
                {"key": name, "value": value, "description": plain(known[name]["description"])}
                for name, value in values.items()
            ]
    raw = (
        "{{base_url}}"
        + path
        + (
            "?" + "&".join(f"{one['key']}={one['value']}" if one["value"] else one["key"] for one in query)
            if query
            else ""
        )
    )
    result = {"raw": raw, "host": ["{{base_url}}"], "path": path.lstrip("/").split("/")}
    if query:
        result["query"] = query
    return result | out


def unused(operation, item, where):
    """Parameters that this request could send: shown, but switched off."""
    used = item.query if where == "query" else {name.lower() for name in item.headers}
    for one in operation.parameters:
        name = one["name"]
        if (
            one["in"] != where
            or name == "X-Request-Id"
            or (name if where == "query" else name.lower()) in used
        ):
            continue
        example = one.get("example", "")
        value = ",".join(example) if isinstance(example, list) else str(example)
        yield {"key": name, "value": value, "description": plain(one["description"]), "disabled": True}


def header(operation, name, value):
    known = (
        {one["name"].lower(): one for one in operation.parameters if one["in"] == "header"}
        if operation
        else {}
    )
    entry = {"key": name, "value": value}
    if name.lower() in known:
        entry["description"] = plain(known[name.lower()]["description"])
    return entry


def body_entry(text):
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}


def authorization(operation, item):
    """None: that of the collection."""
    token = token_of(operation, item)
    if token == "{{access_token}}":
        return None
    if token is None:
        return {"type": "noauth"}
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def answers(operation):
    lines = [f"* **{status}** {plain(response['description'])}" for status, response in operation.responses.items()]
    others = ", ".join(str(status) for status in sorted(operation.statuses - set(operation.responses)))
    return "\n".join([*lines, f"* **{others}** what can go wrong with every call; `code` says what."])


def request_text(operation, item, first):
    """What the description says of the call; all of its answers stand only where the call comes up first."""
    parts = [item.note] if item.note else []
    if operation:
        parts.insert(
            0,
            f"**{operation.summary}{'' if operation.summary.endswith('?') else '.'}** {operation.text}",
        )
    if operation and first:
        parts.append("It can answer:\n\n" + answers(operation))
    return "\n\n".join(parts)


def request(operation, item, first):
    """The request as Postman sends it, with its variables."""
    headers = [header(operation, name, value) for name, value in headers_of(operation, item).items()]
    out = {"method": item.raw[0] if item.raw else operation.method}
    out["header"] = headers + (list(unused(operation, item, "header")) if operation else [])
    text = body_of(item)
    if text is not None:
        out["body"] = body_entry(text)
    out["url"] = url(operation, target_of(operation, item), item.path)
    if operation:
        query = list(unused(operation, item, "query"))
        if query:
            out["url"].setdefault("query", []).extend(query)
    auth = authorization(operation, item)
    if auth:
        out["auth"] = auth
    description = request_text(operation, item, first)
    if description:
        out["description"] = description
    return out


def shortened(text):
    """A very long value is there to be too long; its beginning says as much."""

    def cut(found):
        return f"{found[0][:40]}… ({len(found[0])} times)"

    return re.sub(r"(.)\1{%d,}" % LONG, cut, text)


def original_request(operation, record):
    """The request as it was sent, with sample values."""
    sent = record.request
    values = {}
    if operation and record.item.path:
        pattern = re.sub(r"\\\{([a-z]+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
        values = re.fullmatch(pattern, split_target(sent.target)[0]).groupdict()
    out = {
        "method": sent.method,
        "header": [header(operation, name, shortened(value)) for name, value in sent.headers],
    }
    if sent.body is not None:
        out["body"] = body_entry(shortened(sent.body))
    out["url"] = url(operation, shortened(sent.target), values)
    return out


def shown_body(answer):
    if answer.media_type().endswith("json") and answer.body:
        return json.dumps(json.loads(answer.body), ensure_ascii=False, indent=4)
    return answer.body.decode()


def example(operation, record):
    answer, item = record.answer, record.item
    phrase = http.HTTPStatus(answer.status).phrase
    name = (
        f"{answer.status} {item.code}: {item.name}" if item.code else f"{answer.status} {phrase}: {item.name}"
    )
    return {
        "name": name,
        "originalRequest": original_request(operation, record),
        "status": answer.reason or phrase,
        "code": answer.status,
        "_postman_previewlanguage": (
            "json" if answer.media_type().endswith("json") else LANGUAGES.get(answer.media_type(), "text")
        ),
        "header": [{"key": key, "value": value} for key, value in answer.headers],
        "cookie": [],
        "body": shown_body(answer),
    }


def entry(description, folders, record, beside, first):
    item = record.item
    operation = description.operations.get(item.operation)
    out = {"id": identity(*folders, item.name), "name": item.name}
    events = [script("prerequest", scripts.before(item))] if item.before else []
    out["event"] = events + [script("test", scripts.after(item, description))]
    out["request"] = request(operation, item, first)
    examples = [example(operation, one) for one in (record, *beside)]
    for one in examples:
        out.setdefault("response", []).append({"id": identity(*folders, item.name, one["name"]), **one})
    return out


def tree(folders, entries, above=()):
    """The folders of the story with their finished entries, taken in order."""
    out = []
    for one in folders:
        if isinstance(one, story_items.Folder):
            names = (*above, one.name)
            out.append(
                {
                    "id": identity(*names, "folder"),
                    "name": one.name,
                    "description": one.text,
                    "item": tree(one.items, entries, names),
                }
            )
        else:
            out.append(next(entries))
    return out


def by_status(recorded):
    """The first record of each call and status in the whole story: {(operation id, status, code): record}."""
    out = {}
    for _, record, _ in recorded:
        out.setdefault((record.item.operation, record.item.status, record.item.code), record)
    return out


def gathered(record, beside, quota, elsewhere):
    """Every answer of a call for its first item: its own, those beside it, and those from later in the story."""
    own = [*beside, *([quota] if quota else [])]
    shown = {(one.item.operation, one.item.status, one.item.code) for one in (record, *own)}
    name = record.item.operation
    later = [one for key, one in elsewhere.items() if name and key[0] == name and key not in shown]
    return sorted([*own, *later], key=lambda one: one.item.status)


def make(description, recorded, quotas):
    """The collection as a value. `quotas` are further examples by operation, for the first item of each."""
    elsewhere = by_status(recorded)
    entries = []
    seen = set()
    for folders, record, beside in recorded:
        name = record.item.operation
        first = name not in seen
        seen.add(name)
        examples = gathered(record, beside, quotas.get(name), elsewhere) if first else beside
        entries.append(entry(description, folders, record, examples, first))
    info = description.document["info"]
    return {
        "info": {
            "_postman_id": identity("collection"),
            "name": info["title"],
            "description": DESCRIPTION.format(
                summary=info["summary"], text=info["description"].split("\n\n")[0]
            ),
            "schema": SCHEMA,
        },
        "item": tree(story.STORY, iter(entries)),
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{access_token}}", "type": "string"}],
        },
        "event": [script("test", scripts.AFTER_ALL)],
        "variable": [
            {"key": name, "value": value, "type": "string", "description": text}
            for name, (value, text) in story_items.VARIABLES.items()
        ],
    }


def text_of(collection):
    return json.dumps(collection, ensure_ascii=False, indent="\t") + "\n"
