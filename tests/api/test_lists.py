# SPDX-License-Identifier: MIT
"""Lists of tasks: /v1/lists. What they share with tasks is tested as of tasks; then what is their own."""
import json
import threading
import uuid
from urllib.parse import quote

import pytest

MOST = 1000
DEFAULTS = {"color": None, "archived": False, "metadata": {}}
MEMBERS = ["id", "name", "color", "position", "archived", "metadata", "created_at", "updated_at", "revision"]


def make(user, name="Household", **members):
    """Creates a list; answers it as JSON."""
    return user.client.post("/v1/lists", {"name": name, **members}).expect(201).json


def path_of(item):
    """Where it is."""
    return f"/v1/lists/{item['id']}"


def names(client, query=""):
    """Of all lists, page by page, as the server orders them."""
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/lists?{query}{cursor}").expect(200).json
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={quote(page['next_cursor'])}"
        assert len(found) <= MOST, "it does not end"
    return found


# ---- one list ----


def test_create_answers_the_list(user):
    answer = user.client.post("/v1/lists", {"name": "Household"}).expect(201)
    made = answer.json
    assert list(made) == MEMBERS and made == {**made, "name": "Household", **DEFAULTS}
    assert answer.headers["Location"] == path_of(made) and answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.etag == user.client.tag(made) and made["created_at"] == made["updated_at"]
    assert uuid.UUID(made["id"]).version == 7
    read = user.client.get(path_of(made)).expect(200)
    assert read.body == answer.body and read.etag == answer.etag
    assert user.client.get(f"/v1/lists/{made['id'].upper()}").expect(200).body == answer.body
    head = user.client.request("HEAD", path_of(made)).expect(200)
    assert head.body == b"" and head.etag == answer.etag


@pytest.mark.parametrize("name", ["a", " spaces stay ", "日本語 🐄", "x" * 128, "🐄" * 128, "\"\\/", "e\u0301"])
def test_names_are_stored_as_sent(user, name):
    made = make(user, name)
    assert made["name"] == name and user.client.get(path_of(made)).json["name"] == name
    assert make(user, name)["id"] != made["id"]


@pytest.mark.parametrize("color, answered", [("#3584e4", "#3584e4"), ("#AbCdEf", "#abcdef"), ("#000000", "#000000"), (None, None)])
def test_colours_are_answered_in_lower_case(user, color, answered):
    made = make(user, color=color)
    assert made["color"] == answered
    assert user.client.patch(path_of(made), {"color": answered and answered.upper()}).expect(200).json == made


@pytest.mark.parametrize("member, value, code", [
    ("name", "", "too_short"), ("name", " \u3000", "blank"), ("name", "x" * 129, "too_long"), ("name", "a\nb", "control_character"),
    ("name", None, "type"), ("name", 1, "type"),
    ("color", "", "too_short"), ("color", "red", "color"), ("color", "3584e4", "color"), ("color", "#3584e", "color"), ("color", "#3584eg", "color"),
    ("color", "#3584e4f", "too_long"), ("color", 3507428, "type"), ("color", "#\uff13584", "color"),
    ("archived", "true", "type"), ("archived", None, "type"), ("archived", 1, "type"),
    ("metadata", [], "type"), ("metadata", {str(number): "" for number in range(51)}, "too_many"),
    ("position", "V", "read_only"), ("id", str(uuid.uuid4()), "read_only"), ("revision", 1, "read_only"), ("created_at", "2026-12-01T00:00:00Z", "read_only"),
    ("title", "x", "unknown"), ("tasks", [], "unknown"),
])
def test_wrong_members(user, member, value, code):
    made = make(user)
    body = {"name": "Work", member: value}
    refused = user.client.post("/v1/lists", body).expect(422, "validation_failed")
    assert refused.errors == {(f"/{member}", code)}
    assert user.client.put(path_of(made), body).expect(422).errors == {(f"/{member}", code)}
    if (member, value) == ("archived", None):
        assert user.client.patch(path_of(made), {member: value}).expect(200).json == made
    else:
        in_patch = "required" if (member, value) == ("name", None) else code
        assert user.client.patch(path_of(made), {member: value}).expect(422).errors == {(f"/{member}", in_patch)}
    assert user.client.get(path_of(made)).json == made


def test_the_name_is_required(user):
    for call in (user.client.post, lambda path, body: user.client.put(f"{path}/{uuid.uuid4()}", body)):
        assert call("/v1/lists", {}).expect(422).errors == {("/name", "required")}
    made = make(user)
    assert user.client.put(path_of(made), {"color": None}).expect(422).errors == {("/name", "required")}


