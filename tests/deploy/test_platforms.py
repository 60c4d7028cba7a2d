# SPDX-License-Identifier: MIT
"""The platforms' files: no unknown key, no unknown setting, no path that the server does not have."""
import json
import re
import tomllib

import pytest

import kubernetes
import platforms
from shapes import check, read_yaml
from support.paths import ROOT
from support.server import run

DEPLOY = ROOT / "deploy"
YAML = {
    "render.yaml": platforms.RENDER_SQLITE,
    "deploy/render-postgres.yaml": platforms.RENDER_POSTGRES,
    "deploy/cloud-run/service.yaml": platforms.CLOUD_RUN,
    "deploy/compose/compose.sqlite.yaml": platforms.COMPOSE,
    "deploy/compose/compose.postgres.yaml": platforms.COMPOSE,
    "heroku.yml": platforms.HEROKU_BUILD,
}
JSON = {"railway.json": platforms.RAILWAY, "app.json": platforms.HEROKU_APP}
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
ALL = [*YAML, *JSON, "fly.toml", *(str(path.relative_to(ROOT)) for path in MANIFESTS)]
# The files and how many places of each name the listener of the metrics: the anchor's counts once a node more.
SCRAPED_COMPOSE = {"deploy/compose/compose.sqlite.yaml": 1, "deploy/compose/compose.postgres.yaml": 3}
# Names in these files that are no settings of the server, and whose they are.
FOREIGN = {"RUN_AS", "DOMAIN", "UPSTREAMS", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}


def read(name):
    path = ROOT / name
    if name.endswith(".json"):
        return json.loads(path.read_text())
    return tomllib.loads(path.read_text()) if name.endswith(".toml") else read_yaml(path)


