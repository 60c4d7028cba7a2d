"""doctor: what it finds good, and one test for each thing that it must not."""
import json
import socket

import pytest

from support.server import SANITIZER, run

CHECKS = {"settings", "sqlite", "database", "schema", "pages", "files", "directory", "disk", "secret", "clock",
          "descriptors", "address"}


def doctor(server, *args, env=None):
    """Its exit status and its findings: check -> (level, finding)."""
    done = run("doctor", "--json", "--port", "0", *args, cwd=server.directory, env={"JWT_SECRET": None, **(env or {})})
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
    assert all(found[name][0] == "ok" for name in CHECKS - {"descriptors", "disk"}), found
    text = run("doctor", "--port", "0", cwd=stopped.directory).stdout.splitlines()
    assert len(text) == len(CHECKS) + 1 and text[-1].endswith(" errors")
    assert all(line.split()[0] in ("ok", "warning") for line in text[:-1])


def test_beside_a_running_server(start_server, make_user):
    server = start_server(env={"JWT_SECRET": None})
    user = make_user(server)
    status, found = doctor(server, "--port", str(server.port))
    assert status == 0 and "a server has the database" in found["address"][1]
    user.task("Still works")


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


def test_damage(stopped):
    data = bytearray(database(stopped).read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 + 1:page * 4096 + 600] = b"\xa5" * 599
    database(stopped).write_bytes(data)
    status, found = doctor(stopped)
    assert status == 1 and found["pages"][0] == "error" and "taskhold restore" in found["pages"][1]


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
    assert done.returncode == 1 and "LOG_LEVEL" in done.stderr and done.stdout.startswith("error ")
    assert run("doctor", "--colour").returncode == 2
