# SPDX-License-Identifier: MIT
"""The command line: what it prints, and how it ends."""
import json
import re
import socket
import threading

import pytest

from support.paths import ROOT
from support.server import run

COMMANDS = ("serve", "migrate", "backup", "restore", "export", "import", "doctor", "config", "user", "routes",
            "healthcheck", "completion", "man", "version", "help")


@pytest.mark.parametrize("args", [[], ["help"], ["--help"], ["-h"]], ids=str)
def test_help_lists_every_command(args):
    done = run(*args)
    assert done.returncode == 0 and done.stderr == ""
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", done.stdout, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_on_one_command(name):
    done = run("help", name)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: taskhold {name}")
    assert run(name, "--help").stdout == done.stdout
    assert run(name, "--json", "-h").stdout == done.stdout


def test_help_on_serve_lists_the_flags():
    text = run("serve", "--help").stdout
    for flag in ("--host", "--port", "--database", "--cors-origins", "--drain-seconds"):
        assert flag in text
    assert "--jwt-secret" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_first_what_is_a_commands_own(name):
    """Each word of the usage line, before the settings."""
    text = run("help", name).stdout
    usage, own = text.split("\n", 1)[0], text.partition("\nFLAGS beat")[0]
    for flag in re.findall(r"--[a-z]+", usage):
        assert re.search(rf"^  {flag}\b", own, re.M), flag
    if "FILE" in usage:
        assert re.search(r"^  FILE +\S", own, re.M)
    assert "--log-level" not in text or name in ("serve", "config", "doctor")


@pytest.mark.parametrize("typed, meant", [("srve", "serve"), ("confg", "config"), ("roots", "routes"),
                                          ("health-check", "healthcheck"), ("versoin", "version")])
def test_a_mistyped_command_gets_a_suggestion(typed, meant):
    for args in ([typed], ["help", typed]):
        done = run(*args)
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr == f"taskhold: unknown command {typed}; did you mean {meant}?\n"


@pytest.mark.parametrize("args, says", [
    (["frobnicate"], "unknown command frobnicate; see taskhold help"),
    (["version", "--jsn"], "unknown flag --jsn; did you mean --json?"),
    (["version", "extra"], "unexpected argument extra"),
    (["routes", "extra"], "unexpected argument extra"),
    (["help", "serve", "extra"], "unexpected argument extra"),
    (["config", "extra"], "unexpected argument extra"),
    (["config", "--markdown", "extra"], "unexpected argument extra"),
    (["config", "--log-levle", "info"], "unknown flag --log-levle; did you mean --log-level?"),
    (["serve", "--prot=1"], "unknown flag --prot; did you mean --port?"),
    (["serve", "--port"], "--port needs a value"),
    (["migrate", "extra"], "unexpected argument extra"),
    (["healthcheck", "a", "b"], "give one URL"),
    (["healthcheck", "https://127.0.0.1/"], "give one URL"),
    (["healthcheck", "http://"], "give one URL"),
    (["healthcheck", "http://h:99999/"], "give one URL"),
    (["healthcheck", "http://h:1/a b"], "give one URL"),
], ids=str)
def test_usage(tmp_path, args, says):
    """Exit status 2 and one line."""
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("taskhold: ") and says in done.stderr
    assert done.stderr.count("\n") == 1


def test_version():
    text = run("version").stdout
    found = re.fullmatch(r"taskhold (\d+\.\d+\.\d+)(?: \(commit ([0-9a-f]{12}(?:-dirty)?)\))?\n"
                         r"SQLite ([\d.]+), libpq ([\d.]+), libsodium ([\d.]+)\n", text)
    assert found, text
    assert run("--version").stdout == text
    version, commit, sqlite, libpq, libsodium = found.groups()
    assert json.loads(run("version", "--json").stdout) == {
        "name": "taskhold", "version": version, "commit": commit,
        "libraries": {"sqlite": sqlite, "libpq": libpq, "libsodium": libsodium}}


def test_routes_are_the_same_in_both_forms():
    routes = json.loads(run("routes", "--json").stdout)
    lines = run("routes").stdout.splitlines()
    assert len(routes) == len(lines) > 20
    for route, line in zip(routes, lines):
        assert set(route) == {"method", "path", "operation_id", "access", "scope", "max_body_bytes", "quota"}
        assert route["access"] in ("token", "public", "either")
        assert route["max_body_bytes"] is None or route["max_body_bytes"] > 0
        assert line.split() == [route["method"], route["path"], route["access"], route["quota"], route["operation_id"]]
    assert len({(route["method"], route["path"]) for route in routes}) == len(routes)
    assert len({route["operation_id"] for route in routes}) == len(routes)


