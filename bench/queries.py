# SPDX-License-Identifier: MIT
"""Lists by every filter and in every order, searches, and creates of tasks with everything filled."""
import itertools
import json
import multiprocessing
import os
import socket
import time

import client
import fill
import load
import procs
import servers
from check import Check, microseconds

TASKS, SUBTASKS, LISTS = 9_000, 1_000, 20
ASKED = 100  # times each query, with another limit each time, so that no kept page answers
QUERY_MOST, SEARCH_MOST, OTHERS_MOST = 0.010, 0.015, 1.3
OTHERS_SECONDS = 3
FULL_LEAST = 20_000
WORDS = ("water", "plants", "Zürich", "café", "invoice", "dentist", "Straße", "report", "holiday", "garage")
LABELS = ("home", "work", "garden", "später", "phone", "errand", "waiting")
STATUSES = ("pending", "in-progress", "completed")
PRIORITIES = ("none", "low", "medium", "high", "urgent")

FILTERS = ("status=pending", "priority=high,urgent", "list=inbox", "list={list}", "parent=none", "parent={parent}", "label=home",
           "label.all=home,work", "due.before=2026-12-10", "due.from=2026-12-10T12:00:00Z", "due=none", "due=any",
           "start.before=2026-12-05", "created.from=2026-01-01", "updated.before=2999-01-01", "completed.from=2026-01-01",
           "overdue=true", "ready=true", "recurring=true", "archived=false", "blocked=true")
SORTS = tuple(sign + name for name in ("created_at", "updated_at", "completed_at", "due", "start", "title", "status", "priority",
                                       "position", "list") for sign in ("", "-"))
SEARCHES = ("q=water", "q=strasse", "q=zurich%20cafe", "q=%22water%20plants%22", "q=nowhere")


