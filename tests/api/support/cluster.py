# SPDX-License-Identifier: MIT
"""Private PostgreSQL clusters: in folders of their own, on ports of their own, ended by their process ids."""
import contextlib
import glob
import itertools
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .waiting import wait_until

SUPERUSER = "taskhold"
LOWEST_PORT = 10000
ENDINGS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "logging_collector": "off",
    "autovacuum_naptime": "60s",
    "max_wal_senders": "4",
    "wal_keep_size": "64MB",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}


def programs():
    """The folder of the newest PostgreSQL server here, or None."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    return max(map(pathlib.Path, found), key=lambda path: int(path.parts[4])).parent if found else None


def missing():
    """Why no cluster can be started here; None when one can."""
    return None if programs() else "no PostgreSQL server is installed (Debian: postgresql)"


def as_user():
    """PostgreSQL refuses to run as root: the words that make a command another user's."""
    if os.getuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"], user
    raise AssertionError("root has no user to run PostgreSQL as")


def _has_ended(pid):
    """Is it gone, or a zombie? Either has given back what it held."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def kill_family(pid):
    """Ends a server and all its children at once, as a machine that is lost does. Waits until they have ended: the next one on
    the same files is refused while any of them still has the shared memory."""
    os.kill(pid, signal.SIGSTOP)  # so that no child is born meanwhile
    family = [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())]
    for one in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    wait_until(lambda: all(map(_has_ended, family)), 20, "the end of a server's processes")


def free_port():
    """A port that was free a moment ago. The kernel gives it to no outgoing connection, so that a server that ended
    finds it free again, and a client that asks for it meanwhile does not meet itself."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    ports = range(LOWEST_PORT, first) or range(LOWEST_PORT, 65536)
    for _ in range(100):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", random.SystemRandom().choice(ports)))
            except OSError:
                continue
            return sock.getsockname()[1]
    raise AssertionError(f"no free port among {ports}")


class Cluster:
    """One server with its files. `durable`: it waits for the disk, as a test of lost writes needs. `icu`: the language
    whose rules order text and change its case in every database, where a statement names no others. `parent`: where its
    folder is made."""

    def __init__(self, durable=False, locale="C.UTF-8", settings=None, source=None, icu=None, parent=None):
        self.prefix, self.user = as_user()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-pg-", dir=parent))
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.port = free_port()
        self.process = None
        self.names = itertools.count(1)
        self.settings = {**SETTINGS, **({} if durable else NOT_DURABLE), **(settings or {}),
                         "unix_socket_directories": str(self.folder)}
        try:
            if self.user:
                os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
            if source:
                self._copy(source)
            else:
                self.run("initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8",
                         f"--locale={locale}", "--no-sync", "--no-instructions",
                         *(["--locale-provider=icu", f"--icu-locale={icu}"] if icu else []))
            self.start()
        except BaseException:
            self.remove()
            raise

    def _copy(self, source):
        """A standby of `source`, which it names as its primary."""
        self.run("pg_basebackup", "-D", str(self.data), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                 source.url("postgres") + f"?application_name={self.standby_name}")

    @property
    def standby_name(self):
        """What a primary knows it as."""
        return "standby_" + re.sub(r"\W", "_", self.folder.name.rpartition("-")[2])

    def run(self, program, *args, stdin=None, check=True):
        """Runs one of PostgreSQL's programs as the cluster's user; answers what it printed."""
        result = subprocess.run([*self.prefix, str(programs() / program), *args], input=stdin, encoding="utf-8",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False,
                                cwd=self.folder)
        assert not check or result.returncode == 0, f"{program} {args}: {result.stderr}"
        return result.stdout if check else result

    # ---- its life ----

    def start(self, wait=True):
        """Starts the process on its files and its port, and waits until it answers."""
        words = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port), *words],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            wait_until(self.answers, 30, "an answer of PostgreSQL")

    def answers(self):
        """Does it take connections now?"""
        assert self.process.poll() is None, f"PostgreSQL ended: {self.log_text()[-3000:]}"
        return self.psql("SELECT 1", check=False).returncode == 0

    def end(self, how="fast"):
        """Ends the process: `fast`, `immediate` (as a crash) or `kill` (with all its children)."""
        if self.process is None or self.process.poll() is not None:
            return
        if how == "kill":
            kill_family(self.process.pid)
        else:
            self.process.send_signal(ENDINGS[how])
        self.process.wait(60)

    def restart(self, how="fast"):
        """Ends it and starts it again on the same files and the same port."""
        self.end(how)
        self.start()

    def remove(self):
        """Ends it and removes its files."""
        self.end("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self):
        """What it logged."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # ---- what is in it ----

    def url(self, database, host=None):
        """How a program reaches the database: over TCP."""
        return f"postgresql://{SUPERUSER}@{host or f'127.0.0.1:{self.port}'}/{database}"

    def psql(self, sql, database="postgres", check=True):
        """Runs SQL; answers its rows as text, columns parted by `|`."""
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder),
                        "-p", str(self.port), "-U", SUPERUSER, "-d", database, "-f", "-", stdin=sql, check=check)

    def rows(self, sql, database="postgres"):
        """The rows as lists of texts."""
        return [line.split("|") for line in self.psql(sql, database).splitlines()]

    def create_database(self):
        """A fresh database; answers its name."""
        name = f"test_{next(self.names)}"
        self.psql(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name):
        """Removes it, with the connections that are left to it."""
        self.psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    # ---- standbys ----

    def standby(self, durable=False):
        """A hot standby of this cluster."""
        return Cluster(durable=durable, source=self)

    def synchronize(self, standby):
        """Has each commit here wait for the standby's disk, and waits until that is so."""
        self.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{standby.standby_name}'")
        self.psql("SELECT pg_reload_conf()")
        wait_until(lambda: self.psql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").strip()
                   == "1", 30, "a synchronous standby")

    def promote(self):
        """Makes a standby a primary; waits until it takes writes."""
        self.psql("SELECT pg_promote(true, 60)")
        wait_until(lambda: self.psql("SELECT pg_is_in_recovery()").strip() == "f", 30, "the promotion")


def query(server, sql, database="postgres"):
    """Runs SQL on any server; `server` is its URL without a database. Answers what psql printed."""
    return subprocess.run([str(programs() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                           f"{server}/{database}", "-c", sql], stdout=subprocess.PIPE, encoding="utf-8",
                          timeout=60, check=True).stdout.strip()
