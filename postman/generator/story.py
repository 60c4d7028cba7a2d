"""The story that the collection tells: every request, in order, and what must come back.

`{{name}}` stands for a variable of the collection, in Postman as in the recording. A value in `before` is a pair: what
the recording uses, and the Postman template that makes a new one at every run.
"""

import dataclasses
from typing import Optional

PASSWORD = "correct horse battery"
NEW_PASSWORD = "staple under the moon"
OWN_ID = "0193c5e1-7d2a-4b6f-9a54-6d1d0c3f9e21"
ABSENT_ID = "01999999-9999-7999-8999-999999999999"

VARIABLES = {
    "base_url": ("http://127.0.0.1:8080", "Where the server is. An environment can set another one."),
    "email": ("", "Made fresh at every run."),
    "password": (PASSWORD, "Of the account that this run makes and deletes."),
    "access_token": ("", "Set by Log in and Refresh."),
    "refresh_token": ("", "Set by Log in and Refresh."),
    "session_id": ("", "A session to end."),
    "task_id": ("", "The task that most requests are about."),
    "own_task_id": ("", "An id that the client makes itself."),
    "etag": ("", "The ETag of the task, as last read."),
    "old_etag": ("", "An ETag that is not current any more."),
    "list_etag": ("", "The ETag of the list."),
    "next_cursor": ("", "Leads to the next page."),
    "idempotency_key": ("", "Made fresh at every run."),
}


@dataclasses.dataclass
class Item:
    name: str
    operation: Optional[str]  # operationId; None: the description has no such call
    status: int
    code: Optional[str] = None  # of the problem
    body: object = None  # a dict becomes JSON, a str is sent as it is
    query: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)
    path: dict = dataclasses.field(default_factory=dict)
    token: Optional[str] = "{{access_token}}"
    before: dict = dataclasses.field(default_factory=dict)
    store: dict = dataclasses.field(default_factory=dict)  # variable -> where in the answer
    tests: list = dataclasses.field(default_factory=list)  # (name, JavaScript)
    note: str = ""
    raw: Optional[tuple] = None  # (method, target) where `operation` is None


@dataclasses.dataclass
class Folder:
    name: str
    text: str
    items: list


def check(name, subject, expectation):
    return (name, f"pm.expect({subject}).{expectation};")


TASK = {"id": "{{task_id}}"}
SAME_TASK = check("is the same task", "body.id", 'to.eql(pm.collectionVariables.get("task_id"))')
GREW = check("has a new ETag", 'pm.response.headers.get("ETag")', 'to.not.eql(pm.collectionVariables.get("etag"))')

HEALTH = Folder("Health", "Is it there, is it well, and where is its documentation? No token needed.", [
    Item("Say what this is", "getRoot", 200, tests=[check("has a version", "body.version", "to.be.a('string').and.not.empty")]),
    Item("Is the process up?", "getLiveness", 200, tests=[check("says ok", "body.status", 'to.eql("ok")')]),
    Item("Is the process up? (healthz)", "getHealthz", 200, tests=[check("says ok", "body.status", 'to.eql("ok")')]),
    Item("Is the process up? (health)", "getHealth", 200, tests=[check("says ok", "body.status", 'to.eql("ok")')]),
    Item("Can the server work?", "getReadiness", 200, tests=[check("says ok", "body.status", 'to.eql("ok")')]),
    Item("The description as JSON", "getOpenapiJson", 200, tests=[check("is OpenAPI 3.1", "body.openapi", r"to.match(/^3\.1\./)")]),
    Item("The description as YAML", "getOpenapiYaml", 200, tests=[check("is OpenAPI 3.1", "pm.response.text()", r"to.match(/^openapi: .?3\.1\./)")]),
    Item("The Postman collection", "getPostmanCollection", 200, tests=[check("is a collection", "body.info.schema", 'to.include("v2.1.0")')]),
    Item("The documentation page", "getDocs", 200, headers={"Accept": "text/html"},
         tests=[check("forbids scripts from elsewhere", "pm.response.headers.get('Content-Security-Policy')", """to.include("default-src 'none'")""")]),
    Item("What a problem means", "getProblem", 200, path={"code": "validation_failed"}, headers={"Accept": "text/html"},
         tests=[check("names the problem", "pm.response.text()", 'to.include("validation_failed")')]),
])

