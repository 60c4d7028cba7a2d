# SPDX-License-Identifier: MIT
"""A disk (and a random source) that fails, lies or is slow under a server, as a test says while it runs: shim.c.

    shim = Shim(folder)
    server = Server(shim.environment)
    rule = shim.arm("sync", "fail", kinds=["wal"], number=errno.EIO)     # from now on
    ... rule.struck, rule.disarm(), shim.calls("sync", "wal")"""
import errno
import mmap
import pathlib
import struct

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CALLS = ["sync", "read", "write", "truncate", "open", "random"]
WHAT = ["fail", "short", "slow", "flip", "drop", "half"]
KINDS = ["other", "database", "wal", "shm", "folder", "log", "journal"]
RULES = 16
RULE = struct.Struct("=IIIiIIqqqq")
COUNTS = struct.Struct(f"={len(CALLS) * len(KINDS)}q")
HEAD = struct.Struct("=Qq")
FIRST_RULE = HEAD.size + 2 * COUNTS.size
FOR_EVER = 2 ** 62


def library():
    """Where the builds that have tests put it; None: there is none yet."""
    for build in ("asan", "tsan", "warn-clang", "warn-gcc"):
        path = ROOT / "build" / build / "tests" / "fault" / "shim" / "libfault_shim.so"
        if path.exists():
            return path
    return None


class Rule:
    """One fault that was armed."""

    def __init__(self, page, place):
        self.page, self.place = page, place

    @property
    def struck(self):
        """How many calls it struck."""
        return RULE.unpack_from(self.page, self.place)[-1]

    def disarm(self):
        """It strikes no more."""
        struct.pack_into("=I", self.page, self.place, 0)


class Shim:
    """The page that one server's shim reads, in `folder`."""

    def __init__(self, folder):
        if library() is None:
            pytest.skip("tests/fault/shim is not built: script/build asan")
        self.path = pathlib.Path(folder) / "shim"
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.used = 0

    @property
    def environment(self):
        """For the server's process."""
        return {"LD_PRELOAD": str(library()), "FAULT_SHIM": str(self.path)}

    def arm(self, call, what, kinds=None, number=errno.EIO, skip=0, times=FOR_EVER, micros=0):
        """From the call after the next `skip` on, `times` calls on files of these kinds (all) are struck."""
        bits = sum(1 << KINDS.index(kind) for kind in kinds or KINDS)
        place = FIRST_RULE + self.used * RULE.size
        assert self.used < RULES
        self.used += 1
        RULE.pack_into(self.page, place, 0, CALLS.index(call), WHAT.index(what), number, bits, 0, skip, times, micros, 0)
        struct.pack_into("=I", self.page, place, 1)
        return Rule(self.page, place)

    def reset(self):
        """No rules, and all counts are 0: before a start."""
        self.page[:] = bytes(mmap.PAGESIZE)
        self.used = 0

    def _count(self, offset, call, kind):
        return COUNTS.unpack_from(self.page, offset)[CALLS.index(call) * len(KINDS) + KINDS.index(kind)]

    @property
    def listens(self):
        """How many times it began to listen."""
        return HEAD.unpack_from(self.page)[1]

    def calls(self, call, kind="other"):
        """How many of these calls there were."""
        return self._count(HEAD.size, call, kind)

    def before_listening(self, call, kind="other"):
        """The same, before it listened for the first time."""
        return self._count(HEAD.size + COUNTS.size, call, kind)
