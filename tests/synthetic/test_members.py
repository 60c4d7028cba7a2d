# SPDX-License-Identifier: MIT
"""What the types of members have of their own: sets of strings, ids, maps and dates."""
import json
import uuid

import pytest

from resources import ONE, SAMPLES, TWO
from support.server import run


@pytest.fixture
def sample(client):
    """One with the defaults."""
    return client.post(SAMPLES.path, SAMPLES.minimal()).expect(201).json


def at(item):
    """Its path."""
    return f"{SAMPLES.path}/{item['id']}"


def test_a_set_of_strings(client, sample):
    """Sorted by code point, each once, as sent; the same set changes nothing."""
    sent = ["b", "\U0001f600", "\uffee", "a", "e\u0301", "\u00e9", "b", " b "]
    changed = client.patch(at(sample), {"marks": sent}).expect(200)
    assert changed.json["marks"] == sorted(set(sent))
    again = client.patch(at(sample), {"marks": list(reversed(sent))}).expect(200)
    assert again.json == changed.json and again.etag == changed.etag
    most = [f"{number:02}" + "\U0001f600" * 62 for number in range(32)]
    assert client.put(at(sample), {**SAMPLES.minimal(), "marks": most + most}).expect(200).json["marks"] == most
    assert client.get(at(sample)).json["marks"] == most
    listed = client.get(f"{SAMPLES.path}?limit=1").expect(200).json["items"]
    assert listed[0]["marks"] == most


def test_a_list_of_ids(client, sample):
    """In the order sent, each once, in lower case."""
    ids = [TWO, ONE.upper(), str(uuid.UUID(int=0xabc)).upper(), TWO]
    changed = client.patch(at(sample), {"others": ids}).expect(200).json
    assert changed["others"] == [TWO, ONE, str(uuid.UUID(int=0xabc))]
    assert client.patch(at(sample), {"others": [ONE, TWO]}).expect(200).json["others"] == [ONE, TWO]


def test_a_map_is_merged(client, sample):
    """A patch goes into it; null removes one, or all; what is already so changes nothing."""
    for patch, expected in (({"b": "1", "a": "2"}, {"a": "2", "b": "1"}), ({"c": "\n\"\\"}, {"a": "2", "b": "1", "c": "\n\"\\"}),
                            ({"a": None, "d": None, "b": "3"}, {"b": "3", "c": "\n\"\\"}), ({}, {"b": "3", "c": "\n\"\\"}),
                            ({"x" * 50: None, "": None}, {"b": "3", "c": "\n\"\\"}), (None, {}), ({"a": None}, {}),
                            ({"\u00e9": "1", "\U0001f600": "2", "\uffee": "3"}, {"\u00e9": "1", "\uffee": "3", "\U0001f600": "2"})):
        before = client.get(at(sample)).json
        changed = client.patch(at(sample), {"extra": patch}).expect(200).json
        assert list(changed["extra"].items()) == list(expected.items()), patch
        assert (changed["revision"] > before["revision"]) == (before["extra"] != expected)
        assert client.get(at(sample)).json == changed
    replaced = client.put(at(sample), {**SAMPLES.minimal(), "extra": {"z": "1"}}).expect(200).json
    assert replaced["extra"] == {"z": "1"}
    refused = client.put(at(sample), {**SAMPLES.minimal(), "extra": {"z": None}}).expect(422)
    assert refused.errors == {("/extra/z", "type")}


def test_a_map_is_judged_after_the_merge(client, sample):
    """Also after 404 and 412; a refused patch leaves all as it was, and takes no key."""
    full = {name: "" for name in "abcde"}
    item = client.patch(at(sample), {"extra": full}).expect(200).json
    key = {"Idempotency-Key": uuid.uuid4().hex}
    refused = client.patch(at(sample), {"extra": {"f": "1"}, "note": "x"}, headers=key).expect(422, "validation_failed")
    assert refused.errors == {("/extra", "too_many")}
    assert client.get(at(sample)).json == item
    client.patch(at(sample), {"extra": {"f": "1"}}, headers={"If-Match": '"x"'}).expect(412)
    client.patch(f"{SAMPLES.path}/{uuid.uuid4()}", {"extra": {"f": "1"}}).expect(404)
    client.patch(at(sample), {"extra": {"f": "1", "a": None}}).expect(200)
    client.patch(at(sample), {"extra": {"f": None}}).expect(200)
    done = client.patch(at(sample), {"extra": {"f": "1"}, "note": "x"}, headers=key).expect(200).json
    assert done["note"] == "x" and list(done["extra"]) == ["b", "c", "d", "e", "f"]


