# SPDX-License-Identifier: MIT
"""How much one account may hold: tasks and bytes, and what still works when it is full."""
import pytest

from support.accounts import User
from support.server import Server

TASKS = 5
BYTES = 1048576


@pytest.fixture(scope="module")
def small():
    """A server whose accounts hold little."""
    server = Server({"USER_TASKS_MOST": str(TASKS), "USER_BYTES_MOST": str(BYTES)})
    yield server
    server.stop()


def full(answer):
    """Asserts that it is the refusal, and that it says what to do."""
    problem = answer.expect(507, "quota_exceeded").json
    assert "Delete" in problem["detail"]
    return problem


def test_tasks(small):
    user, other = User(small), User(small)
    tasks = [user.task(f"Task {number}") for number in range(TASKS)]
    full(user.client.post("/v1/tasks", {"title": "One more"}))
    full(user.client.put("/v1/tasks/0193e3a0-0000-7000-8000-000000000001", {"title": "One more"}))
    other.task("Another's account is another's")
    assert user.client.get("/v1/tasks?include=total").expect(200).json["total"] == TASKS
    user.client.patch(f"/v1/tasks/{tasks[0]['id']}", {"status": "completed"}).expect(200)
    user.client.delete(f"/v1/tasks/{tasks[1]['id']}").expect(204)
    user.task("There is room again")


def test_answers_that_are_kept_count(small):
    """A small request that changes nothing keeps an answer of its own: not without end, and not for others."""
    user, other = User(small), User(small)
    task = user.task("Large", description="x" * 16384)
    path = f"/v1/tasks/{task['id']}"
    answers = []
    while not answers or (answers[-1].status == 200 and len(answers) < 10000):
        answers.append(user.client.patch(path, {"status": "pending"}, headers={"Idempotency-Key": f"k{len(answers)}"}))
    full(answers[-1])
    again = user.client.patch(path, {"status": "pending"}, headers={"Idempotency-Key": "k0"}).expect(200)
    assert again.headers["Idempotency-Replayed"] == "true" and again.body == answers[0].body
    user.client.get(path).expect(200)
    user.client.patch(path, {"description": None}).expect(200)
    other.task("Another's account is another's")
    user.client.delete(path, headers={"Idempotency-Key": "last"}).expect(204)


@pytest.mark.parametrize("status", ["pending", "in-progress", "completed", "pending,completed", None])
def test_totals(server, status):
    """Every total is what walking all the pages counts."""
    user = User(server)
    made = [user.task(f"{number}", status=("pending", "in-progress", "completed")[number % 3]) for number in range(7)]
    user.client.patch(f"/v1/tasks/{made[0]['id']}", {"status": "completed"}).expect(200)
    user.client.put(f"/v1/tasks/{made[1]['id']}", {"title": "Replaced"}).expect(200)
    user.client.delete(f"/v1/tasks/{made[2]['id']}").expect(204)
    query = "include=total&limit=2" + (f"&status={status}" if status else "")
    page = user.client.get(f"/v1/tasks?{query}").expect(200).json
    total, seen = page["total"], len(page["items"])
    while page["next_cursor"]:
        page = user.client.get(f"/v1/tasks?{query}&cursor={page['next_cursor']}").expect(200).json
        assert page["total"] == total
        seen += len(page["items"])
    assert seen == total == {"pending": 3, "in-progress": 1, "completed": 2, "pending,completed": 5, None: 6}[status]
