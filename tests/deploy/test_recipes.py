# SPDX-License-Identifier: MIT
"""Every block in docs/deploy.md and README.md that script/readme does not run itself runs, and what it hands over is what the server takes."""
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

import recipes
from support.paths import ROOT
from support.server import run

BLOCKS = dict(recipes.blocks())
SECRET = re.compile(r"[A-Za-z0-9+/]{64}")
LOCAL = re.compile(r"(deploy|postman|data)/[\w./-]+")


@pytest.fixture
def place(tmp_path):
    """A scratch copy of the repository's files."""
    return recipes.Place(tmp_path)


@pytest.fixture(scope="module")
def settings():
    """The names of all settings."""
    return {row["name"] for row in json.loads(run("config", "--json").stdout)["settings"]}


def accepted(**env):
    """Whether the server takes these values."""
    done = run("config", "--json", env={"RATE_LIMIT": None, "JWT_SECRET": None, **env})
    return done.returncode == 0, done.stderr


def skip_what_needs_root(commands):
    """A chown is for root."""
    if "chown " in commands and os.geteuid() != 0:
        pytest.skip("this recipe gives files away, which only root may")


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_runs_and_names_what_exists(name, place):
    skip_what_needs_root(BLOCKS[name])
    calls = place.play(BLOCKS[name])
    for call in calls:
        for word in call.words[1:]:
            if LOCAL.fullmatch(word) and "secrets" not in word and call.words[0] != "taskhold":
                assert (ROOT / word).exists(), word
        if call.words[0] == "taskhold":
            helped = run("help", call.words[1])
            assert helped.returncode == 0, call.words
            for flag in (word.split("=")[0] for word in call.words[2:] if word.startswith("--")):
                assert flag in helped.stdout, (call.words, flag)


def called(calls, *words):
    """The calls that begin with these words."""
    return [call for call in calls if call.words[:len(words)] == list(words)]


def test_cloud_run_stores_secrets_as_they_are(place):
    """Without the line end that echo adds; and the server takes both."""
    calls = place.play(recipes.block_with("gcloud secrets create"))
    secret, url = called(calls, "gcloud", "secrets", "create")
    assert secret.words[3:] == ["taskhold-jwt-secret", "--data-file=-"]
    assert SECRET.fullmatch(secret.stdin.decode()), secret.stdin
    assert url.words[3:] == ["taskhold-database-url", "--data-file=-"]
    assert url.stdin == b"postgresql://USER:PASSWORD@/taskhold?host=/cloudsql/PROJECT:REGION:INSTANCE"
    service = (ROOT / "deploy/cloud-run/service.yaml").read_text()
    assert all(f"name: {call.words[3]}\n" in service for call in (secret, url))
    assert accepted(JWT_SECRET=secret.stdin.decode(), DATABASE_URL=url.stdin.decode())[0]


@pytest.mark.parametrize("text, words", [("heroku create", ["heroku", "config:set"]),
                                         ("dokku apps:create", ["dokku", "config:set", "taskhold"])])
def test_config_set_names_settings(text, words, place, settings):
    (call,) = called(place.play(recipes.block_with(text)), *words)
    given = dict(word.split("=", 1) for word in call.words[len(words):])
    assert SECRET.fullmatch(given["JWT_SECRET"]) and given["TRUSTED_PROXIES"] and set(given) <= settings
    assert accepted(**given)[0]


def test_kubernetes_gets_both_secrets(place):
    (call,) = called(place.play(recipes.block_with("kubectl apply -k")), "kubectl", "-n", "taskhold", "create", "secret")
    given = dict(word.removeprefix("--from-literal=").split("=", 1) for word in call.words[7:])
    assert SECRET.fullmatch(given["JWT_SECRET"]) and given["DATABASE_URL"].startswith("postgres://")
    assert accepted(**given)[0]


def test_compose_gets_its_secrets(place):
    """Only for whom they are meant."""
    skip_what_needs_root(recipes.block_with("database_url\n"))
    place.play(recipes.block_with("database_url\n"))
    folder = place.folder / "deploy" / "compose" / "secrets"
    password = (folder / "postgres_password").read_text().strip()
    assert (folder / "database_url").read_text() == f"postgres://taskhold:{password}@db:5432/taskhold"
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name == "postgres_password" or path.stat().st_uid == 65532
    assert accepted(JWT_SECRET_FILE=str(folder / "jwt_secret"), DATABASE_URL_FILE=str(folder / "database_url"))[0]


def test_fly_gets_the_name(place):
    place.play(recipes.block_with("fly apps create"))
    assert '\napp = "YOUR-NAME"\n' in (place.folder / "fly.toml").read_text()


def test_a_server_of_your_own(place):
    """Settings, a secret that nobody else reads, the unit, and a Caddyfile that Caddy takes."""
    for text in ("/etc/taskhold/jwt_secret", "enable --now taskhold\n", "sed 's/tasks.example.com"):
        place.play(recipes.block_with(text))
    secret = recipes.path_of(place, "etc/taskhold/jwt_secret")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert accepted(JWT_SECRET_FILE=str(secret))[0]
    installed = recipes.path_of(place, "etc/taskhold/taskhold.env").read_text()
    given = dict(line.split("=", 1) for line in installed.splitlines() if not line.startswith("#"))
    assert accepted(JWT_SECRET_FILE=str(secret), **given)[0]
    assert recipes.path_of(place, "etc/systemd/system/taskhold.service").exists()
    config = recipes.path_of(place, "etc/caddy/Caddyfile")
    assert "\nYOUR.NAME {" in config.read_text()
    path = os.pathsep.join([str(ROOT / ".cache" / "bin"), os.environ["PATH"]])
    if not shutil.which("caddy", path=path):
        pytest.skip("there is no Caddy to validate the Caddyfile with (script/bootstrap test)")
    done = subprocess.run([shutil.which("caddy", path=path), "validate", "--adapter", "caddyfile", "--config", str(config)],
                          capture_output=True, encoding="utf-8", env={"HOME": str(place.folder), "PATH": path}, check=False)
    assert done.returncode == 0, done.stderr
