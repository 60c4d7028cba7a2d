# SPDX-License-Identifier: MIT
"""The kill points of a program that is built with them: src/base/point.h names them, and src/base/point.c reads the
file that is shared here."""
import mmap
import struct
import subprocess

from support.paths import binary
from support.server import environment

ROW, ROWS = struct.Struct("=48s4I"), 64
HITS, ARMED, KILLS = 48, 52, 56
PAGES = "500"  # of the WAL, after which they are moved: in place of 8,000


class Points:
    """The file, and what stands in it. Give `environment` to a process before it starts."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(ROW.size * ROWS))
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), ROW.size * ROWS)
        # Any command writes the names.
        subprocess.run([str(binary()), "version"], env=environment(self.environment), stdout=subprocess.DEVNULL, check=True)
        rows = [ROW.unpack_from(self.bytes, number * ROW.size) for number in range(ROWS)]
        self.at = {row[0].rstrip(b"\0").decode(): number * ROW.size for number, row in enumerate(rows) if row[0][0]}

    @property
    def environment(self):
        """What a process is told."""
        return {"TASKHOLD_POINTS": str(self.path), "TASKHOLD_POINT_PAGES": PAGES}

    @property
    def names(self):
        """Of all points; none in a program without them."""
        return sorted(self.at)

    def _get(self, name, place):
        return struct.unpack_from("=I", self.bytes, self.at[name] + place)[0]

    def arm(self, name, number):
        """The so many-th time from now on that the process comes there ends it; 0: none does."""
        struct.pack_into("=I", self.bytes, self.at[name] + ARMED, number)

    def disarm(self):
        """None ends it any more."""
        for name in self.at:
            self.arm(name, 0)

    def hits(self, name):
        """How often a process came there."""
        return self._get(name, HITS)

    def kills(self, name):
        """How often it ended there."""
        return self._get(name, KILLS)
