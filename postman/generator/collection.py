# SPDX-License-Identifier: MIT
"""Puts the collection together (Postman Collection Format v2.1.0)."""

import http
import json
import pathlib
import re
import uuid

from .calls import CALLS
from .day import DAY, MADE, VARIABLES as DAY_VARIABLES
from .devices import DEVICES, VARIABLES as DEVICES_VARIABLES
from .errors import ERRORS
from .items import VARIABLES, check
from .recorder import SCHEMA, body_of, headers_of, record, target_of, token_of
from .story import STORY

ID = str(uuid.uuid5(uuid.UUID("2f1cf3a1-0c3e-5d0c-9a43-5b0c5f1d7a10"), "collection"))
LANGUAGES = {"text/html": "html", "application/yaml": "yaml"}
LONG = 400  # characters of one kind that a saved example shows in full
# Header fields of an answer that an example does not show: they are on every answer, or nobody asks for them.
NOT_SHOWN = {
    "content-length", "date", "ratelimit", "ratelimit-policy", "transfer-encoding", "vary",
    "x-content-type-options", "x-request-id",
}
NOT_SHOWN_OF_ERRORS = {"cache-control"}  # no-store on all of them
DESCRIPTION = """{text}

**Start.** Run any request: it works alone. Before it is sent, a script makes an account with a random e-mail address,
logs in, and makes what the request is about (a list, a task, a session). It keeps them in the variables of the collection.
No environment is needed for a server on `http://127.0.0.1:8080` (`script/server`); for another one choose *Taskhold:
cloud* and put its address in `base_url`.

**Your own account.** Put your e-mail address and password into the variables `email` and `password`. The requests that
change, log out or delete the account itself, or empty its trash, are then not sent.

**What is where.** The first folders have every call, with an example of success and of each error that is particular to
it. What can go wrong with every call stands once, in *{errors}*. *{day}* shows what a task has and what can be
asked for, *{devices}* how one follows what another does, *{story}* an account and its clients. A run of the whole collection leaves nothing on the server; after
single requests, *Delete my account* removes what they made.
"""


def script(listen, lines):
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def script_file(listen, name):
    text = pathlib.Path(__file__).with_name(name).read_text(encoding="utf-8")
    return script(listen, text.replace('"MADE"', made()).splitlines()[1:])  # the first line names the licence


def made():
    """What the day with tasks makes, for before.js: a row of variable, path and body each."""
    paths = {"createList": "/v1/lists", "createTask": "/v1/tasks"}
    rows = [json.dumps([name, paths[one], body], ensure_ascii=False) for name, (one, body) in MADE.items()]
    return "[\n" + "".join(f"\t{row},\n" for row in rows) + "]"


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


# ---- requests ----


def url(target, path=None, query=None, variable=None):
    raw_path, _, raw_query = target.partition("?")
    path = path or raw_path
    out = {"raw": "{{base_url}}" + path + (f"?{raw_query}" if raw_query else "")}
    out |= {"host": ["{{base_url}}"], "path": path.lstrip("/").split("/")}
    if query is None and raw_query:
        query = [dict(zip(("key", "value"), pair.partition("=")[::2])) for pair in raw_query.split("&")]
    return out | ({"query": query} if query else {}) | ({"variable": variable} if variable else {})


def described(description, values):
    """The values that a request sends, with the description of each, and those that it could send, switched off."""
    known = {one["name"]: plain(one["description"]) for one in description}
    for name, value in values.items():
        yield {"key": name, "value": value} | ({"description": known[name]} if name in known else {})
    for one in description:
        if one["name"] not in values:
            example = one.get("example", "")
            value = ",".join(example) if isinstance(example, list) else str(example)
            yield {"key": one["name"], "value": value, "description": known[one["name"]], "disabled": True}


def body(text):
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}


def authorization(operation, item):
    """None: that of the collection."""
    token = token_of(operation, item)
    if token == "{{access_token}}":
        return None
    if token is None:
        return {"type": "noauth"}
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def request_text(operation, item, whole):
    parts = [plain(operation.text)] if operation and whole else []
    if item.note:
        parts.append(item.note)
    if operation and whole:
        answers = operation.responses.items()
        parts.append("\n".join(f"* **{status}** {plain(one['description'])}" for status, one in answers))
    return "\n\n".join(parts)


def request(operation, item, whole):
    """The request as Postman sends it. `whole`: with all that the call could take, and its answers."""
    text, target, auth = body_of(item), target_of(operation, item), authorization(operation, item)
    parts = operation.parameters if operation and whole else []

    def places(name, values):
        return list(described([one for one in parts if one["in"] == name], values))

    out = {"method": item.raw[0] if item.raw else item.method or operation.method}
    if auth:
        out["auth"] = auth
    out["header"] = places("header", headers_of(item))
    if text is not None:
        out["body"] = body(text)
    if operation:
        path = re.sub(r"\{([a-z]+)\}", r":\1", operation.path)
        out["url"] = url(target, path, places("query", item.query), places("path", item.path))
    else:
        out["url"] = url(target)
    return out | {"description": request_text(operation, item, whole)}


