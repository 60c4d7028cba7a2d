# SPDX-License-Identifier: MIT
"""The errors that every call shares: one request that provokes each, on the call that shows it best."""

from .items import ABSENT_ID, Folder, Item, check

# What no request of the collection provokes, and why.
NEVER = {
    "malformed_request": "takes bytes that are not HTTP",
    "http_version_not_supported": "takes another version of HTTP",
    "request_timeout": "takes a client that stops in the middle of a request",
    "rate_limited": "would lock you out for a while; *Log in* has an example",
    "too_many_streams": "takes 20 streams that are open",
    "internal_error": "takes a fault in the server",
    "overloaded": "takes a server with too much to do",
    "unavailable": "takes a server that is stopping or has lost its database",
    "outcome_unknown": "takes a database that is lost during a write",
    "too_many": "takes 1,000 lists, or 10,000 tasks in one request; *Create a list* has an example",
    "quota_exceeded": "takes as many tasks as an account may have; *Create a task* has an example",
    "cursor_gone": "takes changes that are older than the server keeps them",
    "storage_full": "takes a full disk",
    "idempotency_key_in_use": "takes two requests with one key in the same instant",
    "invalid_invitation": "takes a server whose operator closed registration",
}

INVALID_TOKEN = check(
    "blames the token", 'pm.response.headers.get("WWW-Authenticate")', """to.include('error="invalid_token"')"""
)
ALLOW = check("says which it has", 'pm.response.headers.get("Allow")', 'to.include("GET").and.include("POST")')


def lists(name, of, *values):
    members = ", ".join(f'"{one}"' for one in values)
    return check(name, f"body.errors.map((one) => one.{of})", f"to.have.members([{members}])")


ERRORS = Folder(
    "Errors that every call shares",
    "Every error is `application/problem+json` (RFC 9457) with a stable `code`. Each request here fails on purpose,"
    " on one call that stands for all. Not provoked here:\n\n"
    + "\n".join(f"* `{code}`: {why}" for code, why in NEVER.items()),
    [
        Item(
            "400 Broken JSON",
            "createTask",
            400,
            "invalid_json",
            body='{"title": "Buy',
            note="The body is not one JSON object, or has a member twice.",
        ),
        Item(
            "400 Query parameters that are not valid",
            "listTasks",
            400,
            "invalid_parameter",
            query={"limit": "1000", "colour": "red"},
            tests=[lists("names both", "parameter", "limit", "colour")],
            note="`errors` names each of them.",
        ),
        Item(
            "400 A malformed If-Match",
            "deleteTask",
            400,
            "invalid_header",
            path={"id": ABSENT_ID},
            headers={"If-Match": "42"},
            note="An ETag stands in double quotes.",
        ),
        Item(
            "401 No token",
            "listTasks",
            401,
            "unauthorized",
            token=None,
            tests=[
                check(
                    "does not blame a token",
                    'pm.response.headers.get("WWW-Authenticate")',
                    'to.match(/^Bearer/).and.not.include("error=")',
                )
            ],
            note="`WWW-Authenticate` says what to send.",
        ),
        Item(
            "401 Not a token of ours",
            "listTasks",
            401,
            "invalid_token",
            token="not.a.token",
            tests=[INVALID_TOKEN],
            note="It was made up, has expired, or its session has ended: refresh it or log in again.",
        ),
        Item(
            "403 A token for a script without the scope",
            "createTask",
            403,
            "insufficient_scope",
            body={"title": "Buy milk"},
            token="{{script_token}}",
            tests=[
                check(
                    "says which it takes", 'pm.response.headers.get("WWW-Authenticate")', """to.include('scope="tasks:write"')"""
                )
            ],
            note="It has `tasks:read`. `WWW-Authenticate` says what it would need.",
        ),
        Item(
            "404 A path that there is not",
            None,
            404,
            "not_found",
            token=None,
            raw=("GET", "/v2/tasks"),
            note="The same answer as for what belongs to another account.",
        ),
        Item(
            "405 A method that the path does not have",
            None,
            405,
            "method_not_allowed",
            token=None,
            raw=("PUT", "/v1/tasks"),
            tests=[ALLOW],
            note="`Allow` lists those that it has.",
        ),
        Item(
            "406 A media type that there is not",
            "listTasks",
            406,
            "not_acceptable",
            headers={"Accept": "text/csv"},
            note="`Accept` excludes what this call answers with.",
        ),
        Item(
            "412 A condition that does not hold",
            "getMe",
            412,
            "precondition_failed",
            headers={"If-Match": '"aB3xY9-u1"'},
            note="`If-Match` names an ETag that is not the current one, which the answer has.",
        ),
        Item(
            "413 A body that is too large",
            "createTask",
            413,
            "content_too_large",
            before={"large": ("x" * 300000, '"x".repeat(300000)')},
            body={"title": "Buy milk", "description": "{{large}}"},
            note="The operator sets how large one may be, with `MAX_BODY_BYTES`.",
        ),
        Item(
            "414 An address that is too long",
            None,
            414,
            "uri_too_long",
            token=None,
            before={"long": ("x" * 9000, '"x".repeat(9000)')},
            raw=("GET", "/livez?{{long}}"),
            note="The request line has 8 KiB at most.",
        ),
        Item(
            "415 A body that is no JSON",
            "createTask",
            415,
            "unsupported_media_type",
            headers={"Content-Type": "text/plain"},
            body="Buy milk",
            note="`detail` says what to send.",
        ),
        Item(
            "417 An expectation that cannot be met",
            None,
            417,
            "expectation_failed",
            token=None,
            raw=("GET", "/livez"),
            headers={"Expect": "200-ok"},
            note="Only `100-continue` can.",
        ),
        Item(
            "422 A body that the call does not take",
            "deleteTask",
            422,
            "validation_failed",
            path={"id": ABSENT_ID},
            body={"title": "Buy milk"},
            note="Nothing is ignored in silence.",
        ),
        Item(
            "422 Members that are not valid",
            "createTask",
            422,
            "validation_failed",
            body={"title": " ", "status": "someday", "colour": "red"},
            tests=[lists("names them all", "pointer", "/title", "/status", "/colour")],
            note="`errors` lists all of them, each with a pointer into the body.",
        ),
        Item(
            "431 A header field that is too large",
            None,
            431,
            "header_fields_too_large",
            token=None,
            before={"wide": ("x" * 20000, '"x".repeat(20000)')},
            raw=("GET", "/livez"),
            headers={"X-Large": "{{wide}}"},
            note="All of them together have 16 KiB at most.",
        ),
        Item(
            "501 A method that the server does not know",
            None,
            501,
            "not_implemented",
            token=None,
            raw=("BREW", "/v1/tasks"),
            note="HTTP has no such method.",
        ),
    ],
)
