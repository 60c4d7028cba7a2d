# SPDX-License-Identifier: MIT
"""Of several faults in one request the first in the documented order is the one that is told."""
import uuid

import pytest

TASK = "01a203ca-194b-77a5-8c00-000000000003"


def with_faults(task_id, faults):
    """A PATCH of a task that has these faults, and no other."""
    has = faults.__contains__
    method = "POST" if has(405) else "PATCH"
    path = f"/v1/tasks/{task_id}" + ("/more" if has(404.1) else "") + ("?color=red" if has(400.1) else "")
    headers = {"Content-Type": "text/plain" if has(415) else "application/json"}
    if has(401):
        headers["Authorization"] = "Bearer x"
    if has(406):
        headers["Accept"] = "text/html"
    if has(400.2):
        headers["Idempotency-Key"] = "a b"
    if has(412):
        headers["If-Match"] = '"0"'
    body = b'{"title":' if has(400.3) else b'{"title":""}' if has(422) else b'{"title":"x"}'
    if has(413):
        body = body.ljust(300000)
    return {"method": method, "path": path, "headers": headers, "body": body}


# Each fault and its code, the first that wins first.
ORDER = [(413, "content_too_large"), (404.1, "not_found"), (405, "method_not_allowed"), (401, "invalid_token"),
         (406, "not_acceptable"), (415, "unsupported_media_type"), (400.1, "invalid_parameter"),
         (400.2, "invalid_header"), (400.3, "invalid_json"), (422, "validation_failed"), (404.2, "not_found"),
         (412, "precondition_failed")]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[str(fault) for fault, _ in ORDER])
def test_the_first_fault_wins(user, first):
    faults = {fault for fault, _ in ORDER[first:]}
    task_id = uuid.uuid4() if 404.2 in faults else user.task()["id"]
    fault, code = ORDER[first]
    user.client.request(**with_faults(task_id, faults)).expect(int(fault), code)


def test_without_a_fault_it_works(user):
    """Without this the test above could pass for another reason."""
    user.client.request(**with_faults(user.task()["id"], set())).expect(200)


@pytest.mark.parametrize("fault, code", ORDER, ids=[str(fault) for fault, _ in ORDER])
def test_each_fault_alone(user, fault, code):
    task = user.task()
    task_id = uuid.uuid4() if fault == 404.2 else task["id"]
    user.client.request(**with_faults(task_id, {fault})).expect(int(fault), code)
    assert user.client.get(f"/v1/tasks/{task['id']}").json == task


def test_a_wrong_password_comes_after_validation(user):
    user.client.put("/v1/me/password", {"current_password": "wrong wrong", "new_password": "short"}).expect(422)
    user.client.put("/v1/me/email", {"email": "x", "password": "wrong wrong"}).expect(422)


@pytest.mark.parametrize("method, path, headers, code", [
    ("GET", "/v1/tasks?x=1", {}, "invalid_parameter"), ("GET", "/v1/tasks?limit=0", {}, "invalid_parameter"),
    ("GET", "/v1/tasks?cursor=x", {}, "invalid_parameter"), ("GET", "/v1/tasks", {"If-None-Match": "x"}, "invalid_header"),
    ("GET", "/v1/tasks/{id}?x=1", {}, "invalid_parameter"), ("GET", "/v1/tasks/{id}", {"If-Match": "x"}, "invalid_header"),
    ("DELETE", "/v1/tasks/{id}?x=1", {}, "invalid_parameter"), ("DELETE", "/v1/tasks/{id}", {"If-Match": "x"}, "invalid_header"),
    ("DELETE", "/v1/tasks/{id}", {"Idempotency-Key": "a b"}, "invalid_header"),
    ("GET", "/v1/me?x=1", {}, "invalid_parameter"), ("GET", "/v1/me", {"If-None-Match": "x"}, "invalid_header"),
    ("GET", "/v1/me/sessions?x=1", {}, "invalid_parameter"), ("DELETE", "/v1/me/sessions?x=1", {}, "invalid_parameter"),
    ("GET", "/v1/me/export?x=1", {}, "invalid_parameter"),
])
def test_values_come_before_a_body_that_is_not_taken(user, method, path, headers, code):
    """400 of query and header fields, then 422 of the body; alone each is what it is."""
    path = path.replace("{id}", user.task()["id"])
    user.client.request(method, path, headers=headers, body=b"{}").expect(400, code)
    user.client.request(method, path, headers=headers).expect(400, code)
    answer = user.client.request(method, path.partition("?")[0], body=b"{}").expect(422, "validation_failed")
    assert "takes no body" in answer.json["detail"]
