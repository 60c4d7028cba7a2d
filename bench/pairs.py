# SPDX-License-Identifier: MIT
"""Two ways of one thing, measured in turn, pair by pair: what else the machine does meets both alike."""
import statistics


def alternate(count, plain, changed):
    """Calls both so many times, and changes which is first; gives [(plain's, changed's), …]."""
    taken = []
    for number in range(count):
        first, second = (plain, changed) if number % 2 == 0 else (changed, plain)
        one, two = first(), second()
        taken.append((one, two) if number % 2 == 0 else (two, one))
    return taken


def ratio(taken, field):
    """The median, over the pairs, of the changed one's field to the plain one's."""
    return statistics.median(getattr(changed, field) / getattr(plain, field) for plain, changed in taken)


def medians(taken, field):
    """Of the plain ones and of the changed ones."""
    return tuple(statistics.median(getattr(each, field) for each in column) for column in zip(*taken))