ACCOUNTS = Folder("Accounts", "Make an account, log in, stay logged in. **Log in** stores both tokens; all later requests send the access token.", [
    Item("Register", "registerUser", 201, token=None,
         before={"email": ("ada@example.com", "{{$guid}}@example.com"), "password": (PASSWORD, PASSWORD)},
         body={"email": "{{email}}", "password": "{{password}}", "name": "Ada Lovelace"},
         tests=[check("has our e-mail address", "body.email", 'to.eql(pm.collectionVariables.get("email"))'),
                check("tells where it is", 'pm.response.headers.get("Location")', 'to.eql("/v1/me")'),
                check("keeps the password to itself", "body", 'to.not.have.any.keys("password", "password_hash")')]),
    Item("Log in", "login", 200, token=None, body={"email": "{{email}}", "password": "{{password}}"},
         store={"access_token": "access_token", "refresh_token": "refresh_token"},
         note="Stores `access_token` and `refresh_token`. Run it again when the access token has expired.",
         tests=[check("is a bearer token", "body.token_type", 'to.eql("Bearer")'),
                check("is a JWT", "body.access_token.split('.').length", "to.eql(3)"),
                check("is in no cache", 'pm.response.headers.get("Cache-Control")', 'to.eql("no-store")')]),
    Item("Refresh the tokens", "refreshTokens", 200, token=None, body={"refresh_token": "{{refresh_token}}"},
         tests=[check("is a new refresh token", "body.refresh_token", 'to.not.eql(pm.collectionVariables.get("refresh_token"))')],
         store={"access_token": "access_token", "refresh_token": "refresh_token"}, note="Stores the new tokens."),
    Item("Read my account", "getMe", 200, tests=[check("is ours", "body.email", 'to.eql(pm.collectionVariables.get("email"))')]),
    Item("Change my account", "updateMe", 200, body={"name": "Ada King"}, tests=[check("has the new name", "body.name", 'to.eql("Ada King")')]),
    Item("Log in on a second device", "login", 200, token=None, headers={"User-Agent": "Second device"},
         body={"email": "{{email}}", "password": "{{password}}"}, tests=[check("is another token", "body.access_token", 'to.not.eql(pm.collectionVariables.get("access_token"))')],
         note="Its tokens are not stored: the next two requests find this session and end it."),
    Item("List my sessions", "listSessions", 200,
         store={"session_id": ("items.find((one) => !one.current).id", lambda body: next(one["id"] for one in body["items"] if not one["current"]))},
         tests=[check("has both", "body.items.length", "to.eql(2)"),
                check("marks ours", "body.items.filter((one) => one.current).length", "to.eql(1)")]),
    Item("End a session", "endSession", 204, path={"id": "{{session_id}}"}),
    Item("Change my password", "changePassword", 204, body={"current_password": "{{password}}", "new_password": NEW_PASSWORD},
         store={"password": "=" + NEW_PASSWORD}),
    Item("Change my e-mail address", "changeEmail", 200, before={"new_email": ("ada.king@example.com", "{{$guid}}@example.com")},
         body={"email": "{{new_email}}", "password": "{{password}}"}, store={"email": "email"},
         tests=[check("has the new address", "body.email", 'to.eql(pm.variables.get("new_email"))')]),
])

