"""ETag, If-None-Match, If-Match (RFC 9110 section 13)."""
import threading
import uuid

import pytest


@pytest.fixture
def task(user):
    """A fresh task."""
    return user.task()


def path_of(task):
    """Where it is."""
    return f"/v1/tasks/{task['id']}"


def tag(task):
    """Its entity tag."""
    return f'"{task["revision"]}"'


@pytest.mark.parametrize("form", ["{}", "W/{}", '"0", {}', '"0" ,{} , "x"', "*", ',, {}'])
def test_not_modified(user, task, form):
    condition = {"If-None-Match": form.format(tag(task))}
    for method in ("GET", "HEAD"):
        answer = user.client.request(method, path_of(task), headers=condition).expect(304)
        assert answer.etag == tag(task) and answer.headers["Cache-Control"] == "private, no-cache"


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
@pytest.mark.parametrize("form", ["{}", "*", '"0", {}', '"zzz",{}'])
def test_if_match_that_holds(user, task, method, body, good, form):
    user.client.request(method, path_of(task), headers={"If-Match": form.format(tag(task))}, **body).expect(good)


@pytest.mark.parametrize("method, body, good", WRITES)
@pytest.mark.parametrize("form", ['"0"', "W/{}", '"x"', '"0{}', '"99999999999999999999999"', '"-1"', '"+1"', '""'])
def test_if_match_that_fails(user, task, method, body, good, form):
    form = form.format(tag(task) if form.startswith("W") else tag(task)[1:])
    answer = user.client.request(method, path_of(task), headers={"If-Match": form}, **body)
    assert answer.expect(412, "precondition_failed").etag == tag(task)
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
        assert answer.headers.get("ETag") is None
    user.client.get(path).expect(404)


def test_if_none_match_star_creates_only(user, task):
    only_new = {"If-None-Match": "*"}
    answer = user.client.put(path_of(task), {"title": "x"}, headers=only_new).expect(412, "precondition_failed")
    assert answer.etag == tag(task)
    path = f"/v1/tasks/{uuid.uuid4()}"
    user.client.put(path, {"title": "x"}, headers=only_new).expect(201)
    user.client.put(path, {"title": "x"}, headers=only_new).expect(412)


def test_one_of_many_with_the_same_etag_wins(user, task):
    """The precondition is tested inside the write: no update is lost."""
    answers = []

    def change(number):
        condition = {"If-Match": tag(task)}
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
