# SPDX-License-Identifier: MIT
"""script/check-resources says what differs between descriptors and description, and nothing else."""
import copy
import json
import pathlib
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DESCRIPTION = yaml.safe_load((ROOT / "api/openapi.yaml").read_text(encoding="utf-8"))


def check(tmp_path, described, program=ROOT / "build/asan/tests/unit/print_resources"):
    """What the check prints, and whether it is content."""
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(described), encoding="utf-8")
    run = subprocess.run([ROOT / "script/check-resources", program, path], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    return run.returncode == 0, run.stdout


def schemas(described):
    return described["components"]["schemas"]


def drop_member(described):
    del schemas(described)["TaskItem"]["properties"]["revision"]


def add_member(described):
    schemas(described)["TaskItemInput"]["properties"]["color"] = {"type": "string"}


def other_length(described):
    schemas(described)["TaskItemTitle"]["maxLength"] = 1000


def may_be_empty(described):
    del schemas(described)["TaskItemTitle"]["minLength"]


def other_choice(described):
    schemas(described)["TaskItemStatus"]["enum"] = ["pending", "done", "completed"]


def not_nullable(described):
    schemas(described)["TaskItemDescription"]["type"] = "string"


def other_format(described):
    schemas(described)["Identifier"]["format"] = "byte"


def not_required(described):
    schemas(described)["TaskItemInput"]["required"] = []


def open_body(described):
    del schemas(described)["TaskItemPatch"]["additionalProperties"]


def other_sort(described):
    described["components"]["parameters"]["Sort"]["schema"]["items"]["enum"].remove("-title")


def no_filter(described):
    parameters = described["paths"]["/v1/tasks"]["get"]["parameters"]
    parameters.remove({"$ref": "#/components/parameters/Status"})


def null_is_no_status(described):
    schemas(described)["TaskItemPatch"]["properties"]["status"] = {"$ref": "#/components/schemas/TaskItemStatus"}


CHANGES = [drop_member, add_member, other_length, may_be_empty, other_choice, not_nullable, other_format, not_required, open_body]
CHANGES += [other_sort, no_filter, null_is_no_status]


def test_they_agree(tmp_path):
    good, printed = check(tmp_path, DESCRIPTION)
    assert good, printed


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_difference_is_named(tmp_path, change):
    described = copy.deepcopy(DESCRIPTION)
    change(described)
    good, printed = check(tmp_path, described)
    assert not good
    assert "the descriptor says" in printed

# ---- the types that tasks do not have ----

ID = {"type": "string", "format": "uuid"}
LABEL = {"type": "string", "minLength": 1, "maxLength": 64}
MEMBERS = {"due": {"type": ["string", "null"]}, "labels": {"type": "array", "maxItems": 32, "items": LABEL},
           "ids": {"type": "array", "maxItems": 3, "items": ID},
           "map": {"type": "object", "maxProperties": 50, "propertyNames": {"minLength": 1, "maxLength": 40},
                   "additionalProperties": {"type": "string", "maxLength": 500}}}
PATCHED = {"due": MEMBERS["due"], "labels": {**MEMBERS["labels"], "type": ["array", "null"]}, "ids": {**MEMBERS["ids"], "type": ["array", "null"]},
           "map": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"], "maxLength": 500}}}
FIELDS = [{"name": "due", "type": "when", "nullable": True}, {"name": "labels", "type": "strings", "most": 64, "most_items": 32},
          {"name": "ids", "type": "uuids", "most_items": 3}, {"name": "map", "type": "map", "most": 500, "most_name": 40, "most_items": 50}]


@pytest.fixture
def things(tmp_path):
    """A program that prints one resource with a member of each type, and its description."""
    common = {name: False for name in ("read_only", "required", "nullable", "not_empty", "sortable", "filterable")}
    fields = [{**common, **field} for field in FIELDS]
    (tmp_path / "things.json").write_text(json.dumps({"resources": [{"name": "thing", "collection": "things", "fields": fields}]}), encoding="utf-8")
    program = tmp_path / "print_things"
    program.write_text(f"#!/bin/sh\ncat '{tmp_path}/things.json'\n", encoding="utf-8")
    program.chmod(0o700)
    body = {"additionalProperties": False, "properties": MEMBERS}
    parameters = [{"name": name, "in": "query", "schema": {}} for name in ("limit", "cursor", "sort", "include")]
    described = {"paths": {"/v1/things": {"get": {"parameters": parameters}}},
                 "components": {"schemas": {"ThingItem": {"properties": MEMBERS, "required": list(MEMBERS)}, "ThingItemInput": body,
                                            "ThingItemPatch": {"additionalProperties": False, "properties": PATCHED}}}}
    return program, copy.deepcopy(described)


def test_the_other_types_agree(tmp_path, things):
    program, described = things
    good, printed = check(tmp_path, described, program)
    assert good, printed


@pytest.mark.parametrize("schema, path, value", [
    ("ThingItem", ["due", "type"], "string"), ("ThingItem", ["labels", "maxItems"], 31), ("ThingItemInput", ["labels", "items", "maxLength"], 65),
    ("ThingItemInput", ["labels", "items", "minLength"], 0), ("ThingItemPatch", ["labels", "type"], "array"), ("ThingItemInput", ["labels", "type"], ["array", "null"]),
    ("ThingItem", ["ids", "items", "format"], "date"), ("ThingItem", ["ids", "maxItems"], None), ("ThingItem", ["map", "maxProperties"], 49),
    ("ThingItem", ["map", "propertyNames", "maxLength"], 41), ("ThingItemInput", ["map", "additionalProperties", "type"], ["string", "null"]),
    ("ThingItemPatch", ["map", "additionalProperties", "type"], "string"), ("ThingItemPatch", ["map", "maxProperties"], 50),
    ("ThingItemPatch", ["map", "additionalProperties", "maxLength"], 501)], ids=str)
def test_each_difference_of_the_other_types_is_named(tmp_path, things, schema, path, value):
    program, described = things
    place = described["components"]["schemas"][schema]["properties"] = copy.deepcopy(described["components"]["schemas"][schema]["properties"])
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    good, printed = check(tmp_path, described, program)
    assert not good
    assert f"{schema}.{path[0]}" in printed
