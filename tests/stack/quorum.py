# SPDX-License-Identifier: MIT
"""Three members of Debian's etcd on loopback, which agree with each other on who is the primary."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request

from containers import PATH
from support.cluster import free_port
from support.waiting import wait_until

COUNT = 3
# What it agrees on is flushed each second, and whoever has a flush that takes long loses its place: on a disk that other tests
# write to, Patroni would give up a primary that nobody has harmed.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
PAUSE = 0.1  # seconds between two looks; each is a process or a request


def missing():
    """Why it cannot be started here; None when it can."""
    return None if shutil.which("etcd", path=PATH) else "no etcd is installed (Debian: etcd-server)"


class Member:
    """One process; it may be killed and started again on its files."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder / name
        self.client, self.peer = free_port(), free_port()
        self.process = None
        self.folder.mkdir()
        self.data = tempfile.mkdtemp(prefix="taskhold-etcd-", dir=MEMORY)

    def start(self, everyone):
        """Starts it and waits for nothing."""
        here, there = f"http://127.0.0.1:{self.client}", f"http://127.0.0.1:{self.peer}"
        words = {
            "name": self.name, "data-dir": self.data, "listen-client-urls": here, "advertise-client-urls": here,
            "listen-peer-urls": there, "initial-advertise-peer-urls": there, "initial-cluster-state": "new",
            "initial-cluster": ",".join(f"{one.name}=http://127.0.0.1:{one.peer}" for one in everyone),
            "logger": "zap", "log-level": "warn",
        }
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("etcd", path=PATH), *(f"--{name}={value}" for name, value in words.items())], cwd=self.folder,
                env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def status(self):
        """What it says of itself; None when it does not answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.client}/v3/maintenance/status", b"{}")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return None

    def is_leader(self):
        """Do the others follow it?"""
        said = self.status()
        return bool(said) and said.get("leader", "0") == said["header"]["member_id"]

    def kill(self):
        """Ends it at once."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Quorum:
    """All of them, in `folder`."""

    def __init__(self, folder):
        self.members = [Member(f"e{number}", folder) for number in range(1, COUNT + 1)]
        for one in self.members:
            one.start(self.members)
        try:
            self.await_leader()
        except BaseException:
            self.close()
            raise

    @property
    def hosts(self):
        """Where the members are asked."""
        return [f"127.0.0.1:{one.client}" for one in self.members]

    def await_leader(self):
        """The one whom the others follow."""
        return wait_until(lambda: next((one for one in self.members if one.is_leader()), None), 60, "a leader of etcd", PAUSE)

    def lose_leader(self):
        """Kills it, and waits until there is another one; answers which it was."""
        lost = self.await_leader()
        lost.kill()
        self.await_leader()
        return lost

    def heal(self):
        """Starts again what was killed; waits until all answer."""
        for one in self.members:
            if one.process.poll() is not None:
                one.start(self.members)
        for one in self.members:
            wait_until(lambda one=one: int((one.status() or {}).get("leader", "0")), 60, f"a leader for {one.name}", PAUSE)

    def close(self):
        """Ends all, and removes what they agreed on."""
        for one in self.members:
            one.kill()
            shutil.rmtree(one.data, ignore_errors=True)
