# SPDX-License-Identifier: MIT
"""ETag, If-None-Match, If-Match (RFC 9110 section 13)."""
import threading
import uuid

import pytest

from support.tasks import path_of


@pytest.fixture
def task(user):
    """A fresh task."""
    return user.task()


@pytest.fixture
def tag(user, task):
    """Its entity tag."""
    return user.client.tag(task)


def opaque(tag, end=""):
    """The tag with something at its end, within the quotes."""
    return f'{tag[:-1]}{end}"'


@pytest.mark.parametrize("form", ["{}", "W/{}", '"0", {}', '"0" ,{} , "x"', "*", ',, {}'])
def test_not_modified(user, task, tag, form):
    condition = {"If-None-Match": form.format(tag)}
    for method in ("GET", "HEAD"):
        answer = user.client.request(method, path_of(task), headers=condition).expect(304)
        assert answer.etag == tag and answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("form", ['"0"', '"x"', '"0", "1x"'])
def test_modified(user, task, form):
    assert user.client.get(path_of(task), headers={"If-None-Match": form}).expect(200).json == task


def test_a_list_has_an_etag(user, task):
    answer = user.client.get("/v1/tasks").expect(200)
    condition = {"If-None-Match": answer.etag}
    unchanged = user.client.get("/v1/tasks", headers=condition).expect(304)
    assert unchanged.etag == answer.etag
    user.client.patch(path_of(task), {"title": "Changed"}).expect(200)
    changed = user.client.get("/v1/tasks", headers=condition).expect(200)
    assert changed.etag != answer.etag
    user.client.delete(path_of(task)).expect(204)
    user.client.get("/v1/tasks", headers={"If-None-Match": changed.etag}).expect(200)


WRITES = [("PATCH", {"json": {"title": "New"}}, 200), ("PUT", {"json": {"title": "New"}}, 200), ("DELETE", {}, 204)]


@pytest.mark.parametrize("method, body, good", WRITES)
@pytest.mark.parametrize("form", ["{}", "*", '"0", {}', '"zzz",{}', "W/{}"])
def test_if_match_that_holds(user, task, tag, method, body, good, form):
    user.client.request(method, path_of(task), headers={"If-Match": form.format(tag)}, **body).expect(good)


@pytest.mark.parametrize("method, body, good", WRITES)
@pytest.mark.parametrize("form", ['"0"', "W/\"9\"", '"x"', '"0{}', '"1"', '"42"', '"99999999999999999999999"', '"-1"', '"+1"', '""'])
def test_if_match_that_fails(user, task, tag, method, body, good, form):
    form = form.format(tag[1:])
    answer = user.client.request(method, path_of(task), headers={"If-Match": form}, **body)
    assert answer.expect(412, "precondition_failed").etag == tag
    assert user.client.get(path_of(task)).json == task, f"{good}: nothing was changed"


@pytest.mark.parametrize("method, body, _", WRITES)
@pytest.mark.parametrize("form", ["42", '"42', "*, \"1\"", "W/42", '"1" "2"', "w/\"1\"", ""])
def test_if_match_that_cannot_be_read(user, task, method, body, _, form):
    answer = user.client.request(method, path_of(task), headers={"If-Match": form}, **body)
    answer.expect(400, "invalid_header")
    assert user.client.get(path_of(task)).json == task


def test_if_none_match_that_cannot_be_read(user, task):
    user.client.get(path_of(task), headers={"If-None-Match": "42"}).expect(400, "invalid_header")


def test_an_absent_task_is_404_before_412_save_for_put(user):
    path = f"/v1/tasks/{uuid.uuid4()}"
    for form in ('"1"', "*"):
        condition = {"If-Match": form}
        user.client.patch(path, {"title": "x"}, headers=condition).expect(404, "not_found")
        user.client.delete(path, headers=condition).expect(404, "not_found")
        answer = user.client.put(path, {"title": "x"}, headers=condition).expect(412, "precondition_failed")
        assert answer.headers.get("ETag") is None and "nothing here" in answer.json["detail"]
    user.client.get(path).expect(404)


