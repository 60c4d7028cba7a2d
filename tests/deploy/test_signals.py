# SPDX-License-Identifier: MIT
"""How each platform ends the program: SIGTERM (on Heroku more than one), and SIGKILL when its time is over."""
import json
import re
import signal
import time
import tomllib

import pytest

from shapes import read_yaml
from support.accounts import User
from support.paths import ROOT
from support.raw import RawConnection
from support.server import Server
from support.waiting import wait_until

DEFAULT_DRAIN, LEFT = 10, 2  # LEFT: seconds that a process has after its drain, to close its database


def _text(name):
    return (ROOT / name).read_text()


def _seconds(name, pattern):
    """The one number in a file."""
    (found,) = set(re.findall(pattern, _text(name), re.M))
    return int(found)


def _rows(entries):
    return {row.get("name", row.get("key")): row.get("value") for row in entries}


def _pod(name):
    return read_yaml(ROOT / name)["spec"]["template"]["spec"]


def _node(name):
    service = next(one for one in read_yaml(ROOT / name)["services"].values() if "stop_grace_period" in one
                   and "mem_limit" in one)
    return int(service["stop_grace_period"].rstrip("s")), service["environment"]


def _render(name):
    (service,) = read_yaml(ROOT / name)["services"]
    return service["maxShutdownDelaySeconds"], _rows(service["envVars"])


def _fly():
    document = tomllib.loads(_text("fly.toml"))
    assert document["kill_signal"] == "SIGTERM"
    return document["kill_timeout"], document["env"]


def _heroku():
    return 30, {name: row.get("value") for name, row in json.loads(_text("app.json"))["env"].items()}


def _kubernetes():
    pod = _pod("deploy/kubernetes/deployment.yaml")
    return pod["terminationGracePeriodSeconds"], _rows(pod["containers"][0]["env"])


# platform: ((seconds until SIGKILL, environment), how many SIGTERM). Seconds that stand in no file of ours are the
# platform's: docs/deploy.md says which were looked up.
PLATFORMS = {
    "fly": (_fly, 1),
    "render": (lambda: _render("render.yaml"), 1),
    "render-postgres": (lambda: _render("deploy/render-postgres.yaml"), 1),
    "railway": (lambda: (json.loads(_text("railway.json"))["deploy"]["drainingSeconds"], {}), 1),
    "heroku": (_heroku, 3),
    "dokku": (lambda: (30, {}), 1),
    "cloud-run": (lambda: (10, _rows(_pod("deploy/cloud-run/service.yaml")["containers"][0]["env"])), 1),
    "kubernetes": (_kubernetes, 1),
    "compose": (lambda: _node("deploy/compose/compose.sqlite.yaml"), 1),
    "compose-postgres": (lambda: _node("deploy/compose/compose.postgres.yaml"), 1),
    "docker": (lambda: (_seconds("docs/deploy.md", r"^docker run .*--stop-timeout (\d+)"), {}), 1),
    "systemd": (lambda: (_seconds("deploy/systemd/taskhold.service", r"^TimeoutStopSec=(\d+)$"), {}), 1),
}


@pytest.fixture(name="platform", params=list(PLATFORMS))
def one_platform(request):
    """(seconds until SIGKILL, seconds of delay, of drain, how many SIGTERM)."""
    read, signals = PLATFORMS[request.param]
    grace, given = read()
    return grace, int(given.get("DRAIN_DELAY_SECONDS") or 0), int(given.get("DRAIN_SECONDS") or DEFAULT_DRAIN), signals


def test_the_whole_drain_fits_before_sigkill(platform):
    grace, delay, drain, _ = platform
    assert delay + drain + LEFT <= grace


def test_what_is_in_flight_is_finished_before_sigkill(platform):
    """However often the platform says so; `begun` is a request whose body is still to come."""
    grace, delay, drain, signals = platform
    server = Server(env={"DRAIN_DELAY_SECONDS": str(delay), "DRAIN_SECONDS": str(drain)})
    try:
        user = User(server)
        with RawConnection(server) as begun:
            begun.send(f"POST /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n"
                       "Expect: 100-continue\r\nContent-Length: 13\r\n\r\n".encode())
            assert begun.read().status == 100
            server.hang_up()
            started = time.monotonic()
            for _ in range(signals):
                server.signal(signal.SIGTERM)
            wait_until(lambda: '"stopping"' in server.log_text(), 5, "the signal")
            if signals > 1:
                server.signal(signal.SIGTERM)
            begun.send(b'{"title":"x"}')
            begun.read().expect(201)
        assert server.wait(grace) == 0 and time.monotonic() - started < grace
    finally:
        server.stop()
