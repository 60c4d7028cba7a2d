# SPDX-License-Identifier: MIT
"""Some thousands of generated cases, and what shows that the judges of these find something. For more: campaign.py."""
import os
import random

import generators
import http_model
import player
import pytest
from campaign import Campaign
from catalogue import PROBE, cases, groups
from lax import LaxServer, answer
from world import World

CASES = int(os.environ.get("CASES", "6000"))


def test_generated_cases(server):
    """Fewer of them under a sanitizer and on PostgreSQL is a matter of CASES; SEED makes the same ones again."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 31))
    campaign = Campaign(World(server), seed)
    campaign.run(CASES)
    print(f"seed {seed}")
    campaign.tell()
    assert not campaign.wrong, f"seed {seed}:\n" + "\n".join(campaign.wrong)
    assert campaign.cases >= CASES * 9 // 10


@pytest.mark.parametrize("group", groups())
def test_the_second_reading_agrees_with_what_was_written_by_hand(group):
    """Of the catalogue's lines that are bytes as they are, the model must say the same."""
    judge, wrong = generators.judge(["a.b.c"]), []
    for case in (one for one in cases(group) if "send" in one.line and not one.line.get("half")):
        found = judge.predict(case.fill(None, case.line["send"]).encode("latin-1") + PROBE)
        wished = [int(one[:3]) for one in case.back] + ([] if case.ends else [200])
        if len(found) != len(wished) or not all(one is None or status in one for status, one in zip(wished, found)):
            wrong.append(f"{case.name}: {found} in place of {wished}")
    assert not wrong, "\n".join(wrong)


def differing(reply, number=400):
    """Of so many spoiled requests, how many the judge finds wrong when the server replies always alike."""
    judge, rng = generators.judge([]), random.Random("control")
    made = [generators.spoiled(generators.bases("x")[1], rng) + PROBE for _ in range(number)]
    server = LaxServer(lambda data: reply)
    try:
        backs = list(player.exchange((server.host, server.port), [(one, ()) for one in made]))
    finally:
        server.close()
    wrong = 0
    for (data, _), back in backs:
        expected = judge.predict(data)
        got = player.statuses(back)
        wrong += len(got) != len(expected) or any(right is not None and one not in right for one, right in zip(got, expected))
    return wrong / number


def test_a_server_that_replies_always_alike_is_found():
    assert differing(answer(200) + answer(200)) > 0.95
    assert differing(answer(422) + answer(200)) > 0.5
    assert differing(answer(400)) > 0.05  # most of the spoiled ones are that


def test_a_lenient_parser_is_found(monkeypatch):
    """The judge's own rules made weaker, one by one: the catalogue tells."""
    def agrees():
        judge = generators.judge(["a.b.c"])
        for case in cases("framing"):
            if "send" in case.line and not case.line.get("half"):
                found = judge.predict(case.line["send"].encode("latin-1") + PROBE)
                wished = [int(one[:3]) for one in case.back] + ([] if case.ends else [200])
                if len(found) != len(wished) or not all(one is None or status in one for status, one in zip(wished, found)):
                    return False
        return True

    assert agrees()
    monkeypatch.setattr(http_model, "CONTROL", http_model.re.compile(rb"[\r\n]"))
    assert not agrees()
    monkeypatch.undo()
    monkeypatch.setattr(http_model, "valid_host", lambda host: True)
    assert not agrees()
    monkeypatch.undo()
    monkeypatch.setattr(http_model, "TOKEN", http_model.re.compile(rb"[^:]+\Z"))
    assert not agrees()
