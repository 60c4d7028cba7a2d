# SPDX-License-Identifier: MIT
"""Idempotency-Key: a write that is repeated is done once."""
import json
import secrets
import threading
import uuid

import pytest

from support.raw import exchange


def key(quoted=False):
    """A header with a key nobody used."""
    value = f"key-{secrets.token_hex(8)}"
    return {"Idempotency-Key": f'"{value}"' if quoted else value}


def same(first, second):
    """The second answer is the first one, played again."""
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.headers.get("Idempotency-Replayed") is None
    assert second.status == first.status
    for name in ("ETag", "Location", "Content-Type"):
        assert second.headers.get(name) == first.headers.get(name), name
    if first.status < 400:
        assert second.body == first.body
    else:
        assert second.code == first.code


def count(user, title):
    """How many tasks have this title."""
    return sum(task["title"] == title for task in user.client.get("/v1/tasks?limit=100").json["items"])


def test_create_is_done_once(user):
    headers, body = key(), {"title": secrets.token_hex(8), "description": "x"}
    first = user.client.post("/v1/tasks", body, headers=headers).expect(201)
    for _ in range(2):
        same(first, user.client.post("/v1/tasks", body, headers=headers))
    assert count(user, body["title"]) == 1


def test_the_replay_shows_what_was_then(user):
    """The kept answer is the first one, although the task has changed or is gone."""
    headers, body = key(), {"title": "then"}
    first = user.client.post("/v1/tasks", body, headers=headers).expect(201)
    path = first.headers["Location"]
    user.client.patch(path, {"title": "now", "status": "completed"}).expect(200)
    same(first, user.client.post("/v1/tasks", body, headers=headers))
    user.client.delete(path).expect(204)
    same(first, user.client.post("/v1/tasks", body, headers=headers))
    user.client.get(path).expect(404)


def test_patch_put_and_delete_are_done_once(user):
    task = user.task()
    path = f"/v1/tasks/{task['id']}"
    patch, put, delete = key(), key(), key()
    patched = user.client.patch(path, {"status": "completed"}, headers=patch).expect(200)
    replaced = user.client.put(path, {"title": "two"}, headers=put).expect(200)
    same(patched, user.client.patch(path, {"status": "completed"}, headers=patch))
    same(replaced, user.client.put(path, {"title": "two"}, headers=put))
    assert user.client.get(path).json == replaced.json, "the repeat of the patch changed nothing"
    deleted = user.client.delete(path, headers=delete).expect(204)
    user.client.put(path, {"title": "three"}).expect(201)
    same(deleted, user.client.delete(path, headers=delete))
    assert user.client.get(path).expect(200).json["title"] == "three"


def test_a_creating_put_replays_as_created(user):
    headers, path = key(), f"/v1/tasks/{uuid.uuid4()}"
    first = user.client.put(path, {"title": "x"}, headers=headers).expect(201)
    same(first, user.client.put(path, {"title": "x"}, headers=headers))


def test_a_refusal_is_judged_afresh(user):
    """404 and 412 under a key: what was wrong is mended, and the same key goes on."""
    path, headers = f"/v1/tasks/{uuid.uuid4()}", key()
    user.client.patch(path, {"title": "x"}, headers=headers).expect(404)
    made = user.client.put(path, {"title": "now it is there"}).expect(201)
    changed = user.client.patch(path, {"title": "x"}, headers=headers).expect(200)
    assert changed.headers.get("Idempotency-Replayed") is None
    same(changed, user.client.patch(path, {"title": "x"}, headers=headers))
    under = key()
    stale = {**under, "If-Match": made.etag}
    for _ in range(2):
        refused = user.client.patch(path, {"title": "y"}, headers=stale).expect(412, "precondition_failed")
        assert refused.headers.get("Idempotency-Replayed") is None and refused.etag == changed.etag
    fresh = {**under, "If-Match": changed.etag}
    done = user.client.patch(path, {"title": "y"}, headers=fresh).expect(200)
    for repeat in (fresh, stale, under, {**under, "If-None-Match": "*"}):
        same(done, user.client.patch(path, {"title": "y"}, headers=repeat).expect(200))
    user.client.patch(path, {"title": "z"}, headers=under).expect(422, "idempotency_key_reused")
    gone = key()
    user.client.delete(f"/v1/tasks/{uuid.UUID(int=5)}", headers=gone).expect(404)
    user.client.delete(path, headers=gone).expect(204)


def test_what_changed_nothing_is_kept(user):
    task, headers = user.task("same"), key()
    path = f"/v1/tasks/{task['id']}"
    first = user.client.patch(path, {"title": "same"}, headers=headers).expect(200)
    user.client.patch(path, {"title": "other"}).expect(200)
    same(first, user.client.patch(path, {"title": "same"}, headers=headers))
    assert user.client.get(path).json["title"] == "other"


def test_what_was_refused_before_the_write_is_not_kept(user):
    headers = key()
    user.client.post("/v1/tasks", {"title": ""}, headers=headers).expect(422, "validation_failed")
    user.client.post("/v1/tasks", body=b"{", headers=headers).expect(400, "invalid_json")
    first = user.client.post("/v1/tasks", {"title": "good"}, headers=headers).expect(201)
    assert first.headers.get("Idempotency-Replayed") is None


