# SPDX-License-Identifier: MIT
"""Real control groups with a limit of memory, where this machine lets one be made."""
import contextlib
import os
import pathlib

GROUPS = pathlib.Path("/sys/fs/cgroup")


class Group:
    """What is started while one is `inside` begins in it; the kernel ends what takes more."""

    def __init__(self, folder):
        self.folder = folder

    @contextlib.contextmanager
    def inside(self):
        """Moves this process in, and back again."""
        above = self.folder.parent
        line = next(line for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()
                    if ("memory" in line.split(":")[1].split(",")) == (above.name == "memory"))
        home = above / line.split(":", 2)[2].lstrip("/")
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (home / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self):
        """The most bytes that it held, files of the cache included; 0: not counted here."""
        counted = [self.folder / name for name in ("memory.max_usage_in_bytes", "memory.peak")]
        return max((int(path.read_text()) for path in counted if path.exists()), default=0)

    def remove(self):
        """Its processes must have ended."""
        self.folder.rmdir()


def make(limit):
    """A group that may hold `limit` bytes; None where none can be made."""
    name = f"taskhold-test-{os.getpid()}"
    for folder, file in ((GROUPS / "memory" / name, "memory.limit_in_bytes"), (GROUPS / name, "memory.max")):
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / file).write_text(str(limit))
        except OSError:
            folder.rmdir()
            continue
        return Group(folder)
    return None
