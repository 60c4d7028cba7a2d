# SPDX-License-Identifier: MIT
"""What a body may hold: every field x every rule, at the limit and one beyond."""
import secrets
import uuid

import pytest

from support.accounts import PASSWORD
from support.client import Client

CONTROLS = ["\u0001", "\u0007", "\u001b", "\u001f", "\u007f", "\u0080", "\u0085", "\u009f"]
BLANKS = [" ", "   ", "\u00a0", "\u2003\u3000", "\u2028", "\u1680", "\ufeff", " \ufeff\u00a0"]
WRONG_TYPES = [0, 1.5, True, [], {}, ["x"], {"a": 1}, 2 ** 63, -2 ** 64, 10 ** 400]

TITLE = [("", "too_short"), ("x" * 1025, "too_long"), ("🐄" * 1025, "too_long")]
TITLE += [(value, "type") for value in WRONG_TYPES]
TITLE += [(f"a{c}b", "control_character") for c in CONTROLS + ["\n", "\t", "\r"]]
TITLE += [(value, "blank") for value in BLANKS]
DESCRIPTION = [("x" * 16385, "too_long"), ("🐄" * 16385, "too_long")]
DESCRIPTION += [(value, "type") for value in WRONG_TYPES]
DESCRIPTION += [(f"a{c}b", "control_character") for c in CONTROLS + ["\u000b", "\u000c"]]
STATUS = [(value, "not_allowed") for value in ("", "done", "Pending", "in_progress", "pending ", "completed\u0001")]
STATUS += [(value, "type") for value in WRONG_TYPES]
READ_ONLY = ["id", "revision", "created_at", "updated_at", "position", "series_id", "next_id"]
UNKNOWN = ["user_id", "deleted_at", "Title", "", "ID"]

TASK_CASES = [("title", value, code) for value, code in TITLE]
TASK_CASES += [("description", value, code) for value, code in DESCRIPTION]
TASK_CASES += [("status", value, code) for value, code in STATUS]
TASK_CASES += [(name, 1, "read_only") for name in READ_ONLY] + [(name, 1, "unknown") for name in UNKNOWN]

EMAILS = ["", "a", "@", "a@", "@example.com", "a b@example.com", "a@exa mple.com", "a@b@example.com", "a@example..com",
          "a@.example.com", "a@example.com.", " a@example.com", "a@-example.com", "a@example.com\n"]


def label(value):
    """A short name for a case."""
    return ascii(value)[:24]


@pytest.fixture(scope="module")
def task(user):
    """A task that stays as it is."""
    return user.task("stays", description="stays")


def unchanged(user, task):
    """The task is as it was."""
    assert user.client.get(f"/v1/tasks/{task['id']}").json == task


@pytest.mark.parametrize("member, value, code", TASK_CASES, ids=label)
def test_task_members(user, task, member, value, code):
    path, body = f"/v1/tasks/{task['id']}", {"title": "good", member: value}
    for method, target in (("POST", "/v1/tasks"), ("PUT", path), ("PATCH", path),
                           ("PUT", f"/v1/tasks/{uuid.UUID(int=7)}")):
        answer = user.client.request(method, target, json=body).expect(422, "validation_failed")
        assert answer.errors == {(f"/{member}", code)}
    unchanged(user, task)
    user.client.get(f"/v1/tasks/{uuid.UUID(int=7)}").expect(404)


def test_null_is_no_status(user, task):
    """But in a patch, which makes it the default."""
    path = f"/v1/tasks/{task['id']}"
    for method, target in (("POST", "/v1/tasks"), ("PUT", path)):
        refused = user.client.request(method, target, json={"title": "good", "status": None})
        assert refused.expect(422, "validation_failed").errors == {("/status", "type")}
    done = user.task("done", status="completed")
    again = user.client.patch(f"/v1/tasks/{done['id']}", {"status": None}).expect(200).json
    assert (again["status"], again["completed_at"]) == ("pending", None)


def test_the_title_is_required(user, task):
    path = f"/v1/tasks/{task['id']}"
    for method, target in (("POST", "/v1/tasks"), ("PUT", path)):
        assert user.client.request(method, target, json={}).expect(422).errors == {("/title", "required")}
        assert user.client.request(method, target, json={"title": None}).expect(422).errors == {("/title", "type")}
    assert user.client.patch(path, {"title": None}).expect(422).errors == {("/title", "required")}
    unchanged(user, task)


@pytest.mark.parametrize("body", [
    {"title": "x"}, {"title": "x" * 1024}, {"title": "🐄" * 1024}, {"title": " . "}, {"title": "\u200b"},
    {"title": "x", "description": "x" * 16384}, {"title": "x", "description": "🐄" * 16384},
    {"title": "x", "description": "\r\n\t"}, {"title": "x", "description": ""}], ids=label)
