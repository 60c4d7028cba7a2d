# SPDX-License-Identifier: MIT
"""What the generator and the checks need to know of api/openapi.yaml."""

import dataclasses
import pathlib
import re

import yaml

FILE = pathlib.Path(__file__).resolve().parents[2] / "api" / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete")
# Answered before a call is known.
BEFORE = {405, 501, 505}
PROBES = {"/livez", "/healthz", "/health", "/readyz"}  # who sends them does not choose its Accept
CONDITIONS = {"If-Match", "If-None-Match"}


@dataclasses.dataclass
class Operation:
    id: str
    tag: str
    method: str
    path: str
    summary: str
    text: str
    public: bool
    access: str  # as `taskhold routes` says it: public, token, or either
    parameters: list
    media_types: list  # of the request's body; empty: it takes none
    responses: dict  # status as a number -> response: what is particular to the call
    common: dict  # the response for all that can go wrong with every call
    statuses: set  # of all answers, those of `common` too where they can come

    @property
    def limited(self):
        """Whether a quota covers it: then every answer of success says what is left."""
        return any(status < 300 and "RateLimit" in one.get("headers", {}) for status, one in self.responses.items())

    def response(self, status):
        return self.responses.get(status, self.common)


class Description:
    def __init__(self, file=FILE):
        self.document = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.operations = {}
        for path, entry in self.document["paths"].items():
            for method in METHODS:
                if method in entry:
                    operation = self.operation(method, path, entry)
                    self.operations[operation.id] = operation

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operation(self, method, path, entry):
        call = entry[method]
        parameters = [self.resolve(one) for one in entry.get("parameters", []) + call.get("parameters", [])]
        responses = {status: self.resolve(one) for status, one in call["responses"].items()}
        common = responses.pop("default")
        out = Operation(
            id=call["operationId"],
            tag=call["tags"][0],
            method=method.upper(),
            path=path,
            summary=call["summary"],
            text=call["description"],
            public=call.get("security") == [],
            access={True: "public", False: "either" if {} in call.get("security", []) else "token"}[call.get("security") == []],
            parameters=parameters,
            media_types=list(call.get("requestBody", {}).get("content", {})),
            responses={int(status): one for status, one in responses.items()},
            common=common,
            statuses=set(),
        )
        examples = common["content"]["application/problem+json"]["examples"].values()
        impossible = BEFORE | {
            *({401} if out.public else ()),
            *(() if out.media_types else (415,)),
            *(() if out.limited else (429,)),
            *(() if CONDITIONS & {one["name"] for one in parameters} else (412,)),
            *(() if any("content" in out.responses[status] for status in out.responses if status < 300) else (406,)),
            *((406,) if path in PROBES else ()),
            *((507,) if out.method == "GET" else ()),
        }
        out.statuses = set(out.responses) | ({one["value"]["status"] for one in examples} - impossible)
        return out

    def find(self, method, path):
        """The operation that a request belongs to, or None. `path` is without the query. HEAD is that of GET."""
        method = "GET" if method == "HEAD" else method
        for operation in self.operations.values():
            pattern = re.sub(r"\\\{[a-z]+\\\}", "[^/]+", re.escape(operation.path))
            if operation.method == method and re.fullmatch(pattern, path):
                return operation
        return None

    def media_type(self, operation, status):
        """The media type of an answer, or None where it has no body."""
        return next(iter(operation.response(status).get("content", {})), None)

    def members(self, operation, status):
        """The members that the body of an answer must have, or None where it is not JSON with known ones."""
        content = operation.response(status).get("content", {}).get("application/json")
        schema = self.resolve(content["schema"]) if content else {}
        return schema.get("required")
