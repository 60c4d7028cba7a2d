# SPDX-License-Identifier: MIT
"""The JavaScript of the collection: what runs before and after each request."""

import json

from . import story_items

AFTER_ALL = [
    "// What holds for every answer.",
    "const field = (name) => pm.response.headers.get(name) || '';",
    'pm.test("has a request id", () => pm.expect(field("X-Request-Id")).to.match(/^[A-Za-z0-9._-]{1,64}$/));',
    'pm.test("is not sniffed", () => pm.expect(field("X-Content-Type-Options")).to.eql("nosniff"));',
    'pm.test("tells no version of the server", () => pm.expect(field("Server")).to.not.match(/[0-9]/));',
]


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def template(text):
    """JavaScript for the value that a variable gets before a request."""
    if text.startswith("{{=") and "*" in text:
        letter, times = text.removeprefix("{{=").removesuffix("}}").split("*")
        return f"{quoted(letter)}.repeat({times})"
    return f"pm.variables.replaceIn({quoted(text)})" if "{{" in text else quoted(text)


def scope(name):
    """Collection variables outlive the request; any other name is good for this one only."""
    return "pm.collectionVariables" if name in story_items.VARIABLES else "pm.variables"


def before(item):
    return [
        f"{scope(name)}.set({quoted(name)}, {template(text)});" for name, (_, text) in item.before.items()
    ]


def stored(where):
    """JavaScript for a value out of the answer."""
    if isinstance(where, tuple):
        return f"body.{where[0]}"
    if where.startswith("="):
        return quoted(where[1:])
    if where.startswith("header "):
        return f"pm.response.headers.get({quoted(where.removeprefix('header '))})"
    return f"body.{where}"


def test(name, expression):
    return f"pm.test({quoted(name)}, () => {expression.removesuffix(';')});"


def problem(item):
    members = ["type", "title", "status", "detail", "instance", "code", "request_id"]
    if item.code in ("validation_failed", "invalid_parameter"):
        members.append("errors")
    keys = ", ".join(map(quoted, members))
    return [
        test(
            "is a problem",
            'pm.expect(pm.response.headers.get("Content-Type")).to.match(/^application\\/problem\\+json/)',
        ),
        "const body = pm.response.json();",
        test("has the members of a problem", f"pm.expect(body).to.have.all.keys({keys})"),
        test(
            f"is {item.code}",
            "pm.expect([body.code, body.type, body.status]).to.eql("
            f"[{quoted(item.code)}, {quoted('/problems/' + item.code)}, {item.status}])",
        ),
        test(
            "has the id of the request",
            'pm.expect(body.request_id).to.eql(pm.response.headers.get("X-Request-Id"))',
        ),
    ]


def success(item, media_type, members):
    if media_type is None:
        return (
            [test("has no body", "pm.expect(pm.response.text()).to.eql('')")]
            if item.status in (204, 304)
            else []
        )
    pattern = media_type.replace("/", "\\/").replace("+", "\\+")
    lines = [
        test(f"is {media_type}", f'pm.expect(pm.response.headers.get("Content-Type")).to.match(/^{pattern}/)')
    ]
    if media_type == "application/json":
        lines.append("const body = pm.response.json();")
    if members:
        keys = ", ".join(map(quoted, members))
        verb = "include.all.keys" if item.operation == "listTasks" else "have.all.keys"
        lines.append(test("has its members", f"pm.expect(body).to.{verb}({keys})"))
    return lines


def after(item, description):
    """The tests of a request, and then what is kept from its answer."""
    operation = description.operations.get(item.operation)
    lines = [test(f"answers {item.status}", f"pm.response.to.have.status({item.status})")]
    if item.code:
        lines += problem(item)
    elif operation:
        lines += success(
            item, description.media_type(operation, item.status), description.members(operation, item.status)
        )
    lines += [test(name, expression) for name, expression in item.tests]
    lines += [f"{scope(name)}.set({quoted(name)}, {stored(where)});" for name, where in item.store.items()]
    return lines
