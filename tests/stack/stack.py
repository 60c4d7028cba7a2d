# SPDX-License-Identifier: MIT
"""What docs/scaling.md draws as its step 4, on loopback: HAProxy, two nodes whose clocks differ by 20 s, a PgBouncer beside
each of three PostgreSQL servers, Patroni and etcd."""
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in (
    "api", "fault/postgres", "changes", "topology", "deploy"))]

import front  # noqa: E402
import members  # noqa: E402
import pooler  # noqa: E402
import quorum  # noqa: E402
from ground import Ground, places  # noqa: E402
from support import cluster, faketime  # noqa: E402
from support.waiting import wait_until  # noqa: E402

CLOCKS = ("+0s", "+20s")
# Enough for both nodes; in transaction mode they share what there is.
POOLER = "default_pool_size = 20\nmax_prepared_statements = 500\n"
POOLER_OLD = "default_pool_size = 20\n"


def missing():
    """Why it cannot be started here; None when it can."""
    clock = None if faketime.library() else "libfaketime is not installed (Debian: faketime)"
    return cluster.missing() or quorum.missing() or members.missing() or pooler.missing() or front.missing() or clock


class Stack:
    """All of it, in a folder of its own; `close` ends it."""

    def __init__(self, say=lambda line: None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-stack-"))
        os.chmod(self.folder, 0o755)  # the servers run as another user
        self.parts, self.poolers = [], {}
        try:
            self.quorum = self._keep(quorum.Quorum(self.folder))
            say("etcd has a leader")
            self.members = self._keep(members.Members(self.folder, self.quorum.hosts))
            say("Patroni has a primary and two standbys")
            for one in self.members.members:
                self.poolers[one.name] = pooler.Pooler(one, self._pooler_words())
            self.ground = self._keep(Ground(self.members))
            self.nodes = [self._node(offset) for offset in CLOCKS]
            self.front = self._keep(front.Front(self.folder, self.nodes))
            say("HAProxy has ready nodes")
        except BaseException:
            self.close()
            raise

    def _keep(self, part):
        self.parts.insert(0, part)
        return part

    def _pooler_words(self):
        self.prepared = pooler.version() >= (1, 21)
        return POOLER if self.prepared else POOLER_OLD

    def _node(self, offset):
        clock = faketime.environment(offset)
        return self.ground.node(*self.poolers.values(), DATABASE_PREPARED="on" if self.prepared else "off", **clock)

    @property
    def where(self):
        """Where clients go."""
        return places(self.front)

    def pooler_of(self, member):
        """The PgBouncer beside it."""
        return self.poolers[member.name]

    def heal(self):
        """Starts again whatever was killed, and waits until all is as in the beginning."""
        self.quorum.heal()
        self.members.heal()
        for one in self.poolers.values():
            if one.process.poll() is not None:
                one.start()
        wait_until(self.front.is_ready, 30, "a ready node", 0.1)

    def close(self):
        """Ends all of it and removes the files."""
        try:
            for part in self.parts[:]:
                self.parts.remove(part)
                part.close()
        finally:
            for part in self.parts:
                part.close()
            for one in self.poolers.values():
                one.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
