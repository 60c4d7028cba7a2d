# SPDX-License-Identifier: MIT
"""The units: what systemd itself says about them."""
import shutil
import subprocess

import pytest

from support.paths import ROOT, binary

UNITS = ROOT / "deploy" / "systemd"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@needs_systemd
def test_the_service_is_hardened():
    told = analyze("security", "--no-pager", "--offline=true", "--threshold=15", str(UNITS / "taskhold.service"))
    assert told.returncode == 0, told.stdout


@needs_systemd
def test_systemd_finds_nothing_to_say(tmp_path):
    units = []
    for source in UNITS.iterdir():
        # The program stands where it was built, not where it will be installed.
        text = source.read_text().replace("/usr/local/bin/taskhold", str(binary()))
        (tmp_path / source.name).write_text(text)
        units.append(str(tmp_path / source.name))
    told = analyze("verify", "--man=no", *units)
    assert (told.returncode, told.stdout.strip()) == (0, "")


@needs_systemd
def test_systemd_would_have_found_a_fault(tmp_path):
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nType=simpel\nExecStart=/bin/true\n")
    assert "simpel" in analyze("verify", "--man=no", str(unit)).stdout
