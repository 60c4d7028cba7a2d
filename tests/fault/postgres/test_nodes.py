# SPDX-License-Identifier: MIT
"""F23: four nodes on one database; one dies, one stops and wakes; sessions and keys hold on all of them."""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancer import Balancer
from checker import check
from ground import Ground, Hand, accounts, more_acks, places
from load import Load
from proxy import keeper
from support.accounts import PASSWORD, User
from support.client import Client
from support.paths import ROOT
from support.server import SECRET, run
from support.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
NODES = 4
BOUND = 2.0  # seconds within which a session that ended anywhere is refused everywhere
SLACK = 0.3  # of this test's own clients, on a busy machine
NEW_SECRET = "another-secret-that-only-these-tests-know-1aX"


@pytest.fixture(scope="module", name="ground")
def fixture_ground(cluster):
    """One database for the tests of this file."""
    made = Ground(cluster)
    yield made
    made.close()


@pytest.fixture(scope="module", name="nodes")
def fixture_nodes(ground):
    """Four of them. Who ends one starts it again."""
    return [ground.node() for _ in range(NODES)]


@pytest.fixture(scope="module", name="balancer")
def fixture_balancer(nodes):
    """One address for all; each request goes to the next."""
    made = Balancer(places(*nodes))
    yield made
    made.close()


# ---- nodes come and go ----


def test_a_killed_node_costs_only_what_was_under_way_on_it(ground, nodes, balancer, seed):
    load = Load(accounts(nodes[0]), places(balancer), 8, seed)
    with load:
        more_acks(load, 100)
        nodes[1].kill()
        try:
            wait_until(lambda: len(balancer.well()) == NODES - 1, 5, "the balancer to notice")
            more_acks(load, 100)  # so that each client has told of what was under way
            settled = load.log.statuses().get("0", 0) + load.log.statuses().get("503", 0)
            more_acks(load, 100)
            assert load.log.statuses().get("0", 0) + load.log.statuses().get("503", 0) == settled, "others are affected"
        finally:
            nodes[1].start(nodes[1].port)  # the other tests have it too
        wait_until(lambda: len(balancer.well()) == NODES, 5, "the balancer to take it back")
        more_acks(load, 50)
    verdict = check(load.finish(), ground.rows).expect_clean()
    assert set(load.log.statuses()) <= {"200", "201", "204", "0"}, load.log.statuses()
    ground.expect_no_leak(NODES)
    print(f"\n{verdict.acknowledged} acknowledged, {verdict.unknown} unknown, requests {load.log.statuses()}")


def test_a_stopped_node_holds_nobody_else_up(ground, nodes, balancer, seed):
    load = Load(accounts(nodes[0]), places(balancer), 8, seed + 1)
    with load:
        more_acks(load, 100)
        nodes[1].signal(signal.SIGSTOP)
        try:
            wait_until(lambda: len(balancer.well()) == NODES - 1, 5, "the balancer to notice")
            more_acks(load, 200)
        finally:
            nodes[1].signal(signal.SIGCONT)
        wait_until(lambda: len(balancer.well()) == NODES, 10, "the balancer to take it back")
        more_acks(load, 50)
    check(load.finish(), ground.rows).expect_clean()
    ground.expect_no_leak(NODES)


def test_a_node_that_stops_amid_a_transaction_does_not_keep_its_locks(ground, nodes):
    """PostgreSQL ends the transaction in its place, in twice the node's timeout."""
    stopped, other = ground.node(DATABASE_TIMEOUT_MS="4000"), nodes[0]  # more than it takes to stop it on a busy machine
    user = User(stopped)
    task, answers = user.task("first"), []
    elsewhere = Client(other, user.token["access_token"])
    path, hand = f"/v1/tasks/{task['id']}", Hand(ground)
    try:
        hand.type(f"BEGIN; SELECT 1 FROM spaces WHERE space_id = '{user.id}' FOR UPDATE;")
        wait_until(lambda: ground.connections("state = 'idle in transaction'"), 5, "the space's lock")
        thread = threading.Thread(target=lambda: answers.append(user.client.patch(path, {"title": "late"})))
        thread.start()
        wait_until(lambda: ground.connections("wait_event_type = 'Lock'"), 5, "a change that waits")
        stopped.signal(signal.SIGSTOP)
        try:
            hand.type("COMMIT;")
            wait_until(lambda: ground.connections("state = 'idle in transaction'"), 5, "a transaction left open")
            wait_until(lambda: elsewhere.patch(path, {"title": "second"}).status == 200, 30, "the lock")
        finally:
            stopped.signal(signal.SIGCONT)
        thread.join(10)
    finally:
        hand.close()
    assert answers[0].status in (200, 503)
    made = 1 if answers[0].status == 200 else 0
    now = elsewhere.get(path).expect(200).json
    assert now["title"] == ("late" if made else "second") and now["revision"] == 2 + made
    stopped.terminate()