def test_a_patch_changes_what_it_names(user):
    made = make(user, color="#3584e4", metadata={"a": "1"})
    for patch, expected in (({"name": "Home"}, {"name": "Home"}), ({"archived": True}, {"archived": True}), ({"color": None}, {"color": None}),
                            ({"metadata": {"b": "2"}}, {"metadata": {"a": "1", "b": "2"}}), ({"metadata": {"a": None}}, {"metadata": {"b": "2"}}),
                            ({"archived": None, "metadata": None}, {"archived": False, "metadata": {}})):
        changed = user.client.patch(path_of(made), patch).expect(200)
        assert changed.json == {**made, **expected, "updated_at": changed.json["updated_at"], "revision": made["revision"] + 1}
        made = changed.json
        again = user.client.patch(path_of(made), patch).expect(200)
        assert again.json == made and again.etag == changed.etag
    assert user.client.patch(path_of(made), {}).expect(200).json == made


def test_a_put_replaces_all_but_the_place(user):
    made = make(user, color="#3584e4", archived=True, metadata={"a": "1"})
    make(user, "Work")
    replaced = user.client.put(path_of(made), {"name": "Home"}).expect(200).json
    assert replaced == {**made, "name": "Home", **DEFAULTS, "updated_at": replaced["updated_at"], "revision": replaced["revision"]}
    assert replaced["revision"] > made["revision"]


def test_a_client_may_choose_the_id(user):
    path = f"/v1/lists/{uuid.uuid4()}"
    user.client.put(path, {"name": "Mine"}, headers={"If-Match": "*"}).expect(412)
    made = user.client.put(path, {"name": "Mine"}, headers={"If-None-Match": "*"}).expect(201)
    assert made.headers["Location"] == path and user.client.get(path).expect(200).json == made.json
    user.client.put(path, {"name": "Other"}, headers={"If-None-Match": "*"}).expect(412)
    user.client.delete(path).expect(204)
    again = user.client.put(path, {"name": "Again"}).expect(201).json
    assert again["revision"] > made.json["revision"] and again["position"] > made.json["position"]


def test_a_task_and_a_list_may_have_the_same_id(user):
    same = str(uuid.uuid4())
    user.client.put(f"/v1/tasks/{same}", {"title": "A task"}).expect(201)
    user.client.put(f"/v1/lists/{same}", {"name": "A list"}).expect(201)
    user.client.delete(f"/v1/tasks/{same}").expect(204)
    assert user.client.get(f"/v1/lists/{same}").expect(200).json["name"] == "A list"
    user.client.get(f"/v1/tasks/{same}").expect(404)


def test_delete(user):
    made = make(user)
    user.client.delete(path_of(made)).expect(204)
    for answer in (user.client.delete(path_of(made)), user.client.get(path_of(made)), user.client.patch(path_of(made), {})):
        answer.expect(404, "not_found")
        assert "list" in answer.json["detail"] and "/v1/lists" in answer.json["detail"]


@pytest.mark.parametrize("id", ["x", "0", str(uuid.uuid4())[:-1], "%20"])
def test_what_is_no_id_is_404(user, id):
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        body = {} if method in ("GET", "DELETE") else {"json": {"name": "x"}}
        user.client.request(method, f"/v1/lists/{id}", **body).expect(404, "not_found")


def test_nobody_sees_anothers(user, other):
    made = make(user)
    for method, body in (("GET", {}), ("PATCH", {"json": {}}), ("DELETE", {})):
        answer = other.client.request(method, path_of(made), **body).expect(404, "not_found")
        assert answer.json["detail"] == other.client.get(f"/v1/lists/{uuid.uuid4()}").json["detail"]
    assert other.client.get("/v1/lists").expect(200).json["items"] == []
    mine = other.client.put(path_of(made), {"name": "Mine"}).expect(201)
    assert mine.etag != user.client.tag(made) and user.client.get(path_of(made)).json == made
    user.client.get("/v1/lists", token=None).expect(401)


# ---- preconditions and keys ----


def test_preconditions(user):
    made = make(user)
    old = user.client.tag(made)
    changed = user.client.patch(path_of(made), {"name": "Home"}, headers={"If-Match": old}).expect(200)
    for method, body in (("PATCH", {"json": {"name": "x"}}), ("PUT", {"json": {"name": "x"}}), ("DELETE", {})):
        refused = user.client.request(method, path_of(made), headers={"If-Match": old}, **body).expect(412, "precondition_failed")
        assert refused.etag == changed.etag
        user.client.request(method, path_of(made), headers={"If-Match": "42"}, **body).expect(400, "invalid_header")
    user.client.get(path_of(made), headers={"If-None-Match": changed.etag}).expect(304)
    user.client.get(path_of(made), headers={"If-None-Match": old}).expect(200)
    user.client.get(path_of(made), headers={"If-Match": old}).expect(412)
    absent = f"/v1/lists/{uuid.uuid4()}"
    user.client.patch(absent, {}, headers={"If-Match": old}).expect(404)
    user.client.delete(path_of(made), headers={"If-Match": f'"x", W/{changed.etag}'}).expect(204)


