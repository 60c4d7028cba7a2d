# SPDX-License-Identifier: MIT
"""The tests of the pages share the server and the client of the tests over HTTP."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from support.server import Server  # noqa: E402

from browser import Browser, program  # noqa: E402


@pytest.fixture(scope="module")
def server():
    """A server that must end with 0."""
    started = Server()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser():
    """One headless Chromium for all tests; each opens pages of its own."""
    if program() is None:
        pytest.skip("Chromium is not installed: script/bootstrap test installs it where it can")
    started = Browser()
    yield started
    started.stop()
