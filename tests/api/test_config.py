"""Settings: where they come from, and what happens to those that make no sense."""
import json
import secrets

import pytest

from support.client import Client
from support.server import SECRET, run

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


def test_config_masks_secrets():
    for args in (["config"], ["config", "--json"]):
        done = run(*args, env={"JWT_SECRET_PREVIOUS": GOOD, "DATABASE_URL": "postgres://u:pass-w0rd@h/db"})
        assert done.returncode == 0
        assert not any(secret in done.stdout for secret in (SECRET, GOOD, "pass-w0rd"))
        assert "PASSWORD_MIN_LENGTH" in done.stdout
    assert isinstance(json.loads(done.stdout), dict)
