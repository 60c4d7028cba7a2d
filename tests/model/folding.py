# SPDX-License-Identifier: MIT
"""Texts as a search and an order see them, written down from the contract with Python's Unicode."""
import functools
import re
import unicodedata

# Unicode's property White_Space, which is not what str.isspace() asks.
SPACE = "[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"
SEARCH_MOST = 200


def nfkd(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


@functools.cache
def fold(text: str) -> str:
    """NFKD, full case folding, NFKD, general category M removed."""
    return "".join(point for point in nfkd(nfkd(text).casefold()) if unicodedata.category(point)[0] != "M")


@functools.cache
def fold_member(text: str) -> str:
    """White space runs are one blank."""
    return re.sub(f"{SPACE}+", " ", fold(text))


def search_terms(typed: str) -> list | None:
    """Words and phrases to look for; empty: nothing is left; None: it is too long."""
    if len(typed) > SEARCH_MOST:
        return None
    terms = []
    for place, part in enumerate(typed.split('"')):
        # After each second quote begins a phrase; the last one may be open.
        words = [part] if place % 2 else re.split(f"{SPACE}+", part)
        terms += [fold_member(word).strip(" ") for word in words]
    return [term for term in terms if term]


def is_found(terms: list, members: list) -> bool:
    """Words may be found in different members, a phrase in one."""
    folded = [fold_member(member) for member in members]
    return all(any(term in member for member in folded) for term in terms)