def test_the_list_of_lists_has_an_etag(user):
    make(user)
    known = user.client.get("/v1/lists").expect(200).etag
    user.client.get("/v1/lists", headers={"If-None-Match": known}).expect(304)
    user.client.post("/v1/lists", {"name": "Work"}, headers={"If-Match": known}).expect(201)
    user.client.post("/v1/lists", {"name": "Late"}, headers={"If-Match": known}).expect(412)
    assert user.client.get("/v1/lists", headers={"If-None-Match": known}).expect(200).etag != known


def test_a_write_with_a_key_is_done_once(own):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = own.client.post("/v1/lists", {"name": "Household"}, headers=key).expect(201)
    own.client.patch(path_of(first.json), {"name": "Home"}).expect(200)
    again = own.client.post("/v1/lists", {"name": "Household"}, headers=key).expect(201)
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    assert (again.etag, again.headers["Location"]) == (first.etag, first.headers["Location"])
    assert names(own.client) == ["Home"]
    own.client.post("/v1/lists", {"name": "Work"}, headers=key).expect(422, "idempotency_key_reused")
    own.client.post("/v1/tasks", {"title": "Household"}, headers=key).expect(422, "idempotency_key_reused")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    for replayed in (None, "true"):
        answer = own.client.delete(path_of(first.json), headers=key).expect(204)
        assert answer.headers.get("Idempotency-Replayed") == replayed


# ---- the list of lists ----


def test_lists_are_in_their_own_order(own):
    for name in ("b", "a", "c", "B"):
        make(own, name)
    assert names(own.client) == ["b", "a", "c", "B"]
    assert names(own.client, "limit=1") == ["b", "a", "c", "B"]
    places = [item["position"] for item in own.client.get("/v1/lists").json["items"]]
    assert places == sorted(places) and len(set(places)) == 4


@pytest.mark.parametrize("sort, expected", [
    ("position", "b a c B"), ("-position", "B c a b"), ("name", "B a b c"), ("-name", "c b a B"), ("created_at", "b a c B"), ("-created_at", "B c a b"),
    ("updated_at", "a c B b"), ("-updated_at", "b B c a")])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_orders(make_user, sort, limit, expected):
    user = ORDERED.get("user") or make_user()
    if not ORDERED:
        made = [make(user, name) for name in ("b", "a", "c", "B")]
        user.client.patch(path_of(made[0]), {"color": "#000000"}).expect(200)
        ORDERED["user"] = user
    found = names(user.client, f"sort={sort}&limit={limit}")
    if sort.endswith("_at"):  # several may be made in one millisecond
        times = [{item["name"]: item[sort.lstrip("-")] for item in user.client.get("/v1/lists").json["items"]}[name] for name in found]
        assert times == sorted(times, reverse=sort.startswith("-")) and sorted(found) == ["B", "a", "b", "c"]
    else:
        assert found == expected.split()


ORDERED = {}


def test_filter_and_total(own):
    for number in range(6):
        make(own, str(number), archived=number % 3 == 0)
    assert names(own.client, "archived=true") == ["0", "3"]
    assert names(own.client, "archived=false&limit=2") == ["1", "2", "4", "5"]
    assert names(own.client, "archived=false&sort=-name&limit=3") == ["5", "4", "2", "1"]
    for query, total in (("", 6), ("&archived=true", 2), ("&archived=false", 4)):
        page = own.client.get(f"/v1/lists?include=total&limit=1{query}").expect(200).json
        assert page["total"] == total and len(page["items"]) == 1
    assert "total" not in own.client.get("/v1/lists").json
    own.task()
    assert own.client.get("/v1/lists?include=total").json["total"] == 6
    assert own.client.get("/v1/tasks?include=total").json["total"] == 1


def test_the_next_link_keeps_the_query(own):
    for number in range(3):
        make(own, str(number))
    answer = own.client.get("/v1/lists?archived=false&sort=-name&limit=2").expect(200)
    link = answer.headers["Link"]
    assert link.startswith("</v1/lists?") and link.endswith('>; rel="next"')
    assert [item["name"] for item in own.client.get(link[1:link.index(">")]).expect(200).json["items"]] == ["0"]


