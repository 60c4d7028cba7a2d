# SPDX-License-Identifier: MIT
"""Settings: where they come from, and what happens to those that make no sense."""
import json
import secrets
import subprocess

import pytest

from support.client import Client
from support.paths import binary
from support.server import SECRET, environment, run

GOOD = secrets.token_urlsafe(48)


@pytest.mark.parametrize("env", [
    {"PORT": "70000"}, {"PORT": "-1"}, {"PORT": "http"}, {"PORT": "80 80"}, {"ACCESS_TOKEN_TTL": "0"},
    {"ACCESS_TOKEN_TTL": "1.5"}, {"REFRESH_TOKEN_TTL": "99999999999999999999"}, {"PASSWORD_MIN_LENGTH": "7"},
    {"PASSWORD_MIN_LENGTH": "65"}, {"RATE_LIMIT": "maybe"}, {"LOG_LEVEL": "loud"}, {"LOG_FORMAT": "xml"},
    {"THREADS": "-2"}, {"MAX_BODY_BYTES": "10"}, {"DRAIN_SECONDS": "forever"}, {"DATABASE_URL": "mysql://x/y"},
    {"DATABASE_URL": "sqlite:"}, {"JWT_SECRET": "short"}, {"JWT_SECRET": "a" * 64}, {"JWT_SECRET": "x" * 31},
    {"JWT_SECRET": "a-string-secret-at-least-256-bits-long"}, {"JWT_SECRET_PREVIOUS": "short"},
    {"JWT_SECRET": None, "JWT_SECRET_FILE": "/nowhere/secret"}, {"TRUSTED_PROXIES": "everybody"},
    {"TRUSTED_PROXIES": "10.0.0.0/33"}, {"CORS_ORIGINS": "example.com"}, {"CORS_ORIGINS": "https://example.com/path"},
    {"HOST": "not an address"}, {"DATABASE_POOL": "65"}, {"DATABASE_TIMEOUT_MS": "0"}, {"DATABASE_PREPARED": "maybe"},
    {"JWT_SECRET": None, "DATABASE_URL": "postgres://u:pass-w0rd@127.0.0.1:1/db"}], ids=str)
def test_values_that_make_no_sense(tmp_path, env):
    """Exit status 78 and one line that names the setting, before anything is made."""
    done = run("serve", env={"PORT": "0", **env}, cwd=tmp_path)
    assert done.returncode == 78, done.stderr
    lines = done.stderr.strip().splitlines()
    name = list(env)[-1]
    assert len(lines) == 1 and (name in lines[0] or name.removesuffix("_FILE") in lines[0])
    value = env[name]
    assert not (value and "SECRET" in name and "FILE" not in name and len(value) > 5 and value in done.stderr)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("args", [["--colour", "red"], ["--port"], ["--jwt-secret", GOOD], ["--database="], ["extra"],
                                  ["-x"]])
def test_flags_that_do_not_exist(tmp_path, args):
    done = run("serve", *args, env={"PORT": "0"}, cwd=tmp_path)
    assert done.returncode in ((2, 78) if args == ["--database="] else (2,))
    assert len(done.stderr.strip().splitlines()) >= 1


def test_a_flag_out_of_range_is_a_configuration_error(tmp_path):
    assert run("serve", "--port", "70000", cwd=tmp_path).returncode == 78


def least_length(server):
    """PASSWORD_MIN_LENGTH as an applicant sees it."""
    def refused(length):
        answer = Client(server).post("/v1/auth/register", {"email": "x", "password": "q7ZkW2mP" + "v" * (length - 8)})
        return ("/password", "too_short") in answer.expect(422).errors

    return next(length for length in range(8, 66) if not refused(length))


