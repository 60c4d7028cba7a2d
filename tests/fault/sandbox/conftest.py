# SPDX-License-Identifier: MIT
"""The runs inside the sandbox share the server and the client of the tests over HTTP."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))
