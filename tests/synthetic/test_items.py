# SPDX-License-Identifier: MIT
"""What the contract says of tasks, for every resource that has a descriptor."""
import urllib.parse
import uuid

import pytest

from resources import RESOURCES, SAMPLES, TASKS

MEMBERS = [pytest.param(resource, member, id=f"{resource.collection}-{member.name}") for resource in RESOURCES for member in resource.members]
ABSENT_ID = "01a20472-533f-74f7-8a77-8e2ec4b5150b"


def create(client, resource, body, **more):
    """Creates one; answers it as JSON."""
    return client.post(resource.path, body, **more).expect(201).json


def at(resource, item):
    """The path of an item."""
    return f"{resource.path}/{item['id']}"


def assert_holds(resource, item, body):
    """The answer has what the body set, defaults else, and our own members."""
    expected = resource.answered(body)
    assert {name: item[name] for name in expected} == expected
    assert list(item) == ["id", *[name for name in item if name != "id"]] and item["revision"] > 0
    assert set(item) == set(expected) | set(resource.read_only) | set(resource.others)
    assert all(item[name] == value for name, value in resource.others.items() if value is not ...)


# ---- one item ----


def test_create_read(client, resource):
    """With the required members, and with all."""
    bodies = [resource.minimal()] + [resource.whole(number) for number in range(6)]
    for body in bodies:
        made = client.post(resource.path, body).expect(201)
        assert made.headers["Location"] == at(resource, made.json)
        assert_holds(resource, made.json, body)
        read = client.get(at(resource, made.json)).expect(200)
        assert read.body == made.body and read.etag == made.etag == client.tag(made.json)
        client.get(at(resource, made.json), headers={"If-None-Match": made.etag}).expect(304)
        upper = f"{resource.path}/{made.json['id'].upper()}"
        assert client.get(upper).expect(200).body == made.body


@pytest.mark.parametrize("resource, member", MEMBERS)
def test_wrong_values(client, resource, member):
    """Each is refused and named, in a whole body and in a patch."""
    item = create(client, resource, resource.minimal())
    for value, pointer, code in member.errors():
        refused = client.post(resource.path, {**resource.minimal(), member.name: value}).expect(422, "validation_failed")
        assert (pointer, code) in refused.errors, value
        if value is None and not member.required:
            continue  # a patch sets the default
        patched = client.patch(at(resource, item), {member.name: value}).expect(422)
        in_patch = "required" if value is None else code
        assert (pointer, in_patch) in patched.errors, value
    assert client.get(at(resource, item)).json == item


def test_other_members(client, resource):
    """Read-only, unknown and missing ones: all at once."""
    body = {**{name: None for name in resource.read_only}, "colour": 1}
    refused = client.post(resource.path, body).expect(422)
    expected = {(f"/{name}", "read_only") for name in resource.read_only} | {("/colour", "unknown")}
    expected |= {(f"/{member.name}", "required") for member in resource.members if member.required}
    assert refused.errors == expected
    client.post(resource.path, body=b'{"a":1,"a":2}').expect(400, "invalid_json")


@pytest.mark.parametrize("resource, member", MEMBERS)
def test_patch(client, resource, member):
    """Each value; null sets the default; what changes nothing takes no revision."""
    item = create(client, resource, resource.minimal())
    values = member.values + ([] if member.required else [None]) + member.values[:1]
    for value in values:
        changed = client.patch(at(resource, item), {member.name: value}).expect(200)
        expected = member.patched(item[member.name], value)
        differs = expected != item[member.name]
        assert changed.json[member.name] == expected
        assert (changed.json["revision"] > item["revision"]) == differs
        assert (changed.json["updated_at"] >= item["updated_at"]) if differs else changed.json == item
        steady = {name for name in item if name not in (member.name, "updated_at", "revision", "completed_at")}
        assert {name: changed.json[name] for name in steady} == {name: item[name] for name in steady}
        item = changed.json
    assert client.patch(at(resource, item), {}).expect(200).json == item


def test_put(client, resource):
    """Replaces all, or creates; a member that is absent gets its default."""
    item = create(client, resource, resource.whole(1))
    replaced = client.put(at(resource, item), resource.minimal(1)).expect(200).json
    assert_holds(resource, replaced, resource.minimal(1))
    assert replaced["id"] == item["id"] and replaced["created_at"] == item["created_at"]
    client.put(at(resource, item), {}).expect(422)
    mine = f"{resource.path}/{uuid.uuid4()}"
    client.put(mine, resource.minimal(), headers={"If-Match": "*"}).expect(412)
    made = client.put(mine, resource.whole(2), headers={"If-None-Match": "*"}).expect(201)
    assert made.headers["Location"] == mine
    assert_holds(resource, made.json, resource.whole(2))
    client.put(mine, resource.whole(3), headers={"If-None-Match": "*"}).expect(412)
    assert client.get(mine).json == made.json


