# SPDX-License-Identifier: MIT
"""The smallest size that each platform's file asks for or that its smallest plan gives: the server fits, whatever logs in.

The cores, the memory and the control groups that the program reads are faked (machine.c). Where this machine lets a
control group be made, the kernel holds the server to the memory as well; everywhere its own peak is looked at.
"""
import json
import pathlib
import re
import subprocess
import threading
import tomllib

import pytest

import machine
from machine import MIB, Size
from shapes import read_yaml
from support import cluster, groups
from support.accounts import User
from support.client import Client
from support.paths import ROOT, binary
from support.server import Server, environment, run

STRANGERS = 40
HASH = 19 * MIB


def _mib(text):
    """`512Mi`, `512m`, `256mb`, `1G` in MiB."""
    number, unit = re.fullmatch(r"(\d+)([kKmMgG])\w*", text).groups()
    return int(number) * {"k": 1 / 1024, "m": 1, "g": 1024}[unit.lower()]


def _container(name):
    return read_yaml(ROOT / name)["spec"]["template"]["spec"]["containers"][0]


def _threads(container):
    return next((row["value"] for row in container["env"] if row["name"] == "THREADS"), None)


def _fly():
    (vm,) = tomllib.loads((ROOT / "fly.toml").read_text())["vm"]
    assert vm["size"] == "shared-cpu-1x"
    return Size(1, None, _mib(vm["memory"]), version=None), {}


def _cloud_run():
    limits = _container("deploy/cloud-run/service.yaml")["resources"]["limits"]
    return Size(int(limits["cpu"]), None, _mib(limits["memory"]), version=None), {}


def _kubernetes():
    container = _container("deploy/kubernetes/deployment.yaml")
    limits = container["resources"]["limits"]
    return Size(64, int(limits["cpu"]), _mib(limits["memory"])), {"THREADS": _threads(container)}


def _compose(name):
    services = read_yaml(ROOT / "deploy/compose" / name)["services"].values()
    (mib,) = {_mib(one["mem_limit"]) for one in services if "mem_limit" in one}
    return Size(64, None, mib), {}


def _systemd():
    text = (ROOT / "deploy/systemd/taskhold.service").read_text()
    return Size(64, None, _mib(re.search(r"^MemoryMax=(\w+)$", text, re.M)[1])), {}


CONNECTIONS = {"heroku": 20}  # that the smallest database of a platform allows
# platform: (whose engine, how large). Sizes that stand in no file of ours are those of the smallest plan.
PLATFORMS = {
    "fly": ("sqlite", _fly),
    "render": ("sqlite", lambda: (Size(16, 0.5, 512), {})),  # starter: 512 MB and half a core
    "render, version 1": ("sqlite", lambda: (Size(16, 0.5, 512, version=1), {})),
    "render-postgres": ("postgres", lambda: (Size(16, 0.5, 512), {})),
    "railway": ("sqlite", lambda: (Size(32, 1, 512), {})),  # free: 0.5 GB and one core
    "heroku": ("postgres", lambda: (Size(8, None, 512, version=1), {})),  # basic: 512 MB, cores are shared
    "dokku": ("postgres", lambda: (Size(2, None, 1024, version=None), {})),  # as large as the machine
    "cloud-run": ("postgres", _cloud_run),
    "kubernetes": ("postgres", _kubernetes),
    "compose": ("sqlite", lambda: _compose("compose.sqlite.yaml")),
    "compose-postgres": ("postgres", lambda: _compose("compose.postgres.yaml")),
    "systemd": ("sqlite", _systemd),
}


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory):
    """The faking library."""
    if machine.missing():
        pytest.skip(machine.missing())
    return machine.library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def postgres():
    """A server of its own, outside of every limit."""
    if cluster.missing():
        pytest.skip(cluster.missing())
    one = cluster.Cluster()
    yield one
    one.remove()


@pytest.fixture(name="platform", params=list(PLATFORMS))
def one_platform(request, preloaded, tmp_path):
    """(name, size, environment)."""
    engine, size_of = PLATFORMS[request.param]
    size, settings = size_of()
    given = {**size.environment(tmp_path, preloaded), **settings}
    if engine == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.create_database()
        request.addfinalizer(lambda: server.psql(f"DROP ROLE {database}"))
        request.addfinalizer(lambda: server.drop_database(database))
        most = CONNECTIONS.get(request.param, -1)
        server.psql(f"CREATE ROLE {database} LOGIN CONNECTION LIMIT {most}; ALTER DATABASE {database} OWNER TO {database}")
        given["DATABASE_URL"] = server.url(database).replace(f"//{cluster.SUPERUSER}@", f"//{database}@")
    return request.param, size, given


