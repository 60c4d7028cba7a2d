# SPDX-License-Identifier: MIT
"""F22: many clients on one row, and deadlocks."""
import threading
import time

from ground import Hand, accounts
from support.waiting import wait_until

CLIENTS = 64
SECONDS = 1.5


class Clients:
    """Threads with a connection each, on one task. `change` runs in all of them until the time is over."""

    def __init__(self, user, change):
        self.task = user.task("0")
        self.path = f"/v1/tasks/{self.task['id']}"
        self.answers, self.wrong, self.lock = [], [], threading.Lock()
        self.until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self._run, args=(user.reader(), number, change))
                   for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.wrong, self.wrong[0]
        self.final = user.client.get(self.path).expect(200).json

    def _run(self, client, number, change):
        client.checked = False
        mine = []
        try:
            while time.monotonic() < self.until:
                mine.append(change(client, self.path, number, len(mine)))
        except Exception as problem:  # the test must hear of it
            self.wrong.append(repr(problem))
        with self.lock:
            self.answers += mine
        client.close()

    def statuses(self):
        """Which came, and how often."""
        return {status: sum(1 for one in self.answers if one.status == status)
                for status in {one.status for one in self.answers}}

    def revisions(self):
        """Of what was changed."""
        return [answer.json["revision"] for answer in self.answers if answer.status == 200]


def test_no_update_under_a_condition_is_lost(ground):
    """Each client counts one up; the sum must be the number of those that were told 200."""

    def count_up(client, path, _number, _turn):
        now = client.get(path).expect(200)
        return client.patch(path, {"title": str(int(now.json["title"]) + 1)}, headers={"If-Match": now.etag})

    user = accounts(ground.node(), 1)[0]
    clients = Clients(user, count_up)
    assert set(clients.statuses()) <= {200, 412, 503}, clients.statuses()
    done = clients.revisions()
    assert int(clients.final["title"]) == len(done) > 0
    assert len(set(done)) == len(done) and max(done) == clients.final["revision"]
    assert ground.rows("SELECT revision FROM spaces")[0]["revision"] == len(done) + 1
    print(f"\n{clients.statuses()} with If-Match")


def test_every_update_without_one_takes_a_revision_of_its_own(ground):
    def change(client, path, number, turn):
        return client.patch(path, {"title": f"{number} {turn}"})

    user = accounts(ground.node(), 1)[0]
    clients = Clients(user, change)
    assert set(clients.statuses()) <= {200, 503}, clients.statuses()
    done = clients.revisions()
    assert len(set(done)) == len(done) > CLIENTS, "someone starved"
    last = max((one.json for one in clients.answers if one.status == 200), key=lambda task: task["revision"])
    assert clients.final == last
    assert ground.rows("SELECT revision FROM spaces")[0]["revision"] == len(done) + 1
    print(f"\n{clients.statuses()} without If-Match")


def test_a_deadlock_is_run_again(ground):
    """A transaction by hand takes the task's row first and the space's row then; a change takes them the other way."""
    node = ground.node()
    user = accounts(node, 1)[0]
    task = user.task("first")
    answers = []
    hand = Hand(ground)
    try:
        hand.type(f"SET deadlock_timeout = '1min'; BEGIN; SELECT 1 FROM tasks WHERE id = '{task['id']}' FOR UPDATE;")
        wait_until(lambda: ground.connections("state = 'idle in transaction'"), 5, "the task's lock")
        thread = threading.Thread(
            target=lambda: answers.append(user.client.patch(f"/v1/tasks/{task['id']}", {"title": "second"})))
        thread.start()
        wait_until(lambda: ground.connections("wait_event_type = 'Lock'"), 5, "a change that waits")
        hand.type(f"SELECT 1 FROM spaces WHERE space_id = '{user.id}' FOR UPDATE; COMMIT;")
        thread.join(10)
    finally:
        hand.close()
    answers[0].expect(200)
    assert "deadlock detected" in ground.cluster.log_text(), "there was none"
    assert user.client.get(f"/v1/tasks/{task['id']}").json["title"] == "second"
    assert ground.rows("SELECT revision FROM spaces")[0]["revision"] == task["revision"] + 1


def test_the_history_of_a_task_that_comes_back_meanwhile(ground):
    """The history looks for the task in two places, one after another. By hand the task comes back between the two."""
    user = accounts(ground.node(), 1)[0]
    task = user.task("here and there")
    ground.cluster.psql("CREATE TABLE kept AS SELECT * FROM tasks", ground.name)
    user.client.delete(f"/v1/tasks/{task['id']}").expect(204)
    answers = []
    hand = Hand(ground)
    try:
        hand.type("BEGIN; LOCK TABLE trash IN ACCESS EXCLUSIVE MODE;")
        wait_until(lambda: ground.connections("state = 'idle in transaction'"), 5, "the lock")
        thread = threading.Thread(target=lambda: answers.append(user.client.get(f"/v1/tasks/{task['id']}/history")))
        thread.start()
        wait_until(lambda: ground.connections("wait_event_type = 'Lock'"), 5, "a history that waits")
        hand.type("DELETE FROM trash; INSERT INTO tasks SELECT * FROM kept; COMMIT;")
        thread.join(10)
    finally:
        hand.close()
    assert [change["op"] for change in answers[0].expect(200).json["items"]] == ["create"]
