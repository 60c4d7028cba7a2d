# SPDX-License-Identifier: MIT
"""What the description says of a text is what the server does: neither is stricter than the other.

tests/described asks the same at random; here stand the edges that chance rarely meets.
"""
import uuid

import jsonschema
import pytest

from support.openapi import description

LABEL = "a" * 63

EMAILS = [
    "a@b", "a@b.c", ".a@b", "a.@b", "a..b@c", "A+b_c-d/e@f.g", "!#$%&'*+=?^`{|}~@x", "a@1.2.3.4", "a" * 64 + "@b",
    f"a@{LABEL}.{LABEL}", "a@b--c", "a@xn--bcher-kva.example",
    "", "a", "@b", "a@", "a@b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-", "a@b_c", "a b@c", " a@b", "a@b ", "a@b\n", "ä@b",
    "a@ä", "a\"@b", "a(@b", "a,@b", "a@[1.2.3.4]", "a" * 65 + "@b", f"a@{LABEL}a", "a\x80@b", "a\x00@b", "a\x7f@b",
]
KEYS = [
    "a", "a" * 255, '"a"', '"' + "a" * 255 + '"', '"a\\"b"', '"a\\\\b"', "a\"b", "a\\b", "{}[]", '"\\\\"', "a\"",
    "a" * 256, '"' + "a" * 256 + '"', '""', '"', '"a', '"a"b"', '"a\\b"', '"a\\"', '"\\"', "a b", '"a b"', "a\tb",
]
TAGS = [
    "*", '"a"', 'W/"a"', '"a","b"', '"a" , W/"b"', '""', '"a-1--gzip"', '"!#[]~"',
    "a", '"', '"a', 'a"', '"a" "b"', "w/\"a\"", '*,"a"', "W/a", "'a'", '"a" b',
]
NAMES = [
    "a", " a ", "a" * 100, "é" * 100, "😀" * 100, None, "\u200b",
    "", " ", "\u3000", "a" * 101, "a\x00", "a\n", "\x85", "a\x9f", "a\x7f",
]
TITLES = [
    "a", "a" * 1024, "😀" * 1024, "\u180e", "\u200b", "'; --",
    None, 1, "", "\u2028", "\xa0", "a" * 1025, "a\t", "a\r\n", "\x1f", "a\x7f", "a\x80", "a\x00",
]
TEXTS = [None, "", " ", "a\tb\r\nc", "é" * 16384, "é" * 16385, 1, "\x0b", "\x0c", "\x1f", "\x7f", "\x85", "\x00"]
SECRETS = ["a", "", "a" * 1024, " ", "\n", "\x9f", "a" * 1025, "\x00", "a\x00b"]


def is_described(component, name, value):
    """Does the description allow it? In ECMA 262 `$` is the very end, in Python a line feed may follow."""
    node = description().root["components"][component][name]
    schema = description().resolve(node if component == "schemas" else node["schema"])
    if "pattern" in schema:
        assert schema["pattern"].endswith("$")
        schema = {**schema, "pattern": schema["pattern"][:-1] + r"\Z"}
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("email", EMAILS, ids=ascii)
def test_an_email(client, email):
    answer = client.post("/v1/auth/register", {"email": email, "password": "short"})
    wrong = answer.code == "invalid_json" or "/email" in {pointer for pointer, _ in answer.errors}
    assert is_described("schemas", "EmailAddress", email) == (not wrong)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name(user, name):
    answer = user.client.patch("/v1/me", {"name": name})
    assert is_described("schemas", "PersonName", name) == (answer.status == 200)


@pytest.mark.parametrize("title", TITLES, ids=ascii)
def test_a_title(user, title):
    answer = user.client.post("/v1/tasks", {"title": title})
    assert is_described("schemas", "TaskItemTitle", title) == (answer.status == 201)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_description(user, text):
    answer = user.client.post("/v1/tasks", {"title": "x", "description": text})
    assert is_described("schemas", "TaskItemDescription", text) == (answer.status == 201)


@pytest.mark.parametrize("password", SECRETS, ids=ascii)
def test_a_password(user, password):
    answer = user.client.post("/v1/me/deletion", {"password": password})
    assert is_described("schemas", "GivenPassword", password) == (answer.code == "wrong_password")


@pytest.mark.parametrize("key", KEYS)
def test_a_key(user, key):
    answer = user.client.delete(f"/v1/tasks/{uuid.uuid4()}", headers={"Idempotency-Key": key})
    assert is_described("parameters", "IdempotencyKey", key) == (answer.code != "invalid_header")


@pytest.mark.parametrize("tags", TAGS)
def test_tags(user, tags):
    for name in ("If-Match", "If-None-Match"):
        answer = user.client.get("/v1/me", headers={name: tags})
        assert is_described("schemas", "EntityTags", tags) == (answer.status != 400)


def test_a_long_cursor(make_user):
    """With the longest title; only positions that took very many moves could make it longer."""
    own = make_user()
    for _ in range(2):
        own.task("😀" * 1024)
    asked = "/v1/tasks?sort=title,position,list&limit=1"
    cursor = own.client.get(asked).expect(200).json["next_cursor"]
    schema = description().root["components"]["parameters"]["Cursor"]["schema"]
    assert 4 * 4096 / 3 < len(cursor) <= schema["maxLength"] and is_described("parameters", "Cursor", cursor)
    assert own.client.get(f"{asked}&cursor={cursor}").expect(200).json["next_cursor"] is None


def test_what_must_not_be_empty(client, user):
    empty = [client.post("/v1/auth/refresh", {"refresh_token": ""}), user.client.post("/v1/tasks", {"title": ""}),
             user.client.patch("/v1/me", {"name": ""})]
    for answer in empty:
        assert answer.expect(422).json["errors"][0]["detail"] == "Must not be empty."