def test_another_request_under_the_same_key(user):
    headers, body = key(), {"title": "one"}
    first = user.client.post("/v1/tasks", body, headers=headers).expect(201)
    path = first.headers["Location"]
    user.client.post("/v1/tasks", {"title": "two"}, headers=headers).expect(422, "idempotency_key_reused")
    user.client.put(path, body, headers=headers).expect(422, "idempotency_key_reused")
    user.client.patch(path, body, headers=headers).expect(422, "idempotency_key_reused")
    user.client.delete(path, headers=headers).expect(422, "idempotency_key_reused")
    assert user.client.get(path).json == first.json
    other_path = f"/v1/tasks/{user.task()['id']}"
    used = key()
    user.client.delete(path, headers=used).expect(204)
    user.client.delete(other_path, headers=used).expect(422, "idempotency_key_reused")
    user.client.get(other_path).expect(200)


def test_the_same_content_however_it_is_written(user):
    """Order, white space and escapes do not count; a value and a member do."""
    headers = key()
    first = user.client.post("/v1/tasks", headers=headers, body=b'{"title":"\xc3\xa9/x","description":null}').expect(201)
    for body in (b'{ "description" : null ,\r\n"title":"\\u00e9\\/x" }', b'{"ti\\u0074le":"\xc3\xa9/x","description":null}'):
        same(first, user.client.post("/v1/tasks", headers=headers, body=body).expect(201))
    for body in (b'{"title":"\xc3\xa9/x"}', b'{"title":"\xc3\xa9/x","description":""}',
                 b'{"title":"\xc3\xa9/x","description":null,"status":"pending"}', b'{"title":"e\xcc\x81/x","description":null}'):
        user.client.post("/v1/tasks", headers=headers, body=body).expect(422, "idempotency_key_reused")


def test_an_id_in_any_case_is_the_same_task(user):
    """As far as the path takes it: the fingerprint is of the task, not of how it was written."""
    path, headers = f"/v1/tasks/{uuid.uuid4()}", key()
    first = user.client.put(path, {"title": "x"}, headers=headers).expect(201)
    same(first, user.client.put(path.upper().replace("/V1/TASKS", "/v1/tasks"), {"title": "x"}, headers=headers))


def test_quoted_and_bare_are_one_key(user):
    bare, body = key(), {"title": "x"}
    quoted = {"Idempotency-Key": f'"{bare["Idempotency-Key"]}"'}
    first = user.client.post("/v1/tasks", body, headers=bare).expect(201)
    same(first, user.client.post("/v1/tasks", body, headers=quoted))


def test_keys_belong_to_their_user(user, other):
    headers, body = key(), {"title": "x"}
    mine = user.client.post("/v1/tasks", body, headers=headers).expect(201)
    theirs = other.client.post("/v1/tasks", body, headers=headers).expect(201)
    assert theirs.json["id"] != mine.json["id"] and theirs.headers.get("Idempotency-Replayed") is None


@pytest.mark.parametrize("value", ["a", "!", "~", "k" * 255, '"' + "q" * 255 + '"', "a,b;c=d", "'`|{}"])
def test_good_keys(user, value):
    value = value + secrets.token_hex(4) if len(value) < 100 and not value.endswith('"') else value
    user.client.post("/v1/tasks", {"title": "x"}, headers={"Idempotency-Key": value}).expect(201)


@pytest.mark.parametrize("value", ["", '""', "k" * 256, '"' + "k" * 256 + '"', "a b", '"a b"', "a\tb", "é", '"open'])
def test_malformed_keys(user, value):
    title = secrets.token_hex(8)
    headers = {"Idempotency-Key": value.encode("latin-1")}
    user.client.post("/v1/tasks", {"title": title}, headers=headers).expect(400, "invalid_header")
    path = f"/v1/tasks/{user.task()['id']}"
    user.client.delete(path, headers=headers).expect(400, "invalid_header")
    user.client.get(path).expect(200)
    assert count(user, title) == 0


def test_a_key_sent_twice_is_malformed(server, user):
    body = json.dumps({"title": "x"}).encode()
    head = (f"POST /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n"
            f"Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: {len(body)}\r\n\r\n")
    exchange(server, head.encode() + body).expect(400, "invalid_header")


def test_many_at_once_do_it_once(user):
    headers, body, answers = key(), {"title": secrets.token_hex(8)}, []

    def create():
        answers.append(user.reader().post("/v1/tasks", body, headers=headers))

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [answer for answer in answers if answer.status == 201]
    assert all(answer.status == 201 or answer.code == "idempotency_key_in_use" for answer in answers)
    assert len({answer.json["id"] for answer in good}) == 1
    assert sum(answer.headers.get("Idempotency-Replayed") is None for answer in good) == 1
    assert count(user, body["title"]) == 1


def test_keys_outlive_a_restart(start_server, make_user):
    own_server = start_server()
    own, headers = make_user(own_server), key(quoted=True)
    first = own.client.post("/v1/tasks", {"title": "x"}, headers=headers).expect(201)
    own_server.restart()
    same(first, own.client.post("/v1/tasks", {"title": "x"}, headers=headers))