def tests(description, operation, item):
    status = item.status
    lines = [f'pm.test("answers {status}", () => pm.response.to.have.status({status}));']
    media = description.media_type(operation, status) if operation and not item.code else None
    if item.code:
        lines += ["const body = pm.response.json();", check(f"is {item.code}", "body.code", f'to.eql("{item.code}")')]
    elif media == "application/json":
        lines.append("const body = pm.response.json();")
        members = ", ".join(f'"{name}"' for name in description.members(operation, status) or ())
        if members:
            lines.append(check("has its members", "body", f"to.include.all.keys({members})"))
    elif media:
        pattern = re.escape(media).replace("/", "\\/")
        lines.append(check(f"is {media}", 'pm.response.headers.get("Content-Type")', f"to.match(/^{pattern}/)"))
    else:
        lines.append(check("has no body", "pm.response.text()", 'to.eql("")'))
    return lines + item.tests


# ---- examples ----


def shortened(text):
    """A very long value is there to be too long; its beginning says as much."""
    return re.sub(r"(.)\1{%d,}" % LONG, lambda found: f"{found[0][:40]}… ({len(found[0])} times)", text)


def shown_body(answer):
    if answer.media_type().endswith("json") and answer.body:
        return json.dumps(json.loads(answer.body), ensure_ascii=False, indent=4)
    return answer.body.decode()


def example(one, further):
    """A saved example from a record; `further`: one that is named, beside that of the request itself."""
    sent, answer, item = one.request, one.answer, one.item
    original = {
        "method": sent.method,
        "header": [{"key": name, "value": shortened(value)} for name, value in sent.headers],
    }
    if sent.body is not None:
        original["body"] = {"mode": "raw", "raw": shortened(sent.body)}
    original["url"] = url(shortened(sent.target))
    phrase = http.HTTPStatus(answer.status).phrase
    hidden = NOT_SHOWN | (NOT_SHOWN_OF_ERRORS if item.code else set())
    return {
        "name": f"{answer.status} {item.code or phrase}" + (f": {item.name}" if further else ""),
        "originalRequest": original,
        "status": answer.reason or phrase,
        "code": answer.status,
        "_postman_previewlanguage": (
            "json" if answer.media_type().endswith("json") else LANGUAGES.get(answer.media_type(), "text")
        ),
        "header": [{"key": key, "value": value} for key, value in answer.headers if key.lower() not in hidden],
        "cookie": [],
        "body": shown_body(answer),
    }


# ---- the whole ----


def entry(description, item, records, whole=False):
    operation = description.operations.get(item.operation)
    before = [f'pm.variables.set("{name}", {text});' for name, (_, text) in item.before.items()]
    return {
        "name": item.name or operation.summary,
        "event": [
            *([script("prerequest", before)] if before else []),
            script("test", tests(description, operation, item)),
        ],
        "request": request(operation, item, whole),
        "response": [example(one, one.item is not item) for one in records],
    }


def call_folders(description):
    """A folder for each tag of the description that has calls, in its order; the calls in the order of CALLS."""
    for tag in description.document["tags"]:
        items = [one for one in CALLS if description.operations[one.operation].tag == tag["name"]]
        if items:
            yield {
                "name": tag["name"],
                "description": plain(tag["description"]),
                "item": [entry(description, one, record(description, one), True) for one in items],
            }


def other_folder(description, folder, with_examples):
    def records(item):
        return record(description, item) if with_examples else []

    items = [entry(description, one, records(one)) for one in folder.items]
    return {"name": folder.name, "description": folder.text, "item": items}


def make(description):
    """The collection as a value."""
    info = description.document["info"]
    text = DESCRIPTION.format(
        text=plain(info["description"].split("\n\n")[0]), errors=ERRORS.name, day=DAY.name,
        devices=DEVICES.name, story=STORY.name,
    )
    return {
        "info": {"_postman_id": ID, "name": info["title"], "description": text, "schema": SCHEMA},
        "item": [
            *call_folders(description),
            other_folder(description, ERRORS, True),
            other_folder(description, DAY, False),
            other_folder(description, DEVICES, False),
            other_folder(description, STORY, False),
        ],
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{access_token}}", "type": "string"}],
        },
        "event": [script_file("prerequest", "before.js"), script_file("test", "after.js")],
        "variable": [
            {"key": name, "value": value, "type": "string", "description": text}
            for name, (value, text) in (VARIABLES | DAY_VARIABLES | DEVICES_VARIABLES).items()
        ],
    }


def text_of(collection):
    return json.dumps(collection, ensure_ascii=False, indent="\t") + "\n"
