# SPDX-License-Identifier: MIT
"""The tests of what follows the order of changes share the server and the client of the tests over HTTP."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from support.fixtures import server, start_server  # noqa: E402, F401
