# SPDX-License-Identifier: MIT
"""A clock that a test sets while a server runs: libfaketime, which fakes the machine's clock and no other.

Each process with the library has a semaphore and shared memory named after its id, which it leaves when it is killed. With the
memory there, a later process of that id does not start; with the semaphore, the program `faketime` does not. `Server` removes them before each start and after each end."""
import contextlib
import glob
import os
import pathlib
import re

LEFT = re.compile(r"(?:sem\.faketime_sem|faketime_shm)_(\d+)")


def library():
    """Where it is; None: it is not installed."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


def is_in(env):
    """Does a process with this environment have the library?"""
    return "libfaketime" in (env.get("LD_PRELOAD") or "")


def remove_left():
    """Removes what processes that are no more have left."""
    for path in pathlib.Path("/dev/shm").glob("*faketime_s*"):
        found = LEFT.fullmatch(path.name)
        if found and not os.path.exists(f"/proc/{found[1]}"):
            with contextlib.suppress(OSError):  # another run removes it too, or it is another user's
                path.unlink()


def environment(offset):
    """For a process whose clock is off by `+20s`, or begins at `@2026-11-30 03:30:00`."""
    return {"LD_PRELOAD": library(), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Clock:
    """What one server takes for the machine's clock. `set` takes `+40d`, `-1h`, `+0`."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.set("+0")

    def set(self, offset):
        """From here on, away from the real time by `offset`."""
        new = self.path.with_suffix(".new")
        new.write_text(offset + "\n", encoding="ascii")
        os.replace(new, self.path)

    @property
    def environment(self):
        """For the server's process."""
        return {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # The library reads its file again and again, which the sandbox does not know of.
                "SANDBOX": "off"}