def test_a_flag_beats_the_environment_beats_dotenv(start_server, tmp_path):
    assert least_length(start_server()) == 8
    (tmp_path / ".env").write_text("# a comment\n\nPASSWORD_MIN_LENGTH=12\nACCESS_TOKEN_TTL=\"60\"\n")
    dotenv = start_server(directory=tmp_path)
    assert least_length(dotenv) == 12
    dotenv.stop()
    both = start_server(env={"PASSWORD_MIN_LENGTH": "11"}, directory=tmp_path)
    assert least_length(both) == 11
    both.stop()
    args = ["--password-min-length", "10"]
    assert least_length(start_server(env={"PASSWORD_MIN_LENGTH": "11"}, args=args, directory=tmp_path)) == 10


def test_dotenv_that_cannot_be_read(tmp_path):
    (tmp_path / ".env").write_text("PASSWORD_MIN_LENGTH=7\n")
    done = run("serve", env={"PORT": "0"}, cwd=tmp_path)
    assert done.returncode == 78 and "PASSWORD_MIN_LENGTH" in done.stderr


def test_a_secret_can_come_from_a_file(start_server, tmp_path, make_user):
    (tmp_path / "secret").write_text(GOOD + "\n")
    env = {"JWT_SECRET": None, "JWT_SECRET_FILE": str(tmp_path / "secret")}
    server = start_server(env=env)
    user = make_user(server)
    server.restart(env={"JWT_SECRET": GOOD, "JWT_SECRET_FILE": None})
    user.client.get("/v1/me").expect(200)


@pytest.mark.parametrize("url, says", [
    ("postgres://u:pass-w0rd@127.0.0.1:1/db?pgbouncer=true", "pgbouncer; set DATABASE_PREPARED=off"),
    ("postgres://u:pass-w0rd@127.0.0.1:1/db?schema=x", "schema; use options="),
    ("postgres://u:pass-w0rd@127.0.0.1:99999/db", "port"), ("postgres://127.0.0.1:1/db?sslmode=maybe", "sslmode"),
    ("sqlite:data.db?mode=rwc", "leave out everything from the ?"), ("sqlite::memory:", "memory")])
def test_a_database_that_can_never_be_right(tmp_path, url, says):
    """No command waits for it, and none makes a file."""
    for command in (["serve"], ["migrate"], ["user", "list"], ["doctor"], ["backup", "copy"], ["healthcheck"]):
        done = run(*command, env={"PORT": "0", "DATABASE_URL": url}, cwd=tmp_path, timeout=10)
        assert says in done.stderr + done.stdout and "pass-w0rd" not in done.stderr + done.stdout, (command, done)
        assert done.returncode == (1 if command == ["doctor"] else 78)
    assert not list(tmp_path.iterdir())


def test_config_shows_all_and_marks_what_is_wrong(tmp_path):
    env = {"PORT": "many", "JWT_SECRET": "short-but-secret", "LOG_LEVEL": "warn"}
    done = run("config", env=env, cwd=tmp_path)
    assert done.returncode == 78 and "short-but-secret" not in done.stdout + done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert 'many  (environment)  WRONG: PORT is "many"; set it to a whole number' in lines["PORT"]
    assert "WRONG" in lines["JWT_SECRET"] and "WRONG" not in lines["LOG_LEVEL"]
    done = run("config", "--json", env=env, cwd=tmp_path)
    found = {one["name"]: one for one in json.loads(done.stdout)["settings"]}
    assert done.returncode == 78 and found["PORT"]["value"] == "many" and "whole number" in found["PORT"]["error"]
    assert "error" in found["JWT_SECRET"] and "error" not in found["LOG_LEVEL"]


def test_only_what_signs_needs_the_secret(tmp_path):
    """On a database that is no file."""
    env = {"JWT_SECRET": None, "DATABASE_URL": "postgres://u@127.0.0.1:1/db"}
    for command, status in ((["serve"], 78), (["config"], 78), (["user", "list"], 1), (["backup", "x"], 78),
                            (["doctor"], 1)):
        done = run(*command, env={"PORT": "0", **env}, cwd=tmp_path)
        assert done.returncode == status, done
        assert ("JWT_SECRET must be set" in done.stderr) == (command[0] in ("serve", "config"))
    assert "JWT_SECRET" in done.stdout