def test_if_none_match_star_creates_only(user, task, tag):
    only_new = {"If-None-Match": "*"}
    answer = user.client.put(path_of(task), {"title": "x"}, headers=only_new).expect(412, "precondition_failed")
    assert answer.etag == tag and "exists already" in answer.json["detail"] and "changed" not in answer.json["detail"]
    path = f"/v1/tasks/{uuid.uuid4()}"
    user.client.put(path, {"title": "x"}, headers=only_new).expect(201)
    user.client.put(path, {"title": "x"}, headers=only_new).expect(412)


def test_one_of_many_with_the_same_etag_wins(user, task, tag):
    """The precondition is tested inside the write: no update is lost."""
    answers = []

    def change(number):
        condition = {"If-Match": tag}
        answers.append(user.reader().patch(path_of(task), {"title": f"by {number}"}, headers=condition))

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1 and sum(answer.status == 412 for answer in answers) == 7
    assert user.client.get(path_of(task)).json == won[0].json


def test_the_embedded_files_have_an_etag(client):
    for path in ("/openapi.json", "/openapi-3.0.json", "/openapi.yaml", "/postman.json"):
        answer = client.get(path).expect(200)
        client.get(path, headers={"If-None-Match": answer.etag}).expect(304)
        client.get(path, headers={"If-None-Match": '"x"'}).expect(200)


# What proxies that compress make of a tag: nginx, HAProxy, Varnish; Apache, Caddy, lighttpd; Jetty; Apache of old.
PROXIES = ["W/{}", "{-gzip}", "{-br}", "{-zstd}", "{-deflate}", "{--gzip}", "{;gzip}", "W/{-gzip}", "{}-gzip"]


def through(form, tag):
    """The tag as a client behind such a proxy knows it."""
    before, _, rest = form.partition("{")
    end, _, after = rest.partition("}")
    return before + opaque(tag, end) + after


@pytest.mark.parametrize("form", PROXIES)
def test_what_a_proxy_made_of_the_tag_names_the_same_version(user, task, tag, form):
    """Of a task, a list, the account and a file."""
    path = path_of(task)
    user.client.get(path, headers={"If-None-Match": through(form, tag)}).expect(304)
    for other in ("/v1/tasks", "/v1/me", "/openapi.json"):
        known = user.client.get(other).expect(200).etag
        user.client.get(other, headers={"If-None-Match": through(form, known)}).expect(304)
    changed = user.client.patch(path, {"title": "Mine"}, headers={"If-Match": through(form, tag)}).expect(200)
    stale = user.client.patch(path, {"title": "Theirs"}, headers={"If-Match": through(form, tag)})
    assert stale.expect(412, "precondition_failed").etag == changed.etag
    user.client.get(path, headers={"If-None-Match": through(form, tag)}).expect(200)


@pytest.mark.parametrize("path", ["task", "/v1/tasks", "/v1/tasks?limit=1", "/v1/me", "/openapi.yaml"])
def test_reads_heed_if_match(user, task, path):
    """RFC 9110 section 13.2.2: 412 before 304."""
    path = path_of(task) if path == "task" else path
    known = user.client.get(path).expect(200).etag
    for method in ("GET", "HEAD"):
        for form in (known, "*", f'"x", {known}'):
            user.client.request(method, path, headers={"If-Match": form}).expect(200)
        for more in ({}, {"If-None-Match": known}):
            answer = user.client.request(method, path, headers={"If-Match": '"x"', **more}).expect(412)
            assert answer.etag == known
        user.client.request(method, path, headers={"If-Match": known, "If-None-Match": known}).expect(304)
        for name in ("If-Match", "If-None-Match"):
            user.client.request(method, path, headers={name: "42"}).expect(400)