TASKS = Folder("Tasks", "Create, read, change, replace and delete.", [
    Item("Create a task", "createTask", 201, body={"title": "Buy milk", "description": "Two litres, the one with the blue cap"},
         store={"task_id": "id", "etag": "header ETag"},
         tests=[check("is pending", "body.status", 'to.eql("pending")'), check("is not completed", "body.completed_at", "to.be.null"),
                check("tells where it is", 'pm.response.headers.get("Location")', 'to.eql("/v1/tasks/" + body.id)'),
                check("has its revision as ETag", 'pm.response.headers.get("ETag")', """to.eql('"' + body.revision + '"')""")]),
    Item("Create another task", "createTask", 201, body={"title": "Write to Charles", "status": "in-progress"},
         tests=[check("is in progress", "body.status", 'to.eql("in-progress")'), check("has no description", "body.description", "to.be.null")]),
    Item("List all tasks", "listTasks", 200, store={"list_etag": "header ETag"},
         tests=[check("has both", "body.items.length", "to.eql(2)"), check("has the newest first", "body.items[1].id", 'to.eql(pm.collectionVariables.get("task_id"))'),
                check("is the last page", "body.next_cursor", "to.be.null")]),
    Item("Read a task", "getTask", 200, path=TASK, store={"etag": "header ETag"}, tests=[SAME_TASK, check("has its title", "body.title", 'to.eql("Buy milk")')]),
    Item("Complete a task", "updateTask", 200, path=TASK, headers={"Content-Type": "application/merge-patch+json"}, body={"status": "completed"},
         tests=[SAME_TASK, GREW, check("is completed", "body.status", 'to.eql("completed")'), check("says when", "body.completed_at", "to.be.a('string')"),
                check("keeps the rest", "body.title", 'to.eql("Buy milk")')], store={"etag": "header ETag"}),
    Item("Replace a task", "replaceTask", 200, path=TASK, body={"title": "Buy oat milk"},
         tests=[SAME_TASK, GREW, check("has the defaults again", "[body.description, body.status, body.completed_at]", 'to.eql([null, "pending", null])')],
         store={"etag": "header ETag"}),
    Item("Create a task under an id of my own", "replaceTask", 201, path={"id": "{{own_task_id}}"}, before={"own_task_id": (OWN_ID, "{{$guid}}")},
         body={"title": "Made offline"}, tests=[check("has our id", "body.id", 'to.eql(pm.collectionVariables.get("own_task_id"))')]),
    Item("Delete a task", "deleteTask", 204, path={"id": "{{own_task_id}}"}),
])

QUERIES = Folder("Queries", "Filter, sort, walk page by page.", [
    Item("Create a third task", "createTask", 201, body={"title": "Read a book", "status": "completed"}),
    Item("Filter by status", "listTasks", 200, query={"status": "pending,in-progress"},
         tests=[check("has those only", "body.items.map((one) => one.status)", 'to.eql(["in-progress", "pending"])')]),
    Item("Sort by title", "listTasks", 200, query={"sort": "title"},
         tests=[check("is in order", "body.items.map((one) => one.title)", 'to.eql(["Buy oat milk", "Read a book", "Write to Charles"])')]),
    Item("First page, with a total", "listTasks", 200, query={"limit": "2", "include": "total"}, store={"next_cursor": "next_cursor"},
         tests=[check("has two of three", "[body.items.length, body.total]", "to.eql([2, 3])"), check("has a next page", "body.next_cursor", "to.be.a('string')"),
                check("links to it", 'pm.response.headers.get("Link")', """to.include('rel="next"')""")]),
    Item("Next page", "listTasks", 200, query={"limit": "2", "cursor": "{{next_cursor}}"},
         tests=[check("has the rest", "body.items.length", "to.eql(1)"), check("is the last", "body.next_cursor", "to.be.null")]),
    Item("List for the next two requests", "listTasks", 200, store={"list_etag": "header ETag"}, tests=[check("has all", "body.items.length", "to.eql(3)")]),
    Item("Nothing new in the list", "listTasks", 304, headers={"If-None-Match": "{{list_etag}}"}),
])