def test_a_date_and_an_instant(client, sample):
    """A date stays one; an instant is answered in UTC, cut to milliseconds."""
    for sent, answered in (("2026-12-01", "2026-12-01"), ("2026-12-01T01:30:00.1239+02:00", "2026-11-30T23:30:00.123Z"), ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00.000Z"),
                           (None, None)):
        assert client.patch(at(sample), {"ends": sent}).expect(200).json["ends"] == answered
        listed = client.get(f"{SAMPLES.path}?ends={(sent or 'null').replace('+', '%2B')}").expect(200).json
        assert sample["id"] in [item["id"] for item in listed["items"]]
    client.patch(at(sample), {"ends": "2026-12-01T01:30:00+02:00"}).expect(200)
    blank = client.get(f"{SAMPLES.path}?ends=2026-12-01T01:30:00+02:00").expect(200).json
    assert sample["id"] in [item["id"] for item in blank["items"]]


def exported(server):
    """All lines."""
    done = run("export", cwd=server.directory, env=server.database)
    assert done.returncode == 0, done
    return done.stdout.splitlines()


def imported(server, lines, name):
    """What an import of the lines into a new SQLite database comes to."""
    (server.directory / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run("import", name, cwd=server.directory, env={"DATABASE_URL": f"sqlite:{server.directory}/{name}.db"})


def test_the_journal_and_the_lines_of_an_export(start_server, make_user):
    """What was replaced stands there as it was; a line must have the one form of each value."""
    server = start_server()
    client = make_user(server).client.copy()
    client.checked = False
    whole = {"marks": ["a", "\u00e9"], "others": [TWO, ONE], "extra": {"a": "1", "b": "\u0001"}, "ends": "2026-12-01"}
    item = client.post(SAMPLES.path, {**SAMPLES.minimal(), **whole}).expect(201).json
    client.patch(at(item), {"marks": None, "others": [], "extra": {"a": "2"}, "ends": None}).expect(200)
    lines = exported(server)
    assert imported(server, lines, "good").returncode == 0
    number = next(number for number, line in enumerate(lines) if line.startswith('{"type":"change"') and '"update"' in line)
    assert json.loads(lines[number])["before"] == whole
    for name, value in (("extra", {"a": None}), ("marks", None), ("size", None), ("marks", ["."]), ("ends", "soon")):
        line = json.loads(lines[number])
        line["before"][name] = value
        done = imported(server, [*lines[:number], json.dumps(line), *lines[number + 1:]], f"before-{name}-{value is None}")
        assert done.returncode != 0 and f"line {number + 1}: not a good value for before/{name}" in done.stderr, done
    number = next(number for number, line in enumerate(lines) if line.startswith('{"type":"sample"'))
    for place, (name, value) in enumerate((("marks", ["b", "a"]), ("marks", ["a", "a"]), ("others", [ONE, ONE]), ("others", [str(uuid.UUID(int=0xa)).upper()]),
                                           ("extra", {"b": "", "a": ""}), ("extra", {"a": 1}), ("begins", "2026-12-01T01:00:00+01:00"), ("extra", None))):
        line = json.loads(lines[number])
        line[name] = value
        done = imported(server, [*lines[:number], json.dumps(line), *lines[number + 1:]], f"line-{place}")
        assert done.returncode != 0 and f"line {number + 1}: not a good value for {name}" in done.stderr, done


def test_the_texts_count(start_server, make_user):
    """In the bytes that an account may hold."""
    server = start_server({"USER_BYTES_MOST": "1048576"})
    client = make_user(server).client.copy()
    client.checked = False
    marks = [f"{number:02}" + "\U0001f600" * 62 for number in range(32)]
    size = len(json.dumps(marks, ensure_ascii=False, separators=(",", ":")).encode())
    made = [client.post(SAMPLES.path, {**SAMPLES.minimal(), "marks": marks}).status for _ in range(130)]
    assert set(made) == {201, 507} and abs(made.count(201) - 1048576 // (size + 160 + 96)) <= 1
