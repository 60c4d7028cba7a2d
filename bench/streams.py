# SPDX-License-Identifier: MIT
"""The live stream: how soon an event follows a commit, what waiting streams take, and how soon all are back."""
import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import resource
import secrets
import select
import socket
import sqlite3
import time

import client
import procs
import servers
from check import KIB, MIB, Check, microseconds

SECRET = "a-secret-of-the-benchmark-that-nobody-else-has"
LISTENERS, WRITES, WRITERS, SECONDS, TICK = 1_000, 5_000, 8, 10, 0.002
P50_MOST, P99_MOST = 0.005, 0.025
IDLE, IDLE_USERS, IDLE_MOST = 10_000, 1_000, 160 * MIB
RETURNING, RETURNING_USERS, RETURN_SECONDS = 5_000, 500, 10
A_USER = 20  # that a user may have open
READ_SECONDS, READS_MOST = 3, 1.5


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed(token, claims):
    """The same header, other claims, our signature."""
    text = f"{token.split('.')[0]}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{text}.{_encoded(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())}"


def _copy_row(database, table, **changes):
    """One more row like the first one."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    row = dict(zip(names, database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())) | changes
    database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def _start(folder, binary, users, **settings):
    """A server with so many accounts; gives it and a token of each. To log each of them in would take minutes."""
    os.makedirs(folder, exist_ok=True)
    settings = {"JWT_SECRET": SECRET, "ACCESS_TOKEN_TTL": "86400", "TRUSTED_PROXIES": client.HOST + "/32", **settings}
    server = servers.start_taskhold(folder, binary, **settings)
    first = servers.register(server, "ann")
    server.stop()
    part = first.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    tokens = []
    with sqlite3.connect(server.file("taskhold.db")) as database:
        for number in range(users):
            now = int(time.time() * 1000).to_bytes(6, "big")
            user, session = (now + bytes([0x70, number & 255, 0x80, 0]) + secrets.token_bytes(6) for _ in range(2))
            _copy_row(database, "users", user_id=user, email=f"user-{number}@example.com")
            _copy_row(database, "spaces", space_id=user, owner_id=user, revision=0)
            _copy_row(database, "sessions", id=session, user_id=user)
            text = [f"{one.hex()[:8]}-{one.hex()[8:12]}-{one.hex()[12:16]}-{one.hex()[16:20]}-{one.hex()[20:]}"
                    for one in (user, session)]
            tokens.append(_signed(first, {**claims, "sub": text[0], "sid": text[1], "jti": text[1]}))
    database.close()
    servers.launch_taskhold(server, binary, **settings)
    client.wait_ready(server.port, server.process)
    return server, tokens, settings


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def open_streams(port, tokens, count, ids=None):
    """Streams that have had their first event; gives sockets and what came."""
    sockets, firsts = [], []
    for number in range(count):
        sock = socket.create_connection((client.HOST, port), timeout=10)
        more = f"\r\nLast-Event-ID: {ids[number]}" if ids else ""
        sock.sendall(client.request_bytes("GET", "/v1/events", tokens[number % len(tokens)] + more))
        data = b""
        while b"data: {}\n\n" not in data:
            part = sock.recv(65536)
            if not part or not b"HTTP/1.1 200".startswith(data[:12] or b"H"):
                raise procs.Failed(f"stream {number + 1} of {count}: {(data + part)[:200]!r}")
            data += part
        sockets.append(sock)
        firsts.append(data)
    return sockets, firsts


# ---- how soon an event comes ----


def _write(port, tokens, until, rate, pipe):
    """`rate` creates a second, each with the moment in its title. Gives how many were answered with 201."""
    sockets = [socket.create_connection((client.HOST, port), timeout=30) for _ in range(WRITERS)]
    poll, made, sent, begun = select.poll(), 0, 0, time.monotonic()
    for sock in sockets:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(sock, select.POLLIN)
    heads = [f"POST /v1/tasks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
             "Content-Length: 32\r\n\r\n".encode() for token in tokens]
    by_number = {sock.fileno(): sock for sock in sockets}
    while (now := time.monotonic()) < until:
        due = int((now - begun) * rate) - sent
        parts = [[] for _ in sockets]
        for _ in range(max(0, min(due, 500))):
            parts[sent % WRITERS].append(heads[sent % len(heads)] + b'{"title":"%020d"}' % time.monotonic_ns())
            sent += 1
        for sock, part in zip(sockets, parts):
            if part:
                sock.sendall(b"".join(part))
        for number, _ in poll.poll(TICK * 1000):
            made += by_number[number].recv(1 << 20).count(b"HTTP/1.1 201")
    pipe.send((sent, made))


def latency(port, write_port, tokens, rate, options, listeners=LISTENERS):
    """Sorted seconds from the request to the event, and what was written: `rate` a second at `write_port`, with listeners
    at `port`."""
    sockets, _ = open_streams(port, tokens, listeners)
    poll, times, rest = select.epoll(), [], {}
    for sock in sockets:
        sock.setblocking(False)
        poll.register(sock, select.EPOLLIN)
    by_number = {sock.fileno(): sock for sock in sockets}
    seconds = max(2, min(SECONDS, options.seconds * 2))
    until = time.monotonic() + seconds
    receive, send = multiprocessing.Pipe(False)
    writer = multiprocessing.Process(target=_write, args=(write_port, tokens, until, rate, send))
    writer.start()
    while time.monotonic() < until + 0.5:
        for number, _ in poll.poll(0.1, 256):
            data = rest.pop(number, b"") + by_number[number].recv(1 << 18)
            now, at = time.monotonic_ns(), 0
            while (at := data.find(b'"title":"', at)) >= 0 and at + 29 <= len(data):
                times.append((now - int(data[at + 9:at + 29])) / 1e9)
                at += 29
            if at >= 0:
                rest[number] = data[at:]
            elif len(data) > 9:
                rest[number] = data[-9:]
    sent, made = receive.recv()
    writer.join()
    for sock in sockets:
        sock.close()
    return sorted(times), sent / seconds, made


def _observed(page):
    """The share of the server's own histogram of the way from a commit to its event that is within both bounds."""
    buckets = {line.split('le="')[1].split('"')[0]: int(line.split()[-1]) for line in page.splitlines()
               if line.startswith("taskhold_stream_delay_seconds_bucket")}
    return [buckets[bound] / max(1, buckets["+Inf"]) for bound in ("0.005", "0.025")]


