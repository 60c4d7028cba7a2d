# SPDX-License-Identifier: MIT
"""Folders in which the room for files ends: a small disk, and a limit on the size of a file."""
import contextlib
import os
import pathlib
import resource
import subprocess

import pytest

from .paths import binary
from .server import SANITIZER, environment

SIZE = 8 * 1024 * 1024
FILLER = "filler"
MOUNT = 'mount -t tmpfs -o "size=$2,mode=0777" tmpfs "$1" && echo mounted && read -r _'


class Room:
    """`path` is the folder as a command sees it, `seen` as the test does: they differ on a small disk."""

    def __init__(self, path, seen, prefix=()):
        self.path, self.seen, self.prefix = path, seen, prefix

    def names(self):
        """What lies in the folder."""
        return sorted(path.name for path in self.seen.iterdir())

    def run(self, free, *args, env=None):
        """Runs a command that finds `free` bytes of room; answers the CompletedProcess with text output."""
        with self.only(free) as limit:
            done = subprocess.run([*self.prefix, str(binary()), *args], env=environment(env), cwd=self.seen, timeout=60,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  encoding="utf-8", check=False, preexec_fn=limit)
        assert not SANITIZER.search(done.stderr), done.stderr
        return done


class LimitedFiles(Room):
    """No file may become larger than the room: RLIMIT_FSIZE."""

    kind = "limit"

    def __init__(self, path):
        super().__init__(path, path)

    @contextlib.contextmanager
    def only(self, free):
        """What the process does before it becomes the command."""
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))


class SmallDisk(Room):
    """A file system of its own, in a mount namespace of its own: it is gone when the one process in it is."""

    kind = "disk"

    def __init__(self, path):
        user = [] if os.getuid() == 0 else ["--map-root-user"]
        self.process = subprocess.Popen(["unshare", "--mount", *user, "sh", "-c", MOUNT, "sh", str(path), str(SIZE)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        encoding="utf-8")
        said = self.process.stdout.readline().strip()
        if said != "mounted":
            self.close()
            pytest.skip(f"no file system can be mounted here: {said}")
        joined = ["--user", "--preserve-credentials"] if user else []
        prefix = ["nsenter", f"--target={self.process.pid}", "--mount", "--root", *joined]
        super().__init__(path, pathlib.Path(f"/proc/{self.process.pid}/root{path}"), prefix)

    def close(self):
        """Ends the process."""
        self.process.communicate("\n")

    @contextlib.contextmanager
    def only(self, free):
        """Fills the disk up to `free`."""
        status = os.statvfs(self.seen)
        filler = self.seen / FILLER
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_bsize - free))
        try:
            yield None
        finally:
            filler.unlink()


@contextlib.contextmanager
def make_room(kind, path):
    """A folder at `path`, an empty one: "disk" or "limit"."""
    if kind == "limit":
        yield LimitedFiles(path)
        return
    disk = SmallDisk(path)
    try:
        yield disk
    finally:
        disk.close()
