# SPDX-License-Identifier: MIT
"""What each platform's file gives the program: (file, environment, what the platform fills in)."""
import json
import re

from shapes import read_yaml
from support.paths import ROOT

FILLED = object()  # a value of the platform's own: a secret that it makes or keeps, the address of its database


def _render():
    (service,) = read_yaml(ROOT / "deploy/render-postgres.yaml")["services"]
    return {row["key"]: row.get("value", FILLED) for row in service["envVars"]}


def _cloud_run():
    service = read_yaml(ROOT / "deploy/cloud-run/service.yaml")
    (container,) = service["spec"]["template"]["spec"]["containers"]
    given = {row["name"]: row.get("value", FILLED) for row in container["env"]}
    # Cloud Run's own: https://cloud.google.com/run/docs/container-contract
    return {**given, "PORT": str(container["ports"][0]["containerPort"]), "K_SERVICE": service["metadata"]["name"]}


def _heroku():
    env = json.loads((ROOT / "app.json").read_text())["env"]
    given = {name: FILLED if row.get("generator") == "secret" else row["value"] for name, row in env.items()}
    # Heroku's own, and that of its add-on.
    return {**given, "PORT": "5000", "DYNO": "web.1", "DATABASE_URL": FILLED}


def _dokku():
    """What docs/deploy.md says, what `postgres:link` sets, and the port that the image exposes."""
    words = re.search(r"dokku config:set taskhold (.*)", (ROOT / "docs/deploy.md").read_text())[1]
    given = dict(re.findall(r"([A-Z_]+)=(\"[^\"]*\"\)?\"?|\S+)", words))
    return {**given, "JWT_SECRET": FILLED, "DATABASE_URL": FILLED, "PORT": "8080"}


def _kubernetes():
    spec = read_yaml(ROOT / "deploy/kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    given = {row["name"]: row["value"] for row in container["env"]}
    # The Secret `taskhold`, as docs/deploy.md makes it.
    literals = re.findall(r"--from-literal=([A-Z_]+)=", (ROOT / "docs/deploy.md").read_text())
    assert sorted(literals) == ["DATABASE_URL", "JWT_SECRET"]
    return {**given, **{name: FILLED for name in literals}}


PLATFORMS = {"render-postgres": _render, "cloud-run": _cloud_run, "heroku": _heroku, "dokku": _dokku,
             "kubernetes": _kubernetes}
