# SPDX-License-Identifier: MIT
"""The load: wrk on a core of its own, one case at a time."""
import json
import os
import re
import statistics
import subprocess
from dataclasses import astuple, dataclass

import procs
import servers
from client import HOST

WRK = os.path.join(servers.BENCH, "wrk")


@dataclass(frozen=True)
class Case:
    key: str
    title: str
    script: str
    method: str = "GET"
    path: str = "/"
    connections: int = 64


CASES = (
    Case("read", "Read one task", "ids.lua", path="/v1/tasks/"),
    Case("list", "List 20 tasks", "static.lua", path=servers.LIST_PATH),
    Case("fresh", "List 20 tasks, not asked before", "paths.lua", path="/"),
    Case("create", "Create a task", "static.lua", "POST", "/v1/tasks"),
    Case("patch", "Change a task", "patch.lua", "PATCH", "/v1/tasks/"),
    Case("login", "Log in", "static.lua", "POST", "/v1/auth/login", connections=8),
)


@dataclass(frozen=True)
class Result:
    """What one round, or the median of some, measured. Times in microseconds."""
    rate: float
    p50: float
    p99: float
    cpu: float
    resident: float


def environment(case, server):
    """What the wrk script of the case needs."""
    if case.key == "login":
        body = {"email": "cleo@example.com", "password": servers.PASSWORD}
        return {"METHOD": "POST", "BODY": json.dumps(body)}
    if case.key == "fresh":
        return {"TOKEN": server.pager, "PATHS": server.file("paths")}
    if case.key == "create":
        return {"METHOD": "POST", "TOKEN": server.writer, "BODY": json.dumps({"title": servers.TITLE})}
    if case.key == "patch":
        return {"TOKEN": server.writer, "TASK_IDS": " ".join(server.patch_ids)}
    return {"METHOD": "GET", "TOKEN": server.reader, "TASK_IDS": " ".join(server.read_ids)}


def run_wrk(server, script, path, connections, seconds, environment):
    """Runs wrk; gives its counts by name."""
    command = ["taskset", "-c", procs.CLIENT_CORE, "wrk", "--threads", "1", "--connections", str(connections),
               "--duration", f"{seconds}s", "--timeout", "20s", "--script", os.path.join(WRK, script),
               f"http://{HOST}:{server.port}{path}"]
    env = {**os.environ, "BENCH_WRK": WRK, **environment}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=seconds + 30)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise procs.Failed(f"wrk on {server.name}, {script}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return {name: int(value) for name, value in (part.split("=") for part in found[1].split())}


def wrk(case, server, seconds, strict=True):
    """Runs wrk on a case; gives its counts by name. If strict, an answer that is not 2xx is a failure."""
    counts = run_wrk(server, case.script, case.path, case.connections, seconds, environment(case, server))
    if strict and (counts["refused"] or counts["broken"] or not counts["requests"]):
        raise procs.Failed(f"{server.name}, {case.key}: of {counts['requests']} requests "
                           f"{counts['refused']} were refused and {counts['broken']} broken")
    return counts


def measure(case, server, seconds):
    """One round."""
    before = procs.cpu_seconds(server.pid)
    counts = wrk(case, server, seconds)
    spent = procs.cpu_seconds(server.pid) - before
    return Result(rate=counts["requests"] * 1e6 / counts["duration"], p50=counts["p50"], p99=counts["p99"],
                  cpu=spent * 1e6 / counts["requests"], resident=procs.resident_bytes(server.pid))


def median(results):
    """Field by field."""
    return Result(*(statistics.median(values) for values in zip(*(astuple(each) for each in results))))


def warm_up(case, all_servers):
    for server in all_servers:
        wrk(case, server, 1)


def compare(case, all_servers, seconds, rounds, progress):
    """All servers in turn, round by round; gives {name: median}."""
    taken = {server.name: [] for server in all_servers}
    if case.key != "login":
        warm_up(case, all_servers)
    for number in range(1, rounds + 1):
        for server in all_servers:
            progress(f"{case.title}: round {number} of {rounds}, {server.name}")
            taken[server.name].append(measure(case, server, seconds))
    return {name: median(results) for name, results in taken.items()}
