# SPDX-License-Identifier: MIT
"""Each call into what is below fails in its turn: an allocation, SQLite's, libpq's, the kernel's. tests/fault/calls.

Test programs of tests/unit are linked so that each call of the program under test may fail. A test runs once and notes in
which ways (a call, and who called) it comes to one; then it runs once for each way, which fails once. The test may fail
then. The program may not crash, hang, run into an assert, call a lack of memory a fault of its own, or leave a database
that does not open, is damaged or has a wrong count.

    SEED=1 /usr/bin/python3 -m pytest -q -s tests/fault/test_calls.py
    EVERY=1 tests/with-postgres /usr/bin/python3 -m pytest -q -s tests/fault/test_calls.py     all, some minutes"""
import os
import pathlib
import random
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / os.environ.get("CALLS_BUILD", "build/asan") / "tests" / "fault" / "calls"
SEED = os.environ.get("SEED") or str(random.SystemRandom().randrange(1, 2 ** 32))
REPORT = re.compile(r": (\d+) tests, (\d+) calls failed, (\d+) wrong; ")
ON_POSTGRES = "TASKHOLD_TEST_POSTGRES" in os.environ
ALL = "EVERY" in os.environ
# Where not all are asked for: of these, one of so many tests and one of so many ways, for so many seconds.
SHARES = {"calls_store_sqlite": (12, 6, 4), "calls_store_postgres": (12, 6, 6), "calls_store_sqlite_file": (2, 6, 1),
          "calls_copies": (2, 8, 2), "calls_transfer": (3, 6, 1), "calls_keys": (1, 2, 1), "calls_listener": (1, 2, 1),
          "calls_series_writes": (2, 4, 1), "calls_hasher": (1, 2, 1)}
NAMES = [path.name for path in sorted(PLACE.glob("calls_*")) if path.is_file() and (ALL or path.name in SHARES)
         and (path.name == "calls_store_postgres") == ON_POSTGRES]

pytestmark = pytest.mark.skipif(not NAMES, reason="tests/fault/calls is not built: script/build asan")


def run(name, **settings):
    """Its exit status, the calls that failed, and what it said."""
    # A test that failed has not given back what it held, and a forked one has nothing to say of what its parent holds.
    environment = {**os.environ, "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=0:allow_user_segv_handler=0:handle_segv=2",
                   "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1", "SEED": SEED, **settings}
    done = subprocess.run([str(PLACE / name)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=1200, check=False)
    reports = REPORT.findall(done.stdout)
    assert reports, f"it ended with {done.returncode}: {done.stdout[-3000:]}"
    return done.returncode, int(reports[-1][1]), done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_calls_fail(name):
    given = {} if ALL else dict(zip(("TESTS", "EVERY", "SECONDS"), (str(number) for number in SHARES[name])))
    status, calls, said = run(name, **given)
    print(f"\nseed {SEED}, {name}: {calls} calls failed")
    assert status == 0, said[-6000:]


@pytest.mark.skipif(ON_POSTGRES, reason="the control runs on SQLite")
def test_control():
    """Memory that is not there, and nobody looked: that must be found."""
    status, calls, said = run("calls_series_writes", PLANTED="1", EVERY="1", SECONDS="60")
    assert calls > 20 and status != 0 and "WRONG: " in said