def body(number, lists):
    """A task of its own; most members of most tasks are filled."""
    day = 1 + number % 28
    task = {"title": f"{WORDS[number % 10]} {WORDS[number // 10 % 10]} {number}", "priority": PRIORITIES[number % 5],
            "status": STATUSES[number % 3], "labels": sorted({LABELS[number % 7], LABELS[number // 7 % 7]})}
    if number % 2:
        task["description"] = " ".join(WORDS[(number + step) % 10] for step in range(12))
    if number % 4:
        task["list_id"] = lists[number % len(lists)]
    if number % 3:
        task["due"] = f"2026-12-{day:02}" if number % 6 == 1 else f"2026-12-{day:02}T{number % 24:02}:30:00Z"
        task["start"] = f"2026-11-{day:02}"
        if number % 15 == 1:
            task["recurrence"] = "FREQ=WEEKLY"
    return task


def make(server, token, options):
    """A space with 10,000 tasks: lists, subtasks, tasks that wait for others. Gives values for FILTERS."""
    lists = [server.call("POST", "/v1/lists", token, {"name": f"List {number}"}, expect=201).json()["id"] for number in range(LISTS)]
    made = fill.create(server.port, token, TASKS, options.fill_seconds, [body(number, lists) for number in range(TASKS)])
    ids = [task["id"] for task in server.call("GET", "/v1/tasks?limit=100&list=inbox", token, expect=200).json()["items"]]
    more = [{**body(number, lists), "parent_id": ids[number % 50], "blocked_by": [ids[50 + number % 50]]} for number in range(SUBTASKS)]
    for task in more:
        task.pop("list_id", None)
    made += fill.create(server.port, token, SUBTASKS, options.fill_seconds, more)
    return made, {"list": lists[1], "parent": ids[0]}


def ask(port, token, queries):
    """Asks each query some times; gives the p99 of each in seconds, with the query."""
    taken = []
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        for query in queries:
            times = []
            for limit in range(1, ASKED + 1):
                begin = time.monotonic()
                sock.sendall(client.request_bytes("GET", f"/v1/tasks?limit={limit}&{query}", token))
                answer = client.read_answer(stream)
                times.append(time.monotonic() - begin)
                if answer.status != 200:
                    raise procs.Failed(f"{query}: {answer.status} {answer.body[:200]!r}")
            taken.append((sorted(times)[ASKED * 99 // 100 - 1], query))
    return taken


def ask_until(port, token, queries, until):
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        for limit, query in itertools.cycle(itertools.product(range(1, 101), queries)):
            if time.monotonic() >= until:
                return
            sock.sendall(client.request_bytes("GET", f"/v1/tasks?limit={limit}&{query}", token))
            client.read_answer(stream)


def read_others(server, until):
    """One client reads its own task; gives the p99."""
    request = client.request_bytes("GET", "/v1/tasks/" + server.read_ids[0], server.reader)
    times = []
    with socket.create_connection((client.HOST, server.port), timeout=30) as sock, sock.makefile("rb") as stream:
        while (begin := time.monotonic()) < until:
            sock.sendall(request)
            if client.read_answer(stream).status != 200:
                raise procs.Failed("a read of another user was refused")
            times.append(time.monotonic() - begin)
    return sorted(times)[len(times) * 99 // 100]


def others(server, token, queries):
    """The p99 of another user's reads: alone, and beside a client that asks the queries."""
    quiet = read_others(server, time.monotonic() + OTHERS_SECONDS)
    until = time.monotonic() + OTHERS_SECONDS + 1
    greedy = multiprocessing.Process(target=ask_until, args=(server.port, token, queries, until))
    greedy.start()
    time.sleep(0.5)
    busy = read_others(server, until - 0.5)
    greedy.join(60)
    return quiet, busy


def row(what, most, taken, felt):
    worst, query = max(taken)
    quiet, busy = felt
    return Check(f"{what}, {TASKS + SUBTASKS:,} tasks in the space", f"p99 at most {microseconds(most * 1e6)}; reads of others at most "
                 f"{OTHERS_MOST} times", f"at most {microseconds(worst * 1e6)} (`{query}`), {len(taken)} kinds; reads of others "
                 f"{busy / quiet:.2f} times ({microseconds(busy * 1e6)} instead of {microseconds(quiet * 1e6)})",
                 worst <= most and busy <= OTHERS_MOST * quiet)


def section(folder, binary, options):
    options.progress(f"Queries: a space with {TASKS + SUBTASKS:,} tasks")
    server = servers.start_taskhold(os.path.join(folder, "queries"), binary, THREADS="1")
    try:
        servers.prepare(server)
        token = servers.register(server, "dora")
        made, values = make(server, token, options)
        if made < TASKS + SUBTASKS:
            raise procs.Failed(f"only {made:,} tasks were made")
        filters = [query.format(**values) for query in FILTERS]
        queries = filters + [f"sort={name}" for name in SORTS] + [f"{query}&sort={SORTS[at % len(SORTS)]}"
                                                                  for at, query in enumerate(filters)]
        found = []
        for what, most, asked in (("A list by one filter and in one order", QUERY_MOST, queries), ("A search", SEARCH_MOST, SEARCHES)):
            options.progress(f"Queries: {what.lower()}, {len(asked)} kinds")
            found.append(row(what, most, ask(server.port, token, asked), others(server, token, asked)))
    finally:
        server.stop()
    return found + [full(folder, binary, options)]


def full(folder, binary, options):
    """Creates of tasks in which everything is filled, each on stable storage before its answer."""
    options.progress("Creates of tasks with everything filled")
    server = servers.start_taskhold(os.path.join(folder, "full"), binary, THREADS="1")
    try:
        token = servers.register(server, "ann")
        listed = server.call("POST", "/v1/lists", token, {"name": "Home"}, expect=201).json()["id"]
        other, blocker = (server.call("POST", "/v1/tasks", token, {"title": title, "list_id": listed}, expect=201).json()["id"]
                          for title in ("Garden", "Buy a watering can"))
        task = {"title": servers.TITLE, "description": "With the soft brush, and the leaves too.", "status": "in-progress",
                "priority": "high", "list_id": listed, "labels": ["garden", "home"], "start": "2026-12-01",
                "due": "2026-12-02T18:00:00Z", "time_zone": "Europe/Berlin", "recurrence": "FREQ=WEEKLY;BYDAY=WE",
                "recurrence_anchor": "completion", "blocked_by": [blocker, other], "metadata": {"colour": "green", "room": "balcony"}}
        environment = {"METHOD": "POST", "TOKEN": token, "BODY": json.dumps(task)}
        load.run_wrk(server, "static.lua", "/v1/tasks", 64, 1, environment)
        counts = load.run_wrk(server, "static.lua", "/v1/tasks", 64, options.seconds, environment)
    finally:
        server.stop()
    rate = counts["requests"] * 1e6 / counts["duration"]
    bad = counts["refused"] + counts["broken"]
    return Check("Create a task with everything filled, 64 connections", f"at least {FULL_LEAST:,}/s where an fsync costs about 140 µs",
                 f"{rate:,.0f}/s, {bad} refused", rate >= FULL_LEAST and not bad)