def test_task_members_at_the_limit(user, body):
    created = user.client.post("/v1/tasks", body).expect(201).json
    assert {name: created[name] for name in body} == body
    path = f"/v1/tasks/{created['id']}"
    assert user.client.patch(path, body).expect(200).json == created
    assert user.client.get(path).expect(200).json == created


def test_all_errors_come_together(user):
    body = {"title": "", "description": 5, "status": "done", "color": "red", "id": "x"}
    answer = user.client.post("/v1/tasks", body).expect(422, "validation_failed")
    assert answer.errors == {("/title", "too_short"), ("/description", "type"), ("/status", "not_allowed"),
                             ("/color", "unknown"), ("/id", "read_only")}
    assert all(error["detail"] for error in answer.json["errors"])


def test_pointers_are_escaped(user):
    body = {"title": "x", "a/b": 1, "m~n": 2, "ü 🐄": 3, "\"q\"": 4, "~1": 5}
    answer = user.client.post("/v1/tasks", body).expect(422)
    assert answer.errors == {(p, "unknown") for p in ("/a~1b", "/m~0n", "/ü 🐄", "/\"q\"", "/~01")}


def test_the_name_in_a_pointer_is_cut_where_the_description_says(user):
    """After 128 bytes, never within a character; what an escape adds does not count."""
    for name, shown in (("n" * 128, "n" * 128), ("n" * 129, "n" * 128), ("é" * 65, "é" * 64), ("n" + "é" * 64, "n" + "é" * 63),
                        ("/" * 129, "~1" * 128)):
        answer = user.client.post("/v1/tasks", {"title": "x", name: 1}).expect(422)
        assert answer.errors == {("/" + shown, "unknown")}


def test_at_most_32_errors_are_listed(user):
    body = {f"unknown{number}": 1 for number in range(60)}
    answer = user.client.post("/v1/tasks", body).expect(422)
    assert len(answer.json["errors"]) == 32
    exact = user.client.post("/v1/tasks", {"title": "x", **{f"unknown{n}": 1 for n in range(32)}}).expect(422)
    assert len(exact.errors) == 32


def test_an_error_tells_no_input_back(user):
    secret = secrets.token_hex(12)
    answer = user.client.post("/v1/tasks", {"title": secret + "\u0001", "status": secret}).expect(422)
    assert secret.encode() not in answer.body


def test_an_object_as_it_was_read(user, task):
    """What the server sets is named, each with what to do; without it, the object is taken."""
    path = f"/v1/tasks/{task['id']}"
    for method in ("PUT", "PATCH"):
        answer = user.client.request(method, path, json=task).expect(422, "validation_failed")
        assert answer.errors == {(f"/{name}", "read_only") for name in READ_ONLY}
        details = {error["pointer"]: error["detail"] for error in answer.json["errors"]}
        assert "POST /v1/tasks/{id}/move" in details.pop("/position")
        assert set(details.values()) == {"Is set by the server; leave it out."}
        rest = {name: value for name, value in task.items() if name not in READ_ONLY}
        assert user.client.request(method, path, json=rest).expect(200).json == task
    answer = user.client.patch("/v1/me", user.row).expect(422, "validation_failed")
    assert answer.errors == {(f"/{name}", "read_only") for name in ("id", "email", "created_at", "updated_at")}
    assert any("PUT /v1/me/email" in error["detail"] for error in answer.json["errors"])


# ---- accounts ----

REGISTRATION = [("email", value, "email") for value in EMAILS if "\n" not in value and value]
REGISTRATION += [("email", value, "type") for value in WRONG_TYPES + [None]]
REGISTRATION += [("email", "a" * 64 + "@" + "b" * 186 + ".com", "too_long"), ("email", "é" * 128, "too_long")]
REGISTRATION += [("password", value, "type") for value in WRONG_TYPES + [None]]
REGISTRATION += [("password", value, "too_short") for value in ("", "7 chars", "é" * 7, "🐄" * 7)]
REGISTRATION += [("password", value, "too_long") for value in ("x" * 1025, "é" * 513)]
REGISTRATION += [("password", value, "password_common") for value in ("password", "12345678", "iloveyou", "football1")]
REGISTRATION += [("password", value, "password_contains_email") for value in
                 ("someone.here", "xxSOMEONE.HERExx", "my someone.Here!")]
REGISTRATION += [("name", value, "type") for value in WRONG_TYPES]
REGISTRATION += [("name", "x" * 101, "too_long"), ("name", "🐄" * 101, "too_long")]
REGISTRATION += [(name, 1, "unknown") for name in ("id", "role", "admin", "password_hash", "created_at", "Email")]