@pytest.mark.parametrize("around", ["\n", "\r\n", " \t", "\n\n"])
def test_a_value_is_trimmed_alike_wherever_it_comes_from(start_server, tmp_path, make_user, around):
    """A secret with a line end in the environment is the one that a file holds."""
    (tmp_path / "secret").write_text(around + GOOD + around)
    server = start_server(env={"JWT_SECRET": GOOD + around, "PASSWORD_MIN_LENGTH": around + "9" + around})
    user = make_user(server)
    server.restart(env={"JWT_SECRET": None, "JWT_SECRET_FILE": str(tmp_path / "secret")})
    user.client.get("/v1/me").expect(200)
    done = run("serve", env={"PORT": "0", "JWT_SECRET": f"{GOOD}{chr(10)}{GOOD}"}, cwd=tmp_path)
    assert done.returncode == 78 and "control character" in done.stderr and GOOD not in done.stderr


def test_a_file_of_settings_for_every_command(start_server, tmp_path):
    """--env-file stands between the environment and .env; a name that is nearly one of ours is told."""
    (tmp_path / "settings").write_text("PASSWORD_MIN_LENGTH=12\nTHREADS=3\nPROT=1\nPOSTGRES_DB=x\n")
    (tmp_path / ".env").write_text("PASSWORD_MIN_LENGTH=13\nTHREADS=4\n")
    done = run("config", "--json", "--env-file", "settings", cwd=tmp_path, env={"THREADS": "2"})
    found = {one["name"]: (one["value"], one["origin"]) for one in json.loads(done.stdout)["settings"]}
    assert found["PASSWORD_MIN_LENGTH"] == (12, "settings") and found["THREADS"] == (2, "environment")
    assert done.stderr == "settings line 3: PROT is not a setting; did you mean PORT?\n"
    server = start_server(directory=tmp_path, args=["--env-file", "settings"])
    assert least_length(server) == 12
    for command in (["config"], ["user", "list"], ["migrate"], ["doctor"], ["healthcheck"], ["serve"], ["backup", "x"]):
        done = run(*command, "--env-file", "nowhere", cwd=tmp_path)
        assert done.returncode in (1, 78) and "nowhere does not exist" in done.stderr + done.stdout, done


def test_the_file_of_the_packaged_service(tmp_path):
    """Whoever manages it as root gets its settings without naming them, and is told."""
    folder = tmp_path / "default"
    folder.mkdir()
    (folder / "taskhold").write_text("THREADS=7\n")
    inside = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/default && shift 0 && exec "$@"', str(folder)]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace here: this test needs root")

    def told(*args, env=None):
        done = subprocess.run([*inside, str(binary()), "config", "--json", *args], cwd=tmp_path, env=environment(env),
                              capture_output=True, encoding="utf-8", check=True)
        found = {one["name"]: one["value"] for one in json.loads(done.stdout)["settings"]}
        return found["DATABASE_URL"], found["THREADS"], "/etc/default/taskhold" in done.stderr

    assert told() == ("sqlite:/var/lib/taskhold/taskhold.db", 7, True)
    assert told("--database", "sqlite:x.db") == ("sqlite:x.db", 0, False)
    assert told(env={"DATABASE_URL": "sqlite:x.db"}) == ("sqlite:x.db", 0, False)
    (tmp_path / "own").write_text("THREADS=2\n")
    assert told("--env-file", "own") == ("sqlite:data/taskhold.db", 2, False)
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:mine.db\n")
    assert told() == ("sqlite:mine.db", 0, False)


def test_config_masks_secrets():
    for args in (["config"], ["config", "--json"]):
        done = run(*args, env={"JWT_SECRET_PREVIOUS": GOOD, "DATABASE_URL": "postgres://u:pass-w0rd@h/db"})
        assert done.returncode == 0
        assert not any(secret in done.stdout for secret in (SECRET, GOOD, "pass-w0rd"))
        assert "PASSWORD_MIN_LENGTH" in done.stdout
    assert isinstance(json.loads(done.stdout), dict)
