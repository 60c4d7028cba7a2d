#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Histories of many clients over HTTP, each held against one client that makes the same calls one after another.

usage: tests/torture/histories.py [--seconds S] [--seed N] [--seeds N] [--steps N] [--trouble none|kill|move|forget]
       tests/torture/histories.py --sessions [--seconds S] [--seed N] [--seeds N] [--steps N]

On PostgreSQL with the prefix tests/with-postgres: three nodes whose clocks differ. Seeds are taken one after another
until the time is over. A seed decides what the clients do; which call comes first is up to the machine. Exit status 1
when something is wrong; the history is then kept in build/torture/, and `--judge FILE` looks at it again.
"""
import argparse
import pathlib
import pickle
import random
import sys
import time
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("changes", "api"))]

import sessions  # noqa: E402
from place import Nodes, Place  # noqa: E402
from replay import KEEP_SECONDS  # noqa: E402
from scene import Judge, Scene  # noqa: E402
from support import engine  # noqa: E402

KEPT = HERE.parents[1] / "build" / "torture"
SHOWN = 5


def once(move):
    """The database moves, once."""
    state = []

    def trouble(place):
        if not state:
            state.append(True)
            move(place)

    return trouble


def trouble_of(name):
    """What happens to the place, as a function."""
    return {"none": None, "kill": lambda place: place.kill(), "move": once(lambda place: place.move()),
            "forget": lambda place: None}[name]


def play(seed, steps, trouble="none", spoil=None, plain=False):
    """One history; those of its accounts. `spoil` may do something to the place first; `plain`: see Scene."""
    chance = random.Random(seed)
    forgets = trouble == "forget"
    kind = Nodes if engine.is_postgres() and trouble != "move" else Place
    place = kind(chance, {"KEEP_SECONDS": str(KEEP_SECONDS)} if forgets else None)
    scene = None
    try:
        if spoil:
            spoil(place)
        scene = Scene(place, seed, trouble_of(trouble), forgets, plain)
        scene.run(steps)
        scene.close()
        place.stop()
        return [account.history for account in scene.accounts], place.kills, place.moves
    finally:
        if scene:
            scene.close()
        place.close()


def play_sessions(seed, steps):
    """One history of sessions."""
    chance = random.Random(seed)
    place = (Nodes if engine.is_postgres() else Place)(chance, sessions.SETTINGS)
    try:
        devices = sessions.Devices(place, seed).run(steps)
        place.stop()
        return devices
    finally:
        place.close()


def keep(seed, history):
    """For a second look."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"history-{seed}-{history.user[:8]}.pickle"
    history.lock = None
    path.write_bytes(pickle.dumps(history))
    return path


def judge_all(judge, seed, histories, total):
    """Prints what is wrong; answers whether nothing is."""
    good = True
    for history in histories:
        wrong, counts = judge.replay(history)
        total.update(counts)
        if wrong:
            good = False
            print(f"seed {seed}: {len(wrong)} wrong, kept as {keep(seed, history)}")
            print(*(f"    {what[:1500]}" for what in wrong[:SHOWN]), sep="\n", flush=True)
    return good


def parse():
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10 ** 9))
    parser.add_argument("--seeds", type=int, default=10 ** 6, help="at most so many")
    parser.add_argument("--steps", type=int, default=60, help="of each client")
    parser.add_argument("--trouble", choices=["none", "kill", "move", "forget"], default="none")
    parser.add_argument("--sessions", action="store_true")
    parser.add_argument("--judge", type=pathlib.Path)
    return parser.parse_args()


def play_one(options, seed, judge, total):
    """One seed; is nothing wrong?"""
    if options.sessions:
        devices = play_sessions(seed, options.steps)
        wrong = sessions.judge(devices)
        total.update(calls=len(devices.events), sessions=len(devices.known))
        print(*(f"seed {seed}: {what[:1500]}\n" for what in wrong[:SHOWN]), sep="", end="", flush=True)
        return not wrong
    histories, kills, moves = play(seed, options.steps, options.trouble)
    total.update(kills=kills, moves=moves)
    return judge_all(judge, seed, histories, total)


def main():
    """Exit status 1 when something is wrong."""
    options = parse()
    judge, total, failed, seeds, until = Judge(), Counter(), 0, 0, time.monotonic() + options.seconds
    try:
        if options.judge:
            good = judge_all(judge, "kept", [pickle.loads(options.judge.read_bytes())], total)
            print(dict(total))
            return 0 if good else 1
        print(f"seed {options.seed}", flush=True)
        while seeds < options.seeds and (not seeds or time.monotonic() < until):
            failed += not play_one(options, options.seed + seeds, judge, total)
            seeds += 1
    finally:
        judge.close()
    print(f"torture: {seeds} seeds, " + ", ".join(f"{number:,} {what}" for what, number in total.items() if number) +
          f", {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