def uses_of(given):
    """(event loops, hashers, the reasons) as `config` says them."""
    uses = json.loads(run("config", "--json", env=given).stdout)["uses"]
    return (uses["event_loops"]["count"], uses["password_hashers"]["count"],
            f'{uses["event_loops"]["why"]}; {uses["password_hashers"]["why"]}')


def status_of(server, name):
    """A number of /proc/PID/status."""
    return int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{server.pid}/status").read_text(), re.M)[1])


def log_in_at_once(server):
    """Strangers, each with a password to be compared; the statuses."""
    statuses, body = [], {"email": "nobody@example.com", "password": "not the password"}
    threads = [threading.Thread(target=lambda: statuses.append(Client(server).post("/v1/auth/login", body).status))
               for _ in range(STRANGERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def started(given, limit):
    """A server, in a control group of its own where there can be one; and the group or None."""
    group = groups.make(limit)
    if group is None:
        return Server(env=given), None
    try:
        with group.inside():
            return Server(env=given), group
    except BaseException:
        group.remove()
        raise


def test_the_server_fits(platform):
    name, size, given = platform
    loops, hashers, why = uses_of(given)
    assert loops == int(given.get("THREADS") or size.cores), why
    assert hashers == 1 or hashers * HASH <= size.mib * MIB / 4, why
    server, group = started(given, int(size.mib * MIB))
    try:
        Client(server).get("/readyz").expect(200)
        user = User(server)
        user.task("in a small place")
        statuses = log_in_at_once(server)
        assert set(statuses) <= {401, 503} and 401 in statuses, statuses
        for _ in range(2 * loops):  # a connection each, so that every loop is asked, and nobody waits for the database
            user.reader().get("/v1/tasks").expect(200)
        peak, threads = status_of(server, "VmHWM") >> 10, status_of(server, "Threads")
        print(f"\n{name:20} {size.mib:5} MiB, {size.cores:2} cores: {loops} loops, {hashers} hashers, {threads} threads, "
              f"peak {peak} MiB{'' if group else ', no control group could be made'}")
        assert peak < size.mib
        told = [json.loads(line) for line in server.log_text().splitlines()]
        assert not [line for line in told if line["level"] == "error"]
    finally:
        server.stop()
        if group:
            group.remove()


def test_doctor_says_what_sets_the_sizes(preloaded, tmp_path):
    given = Size(64, 2, 512).environment(tmp_path, preloaded)
    (line,) = [line for line in run("doctor", env=given, cwd=tmp_path).stdout.splitlines() if line.split()[1] == "threads"]
    assert "event loops: 2," in line and "cgroup" in line and "password hashers: 1," in line


def test_a_limit_of_the_address_space_counts_too(preloaded, tmp_path):
    """What prlimit(1) and `ulimit -v` set."""
    given = environment({**Size(64, None, 8192).environment(tmp_path, preloaded), "THREADS": "64"})
    done = subprocess.run(["prlimit", f"--as={800 * MIB}", str(binary()), "config", "--json"], env=given,
                          capture_output=True, encoding="utf-8", check=True)
    hashers = json.loads(done.stdout)["uses"]["password_hashers"]
    assert hashers["count"] == 800 // 4 // 19 and "800 MiB of memory (address space)" in hashers["why"]


@pytest.mark.parametrize("name", ["compose.sqlite.yaml", "compose.postgres.yaml"])
def test_the_threads_fit_into_the_limit_of_processes(name, preloaded, tmp_path):
    """On the largest machine that is common: `pids_limit` counts threads."""
    services = read_yaml(ROOT / "deploy/compose" / name)["services"].values()
    (limit,) = {one["pids_limit"] for one in services if "pids_limit" in one}
    server = Server(env=Size(128, None, 512).environment(tmp_path, preloaded))
    try:
        assert status_of(server, "Threads") < limit
    finally:
        server.stop()
