# SPDX-License-Identifier: MIT
"""Who the client is behind each platform, by the header fields that it sends and the settings of its file.

Addresses that a platform puts into the fields are of the documentation ranges, or of the platform's private ones. What a
client wrote itself (FORGED) is never believed.
"""
import ipaddress
import json
import re
import tomllib

import pytest

from shapes import read_yaml
from support.accounts import User
from support.client import Client
from support.paths import ROOT
from support.server import Server

CLIENT, FORGED, EDGE = "203.0.113.7", "192.0.2.66", "198.51.100.9"


def told(text):
    """What a line of docs/deploy.md says, between the words of a shell or of a sentence."""
    return dict(re.findall(r"\b(TRUSTED_PROXIES|CLIENT_ADDRESS_HEADER)=([^\s`\"]+)", text))


def line_of(words):
    """The paragraph of docs/deploy.md that holds these words."""
    (found,) = [part for part in re.split(r"\n(?=\d\. |\* |```)|\n\n", (ROOT / "docs/deploy.md").read_text()) if words in part]
    return found


def rows(entries, name):
    """A list of {name, value} as an object."""
    return {row[name]: row.get("value") for row in entries}


def _file(name):
    """The environment that the file of a platform sets."""
    if name == "fly.toml":
        return tomllib.loads((ROOT / name).read_text())["env"]
    if name == "app.json":
        return {key: row.get("value") for key, row in json.loads((ROOT / name).read_text())["env"].items()}
    if name == "deploy/vps/taskhold.env":
        return dict(line.split("=", 1) for line in (ROOT / name).read_text().splitlines() if not line.startswith("#"))
    document = read_yaml(ROOT / name)
    if "services" in document and isinstance(document["services"], list):
        return rows(document["services"][0]["envVars"], "key")
    if "services" in document:
        return next(one for one in document["services"].values() if "TRUSTED_PROXIES" in one["environment"])["environment"]
    return rows(document["spec"]["template"]["spec"]["containers"][0]["env"], "name")


# platform: (its settings, whom it connects from, the fields it adds to what the client sent)
PLATFORMS = {
    # Cloudflare is in front, and a proxy of Render's own behind it.
    "render": (lambda: _file("render.yaml"), "10.1.2.3",
               {"X-Forwarded-For": f"{FORGED}, {CLIENT}, {EDGE}, 10.1.2.9", "CF-Connecting-IP": CLIENT}),
    "render-postgres": (lambda: _file("deploy/render-postgres.yaml"), "10.1.2.3",
                        {"X-Forwarded-For": f"{FORGED}, {CLIENT}, {EDGE}, 10.1.2.9", "CF-Connecting-IP": CLIENT}),
    # The last is the app's own public address.
    "fly": (lambda: _file("fly.toml"), "172.16.5.6",
            {"X-Forwarded-For": f"{FORGED}, {CLIENT}, {EDGE}", "Fly-Client-IP": CLIENT}),
    "railway": (lambda: told(line_of("RAILWAY_RUN_UID=0` (a volume")), "100.64.0.5",
                {"X-Forwarded-For": f"{FORGED}, {CLIENT}, {EDGE}", "X-Real-IP": CLIENT}),
    "heroku": (lambda: _file("app.json"), "10.1.2.3", {"X-Forwarded-For": f"{FORGED}, {CLIENT}"}),
    "dokku": (lambda: told(line_of("dokku config:set")), "172.17.0.1",
              {"X-Forwarded-For": CLIENT, "Connection": "upgrade", "X-Forwarded-Proto": "https"}),
    "cloud-run": (lambda: _file("deploy/cloud-run/service.yaml"), "169.254.1.1",
                  {"X-Forwarded-For": f"{FORGED},{CLIENT}", "Forwarded": f'for="{CLIENT}";proto=https'}),
    "kubernetes": (lambda: _file("deploy/kubernetes/deployment.yaml"), "10.42.0.7",
                   {"X-Forwarded-For": CLIENT, "X-Real-IP": CLIENT, "X-Forwarded-Proto": "https"}),
    "compose": (lambda: _file("deploy/compose/compose.sqlite.yaml"), "172.18.0.3", {"X-Forwarded-For": CLIENT}),
    "compose-postgres": (lambda: _file("deploy/compose/compose.postgres.yaml"), "172.18.0.3", {"X-Forwarded-For": CLIENT}),
    "vps": (lambda: _file("deploy/vps/taskhold.env"), "127.0.0.1", {"X-Forwarded-For": CLIENT}),
}
# Shapes of a hop that some write (Azure, IIS), and RFC 7239's: setting, fields.
SHAPES = {
    "a port": (None, {"X-Forwarded-For": f"{CLIENT}:51234"}),
    "an empty element": (None, {"X-Forwarded-For": f"{FORGED}, , {CLIENT}"}),
    "Forwarded": ("Forwarded", {"Forwarded": f'for={FORGED}, for="{CLIENT}:4711";by=10.0.0.1', "X-Forwarded-For": FORGED}),
}


def seen_from(environment, fields):
    """The address of the client that a server with these settings believes, asked with these fields."""
    server = Server(env=environment)
    try:
        user = User(server, headers=fields)
        sessions = Client(server, user.token["access_token"]).get("/v1/me/sessions").expect(200).json["items"]
        assert '"client_address_unreadable"' not in server.log_text()
        return sessions[0]["ip"]
    finally:
        server.stop()


def in_networks(address, networks):
    """Whether the platform's own proxies are trusted."""
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(one, strict=False) for one in networks.split(","))


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_client_of_a_platform(name):
    settings, peer, fields = PLATFORMS[name]
    given = settings()
    assert in_networks(peer, given["TRUSTED_PROXIES"]), given
    environment = {key: given[key] for key in ("TRUSTED_PROXIES", "CLIENT_ADDRESS_HEADER") if key in given}
    environment["TRUSTED_PROXIES"] += ",127.0.0.1"  # we play the platform's proxy
    assert seen_from(environment, fields) == CLIENT


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_of_a_hop(name):
    header, fields = SHAPES[name]
    assert seen_from({"TRUSTED_PROXIES": "127.0.0.1", "CLIENT_ADDRESS_HEADER": header}, fields) == CLIENT
