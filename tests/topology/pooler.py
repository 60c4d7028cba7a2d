# SPDX-License-Identifier: MIT
"""Debian's PgBouncer between the nodes and a private PostgreSQL, in transaction mode."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

from containers import PATH
from support.cluster import SUPERUSER, free_port, query
from support.waiting import wait_until

TIRED = "tired"  # a role that has limits set
ROLES = (SUPERUSER, TIRED)
# Fewer connections to the server than one node has to the pooler, so that they really are shared.
CONFIG = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
server_login_retry = 1
"""


def missing():
    """Why it cannot be started here; None when it can."""
    return None if shutil.which("pgbouncer", path=PATH) else "no PgBouncer is installed (Debian: pgbouncer)"


def version():
    """Such as (1, 24)."""
    said = subprocess.run([shutil.which("pgbouncer", path=PATH), "--version"], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return tuple(int(number) for number in re.search(r"(\d+)\.(\d+)", said.stdout).groups())


class Pooler:
    """One process; `stop` ends it. `more`: lines of its configuration, which win over those above."""

    def __init__(self, postgres, more=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-pooler-"))
        self.port = free_port()
        self.server = f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}"
        self.process = None
        users = self.folder / "users"
        users.write_text("".join(f'"{name}" ""\n' for name in ROLES))
        config = self.folder / "pgbouncer.ini"
        config.write_text(CONFIG.format(server=postgres.port, port=self.port, users=users) + more)
        self.command = [shutil.which("pgbouncer", path=PATH), str(config)]
        if os.getuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("nobody")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.command[1:1] = ["-u", "nobody"]
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        """Starts it and waits until it answers."""
        self.begin()
        wait_until(self._answers, 10, "an answer of PgBouncer")

    def begin(self):
        """Starts it and waits for nothing: there may be no server."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return query(self.server, "SELECT 1") == "1"
        except (OSError, subprocess.CalledProcessError):
            return False

    def url(self, database):
        """How a node reaches a database through it."""
        return f"{self.server}/{database}"

    def end(self):
        """Ends it at once, with every connection through it."""
        if self.process and self.process.poll() is None:
            self.process.kill()  # newer ones wait at SIGTERM for their clients to go
            self.process.wait(10)

    def stop(self):
        """Ends it and removes its files."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
