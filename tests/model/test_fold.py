# SPDX-License-Identifier: MIT
"""Our folding against Python's Unicode: every code point that both know, texts made of those that
fold to something else, and what is looked for in what a person types.

FOLD_SEED repeats a run, and TASKHOLD_BUILD says which build is tested."""
import os
import pathlib
import random
import subprocess
import unicodedata

import folding
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("TASKHOLD_BUILD", "build/asan") / "tests/unit/print_fold"
SEED = int(os.environ.get("FOLD_SEED", random.randrange(2**32)))
TEXTS = 20000
PLAIN = list("aAzZ  09.-éÉßçñÅøδΔяЯ中が한")
SPACES = [chr(point) for point in (9, 10, 13, 0x20, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x202F, 0x3000, 0x1C, 0x200B)]


def run(what: str, given: str = "") -> list:
    done = subprocess.run([PROGRAM, what], input=given, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return done.stdout.splitlines()


def to_hex(text: str) -> str:
    return text.encode().hex() or "-"


def from_hex(text: str) -> str:
    return "" if text == "-" else bytes.fromhex(text).decode()


@pytest.fixture(scope="module", name="known")
def known_fixture() -> dict:
    """Each code point that libutf8proc knows, and Python too, with what it is folded to."""
    lines = (line.split(" ") for line in run("points"))
    points = {chr(int(point, 16)): from_hex(folded) for point, folded in lines}
    return {point: folded for point, folded in points.items() if unicodedata.category(point) != "Cn"}


@pytest.fixture(scope="module", name="texts")
def texts_fixture(known) -> list:
    """Made of what is folded to something else, of marks, of white space and of plain letters."""
    print(f"\nseed {SEED}: FOLD_SEED={SEED} repeats it")
    chance = random.Random(SEED)
    changed = [point for point in known if folding.fold(point) != point]
    marks = [point for point in changed if unicodedata.category(point)[0] == "M"]
    kinds = [changed, marks, PLAIN, PLAIN, SPACES]
    return ["".join(chance.choice(chance.choice(kinds)) for _ in range(chance.randrange(30))) for _ in range(TEXTS)]


def test_every_code_point(known):
    wrong = [(hex(ord(point)), folded) for point, folded in known.items() if folded != folding.fold(point)]
    print(f"{len(known)} code points, Unicode {unicodedata.unidata_version} in Python, {len(wrong)} differ")
    assert not wrong, wrong[:10]
    assert len(known) > 280000


def test_texts(texts):
    """No code point is folded otherwise because of another one beside it."""
    wrong = []
    for text, line in zip(texts, run("texts", "".join(to_hex(text) + "\n" for text in texts)), strict=True):
        here = [from_hex(word) for word in line.split(" ")]
        if here != [folding.fold(text), folding.fold_member(text)]:
            wrong.append((text, here))
    print(f"{len(texts)} texts, {len(wrong)} differ")
    assert not wrong, wrong[:5]


def without_those_in_others(terms: list) -> set:
    return {term for term in terms if not any(term in other and term != other for other in terms)}


def test_what_is_looked_for(texts):
    chance = random.Random(SEED)
    typed = []
    for text in texts:
        points = list(text)
        for _ in range(chance.randrange(6)):
            points.insert(chance.randrange(len(points) + 1), chance.choice('""  '))
        typed.append("".join(points))
    typed += ["", " ", '"', '""', "a" * 200, "a" * 201, "é" * 200, "é" * 201, "\ufdfa" * 200, "a " * 100]
    wrong, lines = [], run("terms", "".join(to_hex(text) + "\n" for text in typed))
    for text, line in zip(typed, lines, strict=True):
        terms = folding.search_terms(text)
        if terms:
            here, there = {from_hex(word) for word in line.split(" ")}, without_those_in_others(terms)
        else:
            here, there = line, "long" if terms is None else "none"
        if here != there:
            wrong.append((text, here, there))
    print(f"{len(typed)} searches, {sum(line == 'none' for line in lines)} of nothing, {len(wrong)} differ")
    assert not wrong, wrong[:5]
