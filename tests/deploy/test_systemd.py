# SPDX-License-Identifier: MIT
"""The units: what systemd itself says about them, and the backup's command, run day after day."""
import configparser
import datetime
import shutil
import sqlite3
import subprocess

import pytest

from support import faketime
from support.accounts import User
from support.paths import ROOT, binary
from support.server import Server

UNITS = ROOT / "deploy" / "systemd"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@needs_systemd
@pytest.mark.parametrize("unit, most", [("taskhold.service", 15), ("taskhold-backup.service", 5)])
def test_the_services_are_hardened(unit, most):
    told = analyze("security", "--no-pager", "--offline=true", f"--threshold={most}", str(UNITS / unit))
    assert told.returncode == 0, told.stdout


@needs_systemd
def test_threads_may_say_how_they_share_a_processor():
    """The filter refuses what sets resources, of which these two are a part (base/thread.h)."""
    told = analyze("security", "--no-pager", "--offline=true", str(UNITS / "taskhold.service")).stdout
    assert "@resources is included (e.g. sched_setattr is allowed)" in told


@needs_systemd
def test_systemd_finds_nothing_to_say(tmp_path):
    units = []
    for source in UNITS.iterdir():
        # The program stands where it was built, not where it will be installed.
        text = source.read_text().replace("/usr/local/bin/taskhold", str(binary()))
        (tmp_path / source.name).write_text(text)
        units.append(str(tmp_path / source.name))
    told = analyze("verify", "--man=no", *units)
    assert (told.returncode, told.stdout.strip()) == (0, "")


@needs_systemd
def test_systemd_would_have_found_a_fault(tmp_path):
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nType=simpel\nExecStart=/bin/true\n")
    assert "simpel" in analyze("verify", "--man=no", str(unit)).stdout


def unit(name):
    """The sections of a unit; of a key that is there twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNITS / name)
    return parser


def test_the_backup_runs_as_the_service_does():
    """The same user, database and settings; nothing that the service may not do."""
    service, backup = unit("taskhold.service")["Service"], unit("taskhold-backup.service")["Service"]
    for key in ("DynamicUser", "Environment", "EnvironmentFile", "StateDirectoryMode", "UMask"):
        assert backup[key] == service[key], key
    assert backup["User"] == "taskhold"  # the name that systemd makes of taskhold.service
    assert backup["StateDirectory"].split() == [service["StateDirectory"], "taskhold-backup"]
    closed = {key for key in service if key.startswith(("Protect", "Private", "Restrict", "NoNew", "Lock", "Memory"))}
    assert closed - {"MemoryMax"} <= set(backup) | {"RestartPreventExitStatus"}
    assert all(backup[key] == service[key] for key in closed - {"RestrictAddressFamilies"})
    timer = unit("taskhold-backup.timer")
    assert timer["Timer"]["OnCalendar"].endswith(" UTC") and timer["Install"]["WantedBy"] == "timers.target"


def test_the_backup_keeps_a_copy_for_each_day_of_the_week(tmp_path):
    """Its own command, on nine days that follow each other, beside a running server."""
    if faketime.library() is None:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    words = unit("taskhold-backup.service")["Service"]["ExecStart"]
    assert words.startswith("/bin/sh -c '") and words.endswith("'")
    command = words[len("/bin/sh -c '"):-1].replace("%%", "%").replace("$$", "$")
    command = command.replace("/usr/local/bin/taskhold", str(binary())).replace("/var/lib/taskhold-backup", str(tmp_path))
    server = Server()
    try:
        user, monday = User(server), datetime.date(2026, 11, 30)
        for day in range(9):
            user.task(f"Day {day}")
            clock = faketime.environment(f"@{monday + datetime.timedelta(days=day)} 03:30:00")
            faketime.remove_left()
            subprocess.run(["/bin/sh", "-c", command], check=True, stdout=subprocess.DEVNULL, env={
                "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C", **clock,
                "DATABASE_URL": f"sqlite:{server.directory}/data/taskhold.db"})
    finally:
        faketime.remove_left()
        server.stop()
    held = {}
    for copy in tmp_path.iterdir():
        with sqlite3.connect(f"file:{copy}?immutable=1", uri=True) as database:
            held[copy.name] = database.execute("SELECT count(*) FROM tasks").fetchone()[0]
    assert held == {f"taskhold-{name}.db": tasks for name, tasks in
                    {"Monday": 8, "Tuesday": 9, "Wednesday": 3, "Thursday": 4, "Friday": 5, "Saturday": 6, "Sunday": 7}.items()}