def test_delete(client, resource):
    """Once; then its id may be used again, at a later revision."""
    item = create(client, resource, resource.minimal())
    client.delete(at(resource, item)).expect(204)
    client.delete(at(resource, item)).expect(404, "not_found")
    client.get(at(resource, item)).expect(404)
    client.patch(at(resource, item), {}).expect(404)
    again = client.put(at(resource, item), resource.minimal()).expect(201).json
    assert again["revision"] > item["revision"] + 1


def test_preconditions(client, resource):
    """If-Match is tested inside the write."""
    item = create(client, resource, resource.minimal())
    old = client.tag(item)
    name = resource.members[0].name
    changed = client.patch(at(resource, item), {name: resource.members[0].values[1]}, headers={"If-Match": old}).expect(200)
    for call in (client.patch, client.put):
        refused = call(at(resource, item), resource.minimal(), headers={"If-Match": old}).expect(412)
        assert refused.etag == changed.etag
    client.delete(at(resource, item), headers={"If-Match": old}).expect(412)
    client.delete(at(resource, item), headers={"If-None-Match": changed.etag}).expect(412)
    client.delete(at(resource, item), headers={"If-Match": f'"x", W/{changed.etag}'}).expect(204)


def test_idempotency(client, resource):
    """A repeat is answered byte for byte, also when the item has changed or is gone."""
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = resource.whole(1)
    first = client.post(resource.path, body, headers=key).expect(201)
    item = first.json
    client.patch(at(resource, item), resource.whole(2)).expect(200)
    second = client.post(resource.path, dict(reversed(body.items())), headers=key).expect(201)
    assert second.body == first.body and second.headers["Idempotency-Replayed"] == "true"
    assert (second.etag, second.headers["Location"]) == (first.etag, first.headers["Location"])
    client.post(resource.path, resource.whole(2), headers=key).expect(422, "idempotency_key_reused")
    other = SAMPLES if resource is TASKS else TASKS
    client.post(other.path, other.minimal(), headers=key).expect(422, "idempotency_key_reused")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    patched = client.patch(at(resource, item), resource.whole(3), headers=key).expect(200)
    client.put(at(resource, item), resource.whole(4)).expect(200)
    again = client.patch(at(resource, item), resource.whole(3), headers=key).expect(200)
    assert again.body == patched.body and again.etag == patched.etag
    key = {"Idempotency-Key": uuid.uuid4().hex}
    client.delete(at(resource, item), headers=key).expect(204)
    assert client.delete(at(resource, item), headers=key).expect(204).headers["Idempotency-Replayed"] == "true"


def test_only_the_owner(client, resource, other):
    """Another user's is as good as none."""
    item = create(client, resource, resource.minimal())
    stranger = other.client.copy()
    stranger.checked = False
    for answer in (stranger.get(at(resource, item)), stranger.patch(at(resource, item), {}), stranger.delete(at(resource, item))):
        answer.expect(404)
        assert answer.json["detail"] == client.get(f"{resource.path}/{ABSENT_ID}").json["detail"]
    assert stranger.get(resource.path).json["items"] == []
    stranger.get(resource.path, token=None).expect(401)


# ---- lists ----


@pytest.fixture(scope="module")
def filled(server, make_user_for_module):
    """An account with 30 items of each resource, and what they are."""
    client = make_user_for_module.client.copy()
    client.checked = False
    items = {}
    for one in RESOURCES:
        items[one.collection] = [create(client, one, one.whole(number)) for number in range(30)]
    return client, items


@pytest.fixture(scope="module")
def make_user_for_module(server):
    """An account of its own."""
    from support.accounts import User

    return User(server)


def walk(client, path, limit):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        page = client.get(f"{path}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")).expect(200)
        items += page.json["items"]
        assert len(items) <= 1000, "it does not end"
        cursor = page.json["next_cursor"]
        assert ("Link" in page.headers) == (cursor is not None)
        if cursor is None:
            return items


def in_order(items, key, descending):
    """By the key and then by id, both in the same direction; what has none comes last."""
    def by(item):
        return (() if key(item) is None else key(item), uuid.UUID(item["id"]).bytes)

    some = [item for item in items if key(item) is not None]
    none = [item for item in items if key(item) is None]
    return sorted(some, key=by, reverse=descending) + sorted(none, key=by, reverse=descending)


def key_of(member):
    """What a list orders an item by."""
    return lambda item: None if item[member.name] is None else member.key(item[member.name])


