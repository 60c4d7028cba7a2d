# SPDX-License-Identifier: MIT
"""SQLite is refused where the disk ends with the process."""
import pytest

from support.server import Server, run


@pytest.mark.parametrize("name", ["K_SERVICE", "DYNO"])
def test_a_host_that_forgets_its_disk_is_refused(name, tmp_path):
    ended = run("serve", env={name: "web.1", "ALLOW_EPHEMERAL": "yes"}, cwd=tmp_path)
    assert ended.returncode == 78
    assert ended.stderr.splitlines() == [ended.stderr.strip()] and name in ended.stderr
    assert "ALLOW_EPHEMERAL=1" in ended.stderr and list(tmp_path.iterdir()) == []


def test_whoever_wants_that_gets_it():
    Server(env={"DYNO": "web.1", "ALLOW_EPHEMERAL": "1"}).stop()  # it listened, and ends with 0