@pytest.mark.parametrize("member, value, code", REGISTRATION, ids=label)
def test_registration(client, member, value, code):
    body = {"email": "someone.here@example.com", "password": PASSWORD, member: value}
    answer = client.post("/v1/auth/register", body).expect(422, "validation_failed")
    assert (f"/{member}", code) in answer.errors
    assert {pointer for pointer, _ in answer.errors} == {f"/{member}"}


@pytest.mark.parametrize("email", ["", "a@example.com\n", "a@exa\u007fmple.com"])
def test_registration_refuses_control_characters_and_nothing(client, email):
    answer = client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(422)
    assert {pointer for pointer, _ in answer.errors} == {"/email"}


@pytest.mark.parametrize("email, said", [
    (" ada@example.com", "white space"), ("ada@example.com\u3000", "white space"), ("ada@bücher.example", "xn--"),
    ("zoë@example.com", "Before the @"), ("a" * 65 + "@example.com", "64"), ("ada@" + "b" * 64, "63"),
    ("ada@example.com\n", "control characters"), ("a" * 250 + "@b.de", "254 bytes")], ids=label)
def test_what_is_wrong_with_an_email_is_said(client, user, email, said):
    answer = client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(422)
    assert [said in error["detail"] for error in answer.json["errors"]] == [True]
    answer = user.client.put("/v1/me/email", {"email": email, "password": user.password}).expect(422)
    assert [said in error["detail"] for error in answer.json["errors"]] == [True]


def test_registration_reports_all_together(client):
    answer = client.post("/v1/auth/register", {"email": "x", "name": 5, "role": "admin"}).expect(422)
    assert answer.errors == {("/email", "email"), ("/password", "required"), ("/name", "type"), ("/role", "unknown")}


@pytest.mark.parametrize("member, value", [
    ("password", "8 chars!"), ("password", "é" * 8), ("password", "x" * 1024), ("name", "🐄" * 100), ("name", None)],
    ids=label)
def test_registration_at_the_limit(client, member, value):
    body = {"email": f"{secrets.token_hex(8)}@example.com", "password": PASSWORD, member: value}
    row = client.post("/v1/auth/register", body).expect(201).json
    assert member != "name" or row["name"] == value


def test_an_email_may_have_254_bytes(client):
    local = secrets.token_hex(8)
    domain = ".".join(["d" * 60] * 3)
    email = f"{local}@{domain}." + "c" * (254 - len(local) - len(domain) - 2)
    assert len(email) == 254
    client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(201)
    answer = client.post("/v1/auth/register", {"email": "x" + email, "password": PASSWORD}).expect(422)
    assert ("/email", "too_long") in answer.errors


def test_a_short_local_part_may_stand_in_the_password(client):
    domain = secrets.token_hex(6)
    body = {"email": f"abc@{domain}.com", "password": "the abc of horses"}
    client.post("/v1/auth/register", body).expect(201)


CALLS = [
    ("POST", "/v1/auth/login", ["email", "password"]),
    ("POST", "/v1/auth/refresh", ["refresh_token"]),
    ("PUT", "/v1/me/password", ["current_password", "new_password"]),
    ("PUT", "/v1/me/email", ["email", "password"]),
    ("POST", "/v1/me/deletion", ["password"]),
]


@pytest.mark.parametrize("method, path, members", CALLS)
def test_members_of_the_other_calls(user, method, path, members):
    def errors(body):
        return user.client.request(method, path, json=body).expect(422, "validation_failed").errors

    assert errors({}) == {(f"/{name}", "required") for name in members}
    for value in WRONG_TYPES + [None]:
        assert errors({name: value for name in members}) == {(f"/{name}", "type") for name in members}
    assert errors({"x": 1}) == {("/x", "unknown")} | {(f"/{name}", "required") for name in members}
    for name in members:
        assert (f"/{name}", "too_long") in errors({name: "x" * 1025})
    user.client.get("/v1/me").expect(200)


@pytest.mark.parametrize("value, code", [(5, "type"), ("x" * 101, "too_long"), (["x"], "type")])
def test_the_name_of_an_account(user, value, code):
    assert user.client.patch("/v1/me", {"name": value}).expect(422).errors == {("/name", code)}
    assert user.client.patch("/v1/me", {"email": "x@example.com"}).expect(422).errors == {("/email", "read_only")}
    assert user.client.patch("/v1/me", {"role": "x"}).expect(422).errors == {("/role", "unknown")}
    assert user.client.get("/v1/me").json == user.row


def test_the_least_password_length_is_a_setting(start_server):
    strict = Client(start_server(env={"PASSWORD_MIN_LENGTH": "12"}))
    body = {"email": "ada@example.com", "password": "x" * 6 + "yzyzy"}
    assert strict.post("/v1/auth/register", body).expect(422).errors == {("/password", "too_short")}
    strict.post("/v1/auth/register", {**body, "password": "x" * 6 + "yzyzyz"}).expect(201)
