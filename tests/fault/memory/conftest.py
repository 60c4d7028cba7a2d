# SPDX-License-Identifier: MIT
"""Runs in which memory fails share the server and the client of the tests over HTTP."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))
