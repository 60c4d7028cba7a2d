# SPDX-License-Identifier: MIT
"""The part of the story in which all goes well, call by call, and the clean-up at its end."""

from .story_items import NEW_PASSWORD, OWN_ID, PASSWORD, SENT_TOKEN, Folder, Item, check

TASK = {"id": "{{task_id}}"}
SAME_TASK = check("is the same task", "body.id", 'to.eql(pm.collectionVariables.get("task_id"))')
GREW = check(
    "has a new ETag", 'pm.response.headers.get("ETag")', 'to.not.eql(pm.collectionVariables.get("etag"))'
)

HEALTH = Folder(
    "Health",
    "Is it there, is it well, and where is its documentation? No token needed.",
    [
        Item(
            "Say what this is",
            "getRoot",
            200,
            tests=[check("has a version", "body.version", "to.be.a('string').and.not.empty")],
        ),
        Item(
            "Is the process up?", "getLiveness", 200, tests=[check("says ok", "body.status", 'to.eql("ok")')]
        ),
        Item(
            "Is the process up? (healthz)",
            "getHealthz",
            200,
            tests=[check("says ok", "body.status", 'to.eql("ok")')],
        ),
        Item(
            "Is the process up? (health)",
            "getHealth",
            200,
            tests=[check("says ok", "body.status", 'to.eql("ok")')],
        ),
        Item(
            "Can the server work?",
            "getReadiness",
            200,
            tests=[check("says ok", "body.status", 'to.eql("ok")')],
        ),
        Item(
            "The description as JSON",
            "getOpenapiJson",
            200,
            tests=[check("is OpenAPI 3.1", "body.openapi", r"to.match(/^3\.1\./)")],
        ),
        Item(
            "The description in OpenAPI 3.0",
            "getOpenapi30Json",
            200,
            tests=[check("is OpenAPI 3.0", "body.openapi", r"to.match(/^3\.0\./)")],
        ),
        Item(
            "The description as YAML",
            "getOpenapiYaml",
            200,
            tests=[check("is OpenAPI 3.1", "pm.response.text()", r"to.match(/^openapi: .?3\.1\./)")],
        ),
        Item(
            "The Postman collection",
            "getPostmanCollection",
            200,
            tests=[check("is a collection", "body.info.schema", 'to.include("v2.1.0")')],
        ),
        Item(
            "The documentation page",
            "getDocs",
            200,
            headers={"Accept": "text/html"},
            tests=[
                check(
                    "forbids scripts from elsewhere",
                    "pm.response.headers.get('Content-Security-Policy')",
                    """to.include("default-src 'none'")""",
                )
            ],
        ),
        Item(
            "A file of the documentation page",
            "getDocsFile",
            200,
            path={"file": "page.css"},
            tests=[
                check(
                    "is a style sheet", "pm.response.headers.get('Content-Type')", 'to.include("text/css")'
                )
            ],
        ),
        Item(
            "What a problem means",
            "getProblem",
            200,
            path={"code": "validation_failed"},
            headers={"Accept": "text/html"},
            tests=[check("names the problem", "pm.response.text()", 'to.include("validation_failed")')],
        ),
    ],
)