def walk(value, key=None):
    """Every (key, scalar) of a document; the entries of a list carry the list's key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, key)
    else:
        yield key, value


def texts(value):
    return [inner for _, inner in walk(value) if isinstance(inner, str)]


def variables(value):
    """Every name of an environment variable that a document sets."""
    if isinstance(value, list):
        for inner in value:
            yield from variables(inner)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in ("env", "envVars", "environment", "args") and isinstance(inner, dict):
            yield from inner
        elif key in ("env", "envVars") and isinstance(inner, list):
            yield from (entry.get("name") or entry.get("key") for entry in inner)
        else:
            yield from variables(inner)


@pytest.fixture(scope="module")
def settings():
    rows = json.loads(run("config", "--json").stdout)["settings"]
    return {row["name"] for row in rows} | {row["name"] + "_FILE" for row in rows if row["secret"]}


@pytest.fixture(scope="module")
def public_paths():
    return {row["path"] for row in json.loads(run("routes", "--json").stdout) if row["access"] == "public"}


@pytest.mark.parametrize("name", [*YAML, *JSON])
def test_a_file_has_the_shape_its_platform_reads(name):
    assert check(read(name), {**YAML, **JSON}[name]) == []


def test_fly_has_the_shape_its_platform_reads():
    assert check(read("fly.toml"), platforms.FLY) == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_has_the_shape_of_its_kind(path):
    document = read_yaml(path)
    assert check(document, kubernetes.shape_of(document["kind"])) == []


def test_the_kustomization_lists_every_manifest():
    listed = read("deploy/kubernetes/kustomization.yaml")["resources"]
    assert sorted(listed) == [path.name for path in MANIFESTS if path.name != "kustomization.yaml"]


@pytest.mark.parametrize("name", ALL)
def test_every_variable_is_a_setting(name, settings):
    assert set(variables(read(name))) - FOREIGN <= settings


@pytest.mark.parametrize("name", ALL)
def test_every_probe_asks_a_path_of_the_server(name, public_paths):
    asked = {value for key, value in walk(read(name)) if key in ("path", "healthCheckPath", "healthcheckPath")}
    assert asked - {"/metrics"} <= public_paths


@pytest.mark.parametrize("name", ["fly.toml", "deploy/kubernetes/deployment.yaml", *SCRAPED_COMPOSE])
def test_metrics_have_a_listener_of_their_own_that_nobody_publishes(name):
    document = read(name)
    listeners = [value for value in texts(document) if value.startswith("0.0.0.0:")]
    assert listeners == [f"0.0.0.0:{platforms.METRICS_PORT}"] * SCRAPED_COMPOSE.get(name, 1)
    if name in SCRAPED_COMPOSE:
        published = [port for service in document["services"].values() for port in service.get("ports", [])]
        assert not any(str(platforms.METRICS_PORT) in port for port in published)


def test_several_nodes_need_one_secret():
    """Said at once, without a look at the database."""
    env = {"DATABASE_URL": "postgres://taskhold@127.0.0.1:1/taskhold", "JWT_SECRET": None}
    ended = run("serve", env=env)
    assert ended.returncode == 78 and len(ended.stderr.splitlines()) == 1 and "JWT_SECRET" in ended.stderr


def test_the_procfile_calls_commands_that_exist():
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if line and not line.startswith("#")]
    calls = [re.fullmatch(r"(web|release): taskhold ([a-z]+)", line) for line in lines]
    assert all(calls) and {call[1] for call in calls} == {"web", "release"}
    known = run("help").stdout
    assert all(re.search(rf"^ *(taskhold )?{call[2]}\b", known, re.M) for call in calls)


def test_no_file_holds_a_secret():
    for name in ALL:
        for key, value in walk(read(name)):
            assert key not in ("JWT_SECRET", "DATABASE_URL") or value == "", f"{name}: {key}"


def test_one_disk_means_one_instance():
    assert "numInstances" not in read("render.yaml")["services"][0]
    assert read("railway.json")["deploy"]["overlapSeconds"] == 0


def test_hosts_wait_longer_than_the_drain():
    drain = 10
    assert read("fly.toml")["kill_timeout"] > drain
    assert read("render.yaml")["services"][0]["maxShutdownDelaySeconds"] > drain
    assert read("railway.json")["deploy"]["drainingSeconds"] > drain
    pod = read("deploy/kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    delay = {row["name"]: row.get("value") for row in pod["containers"][0]["env"]}["DRAIN_DELAY_SECONDS"]
    assert pod["terminationGracePeriodSeconds"] > drain + int(delay)
    node = read("deploy/compose/compose.postgres.yaml")["services"]["node-1"]
    assert int(node["stop_grace_period"].rstrip("s")) > drain + int(node["environment"]["DRAIN_DELAY_SECONDS"])


def settings_of(name):
    """What a file sets, as name -> value."""
    document = read(name)
    if name == "app.json":
        return {key: row.get("value") for key, row in document["env"].items()}
    if name == "fly.toml":
        return document["env"]
    return {row["key"]: row.get("value") for row in document["services"][0]["envVars"]}


@pytest.mark.parametrize("name, header", [("fly.toml", "Fly-Client-IP"), ("render.yaml", "CF-Connecting-IP"),
                                          ("deploy/render-postgres.yaml", "CF-Connecting-IP"), ("app.json", None)])
def test_the_client_is_where_the_platform_names_it(name, header):
    """The last of X-Forwarded-For is not the client on Fly.io (the app's own address) and on Render (Cloudflare's)."""
    settings = settings_of(name)
    assert settings.get("CLIENT_ADDRESS_HEADER") == header and settings["TRUSTED_PROXIES"]


@pytest.mark.parametrize("name, seconds", [("render.yaml", 120), ("deploy/render-postgres.yaml", 120), ("app.json", 91)])
def test_idle_connections_outlive_those_of_the_platform(name, seconds):
    assert int(settings_of(name)["IDLE_SECONDS"]) >= seconds


@pytest.mark.parametrize("name", ["deploy/compose/Caddyfile", "deploy/vps/Caddyfile"])
def test_no_client_can_take_a_node_out_of_caddy(name):
    """Passive checks count what clients do; and a kept connection ends before the server's IDLE_SECONDS (75)."""
    lines = [line.strip() for line in (ROOT / name).read_text().splitlines() if not line.strip().startswith("#")]
    assert not any(line.startswith(("fail_duration", "max_fails", "unhealthy_")) for line in lines)
    assert "keepalive 60s" in lines


@pytest.mark.parametrize("document, fault", [
    ({"services": [{"name": "x"}]}, "/services/0/type: is missing"),
    ({"services": [], "extra": 1}, "/extra: unknown key"),
    ({"services": "x"}, "/services: is no list with an entry"),
])
def test_the_check_itself_finds_faults(document, fault):
    assert fault in check(document, platforms.RENDER_SQLITE)
