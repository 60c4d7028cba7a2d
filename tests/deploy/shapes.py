# SPDX-License-Identifier: MIT
"""A strict check of a document's shape: every key has to be known, every needed one has to be there.

A shape is one of
  str, int, bool            a value of exactly that type
  re.compile(...)           a text that it matches as a whole
  {"a", 1}                  one of these values
  {"key": S, "more?": S}    an object with these keys and no others; `?` marks those it may lack
  Each(pattern, S)          an object with free keys that match, each value of one shape
  [S]                       a list with at least one entry, each of one shape
  Nothing()                 an empty list
  Either(S, T)              one of several shapes
"""
import re
from dataclasses import dataclass

import yaml


@dataclass
class Each:
    pattern: str
    shape: object


class Nothing:
    """An empty list."""


class Either:
    def __init__(self, *shapes):
        self.shapes = shapes


def _object(value, shape, where):
    if not isinstance(value, dict):
        return [f"{where}: is no object"]
    known = {key.rstrip("?"): (key.endswith("?"), inner) for key, inner in shape.items()}
    faults = [f"{where}/{key}: unknown key" for key in value if key not in known]
    for key, (optional, inner) in known.items():
        if key in value:
            faults += check(value[key], inner, f"{where}/{key}")
        elif not optional:
            faults.append(f"{where}/{key}: is missing")
    return faults


def _each(value, shape, where):
    if not isinstance(value, dict):
        return [f"{where}: is no object"]
    faults = []
    for key, inner in value.items():
        if not re.fullmatch(shape.pattern, str(key)):
            faults.append(f"{where}/{key}: unknown key")
        faults += check(inner, shape.shape, f"{where}/{key}")
    return faults


def _list(value, shape, where):
    if not isinstance(value, list) or not value:
        return [f"{where}: is no list with an entry"]
    return [fault for at, one in enumerate(value) for fault in check(one, shape[0], f"{where}/{at}")]


def check(value, shape, where=""):
    """The faults, each with its place; an empty list when there is none."""
    if isinstance(shape, Either):
        tries = [check(value, one, where) for one in shape.shapes]
        return min(tries, key=len)
    if isinstance(shape, Nothing):
        return [] if value == [] else [f"{where}: is no empty list"]
    if isinstance(shape, Each):
        return _each(value, shape, where)
    if isinstance(shape, dict):
        return _object(value, shape, where)
    if isinstance(shape, list):
        return _list(value, shape, where)
    if isinstance(shape, (set, frozenset)):
        good = any(value == one and type(value) is type(one) for one in shape)
    elif isinstance(shape, re.Pattern):
        good = isinstance(value, str) and shape.fullmatch(value) is not None
    else:
        good = type(value) is shape
    return [] if good else [f"{where}: {value!r} is not allowed"]


class _Unique(yaml.SafeLoader):
    """PyYAML takes the last of two keys with one name; here that is a fault."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if len(keys) != len(set(keys)):
            raise yaml.YAMLError(f"a key stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def read_yaml(path):
    return yaml.load(path.read_text(), Loader=_Unique)  # a SafeLoader underneath
