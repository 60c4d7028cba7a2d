# SPDX-License-Identifier: MIT
"""The saved examples beside the story: for each call, the answers that a client can provoke on purpose.

Each provocation bends the request of the call's first item in the story so that one certain status comes back.
It is recorded just before that item runs, when everything that the call needs is there, and changes nothing.
"""

import dataclasses

from .story_items import ABSENT_ID, Item

# Decided before a call is known, or by a limit that is the same for every call: saved once each, under Errors.
ONCE = {413: "a limit", 414: "a limit", 417: "told by a header field alone", 431: "a limit"}

# What no client can bring about on purpose.
NEVER = {
    408: "takes a client that stops in the middle of a request",
    500: "takes a fault in the server",
    503: "takes a server with too much to do, or one that is stopping",
    507: "takes a full disk",
}
NEVER_HERE = {
    (400, "public"): "outside /v1 it takes bytes that are not HTTP, which no ordinary client sends",
    (403, "registration"): "takes a server whose operator closed registration",
    (422, "no body"): "a body that a call does not take is refused alike everywhere: saved once, under Errors",
    (409, "idempotency"): "takes two requests with one key in the same instant",
}

NOT_VALID = {
    "registerUser": {"email": "ada", "password": "short"},
    "login": {"email": 42},
    "refreshTokens": {},
    "updateMe": {"name": "x" * 101},
    "changePassword": {"current_password": "{{password}}", "new_password": "password1"},
    "changeEmail": {"email": "ada at example.com", "password": "{{password}}"},
    "deleteAccount": {},
    "createTask": {"title": "", "status": "someday"},
    "replaceTask": {"description": "No title"},
    "updateTask": {"title": None, "revision": 7},
}

WRONG_PASSWORD = {
    "changePassword": {"current_password": "not the password", "new_password": "staple under the sun"},
    "changeEmail": {"email": "ada.king@example.com", "password": "not the password"},
    "deleteAccount": {"password": "not the password"},
}


def bent(item, name, status, code=None, **changes):
    """`item` with `changes`, as a request that no one tests and nothing is stored from."""
    return dataclasses.replace(item, name=name, status=status, code=code, store={}, tests=[], **changes)


def bad_request(operation, item):
    if operation.media_types:
        token = None if operation.access == "either" else item.token  # there a body stands for the token
        return bent(item, "Broken JSON", 400, "invalid_json", token=token, body='{"a": ')
    if not operation.path.startswith("/v1/"):
        return bent(
            item,
            "Malformed If-None-Match",
            400,
            "invalid_header",
            headers={**item.headers, "If-None-Match": "42"},
        )
    return bent(item, "Query parameter that there is not", 400, "invalid_parameter", query={"colour": "red"})


def no_token(_, item):
    return bent(item, "No token", 401, "unauthorized", token=None)


def wrong_password(operation, item):
    return bent(item, "Wrong password", 403, "wrong_password", body=WRONG_PASSWORD[operation.id])


def not_found(operation, item):
    absent = {"getProblem": "no_such_problem", "getDocsFile": "no_such_file", "replaceTask": "not-a-uuid"}.get(operation.id, ABSENT_ID)
    return bent(item, "Not there", 404, "not_found", path={name: absent for name in item.path}, headers={})


def not_acceptable(_, item):
    return bent(
        item,
        "A media type that there is not",
        406,
        "not_acceptable",
        headers={**item.headers, "Accept": "text/csv"},
    )


def conflict(_, item):
    return bent(
        item,
        "E-mail address taken",
        409,
        "email_taken",
        body={"email": "{{other_email}}", "password": "{{password}}"},
    )


def precondition_failed(_, item):
    return bent(
        item,
        "Changed by somebody else",
        412,
        "precondition_failed",
        headers={**item.headers, "If-Match": '"999999"'},
    )


def unsupported(_, item):
    return bent(
        item,
        "A body that is no JSON",
        415,
        "unsupported_media_type",
        headers={"Content-Type": "text/plain"},
        body="Hello",
    )


def not_valid(operation, item):
    if not operation.media_types:
        return bent(
            item,
            "The key was used for something else",
            422,
            "idempotency_key_reused",
            headers={"Idempotency-Key": "{{used_key}}"},
        )
    return bent(item, "Not valid", 422, "validation_failed", body=NOT_VALID[operation.id])


def not_modified(_, item):
    return bent(item, "Not modified", 304, headers={**item.headers, "If-None-Match": "{{file_etag}}"})


PROVOKE = {
    304: not_modified,
    400: bad_request,
    401: no_token,
    403: wrong_password,
    404: not_found,
    406: not_acceptable,
    409: conflict,
    412: precondition_failed,
    415: unsupported,
    422: not_valid,
}


def reason_against(operation, status):
    """Why no saved example of `operation` shows `status`, or None when one has to."""
    if status in NEVER:
        return NEVER[status]
    if status == 400 and not operation.path.startswith("/v1/") and 304 not in operation.responses:
        return NEVER_HERE[400, "public"]
    if status == 403 and operation.id == "registerUser":
        return NEVER_HERE[403, "registration"]
    if status == 422 and not operation.media_types and 422 not in operation.responses:
        return NEVER_HERE[422, "no body"]
    if status == 409 and operation.path.startswith("/v1/tasks"):
        return NEVER_HERE[409, "idempotency"]
    return None


def missing(operation, item, shown):
    """The provocations for whatever `operation` documents and the story does not show (`shown`: statuses)."""
    for status in sorted(operation.statuses):
        wanted = status not in shown and status not in ONCE and reason_against(operation, status) is None
        if wanted and status in PROVOKE:
            yield PROVOKE[status](operation, item)


def throttled(item):
    return bent(item, "Too many requests", 429, "rate_limited")


def second_account():
    """An account that owns another e-mail address, and a key that was used: what some provocations need."""
    return Item(
        "", "registerUser", 201, token=None, body={"email": "{{other_email}}", "password": "{{password}}"}
    )


def used_key():
    """A key that stands for another request from now on."""
    return Item("", "createTask", 201, headers={"Idempotency-Key": "{{used_key}}"}, body={"title": "Buy tea"})


def removed(task):
    return Item("", "deleteTask", 204, path={"id": task})
