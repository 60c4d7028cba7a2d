# SPDX-License-Identifier: MIT
"""kill -9 under load of all kinds, again and again: what was acknowledged is there, what was refused is not.

    KILLS=50 CONNECTIONS=32 SEED=1 python3 -m pytest -s tests/fault/test_kill9.py

One seed drives every choice of the writers and every delay; it is printed. With tests/with-postgres before it the
nodes of PostgreSQL are killed."""
import os
import time

from crash import Run
from support.seed import SEED
from support.server import Server

KILLS = int(os.environ.get("KILLS", "50"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "32"))
FOR_SECONDS = float(os.environ.get("FOR_SECONDS", "inf"))
USERS = 4
READY_SECONDS = float(os.environ.get("READY_SECONDS", "1"))  # on a machine with little else to do
VERBS = {"create", "create_as", "create_series", "patch", "put", "delete", "batch", "restore", "undo", "complete", "refresh",
         "logout", "purge", "invalid", "stale", "exists", "failing_batch"}


def play_round(run):
    """One kill, and everything that must hold after it."""
    run.begin()
    run.threads[0].join(run.random.uniform(0.02, 0.5))
    run.server.kill()
    run.join()
    run.restart()
    assert run.slowest < READY_SECONDS, f"ready after {run.slowest:.2f} s"
    run.settle()


def test_kill_9_under_load():
    print(f"\nseed {SEED}: {KILLS} kills, {CONNECTIONS} connections, {USERS} users", flush=True)
    server = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"})
    try:
        run, started = Run(server, SEED, USERS, CONNECTIONS), time.monotonic()
        number = 0
        while number < KILLS and time.monotonic() - started < FOR_SECONDS:
            number += 1
            play_round(run)
            if number % 10 == 0 or number == KILLS:
                print(f"kill {number}/{KILLS}: {run.said()}, {time.monotonic() - started:.0f} s", flush=True)
        print(f"by verb: {run.counts.verbs}")
        assert run.counts.acknowledged > 20 * number and run.counts.unknown > number, "too little load to prove anything"
        assert run.counts.found > 0 and run.counts.repeated > 0, "no kill fell between a commit and its answer"
        print(f"torture: {number} kills, {run.counts.acknowledged} acknowledged, 0 lost")
        # Few kills may not come to what is rare.
        assert number < 40 or VERBS <= set(run.counts.verbs), f"not done: {VERBS - set(run.counts.verbs)}"
        server.stop()
    finally:
        server.kill()
        server.remove()