@pytest.mark.parametrize("method, body, good", WRITES)
def test_if_none_match_on_a_write(user, task, tag, method, body, good):
    """What matches is refused; what does not, is carried out."""
    for form, says in ((tag, "still"), (f'"x", W/{tag}', "still"), ("*", "exists already")):
        answer = user.client.request(method, path_of(task), headers={"If-None-Match": form}, **body)
        assert answer.expect(412, "precondition_failed").etag == tag and says in answer.json["detail"]
    assert user.client.get(path_of(task)).json == task
    user.client.request(method, path_of(task), headers={"If-None-Match": '"x"'}, **body).expect(good)


def test_a_create_may_hang_on_the_list(user, task):
    known = user.client.get("/v1/tasks").expect(200).etag
    headers = {"If-Match": known}
    first = user.client.post("/v1/tasks", {"title": "first"}, headers=headers).expect(201).json
    answer = user.client.post("/v1/tasks", {"title": "second"}, headers=headers).expect(412, "precondition_failed")
    assert answer.etag == user.client.get("/v1/tasks").expect(200).etag
    assert user.client.get("/v1/tasks").json["items"][0] == first
    user.client.post("/v1/tasks", {"title": "x"}, headers={"If-None-Match": "*"}).expect(412)


def test_the_account_has_an_etag(user):
    first = user.client.get("/v1/me").expect(200)
    renamed = user.client.patch("/v1/me", {"name": "Ada"}, headers={"If-Match": first.etag}).expect(200)
    assert renamed.etag != first.etag and user.client.get("/v1/me").etag == renamed.etag
    refused = user.client.patch("/v1/me", {"name": "Eve"}, headers={"If-Match": first.etag})
    assert refused.expect(412, "precondition_failed").etag == renamed.etag
    for body in ({}, {"name": "Eve"}):
        for headers in ({"If-Match": '"x"'}, {"If-None-Match": renamed.etag}, {"If-None-Match": "*"}):
            user.client.patch("/v1/me", body, headers=headers).expect(412, "precondition_failed")
        user.client.patch("/v1/me", body, headers={"If-Match": "42"}).expect(400, "invalid_header")
    assert user.client.patch("/v1/me", {}, headers={"If-Match": renamed.etag}).expect(200).json["name"] == "Ada"
    body = {"email": f"x{user.email}", "password": user.password}
    user.client.put("/v1/me/email", body).expect(200)
    assert user.client.get("/v1/me", headers={"If-None-Match": renamed.etag}).expect(200).etag != renamed.etag


def test_no_tag_is_another_accounts(user, other):
    """Two accounts may make a task under one id; nobody is shown the other's, and nobody writes over it unseen."""
    path = f"/v1/tasks/{uuid.uuid4()}"
    mine = user.client.put(path, {"title": "Mine"}).expect(201)
    theirs = other.client.put(path, {"title": "Theirs"}).expect(201)
    assert mine.json["revision"] == theirs.json["revision"] or mine.etag != theirs.etag
    for where in (path, "/v1/tasks", "/v1/me"):
        known = user.client.get(where).expect(200).etag
        assert other.client.get(where, headers={"If-None-Match": known}).expect(200).etag != known
        other.client.get(where, headers={"If-Match": known}).expect(412)
    other.client.patch(path, {"title": "x"}, headers={"If-Match": mine.etag}).expect(412, "precondition_failed")
    other.client.delete(path, headers={"If-Match": mine.etag}).expect(412, "precondition_failed")


def test_no_tag_is_a_former_accounts(server, make_user):
    """The same e-mail, registered again: the browser that still has the page of before edits nothing."""
    former, path = make_user(server), f"/v1/tasks/{uuid.uuid4()}"
    old = former.client.put(path, {"title": "Before"}).expect(201)
    former.client.post("/v1/me/deletion", {"password": former.password}).expect(204)
    body = {"email": former.email, "password": former.password}
    former.anonymous.post("/v1/auth/register", body).expect(201)
    again = former.client.copy(former.login()["access_token"])
    new = again.put(path, {"title": "After"}).expect(201)
    assert new.json["revision"] == old.json["revision"] and new.etag != old.etag
    again.patch(path, {"title": "x"}, headers={"If-Match": old.etag}).expect(412, "precondition_failed")
    again.get(path, headers={"If-None-Match": old.etag}).expect(200)
