# SPDX-License-Identifier: MIT
"""F20: the network between a node and its database stalls, loses or delays."""
import collections
import contextlib
import selectors
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from checker import check
from ground import CONNECTIONS_MOST, accounts, is_ready, more_acks, places, seconds_to_first, threads_of
from load import Load
from proxy import BOTH, TO_CLIENT, TO_SERVER
from support.accounts import User
from support.client import Client
from support.raw import RawConnection
from support.waiting import wait_until

TIMEOUT_MS = 600
# An operation may wait for a connection, be sent, and be given up; then nobody waits any more.
ANSWER_SECONDS = 2.5
WRITERS = 4
CROWD, CROWD_SECONDS = 600, 2.5  # more than leave at once, for longer than an overload has to stand
ENDING_SECONDS = 10  # what the server drains, what a session waits for its writes, and an attempt to connect
LAWFUL = {"200", "201", "204", "503 unavailable", "503 outcome_unknown", "503 overloaded"}
FAULTS = {
    "stalled both ways": lambda proxy: proxy.stall(BOTH),
    "stalled to the server": lambda proxy: proxy.stall((TO_SERVER,)),
    "stalled to the node": lambda proxy: proxy.stall((TO_CLIENT,)),
    "lost both ways": lambda proxy: proxy.blackhole(BOTH),
    "lost to the server": lambda proxy: proxy.blackhole((TO_SERVER,)),
    "lost to the node": lambda proxy: proxy.blackhole((TO_CLIENT,)),
    "2 s late": lambda proxy: proxy.delay(2.0),
}


def suffer(fault, seed, ground, users, proxy):
    """One node with its load, the fault, and the way back; what it showed, as a line."""
    node = ground.node(proxy, DATABASE_TIMEOUT_MS=str(TIMEOUT_MS))
    load = Load(users, places(node), WRITERS, seed)
    probe = Client(node)
    with load:
        more_acks(load, 50)
        threads = threads_of(node)
        FAULTS[fault](proxy)
        wait_until(lambda: not is_ready(probe), 5, "/readyz saying no")
        refused = load.log.refusals()
        wait_until(lambda: load.log.refusals() > refused + WRITERS, 10, "refusals")
        assert threads_of(node) == threads, "threads pile up"
        assert probe.get("/livez").status == 200
        proxy.heal()
        recovery = seconds_to_first(load.log, time.monotonic(), 5, "a write after the network healed")
        wait_until(lambda: is_ready(probe), 5, "/readyz saying yes")
        more_acks(load, 50)
    verdict = check(load.finish(), ground.rows).expect_clean()
    assert load.log.slowest() < ANSWER_SECONDS, f"someone waited {load.log.slowest():.1f} s"
    assert set(load.log.statuses()) <= LAWFUL, load.log.statuses()
    wait_until(lambda: proxy.count() <= CONNECTIONS_MOST, 10, "no more connections than pools")
    assert proxy.strays == 0
    return (f"{fault}: {verdict.acknowledged} acknowledged, {verdict.unknown} unknown, slowest answer "
            f"{load.log.slowest():.2f} s, first write after {recovery:.2f} s")


def test_a_silent_network_is_refused_in_time_and_heals(ground, proxies, seed):
    """All faults at once, each before a node of its own: most of it is waiting."""
    well = ground.node()
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        runs = {fault: pool.submit(suffer, fault, seed + i, ground, accounts(well, 2), proxies(ground.cluster))
                for i, fault in enumerate(FAULTS)}
    wrong = {fault: run.exception() for fault, run in runs.items() if run.exception()}
    assert not wrong, wrong
    ground.expect_no_leak(1 + len(FAULTS))
    print("\n" + "\n".join(run.result() for run in runs.values()))


def test_a_node_ends_although_its_database_is_silent(ground, proxy, seed):
    node = ground.node(proxy, DATABASE_TIMEOUT_MS=str(TIMEOUT_MS), DRAIN_SECONDS="1")
    load = Load(accounts(node), places(node), WRITERS, seed)
    with load:
        more_acks(load, 20)
        proxy.stall()
        refused = load.log.refusals()
        wait_until(lambda: load.log.refusals() > refused, 5, "a refusal")
        node.signal(signal.SIGTERM)
        assert node.wait(ENDING_SECONDS) == 0


def test_a_slow_network_only_costs_time(ground, proxy, seed):
    node = ground.node(proxy)
    load = Load(accounts(node), places(node), WRITERS, seed)
    with load:
        more_acks(load, 20)
        proxy.delay(0.02)
        more_acks(load, 40)
    check(load.finish(), ground.rows).expect_clean()
    assert set(load.log.statuses()) <= {"200", "201", "204"}, load.log.statuses()


def crowd(node, user):
    """Clients that create a task each, again and again; gives what was answered, by status and `Retry-After`."""
    body = b'{"title": "crowd"}'
    request = (f"POST /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.token['access_token']}\r\n"
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    answers = collections.Counter()
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(CROWD):
            one = stack.enter_context(RawConnection(node, 30))
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.send(request)
        until, waiting = time.monotonic() + CROWD_SECONDS, CROWD
        while waiting:
            for key, _ in selector.select(30):
                answer = key.data.read("POST")
                answers[answer.status, answer.headers["Retry-After"] is not None] += 1
                if time.monotonic() < until:
                    key.data.send(request)
                else:
                    selector.unregister(key.fileobj)
                    waiting -= 1
    return answers


def test_more_than_a_slow_way_can_take_is_refused_at_once(ground, proxy):
    """Flights of 0.1 s take so many creates a second: who comes besides is told, and does not wait for seconds."""
    node = ground.node(proxy, THREADS="1", DATABASE_POOL="2", RATE_LIMIT="off")
    user = User(node)
    proxy.delay(0.05)
    answers = crowd(node, user)
    assert set(answers) == {(201, False), (503, True)}, answers
    proxy.heal()
    wait_until(lambda: user.client.post("/v1/tasks", {"title": "after"}).status == 201, 10, "a create")
    made = len(ground.rows(f"SELECT id FROM tasks WHERE space_id = '{user.id}' AND title = 'crowd'"))
    assert made == answers[201, False] > 0 and answers[503, True] > 0


def test_one_lost_connection_of_many_is_not_noticed_by_the_others(ground, proxy, seed):
    """Connections break one by one, also in the midst of commits; nobody is told "unavailable" for long."""
    node = ground.node(proxy)
    load = Load(accounts(node), places(node), WRITERS, seed)
    with load:
        more_acks(load, 50)
        for _ in range(10):
            victims = iter([True])
            proxy.drop(lambda session, victims=victims: next(victims, False))
            more_acks(load, 20)
    check(load.finish(), ground.rows).expect_clean()
    assert set(load.log.statuses()) <= LAWFUL, load.log.statuses()
    ground.expect_no_leak()
