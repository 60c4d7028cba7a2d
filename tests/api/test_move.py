# SPDX-License-Identifier: MIT
"""POST /v1/COLLECTION/{id}/move: places among siblings, and other lists and parents."""
import uuid

import pytest

from support.tasks import get, path_of

POSITION_MOST = 200
POSITION_SHORT = 64


def move(user, task, **to):
    """What the move answers."""
    return user.client.post(f"{path_of(task)}/move", to)


def errors_of(answer):
    """(pointer, code) of each error of a 422."""
    return [(error["pointer"], error["code"]) for error in answer.expect(422).json["errors"]]


def titles(user, parent=None, box=None):
    """Of the siblings, in their order."""
    items = user.client.get("/v1/tasks?limit=100&sort=position").expect(200).json["items"]
    return "".join(task["title"] for task in items if (task["parent_id"], task["list_id"]) == (parent, box))


def make_list(user, name="Household"):
    """Its id."""
    return user.client.post("/v1/lists", {"name": name}).expect(201).json["id"]


@pytest.fixture
def five(own):
    """Five tasks of the inbox, by their titles."""
    return {title: own.task(title) for title in "abcde"}


def test_places(own, five):
    for task, to, order in (("c", {"after": None}, "cabde"), ("c", {}, "abdec"), ("a", {"before": None}, "bdeca"),
                            ("a", {"before": "e"}, "bdaec"), ("c", {"after": "b"}, "bcdae"), ("e", {"before": "b"}, "ebcda"),
                            ("e", {"after": "a"}, "bcdae")):
        body = {name: five[value]["id"] if value else None for name, value in to.items()}
        before = {title: get(own, other) for title, other in five.items()}
        moved = move(own, five[task], **body).expect(200).json
        assert titles(own) == order
        assert moved == get(own, five[task]) and moved["revision"] > before[task]["revision"]
        for title, other in before.items():
            assert title == task or get(own, other) == other, "another one changed"


def test_where_it_is_already_nothing_changes(own, five):
    for task, to in (("a", {"after": None}), ("a", {"before": "b"}), ("c", {"after": "b"}), ("c", {"before": "d"}),
                     ("e", {}), ("e", {"before": None}), ("e", {"after": "d"}), ("c", {"list_id": None, "after": "b"}),
                     ("c", {"parent_id": None, "after": "b"})):
        body = {name: five[value]["id"] if value else None for name, value in to.items()}
        answer = move(own, five[task], **body).expect(200)
        assert answer.json == five[task] and answer.etag == own.client.tag(five[task])
    alone = own.task("f", parent_id=five["a"]["id"])
    for to in ({}, {"after": None}, {"before": None}):
        assert move(own, alone, **to).expect(200).json == alone


def test_what_is_no_sibling(own, five):
    below = own.task("x", parent_id=five["a"]["id"])
    box = make_list(own)
    for other in (str(uuid.uuid4()), below["id"]):
        assert move(own, five["b"], after=other).expect(409).json["code"] == "not_sibling"
        assert move(own, five["b"], before=other).expect(409).json["code"] == "not_sibling"
    assert move(own, five["b"], list_id=box, after=five["a"]["id"]).expect(409).json["code"] == "not_sibling"
    assert titles(own) == "abcde"


def test_what_cannot_be(own, five):
    a, b = five["a"], five["b"]
    assert errors_of(move(own, a, after=b["id"], before=None)) == [("/before", "not_both")]
    assert errors_of(move(own, a, after=a["id"])) == [("/after", "itself")]
    assert errors_of(move(own, a, before=a["id"])) == [("/before", "itself")]
    assert errors_of(move(own, a, first=True)) == [("/first", "unknown")]
    assert errors_of(move(own, a, after="x")) == [("/after", "uuid")]
    assert errors_of(move(own, a, list_id=str(uuid.uuid4()))) == [("/list_id", "unknown_reference")]
    assert errors_of(move(own, a, parent_id=str(uuid.uuid4()))) == [("/parent_id", "unknown_reference")]
    assert errors_of(move(own, a, parent_id=a["id"])) == [("/parent_id", "cycle")]
    own.client.post(f"/v1/tasks/{uuid.uuid4()}/move", {}).expect(404)


