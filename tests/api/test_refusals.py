# SPDX-License-Identifier: MIT
"""Every refusal says what whoever got it can do: which value is wrong, what to send in its place, or whom to ask."""
import json
import uuid

import pytest

from support.raw import exchange

ABSENT = f"/v1/tasks/{uuid.uuid4()}"
LINE = b"GET /v1/tasks HTTP/1.1\r\n"
LOGIN = b"POST /v1/auth/login HTTP/1.1\r\n"
HOST = b"Host: t\r\n"

# What is no HTTP: the bytes, the status, what the text must say.
UNREADABLE = [
    (b"GET /v1/my tasks HTTP/1.1\r\n" + HOST, 400, "%20"),
    (b"GET /v1/tasks\r\n" + HOST, 400, "METHOD PATH HTTP/1.1"),
    (b"GET /v1/tasks HTTP/1.1.1\r\n" + HOST, 400, "HTTP/1.0"),
    (b"GET /v1/tasks HTTP/3.0\r\n" + HOST, 505, "HTTP/1.1"),
    (b"patch /v1/tasks HTTP/1.1\r\n" + HOST, 501, "capital letters"),
    (b"GET /v1/tasks?title=a%20b#top HTTP/1.1\r\n" + HOST, 400, "%23"),
    (b"GET /v1/t\xc3\xa4sks HTTP/1.1\r\n" + HOST, 400, "percent-encoded"),
    (b"GET /v1/tasks/50%/x HTTP/1.1\r\n" + HOST, 400, "%25"),
    (b"GET /v1/tasks%2Fx HTTP/1.1\r\n" + HOST, 400, "slashes"),
    (b"GET /v1/tasks/%ff HTTP/1.1\r\n" + HOST, 400, "UTF-8"),
    (b"GET v1/tasks HTTP/1.1\r\n" + HOST, 400, "begin with a slash"),
    (b"GET * HTTP/1.1\r\n" + HOST, 400, "OPTIONS"),
    (b"GET http://[1/ HTTP/1.1\r\n" + HOST, 400, "example.com:8080"),
    (LINE, 400, "Host is missing"),
    (LINE + HOST + HOST, 400, "more than one Host"),
    (LINE + b"Host: a b\r\n", 400, "example.com:8080"),
    (LINE + HOST + b"X-Name : 1\r\n", 400, "before the name or the colon"),
    (LINE + HOST + b" folded\r\n", 400, "on one line"),
    (LINE + HOST + b"X: a\nb\r\n", 400, "CR LF"),
    (LINE + HOST + b"X: a\x01b\r\n", 400, "control character"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "TLS"),
    (LINE + HOST + b"Connection: a b\r\n", 400, "keep-alive"),
    (LINE + HOST + b"Content-Length: 1,1\r\n", 400, "decimal digits"),
    (LINE + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n", 400, "more than one Content-Length"),
    (LINE + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400, "one of them"),
    (LINE + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "more than one Transfer-Encoding"),
    (LINE + HOST + b"Transfer-Encoding: chunked, gzip\r\n", 400, "end with `chunked`"),
    (LINE + HOST + b"Transfer-Encoding: gzip, chunked\r\n", 501, "without another coding"),
    (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400, "HTTP/1.0 has no"),
    (LINE + HOST + b"Expect: miracles\r\n", 417, "100-continue"),
    (LINE + HOST + b"X: " + b"x" * 17000 + b"\r\n", 431, "16,384"),
    (LINE + HOST + b"X: y\r\n" * 128, 431, "128"),
    (b"GET /?" + b"x" * 8192 + b" HTTP/1.1\r\n" + HOST, 414, "8,192"),
    (LINE + HOST + b"Content-Length: 1000000000\r\n", 413, "262144"),
    (LOGIN + HOST + b"Transfer-Encoding: chunked\r\n\r\nten\r\n", 400, "hexadecimal"),
    (LOGIN + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 9000, 431, "8,192"),
]


@pytest.mark.parametrize("chunks", [b"", b"3\r\nabc\r\n0\r\n\r\n", b"ten\r\n", b"3\r\nabc\r\nten\r\n", b"ffffff\r\n"])
def test_the_head_is_judged_before_the_chunks(server, chunks):
    """Whether they came together with it or not: the answer does not tell how the bytes travelled."""
    answer = exchange(server, LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.status == 401, answer.body


@pytest.mark.parametrize("data, status, says", UNREADABLE, ids=lambda value: ascii(value)[:40])
def test_what_is_no_http_is_told_what_is_wrong(server, data, status, says):
    answer = exchange(server, data if b"\r\n\r\n" in data else data + b"\r\n")
    assert answer.status == status, answer.body
    assert says in json.loads(answer.body)["detail"], answer.body


# Calls of somebody with a token: method, path, header fields, body, status, what a text must say.
REFUSED = [
    ("GET", "/v1/tasks/", {}, None, 404, "slash"),
    ("GET", "/v1//tasks", {}, None, 404, "two slashes"),
    ("GET", "/tasks", {}, None, 404, "/openapi.json"),
    ("GET", "/v1/tasks/7", {}, None, 404, "UUID"),
    ("GET", ABSENT, {}, None, 404, "deleted"),
    ("PATCH", ABSENT, {}, {"title": "x"}, 404, "deleted"),
    ("DELETE", ABSENT, {}, None, 404, "deleted"),
    ("DELETE", ABSENT.replace("tasks", "me/sessions"), {}, None, 404, "/v1/me/sessions"),
    ("GET", "/problems/none", {}, None, 404, "ProblemCode"),
    ("GET", "/docs/none.js", {}, None, 404, "/docs"),
    ("GET", "/docs/init.js", {"Accept": "text/html"}, None, 406, "text/javascript"),
    ("GET", "/v1/tasks", {"Accept": "text/html"}, None, 406, "application/json"),
    ("PUT", "/v1/tasks", {}, None, 405, "GET, HEAD, POST"),
    ("POST", "/v1/tasks", {"Content-Type": "text/plain"}, {"title": "x"}, 415, "application/json"),
    ("GET", "/v1/tasks", {}, {}, 422, "Send none"),
    ("GET", "/v1/tasks?page=2", {}, None, 400, "limit, cursor, status, priority"),
    ("GET", "/v1/me?full=1", {}, None, 400, "leave it out"),
    ("GET", "/v1/tasks?limit=500", {}, None, 400, "from 1 to 100"),
    ("GET", "/v1/tasks?limit=all", {}, None, 400, "from 1 to 100"),
    ("GET", "/v1/tasks?status=done", {}, None, 400, "pending, in-progress, completed"),
    ("GET", "/v1/tasks?sort=date", {}, None, 400, "title, status, priority, position"),
    ("GET", "/v1/tasks?cursor=x", {}, None, 400, "without one"),
    ("POST", "/v1/tasks", {}, {"name": "x", "title": "x"}, 422, "title, description, status"),
    ("POST", "/v1/tasks", {}, {}, 422, "Is missing; this call needs it."),
    ("PATCH", "/v1/tasks/TASK", {}, {"title": None}, 422, "leave it out to keep it"),
    ("PATCH", "/v1/tasks/TASK", {}, {"revision": 1}, 422, "leave it out"),
    ("POST", "/v1/tasks", {}, {"title": "a\u0007b"}, 422, "character 2 is U+0007"),
    ("POST", "/v1/tasks", {}, {"title": "é\u0085"}, 422, "character 2 is U+0085"),
    ("POST", "/v1/tasks", {}, {"title": "x", "description": "a\n\u200d\u001b[0m"}, 422, "character 4 is U+001B"),
    ("POST", "/v1/tasks", {}, {"title": "x", "status": "done"}, 422, "pending, in-progress, completed"),
    ("POST", "/v1/tasks", {"Idempotency-Key": "a b"}, {"title": "x"}, 400, "visible ASCII"),
    ("PATCH", "/v1/tasks/TASK", {"If-Match": "x"}, {"title": "x"}, 400, "double quotes"),
    ("PATCH", "/v1/tasks/TASK", {"If-Match": '"x"'}, {"title": "x"}, 412, "Read it again"),
    ("GET", "/v1/tasks/TASK", {"If-Match": '"x"'}, None, 412, "Leave If-Match out"),
    ("PUT", "/v1/tasks/TASK", {"If-None-Match": "*"}, {"title": "x"}, 412, "leave the field out"),
    ("PUT", ABSENT, {"If-Match": "*"}, {"title": "x"}, 412, "Leave it out"),
    ("POST", "/v1/tasks", {"If-Match": '"x"'}, {"title": "x"}, 412, "The list changed"),
    ("PATCH", "/v1/me", {"If-Match": '"x"'}, {"name": "x"}, 412, "Read it again"),
    ("PUT", "/v1/me/email", {}, {"email": "a@example.com", "password": "not this one"}, 403, "that the account has now"),
    ("PUT", "/v1/me/password", {}, {"current_password": "x", "new_password": "password123"}, 422, "choose another"),
    ("POST", "/v1/auth/logout", {"Authorization": "none"}, {"refresh_token": "x"}, 401, "refresh_token"),
    ("POST", "/v1/auth/refresh", {"Authorization": "none"}, {"refresh_token": "x"}, 401, "refresh_token"),
    ("GET", "/v1/tasks", {"Authorization": "Basic eA=="}, None, 401, "Authorization: Bearer TOKEN"),
    ("GET", "/v1/tasks", {"Authorization": "Bearer undefined"}, None, 401, "access_token of the last login"),
]


def texts(problem):
    """All that it says to people."""
    return " ".join([problem["detail"], *(error["detail"] for error in problem.get("errors", []))])


@pytest.mark.parametrize("method, path, fields, body, status, says", REFUSED, ids=lambda value: ascii(value)[:40])
def test_a_refused_call_is_told_what_to_do(user, method, path, fields, body, status, says):
    path = path.replace("TASK", user.task()["id"]) if "TASK" in path else path
    more = {} if body is None else {"body": json.dumps(body).encode()}
    if body is not None:
        fields = {"Content-Type": "application/json", **fields}
    token = {"token": None} if "Authorization" in fields else {}
    fields = {name: value for name, value in fields.items() if value != "none"}
    answer = user.client.request(method, path, headers=fields, **more, **token)
    assert answer.status == status, answer.body
    assert says in texts(answer.json), answer.body


def test_without_a_token(client):
    answer = client.get("/v1/tasks").expect(401, "unauthorized")
    assert "Authorization: Bearer TOKEN" in answer.json["detail"] and "/v1/auth/login" in answer.json["detail"]


def test_what_cannot_be_registered(user):
    body = {"email": user.email, "password": user.password}
    taken = user.anonymous.post("/v1/auth/register", body).expect(409, "email_taken")
    assert "Log in" in taken.json["detail"]
    wrong = user.anonymous.post("/v1/auth/login", {**body, "password": "another one"}).expect(401, "invalid_credentials")
    assert "Check both" in wrong.json["detail"]


def test_a_full_account_is_told_its_limits(start_server, make_user):
    user = make_user(start_server({"USER_TASKS_MOST": "2", "USER_BYTES_MOST": "1048576"}))
    for _ in range(2):
        user.task()
    detail = user.client.post("/v1/tasks", {"title": "x"}).expect(507, "quota_exceeded").json["detail"]
    assert "2 tasks" in detail and "1048576 bytes" in detail and "Delete tasks" in detail


def test_the_account_behind_a_token_is_gone(server, make_user):
    """Whichever of the calls hears of it first."""
    user = make_user(server)
    user.client.post("/v1/me/deletion", {"password": user.password}).expect(204)
    for method, path, body in (("GET", "/v1/tasks", {}), ("POST", "/v1/tasks", {"json": {"title": "x"}}), ("GET", "/v1/me", {})):
        answer = user.client.request(method, path, **body).expect(401, "invalid_token")
        assert "Log in" in answer.json["detail"], answer.body
