"""The tests of the command line share the server and the fixtures of those over HTTP. Run: python3 -m pytest tests/cli"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from support.fixtures import client, make_user, other, server, start_server, user  # noqa: E402, F401
