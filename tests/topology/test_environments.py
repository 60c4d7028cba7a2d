# SPDX-License-Identifier: MIT
"""The program starts with exactly the environment that each platform's file gives it, on PostgreSQL."""
import re
import secrets
import subprocess

import pytest

from containers import Node, image_environment, on_loopback
from environments import FILLED, PLATFORMS
from support.client import Client
from support.paths import ROOT, binary

PASSWORD = "p@ss/w%rd"


def encoded(text):
    """As docs/deploy.md says of a password in a URL."""
    return "".join(f"%{ord(c):02X}" if c in "@/%" else c for c in text)


def url_for(name, postgres, database):
    """How the platform writes its database's address: on Cloud Run a socket, elsewhere over TCP."""
    who = f"taskhold:{encoded(PASSWORD)}"
    if name == "cloud-run":
        return f"postgresql://{who}@/{database}?host={postgres.folder}&port={postgres.port}"
    return f"postgres://{who}@127.0.0.1:{postgres.port}/{database}"


@pytest.fixture(name="given", params=list(PLATFORMS))
def fill_in(request, postgres):
    """A platform's environment, with a database of its own."""
    database = postgres.create_database()
    postgres.psql(f"ALTER ROLE taskhold PASSWORD '{PASSWORD}'")
    filled = {"JWT_SECRET": secrets.token_urlsafe(48), "DATABASE_URL": url_for(request.param, postgres, database)}
    environment = {**image_environment(), **PLATFORMS[request.param]()}
    yield {name: filled[name] if value is FILLED else value for name, value in environment.items()}
    postgres.drop_database(database)


def test_the_program_is_ready_with_what_a_platform_gives_it(given, tmp_path):
    node = Node(on_loopback(given), directory=tmp_path)
    try:
        Client(node, quotas=True).get("/readyz").expect(200)
        assert node.is_healthy()
        assert not re.search(r'"level":"(warn|error)"', node.log_text())
    finally:
        node.stop()


def test_a_secret_keeps_no_line_end(given, tmp_path):
    """Stored with echo on one node and without it on the other: each takes what the other signs."""
    stored = {name: text + "\n" if name in ("JWT_SECRET", "DATABASE_URL") else text for name, text in given.items()}
    nodes = []
    try:
        for name, environment in (("one", given), ("other", stored)):
            (tmp_path / name).mkdir()
            nodes.append(Node(on_loopback(environment), directory=tmp_path / name))
        here, body = Client(nodes[0], quotas=True), {"email": "wanderer@example.com", "password": "Correct-horse 7 battery"}
        here.post("/v1/auth/register", body).expect(201)
        token = here.post("/v1/auth/login", body).expect(200).json["access_token"]
        Client(nodes[1], token, quotas=True).get("/v1/me").expect(200)
    finally:
        for node in nodes:
            node.stop()


def test_the_procfile_migrates_and_serves_the_same_database(postgres, tmp_path):
    """Dokku runs `release` once, and then `web`."""
    commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line[0] != "#")
    database = postgres.create_database()
    postgres.psql(f"ALTER ROLE taskhold PASSWORD '{PASSWORD}'")
    environment = on_loopback({"DATABASE_URL": url_for("dokku", postgres, database),
                               "JWT_SECRET": secrets.token_urlsafe(48)})
    words = commands["release"].split()
    assert words[0] == "taskhold" and commands["web"].split() == ["taskhold", "serve"]
    subprocess.run([str(binary()), *words[1:]], cwd=tmp_path, env=environment, check=True, timeout=30)
    (version,) = postgres.rows("SELECT version FROM taskhold_schema", database)
    node = Node(environment, directory=tmp_path)
    try:
        Client(node, quotas=True).get("/readyz").expect(200)
        assert postgres.rows("SELECT version FROM taskhold_schema", database) == [version]
    finally:
        node.stop()
