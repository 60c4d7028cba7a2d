# SPDX-License-Identifier: MIT
"""A clock that a test sets while a server runs: libfaketime, which fakes the machine's clock and no other."""
import glob
import os


def library():
    """Where it is; None: it is not installed."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


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
