"""What one client can take of a server, and what others feel of it. One function a row."""
import itertools
import multiprocessing
import os
import selectors
import socket
import time

import client
import fill
import servers
from check import Check, microseconds

LISTERS, LIST_TASKS, LIST_SECONDS, LIST_MOST = 16, 100_000, 10, 0.005


def _ask_for_lists(port, token, until):
    """Asks on LISTERS connections for lists that no index serves, each a little other than the one before."""
    paths = (f"/v1/tasks?limit={limit}&{query}" for limit, query in itertools.cycle(itertools.product(
        range(1, 101), ("sort=title", "sort=-updated_at", "status=completed", "sort=-status&include=total"))))
    with selectors.DefaultSelector() as selector:
        for _ in range(LISTERS):
            sock = socket.create_connection((client.HOST, port), timeout=30)
            sock.sendall(client.request_bytes("GET", next(paths), token))
            selector.register(sock, selectors.EVENT_READ, sock.makefile("rb"))
        while time.monotonic() < until:
            for key, _ in selector.select(0.1):
                client.read_answer(key.data)
                key.fileobj.sendall(client.request_bytes("GET", next(paths), token))


def _timed(port, requests, until):
    """Asks one after the other; gives the sorted times and how many were not answered with 200."""
    times, other = [], 0
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        for request in itertools.cycle(requests):
            begin = time.monotonic()
            if begin >= until:
                return sorted(times), other
            sock.sendall(request)
            other += client.read_answer(stream).status != 200
            times.append(time.monotonic() - begin)


def lists(folder, binary, options):
    """Others beside a user with very many tasks who asks for lists that no index serves."""
    options.progress(f"Share: others beside lists of {LIST_TASKS:,} tasks on {LISTERS} connections")
    server = servers.start_taskhold(os.path.join(folder, "share-lists"), binary, USER_TASKS_MOST=str(2 * LIST_TASKS))
    try:
        servers.prepare(server)
        token = servers.register(server, "greedy")
        made = fill.create(server.port, token, LIST_TASKS, options.fill_seconds)
        requests = [client.request_bytes("GET", "/livez")] + [
            client.request_bytes("GET", path, server.reader)
            for path in ("/v1/tasks/" + server.read_ids[0], servers.LIST_PATH, "/v1/me")]
        quiet, _ = _timed(server.port, requests, time.monotonic() + LIST_SECONDS / 3)
        until = time.monotonic() + LIST_SECONDS
        greedy = multiprocessing.Process(target=_ask_for_lists, args=(server.port, token, until + 1))
        greedy.start()
        time.sleep(0.5)
        times, other = _timed(server.port, requests, until)
        greedy.join(60)
    finally:
        server.stop()
    high, alone = (taken[len(taken) * 99 // 100] for taken in (times, quiet))
    return Check(f"`/livez` and reads of others while a user with {made:,} tasks asks for lists that no index serves, "
                 f"on {LISTERS} connections",
                 f"p99 at most {microseconds(LIST_MOST * 1e6)}",
                 f"{microseconds(high * 1e6)} of {len(times):,}, {other} not 200; without those lists "
                 f"{microseconds(alone * 1e6)}",
                 high <= LIST_MOST and other == 0 and made >= LIST_TASKS and greedy.exitcode == 0)


def section(folder, binary, options):
    return [lists(folder, binary, options)]
