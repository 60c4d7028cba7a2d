# SPDX-License-Identifier: MIT
"""The histories share servers and clients with the tests over HTTP, and the random calls with those of the feed."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("changes", "api"))]