def test_config_says_where_each_value_came_from(tmp_path):
    (tmp_path / ".env").write_text("LOG_LEVEL=warn\nPORT=1\n")
    done = run("config", "--json", "--threads", "3", cwd=tmp_path, env={"PORT": "2"})
    assert done.returncode == 0
    found = {one["name"]: (one["value"], one["origin"]) for one in json.loads(done.stdout)["settings"]}
    assert found["THREADS"] == (3, "flag")
    assert found["PORT"] == (2, "environment")
    assert found["LOG_LEVEL"] == ("warn", ".env")
    assert found["HOST"] == ("127.0.0.1", "default")
    assert found["JWT_SECRET"] == ("********", "environment")
    text = run("config", "--threads=3", cwd=tmp_path, env={"PORT": "2"}).stdout
    assert re.search(r"^THREADS +3  \(flag\)$", text, re.MULTILINE)
    assert len(text.splitlines()) == len(found) + 2
    assert text.splitlines()[-2:][0].startswith("event loops: ") and "password hashers: " in text


def test_config_prints_a_table_of_all_settings_and_variables():
    """Whatever the program reads from the environment has its row."""
    settings, variables = run("config", "--markdown", env={"PORT": "out of range"}).stdout.split("\n\n")
    assert settings.startswith("| environment | flag | default | meaning |\n| --- |")
    names = {one["name"] for one in json.loads(run("config", "--json").stdout)["settings"]}
    assert set(re.findall(r"^\| `(\w+)`", settings, re.MULTILINE)) == names
    assert variables.startswith("| environment | meaning |\n| --- |")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.c")
                        if path.name != "point.c")  # compiled into programs for tests only
    read = set(re.findall(r'\b(?:secure_)?getenv\("(\w+)"', sources) + re.findall(r'\bnumber_of\("(\w+)"', sources))
    read.update(*(re.findall(r'"(\w+)"', found) for found in re.findall(r"names\[\] = \{(.*)\};.*Cloud Run", sources)))
    assert {"ALLOW_EPHEMERAL", "LISTEN_PID", "TMPDIR", "DYNO"} <= read
    assert read <= set(re.findall(r"`(\w+)`", variables))


def test_healthcheck_of_a_running_server(server, tmp_path):
    assert run("healthcheck", f"{server.url}/readyz").returncode == 0
    assert run("healthcheck", server.url).returncode == 0
    by_settings = run("healthcheck", "--host", "0.0.0.0", "--port", str(server.port), cwd=tmp_path)
    assert by_settings.returncode == 0, by_settings.stderr
    missing = run("healthcheck", f"{server.url}/nothing-here")
    assert missing.returncode == 1 and "the answer was 404" in missing.stderr


def test_healthcheck_without_a_server(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        done = run("healthcheck", f"http://127.0.0.1:{port}")
        assert done.returncode == 1 and "no answer" in done.stderr
    assert run("healthcheck", "--port=0", cwd=tmp_path).returncode == 78


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 503 Busy\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
                                    b"HTTP/1.1 2000 x\r\n", b"HTTP/1.1 200"], ids=repr)
def test_healthcheck_of_something_else(answer):
    """Whatever answers, and however it hangs up, is not ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            taken, _ = listener.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        done = run("healthcheck", f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert done.returncode == 1 and done.stderr.count("\n") == 1


def test_healthcheck_gives_up_on_silence():
    """A server that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = run("healthcheck", f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=20)
    assert done.returncode == 1 and "3 seconds" in done.stderr


def test_the_help_of_a_command_lists_its_own_flags():
    commands = re.findall(r"^  (\w+) +\w", run("help").stdout, re.MULTILINE)
    assert "backup" in commands
    for command in commands:
        text = run("help", command).stdout
        usage = text.splitlines()[0]
        listed = re.findall(r"^  (--[\w-]+)", text, re.MULTILINE)
        assert len(set(listed)) == len(listed), text
        assert set(re.findall(r"--[\w-]+", usage)) <= set(listed), text
        assert ("--cors-origins" in listed) == (command in ("serve", "config", "doctor"))
        assert ("--database" in listed) == ("[FLAGS]" in usage and command != "healthcheck")


def test_every_command_that_prints_data_prints_json(server, tmp_path):
    """Where it is for a person by default."""
    def data(*args, status=0):
        done = run(*args, "--json", cwd=tmp_path, env={"DATABASE_URL": "sqlite:x.db"}, stdin="Nobody-Knows-7\n")
        assert done.returncode == status, done
        return json.loads(done.stdout)

    assert data("migrate") == {"engine": "sqlite", "at_head": True}
    assert data("migrate", "--new-epoch") == {"engine": "sqlite", "at_head": True, "new_epoch": True}
    data("user", "add", "someone@example.com")
    assert data("export", "x.jsonl")["users"] == 1
    assert data("import", "x.jsonl", "--database", "sqlite:y.db")["users"] == 1
    data("backup", "x.copy")
    restored = data("restore", "x.copy", "--force")
    assert restored["file"] == str(tmp_path / "x.db") and restored["source"] == "x.copy" and restored["kept"]
    assert data("healthcheck", server.url) == {"ready": True, "status": 200}
    assert data("healthcheck", f"{server.url}/nothing", status=1) == {"ready": False, "status": 404}
    assert data("healthcheck", "http://127.0.0.1:1", status=1) == {"ready": False, "status": None}
    assert run("export", "--json", cwd=tmp_path).returncode == 2