ACCOUNTS = Folder(
    "Accounts",
    "Make an account, log in, stay logged in. **Log in** stores both tokens; later requests send the access token.",
    [
        Item(
            "Register",
            "registerUser",
            201,
            token=None,
            before={"email": ("ada@example.com", "{{$guid}}@example.com"), "password": (PASSWORD, PASSWORD)},
            body={"email": "{{email}}", "password": "{{password}}", "name": "Ada Lovelace"},
            tests=[
                check("has our e-mail address", "body.email", 'to.eql(pm.collectionVariables.get("email"))'),
                check("tells where it is", 'pm.response.headers.get("Location")', 'to.eql("/v1/me")'),
                check(
                    "keeps the password to itself",
                    "body",
                    'to.not.have.any.keys("password", "password_hash")',
                ),
            ],
        ),
        Item(
            "Log in",
            "login",
            200,
            token=None,
            body={"email": "{{email}}", "password": "{{password}}"},
            store={"access_token": "access_token", "refresh_token": "refresh_token"},
            note="Stores `access_token` and `refresh_token`. Run it again when the access token has expired.",
            tests=[
                check("is a bearer token", "body.token_type", 'to.eql("Bearer")'),
                check("is a JWT", "body.access_token.split('.').length", "to.eql(3)"),
                check("is in no cache", 'pm.response.headers.get("Cache-Control")', 'to.eql("no-store")'),
            ],
        ),
        Item(
            "Refresh the tokens",
            "refreshTokens",
            200,
            token=None,
            body={"refresh_token": "{{refresh_token}}"},
            tests=[
                check(
                    "is a new refresh token",
                    "body.refresh_token",
                    'to.not.eql(pm.collectionVariables.get("refresh_token"))',
                )
            ],
            store={"access_token": "access_token", "refresh_token": "refresh_token"},
            note="Stores the new tokens.",
        ),
        Item(
            "Read my account",
            "getMe",
            200,
            tests=[check("is ours", "body.email", 'to.eql(pm.collectionVariables.get("email"))')],
        ),
        Item(
            "Change my account",
            "updateMe",
            200,
            body={"name": "Ada King"},
            tests=[check("has the new name", "body.name", 'to.eql("Ada King")')],
        ),
        Item(
            "Log in on a second device",
            "login",
            200,
            token=None,
            headers={"User-Agent": "Second device"},
            body={"email": "{{email}}", "password": "{{password}}"},
            tests=[
                check(
                    "is another token",
                    "body.access_token",
                    'to.not.eql(pm.collectionVariables.get("access_token"))',
                )
            ],
            note="Its tokens are not stored: the next two requests find this session and end it.",
        ),
        Item(
            "List my sessions",
            "listSessions",
            200,
            store={
                "session_id": (
                    "items.find((one) => !one.current).id",
                    lambda body: next(one["id"] for one in body["items"] if not one["current"]),
                )
            },
            tests=[
                check("has both", "body.items.length", "to.eql(2)"),
                check("marks ours", "body.items.filter((one) => one.current).length", "to.eql(1)"),
            ],
        ),
        Item(
            "Export my data",
            "exportMe",
            200,
            tests=[
                check("is ours", "body.user.email", 'to.eql(pm.collectionVariables.get("email"))'),
                check("has the sessions", "body.sessions.length", "to.eql(2)"),
                check("has the tasks", "body.tasks", "to.be.an('array')"),
                check(
                    "is to be saved as a file",
                    'pm.response.headers.get("Content-Disposition")',
                    'to.include("attachment")',
                ),
            ],
        ),
        Item("End a session", "endSession", 204, path={"id": "{{session_id}}"}),
        Item("End all other sessions", "endOtherSessions", 204),
        Item(
            "Change my password",
            "changePassword",
            204,
            body={"current_password": "{{password}}", "new_password": NEW_PASSWORD},
            store={"password": "=" + NEW_PASSWORD},
        ),
        Item(
            "Change my e-mail address",
            "changeEmail",
            200,
            before={"new_email": ("ada.king@example.com", "{{$guid}}@example.com")},
            body={"email": "{{new_email}}", "password": "{{password}}"},
            store={"email": "email"},
            tests=[check("has the new address", "body.email", 'to.eql(pm.variables.get("new_email"))')],
        ),
    ],
)

