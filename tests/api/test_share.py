# SPDX-License-Identifier: MIT
"""One client's share: what others feel of one that pipelines, sends too much, says nothing, or only half closes."""
import os
import pathlib
import select
import signal
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from support.accounts import User
from support.client import Client
from support.raw import RawConnection
from support.waiting import wait_until

PIPELINES = 8
OPEN = {"RATE_LIMIT": "off", "THREADS": "1"}
LISTS, MANY = 24, 4_000  # asked for at once; tasks of one user
BIG = 3_000_000  # bytes: more than any buffer of a loopback connection takes


def flood(server, request, until):
    """Sends as fast as it can and drops the answers; returns how many bytes they had."""
    got = 0
    with socket.create_connection((server.host, server.port), timeout=30) as sock:
        sock.setblocking(False)
        batch = request * 512
        at = 0
        while time.monotonic() < until:
            try:
                at = (at + sock.send(batch[at:])) % len(batch)
            except BlockingIOError:
                pass
            try:
                got += len(sock.recv(1 << 18))
            except BlockingIOError:
                select.select([sock], [], [], 0.001)
    return got


def resident(server):
    """Bytes of memory that the server has."""
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def keeps_freed_memory(server):
    """Whether the allocator is a sanitizer's, which keeps what is freed to find wrong uses of it."""
    program = pathlib.Path(f"/proc/{server.pid}/exe").read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def test_others_beside_those_who_pipeline(start_server):
    server = start_server(OPEN)
    user = User(server)
    task = user.task()
    request = (f"GET /v1/tasks/{task['id']} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.token['access_token']}\r\n\r\n").encode()
    until = time.monotonic() + 3
    floods = [threading.Thread(target=flood, args=(server, request, until)) for _ in range(PIPELINES)]
    for thread in floods:
        thread.start()
    client = Client(server, user.token["access_token"])
    times = []
    while time.monotonic() < until - 0.5:
        begin = time.monotonic()
        client.get(f"/v1/tasks/{task['id']}").expect(200)
        times.append(time.monotonic() - begin)
    for thread in floods:
        thread.join()
    times.sort()
    assert times[len(times) // 2] < 0.25, f"half of {len(times)} calls took {times[len(times) // 2]:.3f} s or more"


def bearer(method, path, user, body=b""):
    """A request as bytes."""
    return (f"{method} {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.token['access_token']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def overtakes(server, greedy, calls):
    """Asks for many lists that no index serves, then makes the calls: are those answered before the last list is?"""
    with ExitStack() as stack:
        lists = [stack.enter_context(RawConnection(server)) for _ in range(LISTS)]
        for number, connection in enumerate(lists):
            connection.send(bearer("GET", f"/v1/tasks?sort={('title', 'updated_at')[number % 2]}&limit={number + 1}", greedy))
        for call in calls:
            call().expect(200)
        late = [connection for connection in lists if not select.select([connection.socket], [], [], 0)[0]]
        for number, connection in enumerate(lists):
            assert len(connection.read().expect(200).json["items"]) == number + 1
    return len(late) > 1


def test_others_beside_lists_that_no_index_serves(start_server):
    """One user's expensive lists are answered, and those of others and the probes do not wait for them."""
    server = start_server(OPEN)
    greedy, other = User(server), User(server)
    task = other.task()
    create = bearer("POST", "/v1/tasks", greedy, b'{"title":"' + b"the same " * 50 + b'"}')
    with ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(server)) for _ in range(40)]
        for connection in connections:
            connection.send(create * (MANY // 40))
        for connection in connections * (MANY // 40):
            connection.read().expect(201)
    probe = Client(server)
    calls = [lambda: probe.get("/livez"), lambda: other.client.get(f"/v1/tasks/{task['id']}"),
             lambda: other.client.get("/v1/tasks?limit=20&sort=title")]
    assert any(overtakes(server, greedy, calls) for _ in range(10)), "others waited for every list of one user"


def test_a_body_that_is_too_large_is_refused_readably(server):
    """A client that writes all before it reads gets the answer, not a reset."""
    with socket.create_connection((server.host, server.port), timeout=30) as sock:
        sock.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % BIG)
        for _ in range(0, BIG, 100_000):
            sock.sendall(b"x" * 100_000)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:100]


def test_a_client_that_ends_its_direction_gets_its_answer(server):
    user = User(server)
    for number in range(200):
        user.task(f"{number} " + "x" * 400)
    client = Client(server, user.token["access_token"])
    whole = client.get("/v1/me/export").expect(200).json
    with socket.create_connection((server.host, server.port), timeout=30) as sock:
        sock.sendall(b"GET /v1/me/export HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer "
                     + user.token["access_token"].encode() + b"\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    assert answer.count(b'"title"') == len(whole["tasks"]) == 200
    assert answer.endswith((b"0\r\n\r\n", b"}"))


def test_idle_connections_end_when_the_setting_says(start_server):
    server = start_server({"IDLE_SECONDS": "6"})
    with RawConnection(server) as silent, RawConnection(server) as idle:
        idle.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
        idle.read().expect(200)
        begin = time.monotonic()
        assert idle.closed(), "an idle connection was answered"
        assert 5 < time.monotonic() - begin < 20, "not the time of the setting"
        assert silent.closed()


def test_a_stop_answers_who_waits_in_the_backlog(start_server):
    server = start_server({"THREADS": "1", "DRAIN_DELAY_SECONDS": "0"})
    server.signal(signal.SIGSTOP)
    waiting = [RawConnection(server) for _ in range(300)]
    for connection in waiting:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGCONT)
    for connection in waiting:
        answer = connection.read()
        assert answer is not None, "closed without an answer"
        answer.expect(200)
        connection.close()
    assert server.wait(20) == 0


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_a_token_is_judged_before_the_body(server, expect):
    """A stranger's body is not waited for, nor invited; a user's is."""
    user = User(server)
    body = b'{"title":"x"}'
    head = b"POST /v1/tasks HTTP/1.1\r\nHost: t\r\n" + expect
    with RawConnection(server) as connection:
        connection.send(head + b"Content-Length: 200000\r\n\r\n")
        connection.read().expect(401)
    with RawConnection(server) as connection:
        connection.send(head + b"Authorization: Bearer " + user.token["access_token"].encode()
                        + b"\r\nContent-Length: %d\r\n\r\n" % len(body))
        if expect:
            assert connection.read().status == 100
        connection.send(body)
        connection.read().expect(201)


def test_the_memory_of_floods_is_bounded_and_comes_back(start_server):
    """Slow readers of large pages and unfinished bodies: what is above the budget is refused at once."""
    server = start_server(OPEN)
    user = User(server)
    for _ in range(30):
        user.task(description="y" * 8000)
    token = user.token["access_token"].encode()
    head = b" HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + token + b"\r\n"
    base = resident(server)
    peak = 0
    for request in (b"GET /v1/tasks?limit=100" + head + b"\r\n",
                    b"POST /v1/tasks" + head + b"Content-Length: 250000\r\n\r\n" + b" " * 150_000):
        held = []
        for _ in range(300):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((server.host, server.port))
            held.append(sock)
            try:
                sock.sendall(request)
            except OSError:
                pass  # it was refused before it had sent all
        Client(server).get("/livez").expect(200)
        peak = max(peak, resident(server))
        for sock in held:
            sock.close()
    if not keeps_freed_memory(server):
        assert peak - base < 100 << 20, f"{(peak - base) >> 20} MiB more than before"
        wait_until(lambda: resident(server) - base <= 16 << 20, 20, "memory that is given back")
    Client(server, user.token["access_token"]).get("/v1/tasks?limit=1").expect(200)


def unsent(port, peer):
    """Bytes that the kernel keeps for the server's connection to `peer`, sent or not."""
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if (int(fields[1].split(":")[1], 16), int(fields[2].split(":")[1], 16)) == (port, peer):
            return int(fields[4].split(":")[0], 16)
    return 0


def test_the_kernel_holds_little_of_an_answer_that_nobody_reads(start_server):
    """A container pays for the kernel's buffers too, and by default a socket may have megabytes of them."""
    server = start_server(OPEN)
    user = User(server)
    for _ in range(60):
        user.task(description="\u20ac" * 16_000)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((server.host, server.port))
        sock.sendall(b"GET /v1/me/export HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer "
                     + user.token["access_token"].encode() + b"\r\n\r\n")
        peer = sock.getsockname()[1]
        seen = []

        def rests():
            seen.append(unsent(server.port, peer))
            return seen[-1] > 0 and seen[-50:] == [seen[-1]] * 50

        wait_until(rests, 30, "a queue that no longer changes")
        assert seen[-1] < 400_000
        answer = b""
        while not answer.endswith(b"0\r\n\r\n"):
            part = sock.recv(1 << 20)
            assert part
            answer += part
        assert len(answer) > 60 * 48_000
