# SPDX-License-Identifier: MIT
"""Where things are."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
DESCRIPTION = ROOT / "api" / "openapi.yaml"


def binary():
    """The program under test: TASKHOLD_BIN, or the release build."""
    return pathlib.Path(os.environ.get("TASKHOLD_BIN") or ROOT / "build" / "taskhold").resolve()
