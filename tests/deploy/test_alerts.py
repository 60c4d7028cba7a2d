# SPDX-License-Identifier: MIT
"""The alerts: when each fires (alerts.yaml, played by promtool), and that docs/operations.md says what to do then."""
import os
import re
import shutil
import subprocess

import pytest

from shapes import read_yaml
from support.paths import ROOT

PATH = os.pathsep.join([str(ROOT / ".cache" / "bin"), os.environ["PATH"]])
CASES = "tests/deploy/alerts.yaml"
RULES = {rule["alert"]: rule for group in read_yaml(ROOT / "deploy/monitoring/taskhold.rules.yaml")["groups"]
         for rule in group["rules"]}


def test_each_alert_fires_when_it_should():
    if not shutil.which("promtool", path=PATH):
        pytest.skip("promtool (package prometheus) is not there")
    done = subprocess.run(["promtool", "test", "rules", CASES], cwd=ROOT, env={**os.environ, "PATH": PATH}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def test_each_alert_has_a_case():
    """One that fires, and one that does not."""
    cases = {case["name"]: case for case in read_yaml(ROOT / CASES)["tests"]}
    assert list(cases) == list(RULES)
    for name, case in cases.items():
        fires = [test for test in case["promql_expr_test"] if test.get("exp_samples")]
        assert fires and all(name in test["expr"] for test in case["promql_expr_test"]), name
        assert any("good" in series["series"] for series in case["input_series"]), name


def test_each_alert_leads_to_what_to_do():
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (Taskhold\w+)$", text, re.M)
    assert sections == list(RULES)
    for name, rule in RULES.items():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
