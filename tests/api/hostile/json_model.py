# SPDX-License-Identifier: MIT
"""What a strict server says to the body of a new task: a second reading of RFC 8259 and of our rules."""
import json
import re
import unicodedata

DEEPEST, MEMBERS_MOST = 16, 4096
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
BLANK = re.compile("[\\s\ufeff\x85]*\\Z")
MEMBERS = {"title", "priority", "labels"}
NO_SEGMENTS = {".", ".."}  # no path could name such a label
PRIORITIES = {"none", "low", "medium", "high", "urgent"}


def pairs(found):
    """An object, of which each name stands once."""
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError("a name twice")
    return dict(found)


def no_constant(name):
    """NaN and its kind."""
    raise ValueError(name)


def texts(value):
    """All texts in a value, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts(one)


def parse(body):
    """The object, or ValueError."""
    text = body.decode("utf-8", "strict")
    value = json.loads(text, object_pairs_hook=pairs, parse_constant=no_constant)
    if not isinstance(value, dict):
        raise ValueError("no object")
    for one in texts(value):
        if any("\ud800" <= c <= "\udfff" or c == "\0" for c in one):
            raise ValueError("half a pair or a NUL")
    return value


def good_text(value, most):
    """A line of text that is not blank."""
    return isinstance(value, str) and 1 <= len(value) <= most and not CONTROL.search(value) and \
        not all(BLANK.match(c) or unicodedata.category(c) == "Zs" for c in value)


def statuses(body):
    """The right statuses of POST /v1/tasks."""
    try:
        value = parse(body)
    except (ValueError, RecursionError):
        return {400}
    if not set(value) <= MEMBERS or not good_text(value.get("title"), 1024):
        return {422}
    labels = value.get("labels", [])
    fine = value.get("priority", "none") in PRIORITIES if isinstance(value.get("priority", "none"), str) else False
    fine = fine and isinstance(labels, list) and len(labels) <= 32 and all(good_text(one, 64) and one not in NO_SEGMENTS for one in labels)
    return {201} if fine else {422}
