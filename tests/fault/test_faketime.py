# SPDX-License-Identifier: MIT
"""What a process with a fake clock leaves when it is killed stops no later one."""
import os
import pathlib
import subprocess

import pytest

from support import faketime
from support.server import Server

MEMORY = pathlib.Path("/dev/shm")
NAMES = ("sem.faketime_sem_{}", "faketime_shm_{}")

pytestmark = pytest.mark.skipif(faketime.library() is None, reason="libfaketime is not installed (Debian: faketime)")


def names_of(pid):
    """What the library makes for a process."""
    return [MEMORY / name.format(pid) for name in NAMES]


def test_control():
    """With shared memory that one of the same id has left, a process does not start."""
    plant = ': >"/dev/shm/faketime_shm_$$"; export LD_PRELOAD="$0"; exec date'
    with subprocess.Popen(["/bin/sh", "-c", plant, faketime.library()], env={"PATH": "/usr/bin:/bin", "FAKETIME": "+1h"},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.communicate(timeout=20)
    assert process.returncode != 0 and "File exists" in said[1], said
    faketime.remove_left()
    assert not any(path.exists() for path in names_of(process.pid))


def test_a_server_removes_what_was_left():
    """Before it starts, and after it was killed; of a process that lives nothing is touched."""
    with subprocess.Popen(["true"]) as ended:
        ended.wait(20)
    mine = names_of(os.getpid())
    for path in names_of(ended.pid) + mine:
        path.touch()
    try:
        server = Server(faketime.environment("+1h") | {"SANDBOX": "off"})
        try:
            assert not any(path.exists() for path in names_of(ended.pid))
            assert names_of(server.pid)[0].exists(), "it has no fake clock"
            server.kill()
            assert not any(path.exists() for path in names_of(server.pid))
        finally:
            server.kill()
            server.remove()
        assert all(path.exists() for path in mine)
    finally:
        for path in mine:
            path.unlink()
