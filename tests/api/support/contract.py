# SPDX-License-Identifier: MIT
"""What holds for every answer of the server, whatever was asked."""
import json
import re

from .openapi import description
from .paths import ROOT

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
WITH_ERRORS = {"validation_failed", "invalid_parameter", "batch_failed"}
OWN_MEMBERS = {"not_empty": {"tasks"}, "too_many": {"matched"}, "changed_since": {"revision", "task"}}
ROW = re.compile(r'ERROR\(\w+, "(\w+)", (\d{3}),\s*"([^"]+)"')


def error_rows():
    """code -> (status, title), from the server's one list of errors."""
    text = (ROOT / "src" / "base" / "error.h").read_text(encoding="utf-8").replace("\\\n", " ")
    return {code: (int(status), title) for code, status, title in ROW.findall(re.sub(r"\s+", " ", text))}


ROWS = error_rows()


def check(method, path, sent, answer, quotas):
    """Checks `answer` to a request for `path` (with query) with the header fields `sent`.

    `quotas`: True or False when RATE_LIMIT is known to be on or off."""
    headers = answer.headers
    request_id = headers.get("X-Request-Id") or ""
    assert REQUEST_ID.fullmatch(request_id), f"X-Request-Id {request_id!r}"
    wished = sent.get("X-Request-Id") or ""
    if isinstance(wished, str) and REQUEST_ID.fullmatch(wished):
        assert request_id == wished
    assert headers.get("X-Content-Type-Options") == "nosniff"
    assert not re.search(r"\d", headers.get("Server") or ""), "Server tells a version"
    check_length(method, answer)
    if quotas is False:
        fields = [name for name in headers if name.lower().startswith("ratelimit")]
        assert not fields, f"{fields} although quotas are off"
    if answer.status >= 400:
        check_problem(method, path.split("?")[0], answer, request_id)
    if re.search(rb'"(access_token|token)":', answer.body) and headers.get("Content-Type", "").startswith("application/json") \
            and path.startswith("/v1/"):
        assert headers.get("Cache-Control") == "no-store"
    description().check(method, path.split("?")[0], answer.status, headers, answer.body)


def check_length(method, answer):
    """Content-Length says what came; HEAD, 204 and 304 carry nothing."""
    length = answer.headers.get("Content-Length")
    if answer.status in (204, 304) or method == "HEAD":
        assert answer.body == b""
        assert answer.status != 204 or length is None, "204 with Content-Length (RFC 9110 8.6)"
    elif answer.headers.get("Transfer-Encoding") is None:
        assert length == str(len(answer.body))


def check_problem(method, path, answer, request_id):
    """A problem document is complete, and its code belongs to its status."""
    headers = answer.headers
    assert headers.get("Cache-Control") == "no-store", "an error without no-store"
    assert headers.get("Content-Type") == "application/problem+json" or path == "/readyz"
    if answer.status == 401:
        assert (headers.get("WWW-Authenticate") or "").startswith("Bearer")
    if answer.status in (429, 503):
        assert int(headers["Retry-After"]) >= 1
    if method == "HEAD" or (path == "/readyz" and answer.status == 503):
        return
    problem = json.loads(answer.body)
    assert MEMBERS <= set(problem) <= MEMBERS | {"errors"} | OWN_MEMBERS.get(problem["code"], set())
    code = problem["code"]
    assert ROWS[code] == (answer.status, problem["title"])
    assert problem["status"] == answer.status
    assert problem["type"] == f"/problems/{code}"
    assert problem["request_id"] == request_id
    assert problem["detail"]
    if re.fullmatch(r"[A-Za-z0-9._/-]*", path) and code != "malformed_request":
        assert problem["instance"] == path
    assert ("errors" in problem) == (code in WITH_ERRORS)
    for error in problem.get("errors", []):
        assert ("parameter" in error) == (code == "invalid_parameter")
