# SPDX-License-Identifier: MIT
"""Subtasks: a tree of tasks, its bounds, its list, and what goes along with a task that moves or is deleted."""
import threading
import uuid

from support.tasks import get, path_of

LEVELS_MOST = 8
TREE_MOST = 1000


def patch(user, task, **members):
    """What the change answers."""
    return user.client.patch(path_of(task), members)


def errors_of(answer):
    """(pointer, code) of each error of a 422."""
    return [(error["pointer"], error["code"]) for error in answer.expect(422).json["errors"]]


def chain(user, length):
    """So many tasks, each the parent of the next."""
    tasks = [user.task("1")]
    while len(tasks) < length:
        tasks.append(user.task(str(len(tasks) + 1), parent_id=tasks[-1]["id"]))
    return tasks


def make_list(user, name="Household"):
    """Its id."""
    return user.client.post("/v1/lists", {"name": name}).expect(201).json["id"]


def test_a_subtask_names_its_parent(user):
    root = user.task()
    below = user.task(parent_id=root["id"])
    assert below["parent_id"] == root["id"] and below["list_id"] is None
    assert get(user, below) == below
    assert patch(user, below, parent_id=None).expect(200).json["parent_id"] is None


def test_an_unknown_parent(user, other):
    gone = user.task()
    user.client.delete(path_of(gone)).expect(204)
    for parent in (str(uuid.uuid4()), gone["id"], other.task()["id"]):
        answer = user.client.post("/v1/tasks", {"title": "a", "parent_id": parent})
        assert errors_of(answer) == [("/parent_id", "unknown_reference")]


def test_eight_levels(user):
    tasks = chain(user, LEVELS_MOST)
    answer = user.client.post("/v1/tasks", {"title": "9", "parent_id": tasks[-1]["id"]})
    assert errors_of(answer) == [("/parent_id", "too_deep")]
    top = user.task("above")
    assert errors_of(patch(user, tasks[0], parent_id=top["id"])) == [("/parent_id", "too_deep")]
    assert patch(user, tasks[1], parent_id=top["id"]).expect(200).json["parent_id"] == top["id"]


def test_a_tree_has_no_cycle(user):
    tasks = chain(user, 4)
    for place, to in ((0, 0), (0, 1), (0, 3), (1, 3), (2, 3)):
        assert errors_of(patch(user, tasks[place], parent_id=tasks[to]["id"])) == [("/parent_id", "cycle")]
    own_id = str(uuid.uuid4())
    answer = user.client.put(f"/v1/tasks/{own_id}", {"title": "a", "parent_id": own_id})
    assert errors_of(answer) == [("/parent_id", "cycle")]
    assert patch(user, tasks[3], parent_id=tasks[0]["id"]).expect(200).json["parent_id"] == tasks[0]["id"]


def test_a_thousand_in_one_tree(own):
    root = own.task()
    branch = own.task(parent_id=root["id"])
    for _ in range(TREE_MOST - 2):
        last = own.task(parent_id=branch["id"])
    full = {"title": "a", "parent_id": root["id"]}
    assert errors_of(own.client.post("/v1/tasks", full)) == [("/parent_id", "too_many")]
    patch(own, last, status="completed").expect(200)
    assert errors_of(own.client.post("/v1/tasks", full)) == [("/parent_id", "too_many")]
    alone = own.task()
    assert errors_of(patch(own, alone, parent_id=last["id"])) == [("/parent_id", "too_many")]
    # Within the tree it grows by nothing.
    assert patch(own, last, parent_id=root["id"]).expect(200).json["parent_id"] == root["id"]
    own.client.delete(path_of(last)).expect(204)
    assert patch(own, alone, parent_id=root["id"]).expect(200).json["parent_id"] == root["id"]
    own.client.delete(path_of(root)).expect(204)
    assert own.client.get("/v1/tasks").json["items"] == []


def test_a_deletion_takes_the_subtree(own):
    tasks = chain(own, 4) + [own.task("other")]
    aside = own.task(parent_id=tasks[1]["id"])
    before = own.client.get(path_of(tasks[0])).json["revision"]
    own.client.delete(path_of(tasks[1])).expect(204)
    for gone in tasks[1:4] + [aside]:
        own.client.get(path_of(gone)).expect(404)
    assert [task["title"] for task in own.client.get("/v1/tasks").json["items"]] == ["other", "1"]
    assert get(own, tasks[0])["revision"] == before
    assert own.task()["revision"] == aside["revision"] + 5, "each of the four took a revision"


def test_a_repeated_deletion_answers_as_the_first(own):
    tasks = chain(own, 3)
    key = {"Idempotency-Key": "once"}
    own.client.delete(path_of(tasks[0]), headers=key).expect(204)
    assert own.client.delete(path_of(tasks[0]), headers=key).expect(204).headers["Idempotency-Replayed"] == "true"
    own.client.delete(path_of(tasks[0])).expect(404)


def test_a_deletion_under_a_condition_that_fails_takes_nothing(own):
    tasks = chain(own, 3)
    own.client.delete(path_of(tasks[0]), headers={"If-Match": own.client.tag(tasks[1])}).expect(412)
    assert [get(own, task) for task in tasks] == tasks


def test_an_unknown_list(user, other):
    for wrong in (str(uuid.uuid4()), make_list(other), user.task()["id"]):
        answer = user.client.post("/v1/tasks", {"title": "a", "list_id": wrong})
        assert errors_of(answer) == [("/list_id", "unknown_reference")]