def test_cursors_belong_to_their_list(user, other):
    for number in range(3):
        make(user, str(number))
        make(other, str(number))
        user.task(str(number))
    cursor = quote(user.client.get("/v1/lists?limit=1").json["next_cursor"])
    user.client.get(f"/v1/lists?limit=2&cursor={cursor}").expect(200)
    for client, path in ((other.client, "/v1/lists?"), (user.client, "/v1/tasks?"), (user.client, "/v1/tasks?sort=position&"), (user.client, "/v1/lists?sort=name&"),
                         (user.client, "/v1/lists?sort=-position&"), (user.client, "/v1/lists?archived=false&")):
        assert ("cursor", "invalid") in client.get(f"{path}cursor={cursor}").expect(400, "invalid_parameter").errors
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    user.client.get(f"/v1/lists?cursor={changed}").expect(400)


@pytest.mark.parametrize("query, errors", [
    ("limit=0", {("limit", "out_of_range")}), ("limit=101", {("limit", "out_of_range")}), ("sort=title", {("sort", "not_allowed")}),
    ("sort=color", {("sort", "not_allowed")}), ("archived=yes", {("archived", "not_allowed")}), ("archived=", {("archived", "empty")}),
    ("archived=1", {("archived", "not_allowed")}), ("status=pending", {("status", "unknown")}), ("include=x", {("include", "not_allowed")}),
    ("name=x", {("name", "unknown")}), ("limit=x&archived=2", {("limit", "invalid"), ("archived", "not_allowed")})])
def test_wrong_queries(user, query, errors):
    assert user.client.get(f"/v1/lists?{query}").expect(400, "invalid_parameter").errors == errors


@pytest.mark.parametrize("method, path", [("POST", "/v1/lists?limit=1"), ("GET", "/v1/lists/{id}?limit=1"), ("DELETE", "/v1/lists/{id}?force=true")])
def test_calls_without_parameters_refuse_any(user, method, path):
    made = make(user)
    body = {"json": {"name": "x"}} if method == "POST" else {}
    user.client.request(method, path.format(id=made["id"]), **body).expect(400, "invalid_parameter")


def test_methods(user):
    assert set(user.client.request("OPTIONS", "/v1/lists").expect(204).headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    user.client.delete("/v1/lists").expect(405)
    user.client.post(path_of(make(user)), {"name": "x"}).expect(405)
    user.client.get("/v1/lists/").expect(404)


# ---- what holds tasks, and how many there may be ----


def test_a_list_with_tasks_is_not_deleted(user):
    made = make(user)
    task = user.task(list_id=made["id"])
    key = {"Idempotency-Key": uuid.uuid4().hex}
    user.client.delete(path_of(made), headers=key).expect(409, "not_empty")
    assert user.client.get(path_of(made)).expect(200).json == made
    user.client.delete(f"/v1/tasks/{task['id']}").expect(204)
    user.client.delete(path_of(made), headers=key).expect(204)


def test_tasks_of_others_hold_nothing(user, other):
    same = str(uuid.uuid4())
    for one in (user, other):
        one.client.put(f"/v1/lists/{same}", {"name": "Same"}).expect(201)
    other.task(list_id=same)
    user.client.delete(f"/v1/lists/{same}").expect(204)
    other.client.delete(f"/v1/lists/{same}").expect(409, "not_empty")


def test_there_are_at_most_a_thousand(make_user):
    """Also when many ask at once; what is there can be changed, and a deletion makes room."""
    user = make_user()
    for number in range(MOST - 3):
        make(user, str(number))
    answers = []

    def create(number):
        answers.append(user.reader().post("/v1/lists", {"name": f"late {number}"}))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 5
    refused = user.client.post("/v1/lists", {"name": "one more"}).expect(409, "too_many")
    assert str(MOST) in refused.json["detail"] and "Delete" in refused.json["detail"]
    user.client.put(f"/v1/lists/{uuid.uuid4()}", {"name": "one more"}).expect(409, "too_many")
    page = user.client.get("/v1/lists?include=total&limit=1").expect(200).json
    assert page["total"] == MOST
    assert len(names(user.client, "limit=100&")) == MOST
    user.client.put(path_of(page["items"][0]), {"name": "changed"}).expect(200)
    user.task()
    user.client.delete(path_of(page["items"][0])).expect(204)
    make(user, "one more")
    user.client.post("/v1/lists", {"name": "one more"}).expect(409, "too_many")


def test_they_stand_in_the_export(own):
    made = [make(own, str(number), color="#3584e4", metadata={"a": "1"}) for number in range(3)]
    task = own.task(list_id=made[1]["id"])
    exported = own.client.get("/v1/me/export").expect(200).json
    assert exported["lists"] == made and [one["id"] for one in exported["tasks"]] == [task["id"]]
    assert json.dumps(exported).index('"lists"') < json.dumps(exported).index('"tasks"')
