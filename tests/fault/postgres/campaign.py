#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Failover, restart and cut sockets, many times over: what was acknowledged and lost, what was done twice.

usage: tests/fault/postgres/campaign.py [--runs 100] [--seed N]

Each run has a primary with a synchronous standby, two nodes, eight clients, and a proxy before each PostgreSQL that
cuts connections around COMMITs all the time. Amid that the primary restarts, crashes, or is killed and the standby
promoted. Then all that clients were told is held against the database. The seed that is printed repeats the choices.
"""
import argparse
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "api")]

from checker import check  # noqa: E402
from ground import Ground, accounts, more_acks, places, seconds_to_first  # noqa: E402
from load import Load  # noqa: E402
from proxy import PLACES, Proxy  # noqa: E402
from sums import Sum, table, total  # noqa: E402
from support import cluster as clusters  # noqa: E402

CUTS, FAST, CRASH, FAILOVER = "cut sockets", "restart fast", "restart immediate", "kill -9, promote"
KINDS = (CUTS, FAST, CRASH, FAILOVER)
WRITERS, CHANCE = 8, 0.1
BEFORE, AFTER = 80, 120  # writes around the fault: up to, and at least
COLUMNS = {"runs": "runs", "writes acknowledged": "acknowledged", "COMMITs cut": "cuts",
           'answers "outcome unknown"': "unknown", "lost": "lost", "doubled": "doubled", "otherwise wrong": "wrong",
           "recovery, median and longest": "recoveries"}


class Campaign:
    """A primary and a standby, which change places as they fall."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.primary = self.standby = None
        try:
            self.primary = clusters.Cluster()
            self._follow()
        except BaseException:
            self.close()
            raise

    def _follow(self):
        """A new standby; after a restart of the primary it comes back at once and not in 5 s."""
        self.standby = self.primary.standby()
        self.standby.psql("ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'")
        self.standby.psql("SELECT pg_reload_conf()")
        self.primary.synchronize(self.standby)

    def close(self):
        """Ends both."""
        for one in (self.standby, self.primary):
            if one is not None:
                one.remove()

    def _fail_over(self, ground):
        self.primary.end("kill")
        self.standby.promote()
        back = time.monotonic()
        ground.cluster = self.standby
        return back

    def _hurt(self, kind, ground):
        """Does it; answers since when there is a server that takes writes again, or None."""
        if kind == CUTS:
            return None
        if kind == FAILOVER:
            return self._fail_over(ground)
        self.primary.restart("fast" if kind == FAST else "immediate")
        return time.monotonic()

    def run(self, kind):
        """One run; what it showed."""
        seed = self.random.randrange(1, 2 ** 31)
        proxies = [Proxy(("127.0.0.1", one.port), seed) for one in (self.primary, self.standby)]
        ground = Ground(self.primary)
        try:
            return self._run(kind, seed, ground, proxies)
        finally:
            ground.close()
            for proxy in proxies:
                proxy.close()
            if kind == FAILOVER:
                self._change_places(ground)

    def _change_places(self, ground):
        self.primary.remove()
        self.primary = self.standby
        self.standby = None
        self.primary.drop_database(ground.name)
        self.primary.names = ground.first.names
        self._follow()

    def _run(self, kind, seed, ground, proxies):
        nodes = [ground.node(*proxies), ground.node(*proxies)]
        load, one = Load(accounts(nodes[0], 2), places(*nodes), WRITERS, seed), Sum(runs=1)
        for proxy in proxies:
            proxy.cut(PLACES, count=10 ** 6, chance=CHANCE, lateness=0.05)
        with load:
            more_acks(load, self.random.randrange(BEFORE), 30)
            back = self._hurt(kind, ground)
            if back is not None:
                one.recoveries = [seconds_to_first(load.log, back, 30, "a write after the fault")]
            more_acks(load, AFTER, 30)
        for proxy in proxies:
            proxy.heal()
        return self._judge(one, load, ground, proxies)

    def _judge(self, one, load, ground, proxies):
        verdict = check(load.finish(), ground.rows)
        one.take(verdict, load.log)
        one.wrong = one.wrong + ["a COMMIT on a new session"] * sum(proxy.strays for proxy in proxies)
        one.cuts = sum(proxy.cuts for proxy in proxies)
        return one


def run(runs, seed, show=print):
    """All of it; the sums by kind."""
    campaign = Campaign(seed)
    sums = {kind: Sum() for kind in KINDS}
    started = time.monotonic()
    try:
        for number in range(runs):
            kind = KINDS[number % len(KINDS)]
            one = campaign.run(kind)
            sums[kind].add(one)
            for what in one.faults():
                show(f"run {number + 1}, {kind}: {what}")
            if (number + 1) % 10 == 0:
                show(f"{number + 1} of {runs} runs, {time.monotonic() - started:.0f} s")
    finally:
        campaign.close()
    return sums


def main():
    """Exit status 1 when anything was lost, doubled or wrong, or came back too late."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2 ** 32))
    options = parser.parse_args()
    why = clusters.missing()
    if why:
        sys.exit(why)
    print(f"seed {options.seed}", flush=True)
    sums = run(options.runs, options.seed, lambda line: print(line, flush=True))
    print(table(sums, COLUMNS))
    return 0 if total(sums).is_good() else 1


if __name__ == "__main__":
    sys.exit(main())
