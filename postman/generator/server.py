# SPDX-License-Identifier: MIT
"""A fresh server in a folder of its own, for as long as a `with` block lasts."""

import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTENING = re.compile(rb"listening on http://([0-9.]+):(\d+)")
START_SECONDS = 15
STOP_SECONDS = 15


def binary():
    """The program to run: TASKHOLD_BIN, or the release build."""
    path = pathlib.Path(os.environ.get("TASKHOLD_BIN") or ROOT / "build" / "taskhold").resolve()
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: build it with script/build, or name another in TASKHOLD_BIN")
    return path


class Server:
    """Starts `taskhold serve` on a free port with an empty database and no settings of the caller."""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.folder = None
        self.process = None
        self.log = b""
        self.host = self.port = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="taskhold-contract-")
        keep = {
            name: os.environ[name]
            for name in os.environ
            if name in ("PATH", "LANG", "TMPDIR") or name.endswith("SAN_OPTIONS")
        }
        self.process = subprocess.Popen(
            [binary(), "serve", "--port", "0", *self.arguments],
            cwd=self.folder,
            env=keep,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            self.wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_until_it_listens(self):
        end = time.monotonic() + START_SECONDS
        stream = self.process.stderr.fileno()
        while time.monotonic() < end:
            ready, _, _ = select.select([stream], [], [], max(0, end - time.monotonic()))
            piece = os.read(stream, 65536) if ready else b""
            if ready and not piece:
                break
            self.log += piece
            found = LISTENING.search(self.log)
            if found:
                self.host, self.port = found[1].decode(), int(found[2])
                self.drain()
                return
        raise SystemExit("the server did not start:\n" + self.log.decode(errors="replace"))

    def drain(self):
        """Moves the rest of the log to nowhere, so that a full pipe never holds the server up."""
        self.drainer = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)
        self.process.stderr.close()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if getattr(self, "drainer", None):
            self.drainer.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"
