# SPDX-License-Identifier: MIT
"""Checks answers against api/openapi.yaml: status, media type, header fields, body.

The description lets answers gain members, so that old clients bear new servers. The tests do not: each member that an
answer has must be described (`closed`). What can go wrong with every call stands once, as the answer `default`; the
codes that it may carry are those of its examples, as for every other answer with a problem.
"""
import copy
import functools
import json
import re

import jsonschema
import yaml

from .paths import DESCRIPTION

METHODS = ("get", "put", "post", "patch", "delete")
PROBLEM = "application/problem+json"
NEEDS_TOKEN = {"unauthorized", "invalid_token"}
# How the server writes what a format leaves open.
FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("uuid")(lambda value: not isinstance(value, str) or re.fullmatch(
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value) is not None)
FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or re.fullmatch(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value) is not None)


def closed(document):
    """The same description with objects that have no members but those that are described."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return document


class Operation:
    """One call of the description."""

    def __init__(self, method, path, node):
        self.method, self.path, self.node = method.upper(), path, node
        self.id = node["operationId"]
        self.public = node.get("security") == []
        self.scope = node.get("x-scope")
        self.pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"\Z")


class Description:
    """The parsed description."""

    def __init__(self, path=DESCRIPTION):
        with open(path, encoding="utf-8") as file:
            self.root = closed(yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self.resolver = jsonschema.RefResolver("", self.root)
        self.operations = [Operation(method, path, item[method]) for path, item in self.root["paths"].items()
                           for method in METHODS if method in item]
        self._validators = {}

    def resolve(self, node):
        """Follows a $ref."""
        while "$ref" in node:
            node = functools.reduce(lambda at, part: at[part], node["$ref"][2:].split("/"), self.root)
        return node

    def find(self, method, path):
        """The call for a method (HEAD is GET) and a path without query, or None."""
        method = "GET" if method == "HEAD" else method
        fits = [op for op in self.operations if op.method == method and op.pattern.match(path)]
        return min(fits, key=lambda op: op.path.count("{"), default=None)

    def validate(self, schema, value, where):
        """Fails with all that is wrong with `value`."""
        key = id(schema)
        if key not in self._validators:
            self._validators[key] = jsonschema.Draft202012Validator(
                schema, resolver=self.resolver, format_checker=FORMATS)
        wrong = [f"{list(e.absolute_path)}: {e.message}" for e in self._validators[key].iter_errors(value)]
        assert not wrong, f"{where}: {'; '.join(wrong)}"

    def check(self, method, path, status, headers, body):
        """Fails when the answer is not one that the description knows."""
        operation = self.find(method, path)
        if operation is None:
            return
        where = f"{operation.id} {status}"
        responses = operation.node["responses"]
        assert str(status) in responses or status >= 400, f"{where}: not in the description"
        response = self.resolve(responses.get(str(status), responses["default"]))
        self._check_fields(response, headers, where)
        if method != "HEAD":
            self._check_body(response, headers, body, where)
            self._check_code(operation, response, headers, body, where)

    def _check_fields(self, response, headers, where):
        for name, node in response.get("headers", {}).items():
            node, value = self.resolve(node), headers.get(name)
            if value is None:
                assert not node.get("required"), f"{where}: no {name}"
                continue
            schema = self.resolve(node["schema"])
            typed = int(value) if schema.get("type") == "integer" else value
            self.validate(schema, typed, f"{where}: {name}")

    def _check_body(self, response, headers, body, where):
        content = response.get("content", {})
        if not content:
            assert body == b"", f"{where}: a body where none is described"
            return
        media = (headers.get("Content-Type") or "").split(";")[0].strip()
        assert media in content, f"{where}: Content-Type {media}"
        if media.endswith("json"):
            self.validate(content[media]["schema"], json.loads(body), where)

    @staticmethod
    def _check_code(operation, response, headers, body, where):
        """A problem's code must have an example under the call's status, or else in `default`."""
        if headers.get("Content-Type") != PROBLEM:
            return
        content, code = response["content"][PROBLEM], json.loads(body)["code"]
        examples = content["examples"].values() if "examples" in content else [{"value": content["example"]}]
        assert code in {one["value"]["code"] for one in examples}, f"{where}: {code} is not in the description"
        assert not (operation.public and code in NEEDS_TOKEN), f"{where}: {code} of a call without a token"


@functools.lru_cache(maxsize=1)
def description():
    """The description, read once."""
    return Description()
