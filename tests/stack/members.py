# SPDX-License-Identifier: MIT
"""Three PostgreSQL servers that Debian's Patroni keeps: a primary, a standby that each commit waits for, and one more."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import types
import urllib.request

import yaml

from containers import PATH
from support.cluster import SUPERUSER, as_user, free_port, kill_family, programs
from support.waiting import wait_until

COUNT = 3
PAUSE = 0.1  # seconds between two looks; each is a process or a request
# Patroni's own defaults are 30, 10 and 10 s. A primary whose machine is gone is replaced after `ttl`; one that does not hear of
# etcd for `retry_timeout` steps down, which on a busy machine took no fault but 3 s.
PACE = {"ttl": 12, "loop_wait": 1, "retry_timeout": 5}
# As a Debian 13's Patroni has them at least.
PACE_LEAST = {"ttl": 20, "loop_wait": 1, "retry_timeout": 5}
PARAMETERS = {
    "max_connections": 100, "shared_buffers": "32MB", "wal_keep_size": "128MB", "fsync": "off", "full_page_writes": "off",
    "wal_log_hints": "on", "autovacuum_naptime": "60s", "wal_retrieve_retry_interval": "200ms",
}


def missing():
    """Why it cannot be started here; None when it can. An unpacked Patroni lies in the checkout, and runs as who owns the
    servers, never as root."""
    program = shutil.which("patroni", path=PATH)
    if not program:
        return "no Patroni is installed (Debian: patroni)"
    done = subprocess.run([*as_user()[0], program, "--version"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"who runs the servers cannot run {program}: {(done.stderr or done.stdout).strip()[-200:]}"


def version():
    """Such as (3, 0, 2)."""
    said = subprocess.run([shutil.which("patroni", path=PATH), "--version"], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return tuple(int(part) for part in said.stdout.split()[-1].split("."))


class Member:
    """One server and the Patroni beside it: a machine of its own, as it were."""

    def __init__(self, name, folder, etcd):
        self.name, self.folder = name, folder / name
        self.port, self.rest = free_port(), free_port()
        self.process = None
        self.prefix, user = as_user()
        self.folder.mkdir()
        self.data = self.folder / "data"
        config = self.folder / "patroni.yaml"
        config.write_text(yaml.safe_dump(self._config(etcd)), encoding="utf-8")
        if user:
            for path in (self.folder, config):
                os.chown(path, user.pw_uid, user.pw_gid)

    def _config(self, etcd):
        login = {"username": SUPERUSER, "password": "not-asked-for"}
        return {
            "scope": "taskhold", "name": self.name, "etcd3": {"hosts": etcd}, "log": {"level": "INFO"},
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "bootstrap": {
                "dcs": {**(PACE if version() < (4,) else PACE_LEAST), "maximum_lag_on_failover": 16 << 20,
                        "synchronous_mode": True, "primary_start_timeout": 0,
                        "postgresql": {"use_pg_rewind": True, "parameters": PARAMETERS}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}", "data_dir": str(self.data),
                "bin_dir": str(programs()), "pgpass": str(self.folder / "pgpass"), "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
                "authentication": {"superuser": login, "replication": login, "rewind": login},
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
                "parameters": {"unix_socket_directories": str(self.folder)},
            },
        }

    def start(self):
        """Starts Patroni, which starts the server, and waits for nothing."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, shutil.which("patroni", path=PATH), str(self.folder / "patroni.yaml")], cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def server(self):
        """The server's process id; None when it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
            if str(self.data) in pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                return pid
        return None

    def kill_server(self):
        """Ends PostgreSQL at once, with all its children; Patroni lives on."""
        pid = self.server()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            kill_family(pid)

    def kill(self):
        """Ends all of the machine at once."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.kill_server()

    def psql(self, sql, database="postgres", check=True):
        """Runs SQL with psql; the result, or what was printed where it must succeed."""
        done = subprocess.run([str(programs() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", SUPERUSER, "-d", database, "-f", "-"], input=sql, encoding="utf-8", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done

    def takes_writes(self):
        """Is it a primary, by its own word?"""
        return self.psql("SELECT pg_is_in_recovery()", check=False).stdout.strip() == "f"

    def has_begun(self):
        """The same of the first one, whose Patroni must not end."""
        assert self.process.poll() is None, f"Patroni has ended: {self.log_text()[-2000:]}"
        return self.takes_writes()

    def ask(self, path, body=None, method=None):
        """What Patroni answers; None when it does not, or says no."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest}{path}", data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def log_text(self):
        """What Patroni logged."""
        return (self.folder / "log").read_text(errors="replace")


class Members:
    """All of them. It is the `cluster` of tests/fault/postgres/ground.py: SQL goes to whoever is the primary."""

    process = types.SimpleNamespace(poll=lambda: 0)  # so nobody drops the database: it goes with the folder

    def __init__(self, folder, etcd):
        self.members = [Member(f"m{number}", folder, etcd) for number in range(1, COUNT + 1)]
        self.members[0].start()
        try:
            wait_until(self.members[0].has_begun, 120, "the first primary", PAUSE)
            for one in self.members[1:]:
                one.start()
            self.await_health()
        except BaseException:
            self.close()
            raise

    def primary(self):
        """The one that takes writes; None while there is none."""
        return next((one for one in self.members if one.takes_writes()), None)

    def states(self):
        """What Patroni says of each: name -> (role, state)."""
        for one in self.members:
            said = one.ask("/cluster")
            if said:
                return {row["name"]: (row["role"], row["state"]) for row in json.loads(said)["members"]}
        return {}

    def role(self, name):
        """The member that has it: `leader`, `sync_standby`, `replica`."""
        found = [key for key, (role, _) in self.states().items() if role == name]
        return next((one for one in self.members if found and one.name == found[0]), None)

    def is_healthy(self):
        """A primary, and two standbys that follow it, each commit waiting for one of them."""
        primary = self.role("leader")
        if primary is None or self.role("sync_standby") is None or not primary.takes_writes():
            return False
        rows = primary.psql("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' AND application_name ~ '^m[0-9]$'",
                             check=False).stdout.split()
        return sorted(rows) == ["async", "sync"]

    def await_health(self, seconds=180):
        """Waits for it; starts no one."""
        try:
            wait_until(self.is_healthy, seconds, "a primary with two standbys", PAUSE)
        except AssertionError as late:
            logs = "\n".join(f"--- {one.name}\n{one.log_text()[-2500:]}" for one in self.members)
            raise AssertionError(f"{late}: {self.states()}\n{logs}") from late

    def heal(self):
        """Starts again whoever was killed; waits until all follow."""
        for one in self.members:
            if one.process.poll() is not None:
                one.start()
        self.await_health()

    def switch_over(self):
        """As an operator asks for it; to the synchronous standby."""
        leader, candidate = self.role("leader"), self.role("sync_standby")
        said = leader.ask("/switchover", {"leader": leader.name, "candidate": candidate.name})
        assert said and "uccess" in said, f"the switchover: {said}"

    def await_commits(self, wait):
        """From now on each commit waits for a standby, or does not."""
        leader = self.role("leader")
        assert leader.ask("/config", {"synchronous_mode": wait}, "PATCH"), "Patroni takes no change"
        shown = "SHOW synchronous_standby_names"
        wait_until(lambda: bool(self.psql(shown, check=False).stdout.strip()) == wait, 60, "the change", PAUSE)

    # ---- as a cluster of ground.py ----

    def psql(self, sql, database="postgres", check=True):
        """Runs SQL on the primary."""
        return wait_until(self.primary, 30, "a primary", PAUSE).psql(sql, database, check)

    def create_database(self):
        """Makes the one that all of a stack use; answers its name."""
        self.psql("CREATE DATABASE taskhold")
        return "taskhold"

    def url(self, database, hosts):
        """How a node reaches it."""
        return f"postgresql://{SUPERUSER}@{hosts}/{database}"

    def close(self):
        """Ends all."""
        for one in self.members:
            one.kill()
