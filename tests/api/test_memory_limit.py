"""A server in a small container: what it takes of memory fits, however many loops it is told to run."""
import os
import pathlib
import threading

import pytest

from support.client import Client
from support.server import Server, run

LIMIT = 160 * 1024 * 1024
GROUPS = pathlib.Path("/sys/fs/cgroup")


@pytest.fixture
def small_group():
    """A control group with little memory; skipped where none can be made."""
    name = f"taskhold-test-{os.getpid()}"
    for folder, limit in ((GROUPS / "memory" / name, "memory.limit_in_bytes"), (GROUPS / name, "memory.max")):
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / limit).write_text(str(LIMIT))
        except OSError:
            folder.rmdir()
            continue
        yield folder
        folder.rmdir()
        return
    pytest.skip("no control group with a limit of memory can be made here")


@pytest.mark.skipif("asan" in os.environ.get("TASKHOLD_BIN", ""), reason="a sanitizer takes more memory than the limit")
def test_logins_fit_into_the_limit(small_group):
    """120 strangers log in at once; the kernel ends nobody."""
    before = small_group.parent
    line = next(line for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()
                if ("memory" in line.split(":")[1].split(",")) == (before.name == "memory"))
    home = before / line.split(":", 2)[2].lstrip("/")
    (small_group / "cgroup.procs").write_text(str(os.getpid()))  # what is started here begins in it
    try:
        server = Server({"THREADS": "16"})
        uses = run("config", env={"THREADS": "16"}).stdout
    finally:
        (home / "cgroup.procs").write_text(str(os.getpid()))
    assert "password hashers: 1," in uses, uses
    statuses = []
    body = {"email": "nobody@example.com", "password": "not the password"}
    threads = [threading.Thread(target=lambda: statuses.append(Client(server).post("/v1/auth/login", body).status))
               for _ in range(120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    peak = [int(path.read_text()) for path in (small_group / "memory.max_usage_in_bytes", small_group / "memory.peak")
            if path.exists()]
    print(f"\n120 logins at once in {LIMIT >> 20} MiB, THREADS=16: peak {max(peak, default=0) >> 20} MiB")
    assert set(statuses) <= {401, 503} and 401 in statuses
    Client(server).get("/livez").expect(200)
    server.stop()