# ---- sessions ----


def refused_everywhere(nodes, token, seconds):
    """Waits until every node refuses the token; answers how long the last one took."""
    start = time.monotonic()
    for node in nodes:
        client = Client(node)
        left = start + seconds - time.monotonic()
        wait_until(lambda client=client: client.get("/v1/me", token=token).status == 401, max(left, 0.001),
                   "a refusal of the ended session")
        client.close()
    return time.monotonic() - start


def warm(nodes, token):
    """Every node knows the token."""
    for node in nodes:
        for _ in range(8):  # connections are shared out among the loops
            client = Client(node)
            client.get("/v1/me", token=token).expect(200)
            client.close()


def log_out(user, token):
    """By its owner."""
    user.client.post("/v1/auth/logout", token=token["access_token"]).expect(204)


def end_it(user, token):
    """From another session."""
    own = user.client.get("/v1/me/sessions", token=token["access_token"]).expect(200).json["items"]
    ended = next(one["id"] for one in own if one["current"])
    user.client.delete(f"/v1/me/sessions/{ended}").expect(204)


def end_others(user, _token):
    """From another session, with all but that one."""
    user.client.delete("/v1/me/sessions").expect(204)


def change_password(user, _token):
    """In another session."""
    body = {"current_password": PASSWORD, "new_password": "Another-horse 8 battery"}
    user.client.put("/v1/me/password", body).expect(204)


def delete_account(user, _token):
    """With all that belongs to it."""
    user.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)


def disable_account(user, _token):
    """By the operator, from anywhere: the command asks no node."""
    done = run("user", "disable", user.email, env={"DATABASE_URL": user.ground.url()})
    assert done.returncode == 0, done.stderr


def replay(user, token):
    """A refresh token that was superseded long ago: the database is told that it was."""
    body = {"refresh_token": token["refresh_token"]}
    user.anonymous.post("/v1/auth/refresh", body).expect(200)
    user.ground.cluster.psql("UPDATE sessions SET superseded = decode(repeat('00', length(superseded)), 'hex') "
                             f"WHERE user_id = '{user.id}'", user.ground.name)
    user.anonymous.post("/v1/auth/refresh", body).expect(401)


ENDS = [log_out, end_it, end_others, change_password, delete_account, disable_account, replay]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_an_ended_session_is_refused_on_every_node(ground, nodes, end):
    user = User(nodes[0])
    user.ground = ground
    token = user.login()
    warm(nodes, token["access_token"])
    end(user, token)
    took = refused_everywhere(nodes, token["access_token"], BOUND)
    print(f"\nrefused everywhere after {took * 1000:.0f} ms")


@pytest.mark.parametrize("how", ["lost", "swallowed"])
def test_also_when_nothing_is_heard_of_it(ground, nodes, proxies, how):
    """The connection with which a node listens is silent, which it cannot know."""
    proxy = proxies(ground.cluster)
    listener = ground.node(proxy)
    user = User(nodes[0])
    token = user.login()
    wait_until(lambda: proxy.count(keeper) == 1, 5, "the listening connection")
    if how == "lost":
        proxy.blackhole(only=keeper)
    else:
        proxy.swallow_notifications()
    warm([listener], token["access_token"])
    log_out(user, token)
    took = refused_everywhere([listener], token["access_token"], BOUND + SLACK)
    print(f"\nrefused after {took * 1000:.0f} ms without a notification")
    proxy.heal()
    listener.terminate()


