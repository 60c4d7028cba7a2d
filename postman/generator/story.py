# SPDX-License-Identifier: MIT
"""The story that the collection tells: every request, in order, and what must come back."""

from .story_calls import ACCOUNTS, CLEAN_UP, CONCURRENCY, HEALTH, QUERIES, TASKS
from .story_errors import ERRORS
from .story_items import Folder

STORY = [HEALTH, ACCOUNTS, TASKS, QUERIES, CONCURRENCY, ERRORS, CLEAN_UP]


def items(folders=None):
    """Every item in the order in which it runs, each with the names of the folders around it."""
    for entry in STORY if folders is None else folders:
        for inner in entry.items:
            if isinstance(inner, Folder):
                for names, item in items([inner]):
                    yield (entry.name, *names), item
            else:
                yield (entry.name,), inner
