# SPDX-License-Identifier: MIT
"""The live stream across nodes: what one commits, and which sessions it ends, those of another hear of in time, also
when a notification is lost or never comes."""
import threading
import time

import pytest

from ground import Ground
from proxy import keeper
from support.accounts import User
from support.client import Client
from support.events import Stream
from support.waiting import wait_until

BOUND = 1.0  # seconds from the commit to the event
SLACK = 0.5  # of this test's own clients, on a busy machine
ENDING = 2.0  # seconds from the end of a session to that of its streams


@pytest.fixture(scope="module", name="ground")
def fixture_ground(cluster):
    """One database for the tests of this file."""
    made = Ground(cluster)
    yield made
    made.close()


@pytest.fixture(scope="module", name="nodes")
def fixture_nodes(ground):
    """Two that hear each other, and one behind a pooler, which can only ask."""
    return {"heard": [ground.node(), ground.node()], "asked": [ground.node(), ground.node(DATABASE_PREPARED="off")]}


@pytest.fixture(params=["heard", "asked"], name="pair")
def fixture_pair(request, nodes):
    """Where is written, and where is listened."""
    return nodes[request.param]


def listen(node, user, **more):
    """A stream that is ready."""
    stream = Stream(node, user.token["access_token"], **more)
    stream.expect("ready")
    return stream


def test_a_commit_of_another_node_comes_within_a_second(pair):
    writer, listener = pair
    user = User(writer)
    stream = listen(listener, user)
    late = []
    for number in range(20):
        began = time.monotonic()
        task = user.task(f"Task {number}")
        assert [change["id"] for change in stream.changes(5)] == [task["id"]]
        late.append(time.monotonic() - began)
    stream.close()
    print(f"\nlongest {max(late) * 1000:.0f} ms, median {sorted(late)[10] * 1000:.0f} ms")
    assert max(late) <= BOUND + SLACK


def test_every_change_comes_when_both_write(nodes):
    first, second = nodes["heard"]
    user = User(first)
    streams = [listen(node, user) for node in (first, second)]
    made = [[], []]

    def write(place, node):
        client = Client(node, user.token["access_token"])
        for number in range(40):
            made[place].append(client.post("/v1/tasks", {"title": f"{place} {number}"}).expect(201).json["id"])

    threads = [threading.Thread(target=write, args=pair) for pair in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stream in streams:
        seen, revisions = set(), []
        while len(seen) < 80:
            changes = stream.changes(5)
            seen |= {change["id"] for change in changes}
            revisions += [change["revision"] for change in changes]
        assert seen == {*made[0], *made[1]} and revisions == list(range(1, 81))
        stream.close()


def test_the_end_of_a_session_elsewhere_ends_its_streams(pair):
    writer, listener = pair
    user = User(writer)
    session = user.login()
    stream = Stream(listener, session["access_token"])
    stream.expect("ready")
    stays = listen(listener, user)
    began = time.monotonic()
    Client(writer, session["access_token"]).post("/v1/auth/logout").expect(204)
    stream.expect_end(ENDING + SLACK)
    assert time.monotonic() - began <= ENDING + SLACK
    task = user.task()
    assert [change["id"] for change in stays.changes(5)] == [task["id"]]
    stays.close()


def test_it_goes_on_on_another_node(ground, nodes):
    first = ground.node()
    user = User(first)
    stream = listen(first, user)
    before = user.task("Before")
    assert [change["id"] for change in stream.changes()] == [before["id"]]
    other = Client(nodes["heard"][0], user.token["access_token"])
    first.kill()
    after = other.post("/v1/tasks", {"title": "After"}).expect(201).json
    again = Stream(nodes["heard"][1], user.token["access_token"], last_event_id=stream.last_id)
    assert [change["id"] for change in again.changes()] == [after["id"]]
    again.close()


@pytest.mark.parametrize("how", ["lost", "swallowed"])
def test_the_end_of_a_session_that_nobody_is_told_of(ground, nodes, proxies, how):
    proxy = proxies(ground.cluster)
    writer, deaf = nodes["heard"][0], ground.node(proxy)
    user = User(writer)
    stream = listen(deaf, user)
    wait_until(lambda: proxy.count(keeper) == 1, 5, "the listening connection")
    if how == "lost":
        proxy.blackhole(only=keeper)
    else:
        proxy.swallow_notifications()
    try:
        Client(writer, user.token["access_token"]).post("/v1/auth/logout").expect(204)
        stream.expect_end(ENDING + SLACK)
    finally:
        proxy.heal()


def test_what_was_told_to_a_deaf_node_is_found_by_asking(ground, nodes, proxies):
    proxy = proxies(ground.cluster)
    writer, deaf = nodes["heard"][0], ground.node(proxy)
    user = User(writer)
    stream = listen(deaf, user)
    wait_until(lambda: proxy.count(keeper) == 1, 5, "the listening connection")
    proxy.blackhole(only=keeper)
    try:
        task = user.task("While it was deaf")
        assert [change["id"] for change in stream.changes(15)] == [task["id"]]
    finally:
        proxy.heal()
        stream.close()