def test_a_node_that_wakes_serves_no_session_that_ended_meanwhile(nodes):
    user = User(nodes[0])
    token = user.login()
    warm(nodes, token["access_token"])
    sleeper = nodes[3]
    clients = [Client(sleeper, token["access_token"]) for _ in range(8)]
    for client in clients:
        client.get("/v1/me").expect(200)
    sleeper.signal(signal.SIGSTOP)
    try:
        log_out(user, token)
        ended = time.monotonic()
        wait_until(lambda: time.monotonic() > ended + BOUND, BOUND + 1, "the bound")
    finally:
        sleeper.signal(signal.SIGCONT)
    for client in clients:
        client.get("/v1/me").expect(401)


# ---- every request goes to another node ----

SUITES = ["test_sessions.py", "test_idempotency.py", "test_matrix.py", "test_conditional.py", "test_tasks.py"]


def test_the_suites_of_one_node_pass_on_four(balancer):
    """The tests over HTTP of sessions, idempotency and isolation, as they are."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "round_robin",
               *(f"tests/api/{name}" for name in SUITES)]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "TASKHOLD_BALANCER": f"{balancer.host}:{balancer.port}"}
    before = [node.requests for node in balancer.nodes]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=120,
                            check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    requests = [node.requests - count for node, count in zip(balancer.nodes, before)]
    assert min(requests) > 0.8 * max(requests) > 50, requests
    print(f"\n{result.stdout.splitlines()[-1].split()[0]} tests of one node hold on {NODES}, requests by node {requests}")


def test_a_key_holds_on_every_node(ground, nodes):
    """One request sent to all nodes at once, and again: one effect, one answer."""
    user = User(nodes[0])
    clients = [Client(node, user.token["access_token"]) for node in nodes]
    for _ in range(20):
        key, title = str(uuid.uuid4()), uuid.uuid4().hex
        answers = at_once([lambda client=client: client.post("/v1/tasks", {"title": title}, headers={
            "Idempotency-Key": key}) for client in clients])
        assert {one.status for one in answers} <= {201, 409}, answers
        bodies = {one.body for one in answers if one.status == 201}
        assert len(bodies) == 1
        assert ground.rows(f"SELECT count(*) FROM tasks WHERE title = '{title}'") == [{"count": 1}]
        bodies |= {client.post("/v1/tasks", {"title": title}, headers={"Idempotency-Key": key}).body
                   for client in clients}
        assert len(bodies) == 1
    stranger = User(nodes[1])
    for node in nodes:
        task = user.task()
        Client(node, stranger.token["access_token"]).get(f"/v1/tasks/{task['id']}").expect(404)
        Client(node, user.token["access_token"]).get(f"/v1/tasks/{task['id']}").expect(200)


def at_once(calls):
    """Runs them in threads; their answers."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


# ---- rotation of the secret ----


def test_a_secret_is_rotated_node_by_node_without_a_refused_token(nodes):
    """First every node learns to verify the new one, then every node signs with it, then the old one is forgotten."""
    user = User(nodes[0])
    tokens = [user.token]

    def everywhere():
        for node in nodes:
            client = Client(node)
            for token in tokens:
                client.get("/v1/me", token=token["access_token"]).expect(200)
            fresh = client.post("/v1/auth/refresh", {"refresh_token": tokens[-1]["refresh_token"]}).expect(200).json
            tokens.append(fresh)
            client.close()

    everywhere()
    for secret, previous in ((SECRET, NEW_SECRET), (NEW_SECRET, SECRET)):
        for node in nodes:
            node.restart({"JWT_SECRET": secret, "JWT_SECRET_PREVIOUS": previous}, node.port)
            everywhere()
    kept = tokens[-1]
    for node in nodes:
        node.restart({"JWT_SECRET": NEW_SECRET, "JWT_SECRET_PREVIOUS": None}, node.port)
    for node in nodes:
        Client(node).get("/v1/me", token=kept["access_token"]).expect(200)
        Client(node).get("/v1/me", token=user.token["access_token"]).expect(401)
