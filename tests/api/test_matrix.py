# SPDX-License-Identifier: MIT
"""Who may call what: every row of the route table x every kind of caller.

The routes come from `taskhold routes --json`. A route without a sample here fails, so nobody adds a call without
saying what it does for a stranger."""
import json

import pytest

from support import tokens
from support.accounts import PASSWORD, User
from support.client import Client
from support.openapi import description
from support.server import run

NEW_PASSWORD = "Another-horse 8 battery"


def route_table():
    """(method, path, row) of every route of the program, as it says itself."""
    rows = json.loads(run("routes", "--json").stdout)
    return [(row["method"], row["path"], row) for row in rows]


try:
    ROUTES = {f"{method} {path}": row for method, path, row in route_table()}
except (OSError, ValueError, KeyError, TypeError) as wrong:  # the tests below say so; the other files still run
    ROUTES = {f"routes --json: {wrong!r}": {}}


class Sample:
    """A request that is right for the owner: what it needs is made by `prepare(user)`."""

    def __init__(self, status, body=None, prepare=None, fresh=False, others=404, query=""):
        self.status, self.body, self.prepare, self.fresh, self.others = status, body, prepare, fresh, others
        self.query = query

    def send(self, route, client, values):
        """Sends it with the ids of `values` in the path."""
        method, path = route.split(" ")
        body = {} if self.body is None else {"json": self.body(values) if callable(self.body) else self.body}
        return client.request(method, path.format(**values) + self.query, **body)


def task_of(user):
    """A fresh task of the user."""
    return {"id": user.task("Only mine")["id"]}


def changed_task_of(user):
    """A task of the user that was changed, and by which change."""
    task = user.task("Only mine")
    done = user.client.patch(f"/v1/tasks/{task['id']}", {"title": "Still mine"}).expect(200).json
    return {"id": task["id"], "revision": done["revision"]}


def list_of(user):
    """A fresh list of the user."""
    return {"id": user.client.post("/v1/lists", {"name": "Only mine"}).expect(201).json["id"]}


def label_of(user):
    """A label of the account alone."""
    name = f"of-{user.id}"
    user.task(labels=[name])
    return {"name": name}


def recurring_of(user):
    """A fresh task that comes every day."""
    return {"id": user.task("Only mine", due="2030-12-01", recurrence="FREQ=DAILY")["id"]}


def trashed_of(user):
    """A fresh task in the trash."""
    task = user.task("Only mine")
    user.client.delete(f"/v1/tasks/{task['id']}").expect(204)
    return {"id": task["id"]}


def session_of(user):
    """A second session of the user, by its id."""
    claims = tokens.parts(user.login()["access_token"])[1]
    return {"id": claims["sid"]}


def script_token_of(user):
    """A fresh token for scripts of the user, by its id."""
    return {"id": user.script_token("tasks:read")["id"]}


def new_account(user):
    """A body that makes an account next to the user's."""
    return {"email": "next." + user.email, "password": PASSWORD}


