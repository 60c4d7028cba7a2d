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


def check(tmp_path, described):
    """What the check prints, and whether it is content."""
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(described), encoding="utf-8")
    program = ROOT / "build/asan/tests/unit/print_resources"
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
    schemas(described)["TaskItemSort"]["enum"].remove("-title")


def no_filter(described):
    parameters = described["paths"]["/v1/tasks"]["get"]["parameters"]
    parameters.remove({"$ref": "#/components/parameters/Status"})


CHANGES = [drop_member, add_member, other_length, may_be_empty, other_choice, not_nullable, other_format, not_required, open_body]
CHANGES += [other_sort, no_filter]


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