CONCURRENCY = Folder("Concurrency and idempotency", "Two clients and one task; a write whose answer got lost.", [
    Item("Read the ETag", "getTask", 200, path=TASK, store={"etag": "header ETag", "old_etag": "header ETag"}, tests=[SAME_TASK]),
    Item("Nothing new in the task", "getTask", 304, path=TASK, headers={"If-None-Match": "{{etag}}"}),
    Item("Change it if nobody else has", "updateTask", 200, path=TASK, headers={"If-Match": "{{etag}}"}, body={"title": "Buy soy milk"},
         tests=[SAME_TASK, GREW], store={"etag": "header ETag"}),
    Item("Change it with an old ETag", "updateTask", 412, "precondition_failed", path=TASK, headers={"If-Match": "{{old_etag}}"}, body={"title": "Buy cow milk"},
         tests=[check("tells the current one", 'pm.response.headers.get("ETag")', 'to.eql(pm.collectionVariables.get("etag"))')]),
    Item("A change that changes nothing", "updateTask", 200, path=TASK, body={"title": "Buy soy milk"},
         tests=[check("keeps the ETag", 'pm.response.headers.get("ETag")', 'to.eql(pm.collectionVariables.get("etag"))')]),
    Item("Create it only if it is not there", "replaceTask", 412, "precondition_failed", path=TASK, headers={"If-None-Match": "*"}, body={"title": "Buy milk"}),
    Item("Create with a key", "createTask", 201, before={"idempotency_key": ("add-bread-1", "{{$guid}}")}, headers={"Idempotency-Key": "{{idempotency_key}}"},
         body={"title": "Buy bread"}, store={"own_task_id": "id"}),
    Item("Create again with the same key", "createTask", 201, headers={"Idempotency-Key": "{{idempotency_key}}"}, body={"title": "Buy bread"},
         tests=[check("is the same task", "body.id", 'to.eql(pm.collectionVariables.get("own_task_id"))'),
                check("says so", 'pm.response.headers.get("Idempotency-Replayed")', 'to.eql("true")')]),
    Item("Use the key for something else", "createTask", 422, "idempotency_key_reused", headers={"Idempotency-Key": "{{idempotency_key}}"}, body={"title": "Buy butter"}),
    Item("Delete it if nobody changed it", "deleteTask", 204, path={"id": "{{task_id}}"}, headers={"If-Match": "{{etag}}"}),
])

SENT_TOKEN = check("says that the token is at fault", 'pm.response.headers.get("WWW-Authenticate")', """to.include('error="invalid_token"')""")
NO_TOKEN = check("does not blame a token", 'pm.response.headers.get("WWW-Authenticate")', 'to.match(/^Bearer/).and.not.include("error=")')

WHO = Folder("Who are you?", "401, 403, 404 and 409.", [
    Item("No token", "listTasks", 401, "unauthorized", token=None, tests=[NO_TOKEN]),
    Item("Not a token of ours", "listTasks", 401, "invalid_token", token="not.a.token", tests=[SENT_TOKEN]),
    Item("Wrong password at login", "login", 401, "invalid_credentials", token=None, body={"email": "{{email}}", "password": "not the password"}, tests=[NO_TOKEN]),
    Item("Refresh token that is none", "refreshTokens", 401, "invalid_refresh_token", token=None, body={"refresh_token": "bm90IGEgdG9rZW4"}),
    Item("Wrong password with a token", "changePassword", 403, "wrong_password", body={"current_password": "not the password", "new_password": "staple under the sun"}),
    Item("A task that is not mine", "getTask", 404, "not_found", path={"id": ABSENT_ID}, note="A task of another account answers exactly the same."),
    Item("E-mail address taken", "registerUser", 409, "email_taken", token=None, body={"email": "{{email}}", "password": "{{password}}"}),
])