def events(folder, binary, options):
    options.progress(f"Streams: commit to event, {LISTENERS:,} listeners, {WRITES:,} writes/s")
    raise_limit()
    metrics = client.free_port()
    server, tokens, _ = _start(os.path.join(folder, "streams"), binary, LISTENERS,
                               METRICS_ADDR=f"{client.HOST}:{metrics}")
    try:
        times, rate, made = latency(server.port, server.port, tokens, WRITES, options)
        within = _observed(client.call(metrics, "GET", "/metrics").body.decode())
    finally:
        server.stop()
    if not times:
        raise procs.Failed("no event came")
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    complete = len(times) == made and rate >= 0.95 * WRITES
    return [
        Check(f"From a commit to its event, {LISTENERS:,} streams of different users, {WRITES:,} creates/s",
              "p50 at most 5 ms, p99 at most 25 ms, none missing",
              f"{within[0]:.1%} within 5 ms, {within[1]:.1%} within 25 ms, {len(times):,} of {made:,} creates",
              within[0] >= 0.5 and within[1] >= 0.99 and complete),
        Check("The same from the client's request to its event, the flush to disk included", "–",
              f"p50 {microseconds(p50 * 1e6)}, p99 {microseconds(p99 * 1e6)} at {rate:,.0f}/s", True),
    ]


# ---- what they take ----


def _p99_of_reads(port, token):
    """Of GET /v1/tasks, one after the other."""
    request, times = client.request_bytes("GET", servers.LIST_PATH, token), []
    until = time.monotonic() + READ_SECONDS
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        while (begin := time.monotonic()) < until:
            sock.sendall(request)
            client.read_answer(stream)
            times.append(time.monotonic() - begin)
    return sorted(times)[len(times) * 99 // 100]


def idle(folder, binary, options):
    count = min(IDLE, (raise_limit() - 300) * 3 // 4)
    options.progress(f"Streams: the memory of {count:,} that wait")
    server, tokens, _ = _start(os.path.join(folder, "idle-streams"), binary, IDLE_USERS)
    sockets = []
    try:
        client.call(server.port, "POST", "/v1/tasks", tokens[0], {"title": servers.TITLE}, 201)
        before, empty = _p99_of_reads(server.port, tokens[0]), procs.resident_bytes(server.pid)
        sockets, _ = open_streams(server.port, tokens, count)
        after, full = _p99_of_reads(server.port, tokens[0]), procs.resident_bytes(server.pid)
    finally:
        for sock in sockets:
            sock.close()
        server.stop()
    return [
        Check(f"Memory of the server with {count:,} waiting streams", "at most 160 MiB",
              f"{full / MIB:.0f} MiB, {(full - empty) / count / KIB:.1f} KiB a stream",
              full <= IDLE_MOST * count / IDLE),
        Check(f"Reads of others beside {count:,} waiting streams, p99", "at most 1.5 times",
              f"{microseconds(after * 1e6)}, {microseconds(before * 1e6)} without ({after / before:.2f} times)",
              after <= READS_MOST * before),
    ]


# ---- a restart ----


def restart(folder, binary, options):
    options.progress(f"Streams: a restart with {RETURNING:,}")
    raise_limit()
    server, tokens, settings = _start(os.path.join(folder, "returning-streams"), binary, RETURNING_USERS)
    try:
        sockets, firsts = open_streams(server.port, tokens, RETURNING)
        ids = [data.rsplit(b"id: ", 1)[1].split(b"\n")[0].decode() for data in firsts]
        begun = time.monotonic()
        server.stop()
        waits, ended = [], 0
        for sock in sockets:
            data = b""
            while part := sock.recv(4096):
                data += part
            ended += data.endswith(b"0\r\n\r\n")
            waits.append(int(data.rsplit(b"retry: ", 1)[1].split(b"\n")[0]))
            sock.close()
        servers.launch_taskhold(server, binary, **settings)
        client.wait_ready(server.port, server.process)
        missed = client.call(server.port, "POST", "/v1/tasks", tokens[0], {"title": servers.TITLE}, 201).json()["id"]
        back = []
        order = sorted(range(RETURNING), key=lambda number: waits[number])
        for number in order:  # as told: each when its time has come
            time.sleep(max(0, begun + waits[number] / 1000 - time.monotonic()))
            back += open_streams(server.port, [tokens[number % len(tokens)]], 1, [ids[number]])[1]
        took = time.monotonic() - begun
        owed = [data for data, number in zip(back, order) if number % len(tokens) == 0]
        got = sum(data.count(missed.encode()) > 0 for data in owed)
    finally:
        server.stop()
    return [Check(f"A restart with {RETURNING:,} streams: all back, by their own clocks", "within 10 s, nothing missed",
                  f"{took:.1f} s, {ended:,} proper ends, {got} of {len(owed)} had what came meanwhile",
                  took <= RETURN_SECONDS and got == len(owed) and ended == RETURNING)]


def streams(folder, binary, options):
    """All of it."""
    return [*events(folder, binary, options), *idle(folder, binary, options), *restart(folder, binary, options)]