def test_a_subtask_lies_in_the_list_of_its_parent(user):
    one, two = make_list(user), make_list(user)
    root = user.task(list_id=one)
    assert user.task(parent_id=root["id"])["list_id"] == one
    assert user.task(parent_id=root["id"], list_id=one)["list_id"] == one
    for wrong in (two, None):
        answer = user.client.post("/v1/tasks", {"title": "a", "parent_id": root["id"], "list_id": wrong})
        assert errors_of(answer) == [("/list_id", "not_the_parents")]
    below = user.task(parent_id=root["id"])
    assert errors_of(patch(user, below, list_id=two)) == [("/list_id", "not_the_parents")]
    put = {"title": "a", "parent_id": root["id"]}
    assert user.client.put(path_of(below), put).expect(200).json["list_id"] == one


def test_a_list_that_changes_takes_the_subtree_along(own):
    one, two = make_list(own), make_list(own)
    root = own.task(list_id=one)
    below = own.task(parent_id=root["id"])
    lowest = own.task(parent_id=below["id"])
    moved = patch(own, root, list_id=two).expect(200).json
    now = [moved, get(own, below), get(own, lowest)]
    assert [task["list_id"] for task in now] == [two] * 3
    assert len({task["revision"] for task in now}) == 3 and all(task["revision"] > lowest["revision"] for task in now)
    assert [now[1]["position"], now[2]["position"]] == [below["position"], lowest["position"]]
    assert now[1] == {**below, "list_id": two, "revision": now[1]["revision"], "updated_at": now[1]["updated_at"]}


def test_a_new_parent_brings_its_list(own):
    one, two = make_list(own), make_list(own)
    target = own.task(list_id=two)
    root = own.task(list_id=one)
    below = own.task(parent_id=root["id"])
    moved = patch(own, root, parent_id=target["id"]).expect(200).json
    assert (moved["parent_id"], moved["list_id"]) == (target["id"], two)
    assert get(own, below)["list_id"] == two
    # Alone it stays in the list that it was in.
    alone = patch(own, root, parent_id=None).expect(200).json
    assert (alone["parent_id"], alone["list_id"]) == (None, two)
    assert errors_of(patch(own, alone, parent_id=target["id"], list_id=one)) == [("/list_id", "not_the_parents")]


def test_what_moves_is_put_last(own):
    one = make_list(own)
    first, second = own.task(list_id=one), own.task(list_id=one)
    late = own.task()
    moved = patch(own, late, list_id=one).expect(200).json
    assert first["position"] < second["position"] < moved["position"]
    assert patch(own, first, title="x").expect(200).json["position"] == first["position"]


def test_two_that_would_close_a_circle(own):
    """Each of the two moves is fine alone; whoever comes second is refused."""
    clients = [own.reader() for _ in range(2)]
    for _ in range(25):
        pair = [own.task("a"), own.task("b")]
        barrier = threading.Barrier(2)
        answers = [None, None]

        def move(place, pair=pair, barrier=barrier, answers=answers):
            barrier.wait()
            body = {"parent_id": pair[1 - place]["id"]}
            answers[place] = clients[place].patch(path_of(pair[place]), body)

        threads = [threading.Thread(target=move, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [200, 422]
        parents = [get(own, task)["parent_id"] for task in pair]
        assert parents.count(None) == 1


# ---- lists that are deleted ----


def fill(user):
    """A list with two roots, one of them with a subtask; answers the list and the tasks."""
    box = make_list(user)
    roots = [user.task("1", list_id=box), user.task("2", list_id=box)]
    return box, roots + [user.task("3", parent_id=roots[0]["id"], status="completed")]


def test_a_list_with_tasks_is_not_deleted(own):
    box, tasks = fill(own)
    problem = own.client.delete(f"/v1/lists/{box}").expect(409).json
    assert (problem["code"], problem["tasks"]) == ("not_empty", 3)
    stale = {"If-Match": own.client.tag(tasks[0])}
    assert own.client.delete(f"/v1/lists/{box}", headers=stale).expect(409).json["tasks"] == 3
    own.client.delete(f"/v1/lists/{box}?tasks=delete", headers=stale).expect(412)
    own.client.get(f"/v1/lists/{box}").expect(200)
    answer = own.client.delete(f"/v1/lists/{box}?tasks=keep").expect(400)
    assert answer.json["errors"][0]["parameter"] == "tasks"


def test_a_list_and_its_tasks(own):
    box, tasks = fill(own)
    kept = own.task("kept")
    own.client.delete(f"/v1/lists/{box}?tasks=delete").expect(204)
    own.client.get(f"/v1/lists/{box}").expect(404)
    for task in tasks:
        own.client.get(path_of(task)).expect(404)
    assert own.client.get("/v1/tasks").json["items"] == [kept]


def test_a_list_whose_tasks_go_to_the_inbox(own):
    box, tasks = fill(own)
    kept = own.task("kept")
    own.client.delete(f"/v1/lists/{box}?tasks=inbox").expect(204)
    own.client.get(f"/v1/lists/{box}").expect(404)
    now = [get(own, task) for task in tasks]
    assert [task["list_id"] for task in now] == [None] * 3
    assert kept["position"] < now[0]["position"] < now[1]["position"]
    assert now[2]["position"] == tasks[2]["position"] and now[2]["parent_id"] == tasks[0]["id"]