VALID = Folder("What did you send?", "400, 406, 413, 415 and 422.", [
    Item("Broken JSON", "createTask", 400, "invalid_json", body='{"title": "Buy'),
    Item("The same member twice", "createTask", 400, "invalid_json", body='{"title": "Buy milk", "title": "Buy bread"}'),
    Item("Query parameters that are not valid", "listTasks", 400, "invalid_parameter", query={"limit": "1000", "colour": "red"},
         tests=[check("names both", "body.errors.map((one) => one.parameter)", 'to.have.members(["limit", "colour"])')]),
    Item("A cursor that was tampered with", "listTasks", 400, "invalid_parameter", query={"cursor": "bm90IGEgY3Vyc29y"},
         tests=[check("names it", "body.errors[0].parameter", 'to.eql("cursor")')]),
    Item("A malformed If-Match", "deleteTask", 400, "invalid_header", path={"id": ABSENT_ID}, headers={"If-Match": "42"}),
    Item("A media type that there is not", "listTasks", 406, "not_acceptable", headers={"Accept": "text/csv"}),
    Item("A body that is too large", "registerUser", 413, "content_too_large", token=None, before={"large": ("x" * 5000, "{{=x*5000}}")},
         body={"email": "{{email}}", "password": "{{password}}", "name": "{{large}}"}),
    Item("A body that is no JSON", "createTask", 415, "unsupported_media_type", headers={"Content-Type": "text/plain"}, body="Buy milk"),
    Item("A task with many faults", "createTask", 422, "validation_failed", body={"title": " ", "status": "someday", "colour": "red"},
         tests=[check("names them all", "body.errors.map((one) => one.pointer)", 'to.have.members(["/title", "/status", "/colour"])')]),
    Item("An account with many faults", "registerUser", 422, "validation_failed", token=None, body={"email": "ada", "password": "short"},
         tests=[check("names them all", "body.errors.map((one) => one.pointer)", 'to.have.members(["/email", "/password"])')]),
])

PLAIN = Folder("HTTP itself", "What the server says before it knows which call is meant. The description has no such calls.", [
    Item("A path that there is not", None, 404, "not_found", token=None, raw=("GET", "/v2/tasks")),
    Item("A method that the path has not", None, 405, "method_not_allowed", token=None, raw=("DELETE", "/v1/tasks"),
         tests=[check("says which it has", 'pm.response.headers.get("Allow")', 'to.include("GET").and.include("POST")')]),
    Item("The header fields only", None, 200, token=None, raw=("HEAD", "/livez"), tests=[check("has no body", "pm.response.text()", "to.eql('')")]),
    Item("What can this path do?", None, 204, token=None, raw=("OPTIONS", "/v1/tasks"),
         tests=[check("says it", 'pm.response.headers.get("Allow")', 'to.include("GET").and.include("POST").and.include("OPTIONS")')]),
    Item("A method that the server does not know", None, 501, "not_implemented", token=None, raw=("BREW", "/v1/tasks")),
    Item("An address that is too long", None, 414, "uri_too_long", token=None, before={"long": ("x" * 9000, "{{=x*9000}}")}, raw=("GET", "/livez?{{long}}")),
    Item("A header field that is too large", None, 431, "header_fields_too_large", token=None, before={"wide": ("x" * 20000, "{{=x*20000}}")},
         raw=("GET", "/livez"), headers={"X-Large": "{{wide}}"}),
    Item("An expectation that cannot be met", None, 417, "expectation_failed", token=None, raw=("GET", "/livez"), headers={"Expect": "200-ok"}),
])

ERRORS = Folder("Errors", "Every error is `application/problem+json` with a stable `code`. Each request here fails on purpose and checks how.", [WHO, VALID, PLAIN])

CLEAN_UP = Folder("Clean-up", "Leaves nothing behind.", [
    Item("Log out", "logout", 204),
    Item("The token has stopped working", "getMe", 401, "invalid_token", tests=[SENT_TOKEN]),
    Item("Log in once more", "login", 200, token=None, body={"email": "{{email}}", "password": "{{password}}"},
         store={"access_token": "access_token", "refresh_token": "refresh_token"}),
    Item("Delete my account", "deleteAccount", 204, body={"password": "{{password}}"}, store={"access_token": "=", "refresh_token": "="}),
    Item("The account is gone", "login", 401, "invalid_credentials", token=None, body={"email": "{{email}}", "password": "{{password}}"}),
])

STORY = [HEALTH, ACCOUNTS, TASKS, QUERIES, CONCURRENCY, ERRORS, CLEAN_UP]


def items(folders=None):
    """Every item in the order in which it runs, each with the names of the folders around it."""
    for entry in STORY if folders is None else folders:
        for inner in entry.items:
            if isinstance(inner, Folder):
                for names, item in items([inner]):
                    yield (entry.name, *names), item
            else:
                yield (entry.name,), inner