def test_to_a_parent_and_back(own, five):
    box = make_list(own)
    top = own.task("t", list_id=box)
    moved = move(own, five["b"], parent_id=top["id"]).expect(200).json
    assert (moved["parent_id"], moved["list_id"]) == (top["id"], box)
    assert move(own, five["a"], parent_id=top["id"], after=None).expect(200).json["list_id"] == box
    assert titles(own, top["id"], box) == "ab"
    assert errors_of(move(own, five["c"], parent_id=top["id"], list_id=None)) == [("/list_id", "not_the_parents")]
    # A list without a parent makes it a root there.
    assert move(own, five["a"], list_id=box, before=top["id"]).expect(200).json["parent_id"] is None
    assert titles(own, None, box) == "at"
    alone = move(own, five["b"], parent_id=None).expect(200).json
    assert (alone["parent_id"], alone["list_id"]) == (None, box) and titles(own, None, box) == "atb"
    assert move(own, five["b"], list_id=None, after=five["c"]["id"]).expect(200).json["list_id"] is None
    assert titles(own) == "cbde"


def test_a_subtree_moves_along(own, five):
    box = make_list(own)
    below = own.task("x", parent_id=five["a"]["id"])
    lowest = own.task("y", parent_id=below["id"])
    move(own, five["a"], list_id=box).expect(200)
    assert [get(own, task)["list_id"] for task in (below, lowest)] == [box, box]
    assert get(own, lowest)["position"] == lowest["position"]


def test_conditions_and_keys(own, five):
    stale = {"If-Match": own.client.tag(five["b"])}
    own.client.post(f"{path_of(five['a'])}/move", {}, headers=stale).expect(412)
    key = {"Idempotency-Key": "once"}
    first = own.client.post(f"{path_of(five['a'])}/move", {}, headers=key).expect(200)
    move(own, five["a"], after=None).expect(200)
    again = own.client.post(f"{path_of(five['a'])}/move", {}, headers=key).expect(200)
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    assert titles(own) == "abcde"
    own.client.post(f"{path_of(five['a'])}/move", {"after": None}, headers=key).expect(422)


def test_lists_move(own):
    made = [own.client.post("/v1/lists", {"name": name}).expect(201).json for name in "abc"]

    def names():
        return "".join(item["name"] for item in own.client.get("/v1/lists").expect(200).json["items"])

    def move_list(place, **to):
        return own.client.post(f"/v1/lists/{made[place]['id']}/move", to)

    assert move_list(2, after=None).expect(200).json["name"] == "c" and names() == "cab"
    move_list(2, before=made[1]["id"]).expect(200)
    assert names() == "acb"
    move_list(0).expect(200)
    assert names() == "cba"
    assert move_list(0, after=made[1]["id"]).expect(200).json["position"] > made[1]["position"]
    assert move_list(0, after=str(uuid.uuid4())).expect(409).json["code"] == "not_sibling"
    assert errors_of(move_list(0, list_id=None)) == [("/list_id", "unknown")]


def test_one_sided_moves_keep_positions_short(own):
    tasks = [own.task(str(number)) for number in range(3)]
    for round_number in range(120):
        move(own, tasks[round_number % 3], after=None).expect(200)
    for round_number in range(120):
        other = tasks[1 + round_number % 2]
        move(own, other, after=tasks[0]["id"]).expect(200)
    assert max(len(get(own, task)["position"]) for task in tasks) <= POSITION_SHORT


def test_where_no_short_position_is_left_all_get_new_ones(own):
    """Always between the last two, on either side in turn."""
    low, high, spare = [own.task(title) for title in "abc"]
    last = own.task("z")
    longest = 0
    for turn in range(3000):
        moved = move(own, spare, after=low["id"]).expect(200).json
        assert len(moved["position"]) <= POSITION_MOST
        if len(moved["position"]) <= 2 and longest > POSITION_MOST - 8:
            break
        longest = max(longest, len(moved["position"]))
        low, high, spare = (moved, high, low) if turn % 2 else (low, moved, high)
    assert turn > 700, "the position of one task alone lasts that long"
    items = own.client.get("/v1/tasks?sort=position").json["items"]
    order = [task["id"] for task in items]
    assert order.index(moved["id"]) == order.index(low["id"]) + 1 == order.index(high["id"]) - 1
    assert max(len(task["position"]) for task in items) <= 2 and order[-1] == last["id"]
    assert len({task["revision"] for task in items}) == 4, "each is a change of its own"