TASKS = Folder(
    "Tasks",
    "Create, read, change, replace and delete.",
    [
        Item(
            "Create a task",
            "createTask",
            201,
            body={"title": "Buy milk", "description": "Two litres, the one with the blue cap"},
            store={"task_id": "id", "etag": "header ETag"},
            tests=[
                check("is pending", "body.status", 'to.eql("pending")'),
                check("is not completed", "body.completed_at", "to.be.null"),
                check(
                    "tells where it is",
                    'pm.response.headers.get("Location")',
                    'to.eql("/v1/tasks/" + body.id)',
                ),
                check(
                    "has its revision as ETag",
                    'pm.response.headers.get("ETag")',
                    """to.match(new RegExp('^"[0-9A-Za-z]{6}-' + body.revision + '"$'))""",
                ),
            ],
        ),
        Item(
            "Create another task",
            "createTask",
            201,
            body={"title": "Write to Charles", "status": "in-progress"},
            tests=[
                check("is in progress", "body.status", 'to.eql("in-progress")'),
                check("has no description", "body.description", "to.be.null"),
            ],
        ),
        Item(
            "List all tasks",
            "listTasks",
            200,
            store={"list_etag": "header ETag"},
            tests=[
                check("has both", "body.items.length", "to.eql(2)"),
                check(
                    "has the newest first",
                    "body.items[1].id",
                    'to.eql(pm.collectionVariables.get("task_id"))',
                ),
                check("is the last page", "body.next_cursor", "to.be.null"),
            ],
        ),
        Item(
            "Read a task",
            "getTask",
            200,
            path=TASK,
            store={"etag": "header ETag"},
            tests=[SAME_TASK, check("has its title", "body.title", 'to.eql("Buy milk")')],
        ),
        Item(
            "Complete a task",
            "updateTask",
            200,
            path=TASK,
            headers={"Content-Type": "application/merge-patch+json"},
            body={"status": "completed"},
            tests=[
                SAME_TASK,
                GREW,
                check("is completed", "body.status", 'to.eql("completed")'),
                check("says when", "body.completed_at", "to.be.a('string')"),
                check("keeps the rest", "body.title", 'to.eql("Buy milk")'),
            ],
            store={"etag": "header ETag"},
        ),
        Item(
            "Replace a task",
            "replaceTask",
            200,
            path=TASK,
            body={"title": "Buy oat milk"},
            tests=[
                SAME_TASK,
                GREW,
                check(
                    "has the defaults again",
                    "[body.description, body.status, body.completed_at]",
                    'to.eql([null, "pending", null])',
                ),
            ],
            store={"etag": "header ETag"},
        ),
        Item(
            "Create a task under an id of my own",
            "replaceTask",
            201,
            path={"id": "{{own_task_id}}"},
            before={"own_task_id": (OWN_ID, "{{$guid}}")},
            body={"title": "Made offline"},
            tests=[check("has our id", "body.id", 'to.eql(pm.collectionVariables.get("own_task_id"))')],
        ),
        Item("Delete a task", "deleteTask", 204, path={"id": "{{own_task_id}}"}),
    ],
)

QUERIES = Folder(
    "Queries",
    "Filter, sort, walk page by page.",
    [
        Item("Create a third task", "createTask", 201, body={"title": "Read a book", "status": "completed"}),
        Item(
            "Filter by status",
            "listTasks",
            200,
            query={"status": "pending,in-progress"},
            tests=[
                check(
                    "has those only",
                    "body.items.map((one) => one.status)",
                    'to.eql(["in-progress", "pending"])',
                )
            ],
        ),
        Item(
            "Sort by title",
            "listTasks",
            200,
            query={"sort": "title"},
            tests=[
                check(
                    "is in order",
                    "body.items.map((one) => one.title)",
                    'to.eql(["Buy oat milk", "Read a book", "Write to Charles"])',
                )
            ],
        ),
        Item(
            "First page, with a total",
            "listTasks",
            200,
            query={"limit": "2", "include": "total"},
            store={"next_cursor": "next_cursor"},
            tests=[
                check("has two of three", "[body.items.length, body.total]", "to.eql([2, 3])"),
                check("has a next page", "body.next_cursor", "to.be.a('string')"),
                check("links to it", 'pm.response.headers.get("Link")', """to.include('rel="next"')"""),
            ],
        ),
        Item(
            "Next page",
            "listTasks",
            200,
            query={"limit": "2", "cursor": "{{next_cursor}}"},
            tests=[
                check("has the rest", "body.items.length", "to.eql(1)"),
                check("is the last", "body.next_cursor", "to.be.null"),
            ],
        ),
        Item(
            "List for the next two requests",
            "listTasks",
            200,
            store={"list_etag": "header ETag"},
            tests=[check("has all", "body.items.length", "to.eql(3)")],
        ),
        Item("Nothing new in the list", "listTasks", 304, headers={"If-None-Match": "{{list_etag}}"}),
    ],
)

