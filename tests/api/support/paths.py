# SPDX-License-Identifier: MIT
"""Where things are."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
DESCRIPTION = ROOT / "api" / "openapi.yaml"
SCHEMA = len(list((ROOT / "src" / "store" / "postgres" / "migrations").glob("*.sql")))  # the number of the newest one


def binary():
    """The program under test: TASKHOLD_BIN, or the release build."""
    return pathlib.Path(os.environ.get("TASKHOLD_BIN") or ROOT / "build" / "taskhold").resolve()
