# SPDX-License-Identifier: MIT
"""What `taskhold backup` costs a server that writes, and whether its file is one cut that misses nothing."""
import json
import os
import statistics
import subprocess
import threading
import time

import fill
import load
import paced
import pairs
import procs
import servers
from check import MIB, Check, microseconds

RATE = 2_000
LEAST = 0.8
OWNER = "dora"
PATCH = next(case for case in load.CASES if case.key == "patch")


class Backups:
    """with Backups(server, binary, writer) as backups: …

    Makes one after the other while the body runs, then looks at each. The writer is a paced.Writer of OWNER.
    """

    def __init__(self, server, binary, writer):
        self.seconds, self.size = [], 0
        self._server, self._binary, self._writer = server, binary, writer
        self._made = []  # (file, tasks acknowledged before it began)
        self._error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        self._thread.join()
        if kind is None and self._error:
            raise self._error
        for path, least in self._made:
            if kind is None:
                self._look_at(path, least)
            os.unlink(path)

    def _run(self):
        try:
            while not self._stop.is_set():
                self._back_up(self._server.file(f"backup-{len(self._made)}"))
        except (procs.Failed, OSError) as error:
            self._error = error

    def _back_up(self, path):
        least, began = self._writer.acknowledged, time.monotonic()
        process = procs.start([self._binary, "backup", "--database", self._server.database, path],
                              self._server.file("backup.log"), core=procs.ANY_CORE)
        status = process.wait()
        procs.stop(process)
        if status != 0:
            raise procs.Failed(f"taskhold backup ended with status {status}")
        self.seconds.append(time.monotonic() - began)
        self._made.append((path, least))

    def _look_at(self, path, least):
        """One cut: the owner's first tasks without a gap, as many as the owner's revision says, and none missing."""
        self.size = os.path.getsize(path)
        command = [self._binary, "export", "--user", OWNER + "@example.com", "--database", "sqlite:" + path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise procs.Failed(f"taskhold export of a backup: {done.stderr[-500:]}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        revision = next(line["revision"] for line in lines if line.get("type") == "space")
        found = sorted(line["revision"] for line in lines if line.get("type") == "task")
        if found != list(range(1, revision + 1)):
            raise procs.Failed(f"a backup holds {len(found)} tasks of a user at revision {revision}")
        if revision < least:
            raise procs.Failed(f"a backup lacks {least - revision} tasks acknowledged before it began")


class Run:
    """One server with a large database, the two loads on it, and the backups that were made."""

    def __init__(self, server, binary, options):
        self.seconds, self.size = [], 0
        self._server, self._binary, self._options = server, binary, options
        self._writer = paced.Writer(server, servers.register(server, OWNER))

    def paced(self):
        self._options.progress(f"Backup: a round of {RATE:,} writes/s")
        return self._writer.run(RATE, self._options.pair_seconds)

    def closed(self):
        self._options.progress("Backup: a round of as many writes as are answered")
        return load.measure(PATCH, self._server, self._options.pair_seconds)

    def pairs(self, measure):
        return pairs.alternate(self._options.pairs, measure, lambda: self._beside_backups(measure))

    def _beside_backups(self, measure):
        with Backups(self._server, self._binary, self._writer) as backups:
            result = measure()
        self.seconds += backups.seconds
        self.size = backups.size
        return result


def check_pairs(what, taken):
    share = pairs.ratio(taken, "rate")
    rates = " of ".join(f"{each:,.0f}/s" for each in reversed(pairs.medians(taken, "rate")))
    times = ", ".join(f"{name} {microseconds(during)} instead of {microseconds(before)}"
                      for name in ("p50", "p99") for before, during in [pairs.medians(taken, name)])
    return Check(what, f"at least {LEAST} of their rate without", f"{share:.2f} ({rates}; {times})", share >= LEAST)


def section(folder, binary, options):
    options.progress(f"Backup: a database with {options.backup_tasks:,} tasks")
    server = servers.start_taskhold(os.path.join(folder, "backup"), binary)
    try:
        servers.prepare(server)
        fill.create(server.port, server.reader, options.backup_tasks, options.fill_seconds)
        run = Run(server, binary, options)
        paced_taken, paced_backups = run.pairs(run.paced), len(run.seconds)
        took = statistics.median(run.seconds)
        closed_taken = run.pairs(run.closed)
    finally:
        server.stop(seconds=60)
    return [
        Check(f"taskhold backup during {RATE:,} writes/s",
              "one cut of the database, with all that was acknowledged before it began",
              f"{paced_backups} of {paced_backups} backups, {run.size / MIB:.0f} MiB in {took:.1f} s each", True),
        check_pairs(f"{RATE:,} writes/s during taskhold backup", paced_taken),
        check_pairs("Writes as fast as they are answered during taskhold backup", closed_taken),
    ]
