# SPDX-License-Identifier: MIT
"""The comparison of the two engines shares the server and the clusters of the tests over HTTP."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
