# SPDX-License-Identifier: MIT
"""The judge of the catalogue finds what it must: each case is played against servers that are wrong in one way."""
import types

import pytest
from catalogue import cases, groups
from lax import LaxServer, answer
from world import NEVER

ALL = [case for group in groups() for case in cases(group)]
# Those for which the right answers can be made without the server's own words.
RAW = [case for case in ALL if "send" in case.line]


class Nobody:
    """Stands for the two accounts."""

    never = NEVER

    def __init__(self, server):
        self.server = server
        self.ann = types.SimpleNamespace(access="a.b.c")

    value = staticmethod(lambda name: "x")
    tells_nothing = None


def fails(case, answers):
    """Does the judge find it?"""
    from world import World  # its rule of what may be told
    server = LaxServer(answers)
    nobody = Nobody(server)
    nobody.tells_nothing = lambda *told: World.tells_nothing(nobody, *told)
    try:
        case.play(nobody)
    except (AssertionError, ValueError, KeyError, OSError):
        return True
    finally:
        server.close()
    return False


def right(case, more=b"", probe=True):
    """The answers that the case wants, and then that of the probe."""
    found = b""
    for one in case.back:
        status, _, code = one.partition(" ")
        body = b'{"code":"%s"%s}' % (code.encode(), more) if code else more
        found += answer(int(status), body=body)
    return found + (answer(200, probe=True) if probe else b"")


@pytest.mark.parametrize("group", groups())
def test_who_accepts_all_is_found(group):
    refused = [case for case in ALL if case.group == group and any(int(one[:3]) >= 400 for one in case.back)]
    passed = [case.name for case in refused if not fails(case, lambda data: answer(200) + answer(200, probe=True))]
    assert len(refused) > 20 and not passed, passed


@pytest.mark.parametrize("wrong", [500, 503])
def test_an_error_of_the_server_is_found(wrong):
    passed = [case.name for case in ALL if not fails(case, lambda data: answer(wrong, "internal_error") + answer(200, probe=True))]
    assert not passed


def test_silence_is_found():
    passed = [case.name for case in ALL if case.back and not fails(case, lambda data: b"")]
    assert not passed


def test_the_right_answer_passes():
    """Without this the tests here would pass for the wrong reason."""
    wrong = [case.name for case in RAW if fails(case, lambda data, case=case: right(case, probe=not case.ends))]
    assert len(RAW) > 40 and not wrong, wrong


def test_who_goes_on_or_ends_wrongly_is_found():
    passed = [case.name for case in RAW if not fails(case, lambda data, case=case: right(case, probe=case.ends))]
    assert not passed


@pytest.mark.parametrize("secret", NEVER)
def test_who_tells_a_secret_is_found(secret):
    told = [case for case in RAW if case.back]
    passed = [case.name for case in told if not fails(
        case, lambda data, case=case: right(case, b',"x":"' + secret + b'"', probe=not case.ends))]
    assert not passed
