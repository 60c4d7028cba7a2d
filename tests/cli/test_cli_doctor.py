# SPDX-License-Identifier: MIT
"""doctor: what it finds good, and one test for each thing that it must not."""
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import tempfile

import pytest

from support.commands import start_refusal
from support.paths import binary
from support.server import SANITIZER, SECRET, Server, environment, run

CHECKS = {"settings", "quotas", "proxies", "filesystem", "sqlite", "database", "schema", "pages", "files", "directory", "disk", "secret", "clock",
          "threads", "time-zones", "descriptors", "sandbox", "address"}


def doctor(server, *args, env=None):
    """Its exit status and its findings: check -> (level, finding)."""
    done = run("doctor", "--json", "--port", "0", *args, cwd=server.directory, env={"JWT_SECRET": None, "RATE_LIMIT": "on", **(env or {})})
    assert not SANITIZER.search(done.stderr), done.stderr
    report = json.loads(done.stdout)
    levels = [one["level"] for one in report["checks"]]
    assert report["errors"] == levels.count("error") and report["warnings"] == levels.count("warning")
    assert done.returncode == (1 if report["errors"] else 0)
    return done.returncode, {one["check"]: (one["level"], one["finding"]) for one in report["checks"]}


@pytest.fixture
def stopped(start_server, make_user):
    """A server that was stopped, with one account and a secret of its own making."""
    server = start_server(env={"JWT_SECRET": None})
    make_user(server).task()
    server.terminate()
    return server


def database(server):
    """The file that a server of these tests keeps."""
    return server.directory / "data" / "taskhold.db"


def test_all_is_well(stopped):
    status, found = doctor(stopped)
    assert status == 0 and set(found) == CHECKS
    assert {name for name, (level, _) in found.items() if level == "error"} == set()
    assert all(found[name][0] == "ok" for name in CHECKS - {"descriptors", "disk", "filesystem", "sandbox"}), found
    text = run("doctor", "--port", "0", cwd=stopped.directory, env={"JWT_SECRET": None}).stdout.splitlines()
    assert len(text) == len(CHECKS) + 1 and text[-1].endswith(" errors")
    assert all(line.split()[0] in ("ok", "warning") for line in text[:-1])


def test_beside_a_running_server(start_server, make_user):
    server = start_server(env={"JWT_SECRET": None})
    user = make_user(server)
    status, found = doctor(server, "--port", str(server.port))
    assert status == 0 and "a server has the database" in found["address"][1]
    user.task("Still works")


@pytest.mark.parametrize("env, check, says", [
    ({"RATE_LIMIT": "off"}, "quotas", "guessed without limit"),
    ({"SANDBOX": "off"}, "sandbox", "remove it"),
    ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "proxies", "proxies' own addresses"),
    ({"TRUSTED_PROXIES": "10.0.0.0/8, ::/0"}, "proxies", "proxies' own addresses")])
def test_what_is_allowed_and_dangerous(stopped, env, check, says):
    status, found = doctor(stopped, env=env)
    assert status == 0 and found[check][0] == "warning" and says in found[check][1]


@pytest.mark.parametrize("mode, level", [(0o600, "ok"), (0o640, "ok"), (0o644, "warning"), (0o666, "error")])
@pytest.mark.parametrize("where", ["JWT_SECRET_FILE", "JWT_SECRET_PREVIOUS_FILE", ".env", "--env-file"])
def test_files_with_secrets(stopped, where, mode, level):
    path = stopped.directory / (where if where == ".env" else "secret")
    path.write_text(SECRET if where.startswith("JWT") else f"JWT_SECRET={SECRET}\n")
    path.chmod(mode)
    args, env = (["--env-file", "secret"], {}) if where == "--env-file" else ([], {where: "secret"})
    _, found = doctor(stopped, *args, env=env if where.startswith("JWT") else {})
    assert found["secret-files"][0] == level, found
    assert level == "ok" or "chmod o-rwx" in found["secret-files"][1]


def test_every_wrong_value_is_a_finding(tmp_path):
    done = run("doctor", cwd=tmp_path, env={"PORT": "x", "LOG_LEVEL": "loud"})
    assert done.returncode == 1 and "PORT is" in done.stdout and "LOG_LEVEL is" in done.stdout
    assert done.stdout.endswith("2 errors\n")


def test_what_it_may_not_look_at_is_not_missing(stopped):
    """`taskhold serve` would not make it."""
    if os.geteuid() != 0:
        pytest.skip("this test becomes another user, which only root may")
    stopped.directory.chmod(0o755)
    database(stopped).parent.chmod(0o700)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", str(binary()), "doctor", "--port", "0",
                           "--database", f"sqlite:{database(stopped)}"], cwd="/", env=environment({"JWT_SECRET": None}),
                          capture_output=True, encoding="utf-8", check=False)
    if "setpriv" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip(f"another user cannot run the program where it lies: {done.stderr}")
    assert done.returncode == 1 and "serve makes it" not in done.stdout
    assert "may not look at" in done.stdout and "run this as the server's user" in done.stdout