def by_default(resource, items):
    """As a list has them that is asked for no order."""
    name = resource.order.lstrip("-")
    return in_order(items, lambda item: item[name], resource.order.startswith("-"))


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("name", ["created_at", "updated_at"])
def test_sorted_by_time(filled, resource, name, descending):
    client, items = filled
    path = f"{resource.path}?sort={'-' if descending else ''}{name}"
    expected = in_order(items[resource.collection], lambda item: item[name], descending)
    assert walk(client, path, 100) == expected
    assert walk(client, path, 7) == expected


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("resource, member", MEMBERS)
def test_sorted_by_member(filled, resource, member, descending):
    client, items = filled
    path = f"{resource.path}?sort={'-' if descending else ''}{member.name}"
    if not member.sortable:
        client.get(path).expect(400, "invalid_parameter")
        return
    expected = in_order(items[resource.collection], key_of(member), descending)
    assert walk(client, path, 100) == expected
    assert walk(client, path, 7) == expected


def written(value):
    """A value as a query has it."""
    text = {True: "true", False: "false", None: "null"}.get(value) if value is None or isinstance(value, bool) else str(value)
    return urllib.parse.quote(text, safe="")


@pytest.mark.parametrize("resource, member", MEMBERS)
def test_filtered_by_member(filled, resource, member):
    client, items = filled
    if not member.filterable:
        client.get(f"{resource.path}?{member.name}={written(member.values[-1])}").expect(400, "invalid_parameter")
        return
    choices = [[value] for value in member.values if value != ""]
    if member.nullable and not member.multiple:
        choices.append([None])
    if member.multiple:
        choices += [member.values, member.values[:-1]]
    for values in choices:
        path = f"{resource.path}?{member.name}={','.join(written(value) for value in values)}"
        expected = [item for item in items[resource.collection] if item[member.name] in values]
        assert walk(client, path, 4) == by_default(resource, expected), values
        page = client.get(f"{path}&include=total&limit=1").expect(200).json
        assert page["total"] == len(expected)
        sort = next(one for one in resource.members if one.sortable and one is not member)
        by_other = in_order(expected, key_of(sort), False)
        assert walk(client, f"{path}&sort={sort.name}", 3) == by_other


def test_filters_add_up(filled, resource):
    """All that are given must hold."""
    client, items = filled
    filters = [member for member in resource.members if member.filterable and member.values[0] != ""]
    for item in items[resource.collection][:5]:
        wanted = {member.name: item[member.name] for member in filters if item[member.name] is not None}
        path = f"{resource.path}?" + "&".join(f"{name}={written(value)}" for name, value in wanted.items())
        expected = [one for one in items[resource.collection] if all(one[name] == value for name, value in wanted.items())]
        assert walk(client, path, 2) == by_default(resource, expected)


def test_totals(filled, resource):
    client, items = filled
    page = client.get(f"{resource.path}?include=total&limit=3").expect(200).json
    assert page["total"] == len(items[resource.collection]) and len(page["items"]) == 3


def test_cursors_belong_to_their_list(filled, resource):
    """Another order, filter, resource or user has no use for it."""
    client, _ = filled
    cursor = client.get(f"{resource.path}?limit=2").json["next_cursor"]
    filtered = next(member for member in resource.members if member.filterable and member.multiple)
    other = SAMPLES if resource is TASKS else TASKS
    for path in (f"{resource.path}?sort=-updated_at&", f"{resource.path}?{filtered.name}={written(filtered.values[0])}&", f"{other.path}?"):
        refused = client.get(f"{path}cursor={cursor}").expect(400, "invalid_parameter")
        assert refused.errors == {("cursor", "invalid")}
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    client.get(f"{resource.path}?cursor={changed}").expect(400)


def test_wrong_queries(client, resource):
    """All that is wrong is named."""
    refused = client.get(f"{resource.path}?limit=0&sort=colour&include=x&colour=1").expect(400, "invalid_parameter")
    assert refused.errors == {("limit", "out_of_range"), ("sort", "not_allowed"), ("include", "not_allowed"), ("colour", "unknown")}
    for member in resource.members:
        if member.filterable and not (isinstance(member.values[0], str) and member.name in ("name", "note")):
            refused = client.get(f"{resource.path}?{member.name}=%3F").expect(400)
            assert refused.errors == {(member.name, "not_allowed" if member.multiple else "invalid")}


def test_list_tags(client, resource):
    """A list has the space's revision as its tag."""
    item = create(client, resource, resource.minimal())
    listed = client.get(resource.path).expect(200)
    client.get(resource.path, headers={"If-None-Match": listed.etag}).expect(304)
    client.post(resource.path, resource.minimal(), headers={"If-Match": listed.etag}).expect(201)
    client.post(resource.path, resource.minimal(), headers={"If-Match": listed.etag}).expect(412)
    client.delete(at(resource, item)).expect(204)
    assert client.get(resource.path).etag != listed.etag


# ---- the whole account ----


def test_export_of_the_account(filled, resource):
    client, items = filled
    exported = client.get("/v1/me/export").expect(200).json
    newest = in_order(items[resource.collection], lambda item: item["created_at"], False)
    assert sorted(exported[resource.collection], key=lambda item: item["id"]) == sorted(newest, key=lambda item: item["id"])
