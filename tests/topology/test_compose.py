# SPDX-License-Identifier: MIT
"""deploy/compose/compose.postgres.yaml: two nodes behind Caddy, on one PostgreSQL."""
import json
import signal

import pytest

import compose
import walk
from support.waiting import wait_until
from writers import Caller, Writers

MISSING = compose.missing() or walk.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
RESTARTS = 4


@pytest.fixture(scope="module")
def deployment(postgres, tmp_path_factory):
    """All of it, as the file says."""
    one = compose.Deployment(tmp_path_factory.mktemp("deployment"), postgres)
    yield one
    one.stop()


def through(deployment, source="127.0.0.1"):
    """A client of the proxy."""
    return Caller(deployment.proxy.port, deployment.proxy.authority, source)


def has_written(node):
    """Whether the proxy has had this run of the node create a task."""
    return '"method":"POST","route":"/v1/tasks"' in node.log_text(this_run=True)


def restart(node):
    """As `docker compose restart` does, and waits until the proxy uses it again."""
    node.signal(signal.SIGTERM)
    assert node.wait() == 0
    node.start()
    wait_until(node.is_healthy, 10, "being healthy")
    wait_until(lambda: has_written(node), 10, "the proxy's trust")


def test_nothing_is_lost_while_one_node_after_the_other_is_restarted(deployment, postgres, tmp_path):
    """The collection, and writes that nobody may repeat: no answer but the node's own, no row too many or too few."""
    writers = Writers([through(deployment).log_in(f"writer.{number}@example.com") for number in range(4)])
    failures, restarts = [], 0
    try:
        for node in deployment.nodes.values():
            wait_until(lambda node=node: has_written(node), 10, "both nodes being used")
        walked = walk.Walk(tmp_path, deployment.proxy.url, deployment.proxy.authority)
        while restarts < RESTARTS or not walked.is_over():
            if walked.is_over():
                failures += walked.failures()
                walked = walk.Walk(tmp_path, deployment.proxy.url, deployment.proxy.authority)
            restart(list(deployment.nodes.values())[restarts % 2])
            restarts += 1
        failures += walked.failures()
    finally:
        answers = writers.stop()
    assert failures == []
    assert [answer for answer in answers if answer[0] != 201] == []
    rows = postgres.rows("SELECT count(*), count(DISTINCT title) FROM tasks WHERE title LIKE 'written %'",
                         deployment.database)
    assert rows == [[str(len(answers))] * 2] and len(answers) > 100


def test_a_session_of_one_node_is_one_of_the_other(deployment):
    """And so is its end, within two seconds."""
    here, there = (Caller(node.port) for node in deployment.nodes.values())
    there.token = here.log_in("wanderer@example.com").token
    status, made = here.call("POST", "/v1/tasks", {"title": "from here"})
    assert status == 201 and there.call("GET", f"/v1/tasks/{json.loads(made)['id']}") == (200, made)
    assert here.call("POST", "/v1/auth/logout")[0] == 204
    wait_until(lambda: there.call("GET", "/v1/me")[0] == 401, 2, "the end of the session on the other node")


def ip_of(status, body):
    """The address of the only session in a list."""
    assert status == 200, body
    (session,) = json.loads(body)["items"]
    return session["ip"]


def test_the_proxy_says_who_the_client_is(deployment):
    """Not the client: neither to the proxy nor past it."""
    caller = through(deployment, "127.0.0.9")
    caller.log_in("forwarded@example.com", {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.8"})
    assert ip_of(*caller.call("GET", "/v1/me/sessions")) == "127.0.0.9"


def test_others_than_the_proxy_are_not_believed(deployment):
    node = next(iter(deployment.nodes.values()))
    stranger = Caller(node.port, source="127.0.0.9")
    stranger.log_in("stranger@example.com", {"X-Forwarded-For": "203.0.113.7"})
    assert ip_of(*stranger.call("GET", "/v1/me/sessions")) == "127.0.0.9"
    trusted = Caller(node.port)
    trusted.log_in("trusted@example.com", {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert ip_of(*trusted.call("GET", "/v1/me/sessions")) == "203.0.113.7"