def test_a_database_in_memory_or_behind_a_program(stopped):
    memory = pathlib.Path("/dev/shm")
    if not memory.is_dir() or subprocess.run(["stat", "-fc", "%T", memory], capture_output=True, text=True,
                                             check=False).stdout.strip() != "tmpfs":
        pytest.skip("no tmpfs at /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        run("user", "add", "a@example.com", "--database", f"sqlite:{folder}/x.db", stdin="Nobody-Knows-7\n")
        _, found = doctor(stopped, "--database", f"sqlite:{folder}/x.db")
        assert found["filesystem"][0] == "warning" and "tmpfs" in found["filesystem"][1]
        server = Server(env={"DATABASE_URL": f"sqlite:{folder}/x.db"})
        server.terminate()
        assert '"event":"filesystem_doubtful"' in server.log_text() and "tmpfs" in server.log_text()
        server.stop()


def test_who_holds_the_port_and_the_lock_is_named(start_server, tmp_path):
    server = start_server(env={"JWT_SECRET": None, "DATABASE_URL": f"sqlite:{tmp_path}/x.db"})
    _, found = doctor(server, "--port", str(server.port), "--database", f"sqlite:{tmp_path}/y.db")
    assert f"127.0.0.1 port {server.port} (held by pid {server.pid}, taskhold)" in found["address"][1]
    _, found = doctor(server, "--port", str(server.port), "--database", f"sqlite:{tmp_path}/x.db")
    assert f"pid {server.pid}" in found["address"][1]
    ended = run("serve", "--port", "0", "--database", f"sqlite:{tmp_path}/x.db", cwd=tmp_path)
    assert f"x.db: held by pid {server.pid}" in start_refusal(ended)
    ended = run("serve", "--port", str(server.port), "--database", f"sqlite:{tmp_path}/z.db", cwd=tmp_path)
    assert f"127.0.0.1 port {server.port} (held by pid {server.pid}, taskhold)" in start_refusal(ended)


def test_a_database_that_was_taken_from_under_a_server(start_server):
    """Nobody is told to start another one, which would begin an empty database."""
    server = start_server()
    database(server).rename(server.directory / "elsewhere")
    status, found = doctor(server)
    assert status == 1 and found["database"][0] == "error" and "put the file back" in found["database"][1]


def test_before_the_first_start(tmp_path):
    done = run("doctor", "--port", "0", cwd=tmp_path, env={"JWT_SECRET": None})
    assert done.returncode == 0 and "there is no database" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "-wal", ".lock", ".jwt-secret"])
def test_files_that_others_may_read(stopped, name):
    path = database(stopped).with_name("taskhold.db" + name)
    path.chmod(0o644)
    status, found = doctor(stopped)
    assert status == 1 and found["files"][0] == "error" and f"chmod 600 {path}" in found["files"][1]


def test_a_directory_that_others_may_write(stopped):
    database(stopped).parent.chmod(0o770)
    status, found = doctor(stopped)
    assert status == 1 and found["directory"][0] == "error" and "chmod 700" in found["directory"][1]
    database(stopped).parent.chmod(0o700)


@pytest.mark.parametrize("content, level", [("short", "error"), ("x" * 40, "warning"), (None, "warning")])
def test_secrets(stopped, content, level):
    path = database(stopped).with_name("taskhold.db.jwt-secret")
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    status, found = doctor(stopped)
    assert found["secret"][0] == level and status == (level == "error")
    assert path.exists() == (content is not None), "it only looks"


@pytest.mark.parametrize("also_schema", [False, True])
def test_damage(stopped, also_schema):
    """Of the tables; and of the pages that say where these are, which stand anywhere."""
    with sqlite3.connect(database(stopped)) as db:
        tables = {root for (root,) in db.execute("SELECT rootpage FROM sqlite_schema WHERE name NOT IN ('meta')")}
    db.close()
    data = bytearray(database(stopped).read_bytes())
    for page in range(2, len(data) // 4096):
        if also_schema or page + 1 in tables:
            data[page * 4096 + 1:page * 4096 + 600] = b"\xa5" * 599
    database(stopped).write_bytes(data)
    status, found = doctor(stopped)
    where = "database" if also_schema else "pages"
    assert status == 1 and found[where][0] == "error" and "taskhold restore" in found[where][1]


def test_no_database_at_all(stopped):
    database(stopped).write_bytes(b"something else " * 1000)
    status, found = doctor(stopped)
    assert status == 1 and found["database"][0] == "error"


def test_an_address_that_is_taken(stopped):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, found = doctor(stopped, "--port", str(taken.getsockname()[1]))
    assert status == 1 and found["address"][0] == "error"


def test_settings_that_make_no_sense(stopped):
    done = run("doctor", cwd=stopped.directory, env={"LOG_LEVEL": "loud"})
    assert done.returncode == 1 and "LOG_LEVEL" in done.stdout and done.stdout.startswith("error ")
    assert run("doctor", "--colour").returncode == 2