CONCURRENCY = Folder(
    "Concurrency and idempotency",
    "Two clients and one task; a write whose answer got lost.",
    [
        Item(
            "Read the ETag",
            "getTask",
            200,
            path=TASK,
            store={"etag": "header ETag", "old_etag": "header ETag"},
            tests=[SAME_TASK],
        ),
        Item("Nothing new in the task", "getTask", 304, path=TASK, headers={"If-None-Match": "{{etag}}"}),
        Item(
            "Change it if nobody else has",
            "updateTask",
            200,
            path=TASK,
            headers={"If-Match": "{{etag}}"},
            body={"title": "Buy soy milk"},
            tests=[SAME_TASK, GREW],
            store={"etag": "header ETag"},
        ),
        Item(
            "Change it with an old ETag",
            "updateTask",
            412,
            "precondition_failed",
            path=TASK,
            headers={"If-Match": "{{old_etag}}"},
            body={"title": "Buy cow milk"},
            tests=[
                check(
                    "tells the current one",
                    'pm.response.headers.get("ETag")',
                    'to.eql(pm.collectionVariables.get("etag"))',
                )
            ],
        ),
        Item(
            "A change that changes nothing",
            "updateTask",
            200,
            path=TASK,
            body={"title": "Buy soy milk"},
            tests=[
                check(
                    "keeps the ETag",
                    'pm.response.headers.get("ETag")',
                    'to.eql(pm.collectionVariables.get("etag"))',
                )
            ],
        ),
        Item(
            "Create it only if it is not there",
            "replaceTask",
            412,
            "precondition_failed",
            path=TASK,
            headers={"If-None-Match": "*"},
            body={"title": "Buy milk"},
        ),
        Item(
            "Create with a key",
            "createTask",
            201,
            before={"idempotency_key": ("add-bread-1", "{{$guid}}")},
            headers={"Idempotency-Key": "{{idempotency_key}}"},
            body={"title": "Buy bread"},
            store={"own_task_id": "id"},
        ),
        Item(
            "Create again with the same key",
            "createTask",
            201,
            headers={"Idempotency-Key": "{{idempotency_key}}"},
            body={"title": "Buy bread"},
            tests=[
                check("is the same task", "body.id", 'to.eql(pm.collectionVariables.get("own_task_id"))'),
                check("says so", 'pm.response.headers.get("Idempotency-Replayed")', 'to.eql("true")'),
            ],
        ),
        Item(
            "Use the key for something else",
            "createTask",
            422,
            "idempotency_key_reused",
            headers={"Idempotency-Key": "{{idempotency_key}}"},
            body={"title": "Buy butter"},
        ),
        Item(
            "Delete it if nobody changed it",
            "deleteTask",
            204,
            path={"id": "{{task_id}}"},
            headers={"If-Match": "{{etag}}"},
        ),
    ],
)

CLEAN_UP = Folder(
    "Clean-up",
    "Leaves nothing behind.",
    [
        Item(
            "Log out with a body beside the token",
            "logout",
            422,
            "validation_failed",
            body={"refresh_token": "{{refresh_token}}"},
        ),
        Item("Log out", "logout", 204),
        Item(
            "Log out with what is no refresh token",
            "logout",
            401,
            "invalid_refresh_token",
            token=None,
            body={"refresh_token": "x"},
        ),
        Item(
            "Log out without an access token",
            "logout",
            204,
            token=None,
            body={"refresh_token": "{{refresh_token}}"},
            note="The session has ended by now, which is what was asked for.",
        ),
        Item("The token has stopped working", "getMe", 401, "invalid_token", tests=[SENT_TOKEN]),
        Item(
            "Log in once more",
            "login",
            200,
            token=None,
            body={"email": "{{email}}", "password": "{{password}}"},
            store={"access_token": "access_token", "refresh_token": "refresh_token"},
        ),
        Item(
            "Delete my account",
            "deleteAccount",
            204,
            body={"password": "{{password}}"},
            store={"access_token": "=", "refresh_token": "="},
        ),
        Item(
            "The account is gone",
            "login",
            401,
            "invalid_credentials",
            token=None,
            body={"email": "{{email}}", "password": "{{password}}"},
        ),
    ],
)
