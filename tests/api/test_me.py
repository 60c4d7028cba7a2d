# SPDX-License-Identifier: MIT
"""GET and PATCH /v1/me: the name and the time zone of an account. The rest of it is in test_accounts.py."""
import threading
import uuid

import pytest

from support.accounts import PASSWORD

ZONE = "Europe/Berlin"


def test_the_time_zone_is_utc_until_it_is_set(client, make_user):
    email = f"{uuid.uuid4().hex}@example.com"
    made = client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(201).json
    assert made["time_zone"] == "UTC"
    own = make_user().client
    first = own.get("/v1/me").expect(200)
    assert first.json["time_zone"] == "UTC"
    changed = own.patch("/v1/me", {"time_zone": ZONE}).expect(200)
    assert changed.json == {**first.json, "time_zone": ZONE, "updated_at": changed.json["updated_at"]}
    assert changed.json["updated_at"] >= first.json["updated_at"]
    assert own.get("/v1/me").json == changed.json


def test_null_is_utc(make_user):
    own = make_user().client
    own.patch("/v1/me", {"time_zone": ZONE}).expect(200)
    assert own.patch("/v1/me", {"time_zone": None}).expect(200).json["time_zone"] == "UTC"
    assert own.get("/v1/me").json["time_zone"] == "UTC"


def test_each_member_stays_while_another_changes(make_user):
    own = make_user().client
    own.patch("/v1/me", {"name": "Ada", "time_zone": ZONE}).expect(200)
    for patch, name, zone in [({"name": "Grace"}, "Grace", ZONE), ({"time_zone": "Asia/Tokyo"}, "Grace", "Asia/Tokyo"),
                              ({}, "Grace", "Asia/Tokyo"), ({"name": None}, None, "Asia/Tokyo"),
                              ({"name": "Ada", "time_zone": None}, "Ada", "UTC")]:
        answer = own.patch("/v1/me", patch).expect(200).json
        assert (answer["name"], answer["time_zone"]) == (name, zone), patch


def test_the_tag_covers_the_time_zone(make_user):
    own = make_user().client
    before = own.get("/v1/me")
    changed = own.patch("/v1/me", {"time_zone": ZONE}, headers={"If-Match": before.etag}).expect(200)
    assert changed.etag == own.get("/v1/me").etag != before.etag
    own.get("/v1/me", headers={"If-None-Match": changed.etag}).expect(304)
    late = own.patch("/v1/me", {"time_zone": "Asia/Tokyo"}, headers={"If-Match": before.etag})
    late.expect(412, "precondition_failed")
    assert own.get("/v1/me").json["time_zone"] == ZONE


@pytest.mark.parametrize("zone", ["Berlin", "europe/berlin", "CEST+2", "Europe/Berlin ", "Europe", "../UTC",
                                  "/etc/passwd", "posix/UTC", "right/UTC", "localtime", "posixrules", "Factory", "zone.tab", "utc"])
def test_an_unknown_time_zone_is_refused(user, zone):
    before = user.client.get("/v1/me")
    refused = user.client.patch("/v1/me", {"time_zone": zone}).expect(422, "validation_failed")
    assert refused.errors == {("/time_zone", "time_zone")}
    assert "IANA" in refused.json["errors"][0]["detail"] and "Europe/Berlin" in refused.json["errors"][0]["detail"]
    assert user.client.get("/v1/me").etag == before.etag


def test_all_that_is_wrong_is_said_at_once(user):
    refused = user.client.patch("/v1/me", {"time_zone": "Mars/Olympus", "name": " ", "email": "a@b.de"}).expect(422)
    assert refused.errors == {("/time_zone", "time_zone"), ("/name", "blank"), ("/email", "read_only")}
    for zone, code in [("", "too_short"), ("E" * 65, "too_long"), ("UTC\n", "control_character"), (1, "type")]:
        assert user.client.patch("/v1/me", {"time_zone": zone}).expect(422).errors == {("/time_zone", code)}, zone


def test_the_export_has_it(make_user):
    own = make_user().client
    assert own.get("/v1/me/export").expect(200).json["user"]["time_zone"] == "UTC"
    own.patch("/v1/me", {"time_zone": ZONE}).expect(200)
    assert own.get("/v1/me/export").expect(200).json["user"] == own.get("/v1/me").json


def test_other_changes_of_the_account_keep_it(make_user):
    own = make_user()
    own.client.patch("/v1/me", {"time_zone": ZONE}).expect(200)
    moved = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    assert own.client.put("/v1/me/email", moved).expect(200).json["time_zone"] == ZONE
    own.client.put("/v1/me/password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"}).expect(204)
    assert own.client.get("/v1/me").json["time_zone"] == ZONE


def test_name_and_zone_changed_at_the_same_time_are_both_kept(make_user):
    own = make_user()
    zones = ["Asia/Tokyo", "UTC", ZONE]
    clients = [own.client, own.reader()]
    for i in range(20):
        patches = [{"name": f"n{i}"}, {"time_zone": zones[i % 3]}]
        threads = [threading.Thread(target=c.patch, args=("/v1/me", p)) for c, p in zip(clients, patches)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row = own.client.get("/v1/me").expect(200).json
        assert (row["name"], row["time_zone"]) == (f"n{i}", zones[i % 3])
