#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The whole stack of docs/scaling.md under load while its parts fail, many times over: what was lost and what done twice.

usage: tests/stack/campaign.py [--runs 50] [--seed N]

HAProxy, two nodes whose clocks differ by 20 s, PgBouncer, Patroni with a primary and two standbys, three members of
etcd. In each run clients write through HAProxy and others follow their changes, and one part fails and comes back. Then
all that the clients were told is held against the database, and what the followers hold against the lists. The seed that
is printed repeats the choices.
"""
import argparse
import os
import random
import signal
import sys
import time

import stack as stacks
from checker import check
from ground import accounts, more_acks, seconds_to_first
from load import Load
from sums import Sum, table, total
from support.waiting import wait_until
from watch import Watch

MACHINE, SERVER, SWITCH = "kill -9 of the primary's machine", "kill -9 of the primary", "switchover"
STANDBY, POOLER, ETCD = "kill -9 of the synchronous standby", "PgBouncer restarts", "etcd loses its leader"
KINDS = (MACHINE, SERVER, SWITCH, STANDBY, POOLER, ETCD)
WRITERS, USERS = 6, 2
BEFORE, AFTER = 80, 120  # writes around the fault: up to, and at least
PATIENCE = 90  # seconds until Patroni has done what it does
PAUSE = 0.05
COLUMNS = {"runs": "runs", "promotions": "promotions", "writes acknowledged": "acknowledged",
           'answers "outcome unknown"': "unknown", "lost": "lost", "doubled": "doubled", "followers off": "off",
           "otherwise wrong": "wrong", "writes again, median and longest": "recoveries"}


class Faults:
    """What can fail in a stack. Each answers since when all is there again that a write needs."""

    def __init__(self, stack):
        self.stack, self.members = stack, stack.members
        self.kinds = {MACHINE: self.lose_machine, SERVER: self.lose_server, SWITCH: self.switch, STANDBY: self.lose_standby,
                      POOLER: self.restart_pooler, ETCD: self.lose_etcd}

    def _await_other(self, old):
        others = [one for one in self.members.members if one is not old]
        wait_until(lambda: any(one.takes_writes() for one in others), PATIENCE, "a new primary", PAUSE)
        return time.monotonic()

    def lose_machine(self):
        """With PostgreSQL go its Patroni and its PgBouncer."""
        old = self.members.primary()
        old.kill()
        self.stack.pooler_of(old).end()
        return self._await_other(old)

    def lose_server(self):
        """Patroni sees it and gives the place away."""
        old = self.members.primary()
        old.kill_server()
        return self._await_other(old)

    def switch(self):
        """As an operator asks for it."""
        old = self.members.primary()
        self.members.switch_over()
        return self._await_other(old)

    def lose_standby(self):
        """Each commit waits until Patroni has named another one."""
        old = self.members.role("sync_standby")
        old.kill()
        wait_until(lambda: self.members.role("sync_standby") not in (None, old), PATIENCE, "another standby", PAUSE)
        return time.monotonic()

    def lose_unreplicated(self, load):
        """The control: commits wait for nobody, and the machine goes with what no standby has heard of."""
        self.members.await_commits(False)
        old = self.members.primary()
        receivers = [int(one.psql("SELECT pid FROM pg_stat_wal_receiver")) for one in self.members.members if one is not old]
        for pid in receivers:
            os.kill(pid, signal.SIGSTOP)
        more_acks(load, AFTER, 30)
        old.kill()
        for pid in receivers:
            os.kill(pid, signal.SIGKILL)  # with what they had not read
        self.stack.pooler_of(old).end()
        back = self._await_other(old)
        self.members.await_commits(True)
        return back

    def restart_pooler(self):
        """That of the primary, with all its connections."""
        one = self.stack.pooler_of(self.members.primary())
        one.end()
        one.start()
        return time.monotonic()

    def lose_etcd(self):
        """Nobody who writes needs it."""
        self.stack.quorum.lose_leader()
        return time.monotonic()


class Campaign:
    """One stack, whose nodes live through all of it."""

    def __init__(self, stack, seed):
        self.stack, self.random, self.faults = stack, random.Random(seed), Faults(stack)

    def run(self, kind):
        """One run; what it showed."""
        seed, one = self.random.randrange(1, 2 ** 31), Sum(runs=1)
        users = accounts(self.stack.front, USERS)
        before = self.stack.members.primary()
        watches = [Watch(self.stack.front, user, seed + number) for number, user in enumerate(users)]
        load = Load(users, self.stack.where, WRITERS, seed)
        with load:
            more_acks(load, 1 + self.random.randrange(BEFORE), 30)
            back = self.faults.kinds[kind]()
            one.recoveries = [seconds_to_first(load.log, back, 30, f"a write after {kind}")]
            more_acks(load, AFTER, 30)
        self.stack.heal()
        one.promotions = int(self.stack.members.primary() is not before)
        self._judge(one, load, users)
        for watch in watches:
            one.off += watch.finish()
        return one

    def _judge(self, one, load, users):
        mine = ", ".join(f"'{user.id}'" for user in users)
        verdict = check(load.finish(), lambda select: self.stack.ground.rows(
            f"SELECT * FROM ({select}) one WHERE space_id IN ({mine})"))
        one.take(verdict, load.log)


def run(stack, runs, seed, show=print, kinds=KINDS):
    """All of it; the sums by kind."""
    campaign, started = Campaign(stack, seed), time.monotonic()
    sums = {kind: Sum() for kind in kinds}
    for number in range(runs):
        kind = kinds[number % len(kinds)]
        one = campaign.run(kind)
        sums[kind].add(one)
        for what in one.faults():
            show(f"run {number + 1}, {kind}: {what}")
        show(f"{number + 1} of {runs} runs, {time.monotonic() - started:.0f} s: {kind}, {one.acknowledged} acknowledged, "
             f"writes again after {one.recoveries[0]:.2f} s")
    return sums


def main():
    """Exit status 1 when anything was lost, doubled or wrong, or came back too late."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2 ** 32))
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind of fault alone; may be repeated")
    options = parser.parse_args()
    why = stacks.missing()
    if why:
        sys.exit(why)
    print(f"seed {options.seed}", flush=True)

    def say(line):
        print(line, flush=True)

    stack = stacks.Stack(say)
    try:
        sums = run(stack, options.runs, options.seed, say, tuple(options.only or KINDS))
    finally:
        stack.close()
    print(table(sums, COLUMNS))
    return 0 if total(sums).is_good() else 1


if __name__ == "__main__":
    sys.exit(main())
