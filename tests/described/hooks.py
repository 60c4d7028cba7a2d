# SPDX-License-Identifier: MIT
"""What schemathesis has to know of this server: who asks, what an answer must look like, and what refuses a request
that is as described."""

import itertools
import json
import pathlib
import sys
import unicodedata

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from support.openapi import description  # noqa: E402

# As in the examples of the description, so that they work.
PASSWORD = "correct horse battery"
# After these, when they are done, the token or the account is gone.
ENDINGS = {"logout", "endSession", "endOtherSessions", "changePassword", "changeEmail", "deleteAccount"}
# What refuses a request by what is stored, which no schema can say. 404 and the like pass by their status.
BY_STATE = {
    "precondition_failed",
    "idempotency_key_reused",
    "invalid_credentials",
    "invalid_refresh_token",
}
# The same of a member or a parameter.
BY_CONTENT = {"password_common", "password_contains_email", "blank", "time", "time_zone", "unknown_reference", "order", "cycle", "rule",
              "needs_due", "not_completed", "in_future", "not_both", "itself", "not_the_parents", "too_deep", "too_many", "repeated"}
# Parameters whose values a pattern describes in part: a cursor of another list, the 30th of February, a search for blanks.
OF_NO_PATTERN = ("cursor", ".from", ".before", "q")
STATEFUL = ("If-Match", "If-None-Match", "Idempotency-Key")
PASSWORD_LEAST = 8
# Of what the server counts in bytes, which no schema can.
BYTES_MOST = {
    "/email": 254,
    "/password": 1024,
    "/current_password": 1024,
    "/new_password": 1024,
    "/refresh_token": 1024,
    "/invitation": 1024,
}
SECONDS = 60

numbers = itertools.count()


class Account:
    """An account of its own, and a session of it."""

    def __init__(self, base):
        self.ended = False
        who = {"email": f"described-{next(numbers)}@example.com", "password": PASSWORD}
        made = requests.post(f"{base}/v1/auth/register", json=who, timeout=SECONDS)
        assert made.status_code == 201, made.text
        pair = requests.post(f"{base}/v1/auth/login", json=who, timeout=SECONDS)
        assert pair.status_code == 200, pair.text
        self.token = pair.json()["access_token"]


account = None


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """The account of the moment, or a new one after an ending."""

    def get(self, case, context):
        global account
        if account is None or account.ended:
            account = Account(case.operation.base_url)
        return account

    def set(self, case, data, context):
        # Logging out takes an access token or a body, not both.
        if case.operation.definition.raw["operationId"] != "logout" or not isinstance(case.body, dict):
            case.headers["Authorization"] = f"Bearer {data.token}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out what would refuse a request before it comes to what the request is about: conditions that do not
    hold, keys that were used, a cursor that nobody gave."""
    about = getattr(case.meta.phase.data, "parameter", None) if case.meta else None
    if case.meta is None or case.meta.phase.name.value != "coverage":
        return
    for name in STATEFUL:
        if name != about and name in case.headers:
            del case.headers[name]
    if about != "cursor" and case.query:
        case.query.pop("cursor", None)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code < 300 and case.operation.definition.raw["operationId"] in ENDINGS and account:
        account.ended = True


@schemathesis.check
def as_described(ctx, response, case):
    """The judge of tests/api: status, media type, header fields, members and the problem's code."""
    headers = requests.structures.CaseInsensitiveDict({name: values[0] for name, values in response.headers.items()})
    path = response.request.path_url.split("?")[0]
    description().check(response.request.method, path, response.status_code, headers, response.content)


def no_schema_counts(case, error):
    """Is the text too long in bytes, or too short in Normalization Form C?"""
    if error.get("pointer", "").startswith("/metadata/") and error["code"] in ("too_short", "too_long"):
        return True  # the name: null removes one of any length, and only what is set is bound
    if error.get("pointer") == "/expires_at" and error["code"] == "out_of_range":
        return True  # it is ahead, or not: by the clock
    value = case.body.get(error.get("pointer", "")[1:]) if isinstance(case.body, dict) else None
    if not isinstance(value, str):
        return False
    normal = unicodedata.normalize("NFC", value)
    if error["code"] == "too_short":
        return len(normal) < PASSWORD_LEAST <= len(value)
    most = BYTES_MOST.get(error["pointer"])
    return error["code"] == "too_long" and bool(most) and max(len(value.encode()), len(normal.encode())) > most


def allowed(case, problem):
    """Is it no wonder that this was refused, although it is as described?"""
    if problem["code"] in BY_STATE or (problem["code"] == "invalid_header" and "dry_run" in problem["detail"]):
        return True
    if problem["code"] == "content_too_large":
        return len(json.dumps(case.body)) > 4096
    return bool(problem.get("errors")) and all(
        one["code"] in BY_CONTENT
        or (one["code"] == "required" and one.get("parameter") == "filter")  # any one of them
        or (one["code"] == "required" and one.get("pointer", "").endswith("/completed_at"))  # not null while it is completed
        or (one["code"] == "invalid" and one.get("parameter", "").endswith(OF_NO_PATTERN))
        or no_schema_counts(case, one)
        for one in problem["errors"]
    )


def as_schema_says(case):
    """Are the header fields as described? schemathesis forgets the pattern where a field's schema is a `$ref`."""
    known = description()
    for node in map(known.resolve, case.operation.definition.raw.get("parameters", [])):
        if node["in"] == "header" and node["name"] in case.headers:
            try:
                known.validate(known.resolve(node["schema"]), case.headers[node["name"]], node["name"])
            except AssertionError:
                return False
    return True


@schemathesis.check
def accepted(ctx, response, case):
    """What is as described is accepted, but for what no schema can say."""
    try:
        positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        if as_schema_says(case) and not allowed(case, response.json()):
            raise


@schemathesis.check
def refused(ctx, response, case):
    """What is not as described is refused: of a batch in which each operation is for itself, in its own result."""
    if case.operation.path != "/v1/tasks/batch":
        return
    try:
        negative_data_rejection(ctx, response, case)
    except AcceptedNegativeData:
        if response.status_code != 200 or not any("problem" in one for one in response.json()["results"]):
            raise
