# SPDX-License-Identifier: MIT
"""Loss of power under the SQLite engine, on a disk that remembers what was flushed: tests/fault/power/power.c.

    /usr/bin/python3 -m pytest -s tests/fault/test_power.py
    SEED=1 SECONDS=60 /usr/bin/python3 -m pytest -s tests/fault/test_power.py -k random

Without a sanitizer it is several times as fast: `script/build warn-gcc`, then
`build/warn-gcc/tests/fault/power/power random 600`."""
import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

from support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "asan" / "tests" / "fault" / "power"
SEED = os.environ.get("SEED") or str(random.SystemRandom().randrange(1, 2 ** 32))
SECONDS = os.environ.get("SECONDS", "8")
REPORT = re.compile(r"(\d+) cuts, (\d+) amid what was not flushed, (\d+) images opened, (\d+) acknowledged and lost, (\d+) wrong")

pytestmark = pytest.mark.skipif(not PLACE.exists(), reason="tests/fault/power is not built: script/build asan")


def run(name, *args):
    """Its exit status, and the numbers of its report."""
    done = subprocess.run([str(PLACE / name), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=600, check=False)
    print("\n" + "\n".join(line for line in done.stdout.splitlines() if " ERROR " not in line)[-3000:])
    found = REPORT.search(done.stdout)
    assert found, f"it ended with {done.returncode}: {done.stdout[-3000:]}"
    return done.returncode, *(int(number) for number in found.groups())


def test_every_moment():
    """200 writes, power lost at each thing that they did to the disk, in turn in each of the ways that something survives."""
    status, cuts, amid, opened, lost, wrong = run("power", "exhaustive", "1", "4")
    assert (status, lost, wrong) == (0, 0, 0)
    assert cuts > 1000 and amid > 250 and opened > 300, "too little to prove anything"


def test_random():
    """Other scripts, and power lost again while the store recovers from the first loss."""
    status, cuts, _, _, lost, wrong = run("power", "random", SECONDS, SEED)
    assert (status, lost, wrong) == (0, 0, 0) and cuts > 300


def test_a_flush_fails():
    """And the kernel calls written what it was to flush; the store is started again, and power is lost."""
    status, cuts, _, _, lost, wrong = run("power", "flush", SECONDS, SEED)
    assert (status, lost, wrong) == (0, 0, 0) and cuts > 20


def test_control_without_flushes():
    """synchronous=NORMAL loses what was acknowledged."""
    status, _, _, _, lost, wrong = run("power-normal", "exhaustive", "1", "4")
    assert status == 1 and lost > 0 and lost + wrong > 100  # where all is lost, the store begins anew: wrong


@pytest.mark.parametrize("what", ["lying", "overlook"])
def test_controls(what):
    """What is planted is found."""
    status, _, _, _, lost, wrong = run("power", "control", what)
    assert status == 0 and lost + wrong > 0


def folders_of(pid):
    """Where it has files open."""
    found = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            path = pathlib.Path(os.readlink(link)).parent
            found |= {path} if path.name.startswith("taskhold-power-") else set()
    return found


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_it_is_ended(way):
    """A test that takes too long is ended so."""
    with subprocess.Popen([PLACE / "power", "random", "60", SEED], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        folders = wait_until(lambda: folders_of(process.pid), 30, "a database in its folder")
        process.send_signal(way)
    wait_until(lambda: not any(folder.exists() for folder in folders), 10, "the folders are removed")
