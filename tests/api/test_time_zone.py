# SPDX-License-Identifier: MIT
"""Which time zones there are: what a task may name, and what the server says and does without tzdata."""
import json
import shutil

import pytest

from support.accounts import User
from support.client import Client
from support.waiting import wait_until

ZONES = "/usr/share/zoneinfo"
BERLIN = "Europe/Berlin"
ONLY_UTC = "only UTC is known: install tzdata, or set TZDIR to its folder"


def refused(answer):
    """The detail of a 422 that is about the zone and nothing else."""
    assert answer.expect(422, "validation_failed").errors == {("/time_zone", "time_zone")}
    return answer.json["errors"][0]["detail"]


def test_a_task_may_name_a_zone(user):
    task = user.task(time_zone=BERLIN)
    assert task["time_zone"] == BERLIN
    path = f"/v1/tasks/{task['id']}"
    assert user.client.patch(path, {"title": "later"}).expect(200).json["time_zone"] == BERLIN
    assert user.client.patch(path, {"time_zone": "Asia/Tokyo"}).expect(200).json["time_zone"] == "Asia/Tokyo"
    assert user.client.get(path).json["time_zone"] == "Asia/Tokyo"
    assert user.client.patch(path, {"time_zone": None}).expect(200).json["time_zone"] is None
    assert user.client.put(path, {"title": "x", "time_zone": "UTC"}).expect(200).json["time_zone"] == "UTC"
    assert user.client.put(path, {"title": "x"}).expect(200).json["time_zone"] is None
    assert user.task()["time_zone"] is None


@pytest.mark.parametrize("zone", ["Berlin", "europe/berlin", "../../../etc/passwd", "right/UTC", "zone.tab", "GMT+3"])
def test_a_task_may_not_name_another(user, zone):
    task = user.task(time_zone=BERLIN)
    path = f"/v1/tasks/{task['id']}"
    body = {"title": "x", "time_zone": zone}
    for answer in (user.client.post("/v1/tasks", body), user.client.put(path, body),
                   user.client.patch(path, {"time_zone": zone})):
        assert "IANA" in refused(answer) and BERLIN in refused(answer)
    assert user.client.get(path).json == task


def test_a_patch_of_what_is_not_there(user):
    """A body is judged before the task is looked for, as with every other member."""
    path = "/v1/tasks/01a203ca-194b-77a5-8c00-000000000003"
    refused(user.client.patch(path, {"time_zone": "Mars/Olympus"}))
    user.client.patch(path, {"time_zone": BERLIN}).expect(404)


def events(server):
    return [json.loads(line)["event"] for line in server.log_text(this_run=True).splitlines() if line.startswith("{")]


@pytest.fixture(name="zones")
def make_zones(tmp_path):
    """A folder of our own with UTC and Berlin."""
    for name in ("Etc/UTC", BERLIN):
        (tmp_path / "zones" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(f"{ZONES}/{name}", tmp_path / "zones" / name)
    return tmp_path / "zones"


def test_with_tzdata_nothing_is_said(server):
    assert Client(server).get("/readyz").expect(200).json["checks"]["time_zones"] == "ok"
    assert "tzdata_missing" not in events(server)


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_without_tzdata_utc_is_known_alone(start_server, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    server = start_server({"TZDIR": str(tmp_path / folder)})
    ready = Client(server).get("/readyz").expect(200).json
    assert ready["status"] == "ok" and ready["checks"].pop("time_zones") == ONLY_UTC
    assert set(ready["checks"].values()) == {"ok"}
    assert events(server).count("tzdata_missing") == 1 and str(tmp_path / folder) in server.log_text()
    own = User(server)
    for answer in (own.client.patch("/v1/me", {"time_zone": BERLIN}),
                   own.client.post("/v1/tasks", {"title": "x", "time_zone": BERLIN})):
        assert "tzdata" in refused(answer) and "IANA" in refused(answer)
    refused(own.client.patch("/v1/me", {"time_zone": "Etc/UTC"}))
    assert own.client.patch("/v1/me", {"time_zone": "UTC"}).expect(200).json["time_zone"] == "UTC"
    assert own.task(time_zone="UTC")["time_zone"] == "UTC"


def test_zones_that_come_and_go(start_server, zones, tmp_path):
    """Without a restart; what is stored stays as it is."""
    server = start_server({"TZDIR": str(zones)})
    own = User(server)
    client = own.client
    client.patch("/v1/me", {"time_zone": BERLIN}).expect(200)
    task = own.task(time_zone=BERLIN)
    assert "tzdata" not in refused(client.patch("/v1/me", {"time_zone": "Asia/Tokyo"}))
    zones.rename(tmp_path / "away")
    checks = lambda: client.get("/readyz").expect(200).json["checks"]["time_zones"]  # noqa: E731
    wait_until(lambda: checks() == ONLY_UTC, 5, "the end of the zones")
    wait_until(lambda: client.patch("/v1/me", {"time_zone": BERLIN}).status == 422, 5, "the end of Berlin")
    assert client.get("/v1/me").expect(200).json["time_zone"] == BERLIN
    assert client.get(f"/v1/tasks/{task['id']}").expect(200).json == task
    assert client.patch("/v1/me", {"name": "Ada"}).expect(200).json["time_zone"] == BERLIN
    changed = client.patch(f"/v1/tasks/{task['id']}", {"title": "other"}).expect(200).json
    assert changed["time_zone"] == BERLIN
    (tmp_path / "away").rename(zones)
    shutil.copytree(f"{ZONES}/Asia", zones / "Asia", symlinks=True)
    assert checks() == "ok" and client.patch("/v1/me", {"time_zone": "Asia/Tokyo"}).expect(200)
