# SPDX-License-Identifier: MIT
"""Each call of the description once, with an example of every answer that is particular to it."""

from .items import ABSENT_ID, PURGED, call, check, keep

LOGIN = {"email": "{{email}}", "password": "{{password}}"}
SCRIPT_TOKEN = {"name": "Nightly backup", "scopes": ["tasks:read", "account:read"], "password": "{{password}}"}
TASK = {"id": "{{task_id}}"}
SAME_TASK = check("is that task", "body.id", 'to.eql(pm.collectionVariables.get("task_id"))')
LIST = {"id": "{{list_id}}"}
SAME_LIST = check("is that list", "body.id", 'to.eql(pm.collectionVariables.get("list_id"))')
WEEKLY = {"id": "{{weekly_id}}"}
TRASHED = {"id": "{{trashed_id}}"}
LABEL = {"name": "{{label}}"}
NO_LABEL = {"path": {"name": "no-such-label"}}
LABELS_CHANGED = ("a task has changed", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-l1"'}})
OK = check("says ok", "body.status", 'to.eql("ok")')
TOKENS = [keep("access_token", "body.access_token"), keep("refresh_token", "body.refresh_token")]
NOT_MODIFIED = ("nothing new", 304, None, {"headers": {"If-None-Match": "{{answer_etag}}"}})
NOT_THERE = ("not there, or another's", 404, "not_found", {"path": {"id": ABSENT_ID}})
CHANGED = ("changed by another client", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-1"'}})
KEY = {"Idempotency-Key": "{{used_key}}"}
KEY_REUSED = ("a key for something else", 422, "idempotency_key_reused", {"headers": KEY})
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def invalid(body, name="not valid", **more):
    return (name, 422, "validation_failed", {"body": body, **more})


def taken(**more):
    return ("address taken", 409, "email_taken", more)


def wrong_password(body):
    return ("wrong password", 403, "wrong_password", {"body": body})


def read(operation, test):
    """That is answered with 304 when nothing is new."""
    return call(operation, 200, tests=[test], examples=[NOT_MODIFIED])


CALLS = [
    call(
        "registerUser",
        201,
        body={"email": "{{new_email}}", "password": "{{password}}", "name": "Ada Lovelace"},
        first=True,
        note="The new account takes the place of the one that this collection used before: `email` is its address.",
        tests=[
            check("has the address", "body.email", 'to.eql(pm.collectionVariables.get("new_email"))'),
            check("keeps the password to itself", "body", 'to.not.have.any.keys("password", "password_hash")'),
            keep("email", "body.email"),
        ],
        examples=[
            taken(),
            invalid({"email": "ada", "password": "short"}),
            ("by invitation only", 403, "registration_closed", {"server": ("--registration", "closed")}),
        ],
    ),
    call(
        "login",
        200,
        body=LOGIN,
        note="Keeps both tokens in the variables of the collection.",
        tests=[check("is a bearer token", "body.token_type", 'to.eql("Bearer")'), *TOKENS],
        examples=[
            ("wrong password", 401, "invalid_credentials", {"body": {**LOGIN, "password": "not the password"}}),
            invalid({"email": 42}),
            (
                "ten wrong passwords",
                429,
                "rate_limited",
                {"body": {**LOGIN, "password": "not the password"}, "server": ("--log-level", "error"), "until": True},
            ),
        ],
    ),
    call(
        "refreshTokens",
        200,
        body={"refresh_token": "{{refresh_token}}"},
        note="Keeps the new tokens in the variables of the collection.",
        tests=[
            check("is a new one", "body.refresh_token", 'to.not.eql(pm.collectionVariables.get("refresh_token"))'),
            *TOKENS,
        ],
        examples=[
            ("not a refresh token", 401, "invalid_refresh_token", {"body": {"refresh_token": "bm90IGEgdG9rZW4"}}),
            invalid({}),
        ],
    ),
    call(
        "logout",
        204,
        tests=[keep("ended_token", 'pm.request.headers.get("Authorization").slice(7)')],
        examples=[
            (
                "not a refresh token",
                401,
                "invalid_refresh_token",
                {"token": None, "body": {"refresh_token": "bm90IGEgdG9rZW4"}},
            ),
            invalid({"refresh_token": "{{refresh_token}}"}, "a body beside the token"),
        ],
    ),
    call(
        "createList",
        201,
        body={"name": "Household", "color": "#3584E4"},
        note="Keeps the id in `list_id`.",
        tests=[
            check("has its colour, in lower case", "body.color", 'to.eql("#3584e4")'),
            check("tells where", 'pm.response.headers.get("Location")', "to.match(new RegExp(`/v1/lists/${body.id}$`))"),
            keep("list_id", "body.id"),
        ],
        examples=[
            ("1,000 lists", 409, "too_many", {"server": ("--rate-limit", "off"), "until": True}),
            ("the lists have changed", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-l1"'}}),
            invalid({"name": " ", "color": "blue"}),
            KEY_REUSED,
        ],
    ),
    read("listLists", check("has lists", "body.items", "to.be.an('array')")),
    call("getList", 200, path=LIST, tests=[SAME_LIST], examples=[NOT_MODIFIED, NOT_THERE]),
    call(
        "updateList",
        200,
        path=LIST,
        headers=MERGE_PATCH,
        body={"archived": True},
        tests=[SAME_LIST, check("is archived", "body.archived", "to.be.true")],
        examples=[
            NOT_THERE,
            (*CHANGED[:3], {"headers": {**MERGE_PATCH, **CHANGED[3]["headers"]}}),
            invalid({"name": None, "position": "a"}),
            (*KEY_REUSED[:3], {"headers": {**MERGE_PATCH, **KEY}}),
        ],
    ),
    call(
        "replaceList",
        200,
        path=LIST,
        body={"name": "Home"},
        tests=[SAME_LIST, check("has the defaults", "[body.color, body.archived]", "to.eql([null, false])")],
        examples=[
            ("under an id of its own", 201, None, {"path": {"id": "0193c5e1-7d2a-4b6f-9a54-6d1d0c3f9e21"}}),
            ("not a UUID", 404, "not_found", {"path": {"id": "not-a-uuid"}}),
            CHANGED,
            invalid({"color": "#3584e4"}),
            KEY_REUSED,
        ],
    ),
    call(
        "moveList",
        200,
        path=LIST,
        body={"after": None},
        tests=[SAME_LIST],
        examples=[
            NOT_THERE,
            ("no neighbour there", 409, "not_sibling", {"body": {"after": ABSENT_ID}}),
            CHANGED,
            invalid({"after": None, "before": None}, "two places"),
            KEY_REUSED,
        ],
    ),
    call(
        "deleteList",
        204,
        path=LIST,
        examples=[
            NOT_THERE,
            ("it holds tasks", 409, "not_empty", {"path": {"id": "{{full_list_id}}"}}),
            CHANGED,
            KEY_REUSED,
        ],
    ),
    call(
        "createTask",
        201,
        body={
            "title": "Buy milk",
            "description": "Two litres, the one with the blue cap",
            "due": "{{tomorrow}}",
            "priority": "high",
            "labels": ["shop"],
        },
        note="Keeps the id in `task_id`.",
        tests=[
            check("is pending", "[body.status, body.completed_at]", 'to.eql(["pending", null])'),
            check("tells where", 'pm.response.headers.get("Location")', "to.match(new RegExp(`/v1/tasks/${body.id}$`))"),
            check("has an ETag", 'pm.response.headers.get("ETag")', "to.match(/^\"[0-9A-Za-z]{6}-[0-9]+\"$/)"),
            keep("task_id", "body.id"),
        ],
        examples=[
            ("made, and gone for good", 404, "not_found", {"body": PURGED, "headers": {"Idempotency-Key": "{{purged_key}}"}}),
            ("the list has changed", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-l1"'}}),
            invalid({"title": " ", "status": "someday", "colour": "red"}),
            KEY_REUSED,
            ("as many tasks as allowed", 507, "quota_exceeded", {"server": ("--user-tasks-most", "2")}),
        ],
    ),
    call(
        "listTasks",
        200,
        tests=[
            check("has tasks", "body.items", "to.be.an('array')"),
            check("ends, or leads to the next page", "typeof body.next_cursor", 'to.be.oneOf(["string", "object"])'),
        ],
        examples=[NOT_MODIFIED],
    ),
    call("getTask", 200, path=TASK, tests=[SAME_TASK], examples=[NOT_MODIFIED, NOT_THERE]),
    call(
        "updateTask",
        200,
        path=TASK,
        headers=MERGE_PATCH,
        body={"status": "completed"},
        tests=[
            SAME_TASK,
            check("is completed", "body.status", 'to.eql("completed")'),
            check("says when", "body.completed_at", "to.be.a('string')"),
        ],
        examples=[
            NOT_THERE,
            (*CHANGED[:3], {"headers": {**MERGE_PATCH, **CHANGED[3]["headers"]}}),
            invalid({"title": None, "revision": 7}),
            (*KEY_REUSED[:3], {"headers": {**MERGE_PATCH, **KEY}}),
        ],
    ),
    call(
        "replaceTask",
        200,
        path=TASK,
        body={"title": "Buy oat milk"},
        tests=[
            SAME_TASK,
            check("has the defaults", "[body.description, body.status]", 'to.eql([null, "pending"])'),
        ],
        examples=[
            ("under an id of its own", 201, None, {"path": {"id": "0193c5e1-7d2a-4b6f-9a54-6d1d0c3f9e21"}}),
            ("not a UUID", 404, "not_found", {"path": {"id": "not-a-uuid"}}),
            CHANGED,
            invalid({"description": "No title"}),
            KEY_REUSED,
        ],
    ),
    call(
        "deleteTask",
        204,
        path=TASK,
        examples=[NOT_THERE, CHANGED, KEY_REUSED],
    ),
    call(
        "batchTasks",
        200,
        body={
            "operations": [
                {"op": "create", "task": {"title": "Beat the eggs"}},
                {"op": "update", "id": "{{task_id}}", "task": {"priority": "high"}},
            ]
        },
        tests=[check("made both", "body.results.map((one) => one.status)", "to.eql([201, 200])")],
        examples=[
            (
                "one cannot be made",
                409,
                "batch_failed",
                {"body": {"operations": [{"op": "delete", "id": ABSENT_ID}, {"op": "create", "task": {"title": "Tea"}}]}},
            ),
            (
                "made, and gone for good",
                404,
                "not_found",
                {
                    "body": {"operations": [{"op": "create", "task": PURGED}]},
                    "headers": {"Idempotency-Key": "{{purged_batch_key}}"},
                },
            ),
            (
                "each for itself",
                200,
                None,
                {
                    "body": {
                        "atomic": False,
                        "operations": [{"op": "delete", "id": ABSENT_ID}, {"op": "create", "task": {"title": "Tea"}}],
                    }
                },
            ),
            invalid({"operations": [{"op": "upsert"}]}),
            KEY_REUSED,
        ],
    ),
    call(
        "updateTasks",
        200,
        query={"label": "{{label}}", "max": "10"},
        headers=MERGE_PATCH,
        body={"priority": "high"},
        tests=[check("found some", "body.matched", "to.be.above(0)")],
        examples=[
            ("more than max", 409, "too_many", {"query": {"list": "inbox", "max": "1"}}),
            ("one cannot be changed", 409, "batch_failed", {"body": {"list_id": ABSENT_ID}}),
            ("no max", 400, "invalid_parameter", {"query": {"list": "inbox"}}),
            (*CHANGED[:3], {"headers": {**MERGE_PATCH, "If-Match": '"aB3xY9-l1"'}}),
            invalid({"title": None}),
            (*KEY_REUSED[:3], {"headers": {**MERGE_PATCH, **KEY}}),
        ],
    ),
    call(
        "deleteTasks",
        200,
        query={"status": "completed", "max": "1000", "dry_run": "true"},
        note="Only tells what it would delete; without `dry_run` it does.",
        tests=[check("counts", "body.matched", "to.be.a('number')")],
        examples=[
            ("more than max", 409, "too_many", {"query": {"list": "inbox", "max": "1"}}),
            ("the list has changed", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-l1"'}}),
            ("a key for something else", 422, "idempotency_key_reused",
             {"query": {"status": "completed", "max": "1000"}, "headers": KEY}),
        ],
    ),
    call(
        "moveTask",
        200,
        path=TASK,
        body={"after": None},
        tests=[SAME_TASK],
        examples=[
            NOT_THERE,
            ("no neighbour there", 409, "not_sibling", {"body": {"after": ABSENT_ID}}),
            CHANGED,
            invalid({"list_id": ABSENT_ID}, "no such list"),
            KEY_REUSED,
        ],
    ),
    call(
        "listOccurrences",
        200,
        path=WEEKLY,
        query={"limit": "3"},
        tests=[check("has dates", "body.items.length", "to.eql(3)")],
        examples=[NOT_MODIFIED, NOT_THERE],
    ),
    call(
        "listHistory",
        200,
        path=TASK,
        tests=[check("begins with its making", "body.items[body.items.length - 1].op", 'to.eql("create")')],
        examples=[NOT_MODIFIED, NOT_THERE],
    ),
    call(
        "undoTask",
        200,
        path=TASK,
        body='{"revision": {{task_revision}}}',
        tests=[SAME_TASK],
        examples=[
            (
                "its making",
                204,
                None,
                {"path": {"id": "{{made_id}}"}, "body": '{"revision": {{made_revision}}}'},
            ),
            ("not the last change", 409, "changed_since", {"body": {"revision": 9007199254740991}}),
            (
                "its list is gone",
                409,
                "cannot_undo",
                {"path": {"id": "{{moved_id}}"}, "body": '{"revision": {{moved_revision}}}'},
            ),
            NOT_THERE,
            CHANGED,
            invalid({"revision": 0}),
            KEY_REUSED,
        ],
    ),
    call(
        "skipTask",
        200,
        path=WEEKLY,
        tests=[check("is due later", 'body.due > pm.collectionVariables.get("today")', "to.be.true")],
        examples=[
            NOT_THERE,
            ("the last of its series", 409, "series_ended", {"path": {"id": "{{last_id}}"}}),
            ("no series", 409, "not_recurring", {"path": TASK}),
            ("done already", 409, "completed", {"path": {"id": "{{done_id}}"}}),
            CHANGED,
            KEY_REUSED,
        ],
    ),
    read("listTrash", check("keeps each for a while", "body.items.every((one) => one.expires_at > one.deleted_at)", "to.be.true")),
    call(
        "restoreTask",
        200,
        path=TRASHED,
        tests=[
            check("is that task", "body.id", 'to.eql(pm.collectionVariables.get("trashed_id"))'),
            keep("trashed_id", '""'),
        ],
        examples=[NOT_THERE, CHANGED, KEY_REUSED],
    ),
    call(
        "purgeTask",
        204,
        path=TRASHED,
        tests=[keep("trashed_id", '""')],
        examples=[NOT_THERE, CHANGED, KEY_REUSED],
    ),
    call(
        "emptyTrash",
        204,
        note="Only of an account that this collection made.",
        examples=[
            ("it has changed", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-l1"'}}),
            KEY_REUSED,
        ],
    ),
    read("getSummary", check("has the inbox first", "body.lists[0].id", "to.be.null")),
    read("listChanges", check("says whether there is more", "body.more", "to.be.a('boolean')")),
    call(
        "streamEvents",
        200,
        method="HEAD",
        note="HEAD, because GET stays open. Change the method, and Postman shows the events as they come.",
        examples=[("a cursor that is none", 400, "invalid_parameter", {"method": None, "query": {"cursor": "none"}})],
    ),
    read("listLabels", check("has labels", "body.items", "to.be.an('array')")),
    call(
        "renameLabel",
        200,
        path=LABEL,
        body={"name": "{{new_label}}"},
        tests=[
            check("has the new name", "body.name", 'to.eql(pm.collectionVariables.get("new_label"))'),
            keep("label", "body.name"),
        ],
        examples=[
            ("no task carries it", 404, "not_found", NO_LABEL),
            LABELS_CHANGED,
            invalid({"name": " "}),
            KEY_REUSED,
        ],
    ),
    call(
        "deleteLabel",
        204,
        path=LABEL,
        examples=[("no task carries it", 404, "not_found", NO_LABEL), LABELS_CHANGED, KEY_REUSED],
    ),
    read("getMe", check("is ours", "body.email", 'to.eql(pm.variables.get("email"))')),
    call(
        "updateMe",
        200,
        body={"name": "Ada King", "time_zone": "UTC"},
        tests=[check("has the new name", "[body.name, body.time_zone]", 'to.eql(["Ada King", "UTC"])')],
        examples=[
            ("changed by another client", 412, "precondition_failed", {"headers": {"If-Match": '"aB3xY9-u1"'}}),
            invalid({"name": "x" * 101, "time_zone": "London"}),
        ],
    ),
    call(
        "changePassword",
        204,
        body={"current_password": "{{password}}", "new_password": "{{new_password}}"},
        tests=[keep("password", 'pm.collectionVariables.get("new_password")')],
        examples=[
            wrong_password({"current_password": "not the password", "new_password": "staple under the moon"}),
            invalid({"current_password": "{{password}}", "new_password": "password1"}, "too common"),
        ],
    ),
    call(
        "changeEmail",
        200,
        body={"email": "{{new_email}}", "password": "{{password}}"},
        tests=[
            check("has the new address", "body.email", 'to.eql(pm.collectionVariables.get("new_email"))'),
            keep("email", "body.email"),
        ],
        examples=[
            wrong_password({"email": "ada.king@example.com", "password": "not the password"}),
            taken(body={"email": "{{other_email}}", "password": "{{password}}"}),
            invalid({"email": "ada at example.com", "password": "{{password}}"}),
        ],
    ),
    call(
        "exportMe",
        200,
        tests=[
            check("is ours", "body.user.email", 'to.eql(pm.variables.get("email"))'),
            check("has all", "[body.sessions, body.lists, body.tasks].every(Array.isArray)", "to.be.true"),
        ],
    ),
    call(
        "deleteAccount",
        204,
        body={"password": "{{password}}"},
        note="Only an account that this collection made; the next request makes a new one.",
        tests=[keep("gone_email", 'pm.collectionVariables.get("email")'), keep("email", '""')],
        examples=[wrong_password({"password": "not the password"}), invalid({})],
    ),
    call(
        "listSessions",
        200,
        tests=[check("marks ours", "body.items.filter((one) => one.current).length", "to.eql(1)")],
    ),
    call("endSession", 204, path={"id": "{{session_id}}"}, examples=[NOT_THERE]),
    call("endOtherSessions", 204),
    call(
        "makeToken",
        201,
        body={**SCRIPT_TOKEN, "expires_at": "{{next_week}}T00:00:00Z"},
        note="Keeps the token in `script_token` and its id in `script_token_id`.",
        tests=[
            check("is shown this once", "body.token", "to.match(/^thk_[0-9A-Za-z]{43}$/)"),
            check("has its scopes", "body.scopes", 'to.have.members(["tasks:read", "account:read"])'),
            keep("script_token", "body.token"),
            keep("script_token_id", "body.id"),
        ],
        examples=[
            wrong_password({**SCRIPT_TOKEN, "password": "not the password"}),
            ("50 tokens", 409, "too_many_tokens", {"server": ("--rate-limit", "off"), "until": True}),
            invalid({"name": " ", "scopes": ["tasks:delete"], "password": "{{password}}"}),
        ],
    ),
    call(
        "listTokens",
        200,
        tests=[check("shows none of them", 'body.items.some((one) => "token" in one)', "to.be.false")],
    ),
    call(
        "endToken",
        204,
        path={"id": "{{script_token_id}}"},
        tests=[keep("script_token", '""'), keep("script_token_id", '""')],
        examples=[NOT_THERE],
    ),
    read("getOpenapiJson", check("is OpenAPI 3.1", "body.openapi", r"to.match(/^3\.1\./)")),
    read("getOpenapiYaml", check("is OpenAPI 3.1", "pm.response.text()", r"to.match(/^openapi: .?3\.1\./)")),
    read("getOpenapi30Json", check("is OpenAPI 3.0", "body.openapi", r"to.match(/^3\.0\./)")),
    read("getPostmanCollection", check("is a collection", "body.info.schema", 'to.include("v2.1.0")')),
    call("getDocs", 200, headers={"Accept": "text/html"}, examples=[NOT_MODIFIED]),
    call(
        "getDocsFile",
        200,
        path={"file": "page.css"},
        tests=[check("is a style sheet", 'pm.response.headers.get("Content-Type")', 'to.include("text/css")')],
        examples=[NOT_MODIFIED, ("not there", 404, "not_found", {"path": {"file": "no_such_file"}})],
    ),
    call(
        "getProblem",
        200,
        path={"code": "validation_failed"},
        headers={"Accept": "text/html"},
        tests=[check("names the problem", "pm.response.text()", 'to.include("validation_failed")')],
        examples=[("not there", 404, "not_found", {"path": {"code": "no_such_problem"}, "headers": {}})],
    ),
    call("getRoot", 200, tests=[check("has a version", "body.version", "to.be.a('string').and.not.empty")]),
    call("getLiveness", 200, tests=[OK]),
    call(
        "getReadiness",
        200,
        tests=[OK],
        examples=[("the server is stopping", 503, None, {"server": ("--drain-delay-seconds", "2"), "stopping": True})],
    ),
    call("getHealthz", 200, name="Is the process up? (/healthz)", tests=[OK]),
    call("getHealth", 200, name="Is the process up? (/health)", tests=[OK]),
]