PUBLIC = Sample(200)
SAMPLES = {
    "GET /": PUBLIC,
    "GET /livez": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /health": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /openapi-3.0.json": PUBLIC,
    "GET /openapi.yaml": PUBLIC,
    "GET /postman.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /docs/{file}": Sample(200, prepare=lambda user: {"file": "page.css"}),
    "GET /problems/{code}": Sample(200, prepare=lambda user: {"code": "not_found"}),
    "POST /v1/auth/register": Sample(201, body=lambda v: v, prepare=new_account),
    "POST /v1/auth/login": Sample(200, body=lambda v: v, prepare=lambda u: {"email": u.email, "password": PASSWORD}),
    "POST /v1/auth/refresh": Sample(200, body=lambda v: v,
                                    prepare=lambda u: {"refresh_token": u.login()["refresh_token"]}),
    "POST /v1/auth/logout": Sample(204, fresh=True),
    "GET /v1/me": Sample(200),
    "PATCH /v1/me": Sample(200, body={"name": "Ada"}),
    "PUT /v1/me/password": Sample(204, fresh=True,
                                  body={"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
    "PUT /v1/me/email": Sample(200, fresh=True, prepare=new_account, body=lambda v: v),
    "POST /v1/me/deletion": Sample(204, fresh=True, body={"password": PASSWORD}),
    "GET /v1/me/export": Sample(200),
    "GET /v1/me/sessions": Sample(200),
    "DELETE /v1/me/sessions": Sample(204),
    "DELETE /v1/me/sessions/{id}": Sample(204, prepare=session_of),
    "POST /v1/me/tokens": Sample(201, body={"name": "A script", "scopes": ["tasks:read"], "password": PASSWORD}),
    "GET /v1/me/tokens": Sample(200),
    "DELETE /v1/me/tokens/{id}": Sample(204, prepare=script_token_of),
    "GET /v1/lists": Sample(200),
    "POST /v1/lists": Sample(201, body={"name": "Household"}),
    "GET /v1/lists/{id}": Sample(200, prepare=list_of),
    "PUT /v1/lists/{id}": Sample(200, prepare=list_of, body={"name": "Replaced"}, others=201),
    "PATCH /v1/lists/{id}": Sample(200, prepare=list_of, body={"name": "Changed"}),
    "DELETE /v1/lists/{id}": Sample(204, prepare=list_of),
    "POST /v1/lists/{id}/move": Sample(200, prepare=list_of, body={}),
    "POST /v1/tasks/{id}/move": Sample(200, prepare=task_of, body={}),
    "POST /v1/tasks/{id}/skip": Sample(200, prepare=recurring_of),
    "GET /v1/labels": Sample(200),
    "PATCH /v1/labels/{name}": Sample(200, prepare=label_of, body={"name": "Changed"}),
    "DELETE /v1/labels/{name}": Sample(204, prepare=label_of),
    "GET /v1/changes": Sample(200),
    "GET /v1/events": Sample(200),
    "GET /v1/summary": Sample(200),
    "GET /v1/tasks": Sample(200),
    "POST /v1/tasks": Sample(201, body={"title": "Buy milk"}),
    "PATCH /v1/tasks": Sample(200, query="?list=inbox&max=1000", body={"description": "Changed"}),
    "DELETE /v1/tasks": Sample(200, query="?label=no-such-label&max=1"),
    "POST /v1/tasks/batch": Sample(200, body={"operations": [{"op": "create", "task": {"title": "Buy milk"}}]}),
    "GET /v1/tasks/{id}": Sample(200, prepare=task_of),
    "PUT /v1/tasks/{id}": Sample(200, prepare=task_of, body={"title": "Replaced"}, others=201),
    "PATCH /v1/tasks/{id}": Sample(200, prepare=task_of, body={"title": "Changed"}),
    "DELETE /v1/tasks/{id}": Sample(204, prepare=task_of),
    "GET /v1/tasks/{id}/occurrences": Sample(200, prepare=task_of),
    "GET /v1/tasks/{id}/history": Sample(200, prepare=task_of),
    "POST /v1/tasks/{id}/undo": Sample(200, prepare=changed_task_of, body=lambda v: {"revision": v["revision"]}),
    "GET /v1/trash": Sample(200),
    "DELETE /v1/trash": Sample(204),
    "DELETE /v1/trash/{id}": Sample(204, prepare=trashed_of),
    "POST /v1/trash/{id}/restore": Sample(200, prepare=trashed_of),
}
PROTECTED = [op for op in description().operations if not op.public]
PROTECTED_ROUTES = [f"{op.method} {op.path}" for op in PROTECTED]


@pytest.fixture(scope="module")
def callers(server):
    """A token for each kind of caller that must be turned away; what is expected of each."""
    owner = User(server)
    ended, gone = owner.login()["access_token"], User(server)
    Client(server, ended).post("/v1/auth/logout").expect(204)
    gone.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
    return {
        "no token": (None, "unauthorized"),
        "malformed token": ("not.a.token", "invalid_token"),
        "refresh token": (owner.token["refresh_token"], "invalid_token"),
        "expired token": (tokens.expired(owner.token["access_token"]), "invalid_token"),
        "ended session": (ended, "invalid_token"),
        "deleted user": (gone.token["access_token"], "invalid_token"),
    }


@pytest.fixture(scope="module")
def values_of(user):
    """route -> the values its sample needs, made once."""
    made = {}

    def get(route):
        if route not in made:
            prepare = SAMPLES[route].prepare
            made[route] = prepare(user) if prepare else {}
        return made[route]

    return get


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_has_a_sample(route):
    assert route in SAMPLES, "add a row to SAMPLES: what does the route do for its owner, and for others?"


def test_every_sample_has_a_route():
    assert set(SAMPLES) == set(ROUTES)


def test_the_description_and_the_routes_agree():
    described = {f"{op.method} {op.path}": op for op in description().operations}
    assert set(described) == set(ROUTES)
    for name, row in ROUTES.items():
        assert row["operation_id"] == described[name].id
        assert (row["access"] == "public") == described[name].public, name
        assert described[name].scope == row["scope"], name


@pytest.mark.parametrize("route", PROTECTED_ROUTES)
@pytest.mark.parametrize("caller", ["no token", "malformed token", "refresh token", "expired token", "ended session",
                                    "deleted user"])
def test_turned_away(server, callers, values_of, route, caller):
    token, code = callers[caller]
    answer = SAMPLES[route].send(route, Client(server, token), values_of(route)).expect(401, code)
    assert ('error="invalid_token"' in answer.headers["WWW-Authenticate"]) == (token is not None)


# What a token with a scope may do.
COVERED = {"tasks:read": {"tasks:read"}, "tasks:write": {"tasks:read", "tasks:write"}, "account:read": {"account:read"},
           "tasks:write account:read": {"tasks:read", "tasks:write", "account:read"}}


@pytest.fixture(scope="module")
def scripts(user):
    """Clients with tokens for scripts, by the scopes that these have."""
    return {scopes: Client(user.server, user.script_token(*scopes.split())["token"]) for scopes in COVERED}


@pytest.mark.parametrize("route", PROTECTED_ROUTES)
@pytest.mark.parametrize("scopes", COVERED)
def test_scopes(scripts, user, route, scopes):
    """Every route against every scope: what the table says it needs, and nothing else, opens it."""
    sample, needed = SAMPLES[route], ROUTES[route]["scope"]
    values = sample.prepare(user) if sample.prepare and not (sample.fresh and not needed) else {}
    if needed and set(needed.split()) <= COVERED[scopes]:
        sample.send(route, scripts[scopes], values).expect(sample.status)
        return
    answer = sample.send(route, scripts[scopes], values).expect(403, "insufficient_scope")
    wished = f', scope="{needed}"' if needed else ""
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="taskhold", error="insufficient_scope"{wished}'


def test_what_needs_which_scope():
    """The contract's own list, so that no row of the table is lenient by mistake."""
    for route in PROTECTED_ROUTES:
        method, path = route.split(" ")
        if path.startswith(("/v1/me", "/v1/auth")):
            wished = {"GET /v1/me": "account:read", "GET /v1/me/export": "tasks:read account:read"}.get(route)
        else:
            wished = "tasks:read" if method == "GET" else "tasks:write"
        assert ROUTES[route]["scope"] == wished, route


@pytest.mark.parametrize("route", [route for route in PROTECTED_ROUTES if "{id}" in route])
def test_another_user_sees_nothing(other, user, values_of, route):
    values = values_of(route)
    path = f"/v1/{'lists' if '/lists/' in route else 'tasks'}/{values['id']}"
    before = user.client.get(path)
    SAMPLES[route].send(route, other.client, values).expect(SAMPLES[route].others)
    after = user.client.get(path)
    assert (after.status, after.body if after.status == 200 else "") == \
        (before.status, before.body if before.status == 200 else "")
    if route.endswith("sessions/{id}"):
        assert values["id"] in {s["id"] for s in user.client.get("/v1/me/sessions").json["items"]}


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/lists", "/v1/me/sessions", "/v1/me"])
def test_lists_hold_only_what_is_ones_own(other, user, path):
    mine = list_of(user)["id"] if path == "/v1/lists" else user.task("A secret of one user")["id"]
    theirs = other.client.get(path).expect(200)
    session = tokens.parts(user.token["access_token"])[1]["sid"]
    for secret in (user.email, user.id, mine, session):
        assert secret.encode() not in theirs.body


@pytest.mark.parametrize("route", PROTECTED_ROUTES)
def test_the_right_user(server, user, route):
    sample = SAMPLES[route]
    caller = User(server) if sample.fresh and route != "POST /v1/auth/logout" else user
    client = user.login_client() if route == "POST /v1/auth/logout" else caller.client
    values = sample.prepare(caller) if sample.prepare else {}
    sample.send(route, client, values).expect(sample.status)


@pytest.mark.parametrize("route", [f"{op.method} {op.path}" for op in description().operations if op.public])
@pytest.mark.parametrize("token", [None, "not.a.token"])
def test_public_routes_need_no_token(server, user, route, token):
    sample = SAMPLES[route]
    values = sample.prepare(user) if sample.prepare else {}
    if route == "POST /v1/auth/register":
        values["email"] = f"{'a' if token else 'b'}.{values['email']}"
    sample.send(route, Client(server, token), values).expect(sample.status)
