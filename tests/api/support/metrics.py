# SPDX-License-Identifier: MIT
"""Reads /metrics, strictly: whatever the text format of Prometheus (0.0.4) does not allow is a failure."""
import re
import urllib.error
import urllib.request

from .waiting import wait_until

URL = re.compile(r'"metrics":"(http://[^"]+)/metrics"')
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|\Z)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
TYPES = {"counter", "gauge", "histogram"}
SUFFIXES = ("_bucket", "_sum", "_count")


class Sample:
    """One line."""

    def __init__(self, name, labels, value):
        self.name, self.labels, self.value = name, labels, value


class Family:
    """A metric with its HELP, TYPE and lines."""

    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, []


class Page:
    """All of it."""

    def __init__(self):
        self.families, self.values = {}, {}

    def get(self, name, labels=None):
        """The value of the one series with exactly these labels."""
        key = (name, frozenset((labels or {}).items()))
        assert key in self.values, f"no {name}{labels or ''}"
        return self.values[key]


def parse_labels(text):
    """`a="b",c="d"` as a dict."""
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels {text!r}"
        assert match.group(1) not in labels, f"a label twice: {text!r}"
        labels[match.group(1)] = match.group(2)
        at = match.end()
    return labels


def add_sample(page, family, line):
    """One line that is no comment."""
    match = SAMPLE.fullmatch(line)
    assert match and family is not None, f"line {line!r}"
    name, labels = match.group(1), parse_labels(match.group(2) or "")
    assert NUMBER.fullmatch(match.group(3)), f"number {line!r}"
    stem = name
    if family.type == "histogram":
        stem = next((name[:-len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)), name)
        assert name != stem, f"line {line!r} in a histogram"
        assert ("le" in labels) == name.endswith("_bucket"), line
    assert stem == family.name, f"line {line!r} among those of {family.name}"
    value = float(match.group(3))
    assert family.type == "gauge" or value >= 0, line
    key = (name, frozenset(labels.items()))
    assert key not in page.values, f"twice: {line!r}"
    page.values[key] = value
    family.samples.append(Sample(name, labels, value))


def check_histogram(family):
    """Buckets rise, end with +Inf, and that is the count."""
    series = {}
    for sample in family.samples:
        rest = frozenset((k, v) for k, v in sample.labels.items() if k != "le")
        series.setdefault(rest, []).append(sample)
    for labels, samples in series.items():
        buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets), f"{family.name}{set(labels)}: buckets out of order"
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), f"{family.name} falls"
        assert buckets and buckets[-1][0] == float("inf"), f"{family.name}{set(labels)} without +Inf"
        count = [s.value for s in samples if s.name.endswith("_count")]
        assert count == [buckets[-1][1]], f"{family.name}{set(labels)}: the count is not that of +Inf"
        assert sum(s.name.endswith("_sum") for s in samples) == 1, f"{family.name}{set(labels)} without a sum"


def parse(text):
    """A Page; fails on anything else."""
    assert text.endswith("\n"), "the last line has no end"
    page, family = Page(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and name not in page.families and words.endswith("."), line
            family = page.families[name] = Family(name, words)
        elif line.startswith("# TYPE "):
            assert family is not None and family.type is None and not family.samples, line
            name, family.type = line[7:].split(" ")
            assert name == family.name and family.type in TYPES, line
        else:
            assert family is None or family.type is not None, f"no TYPE before {line!r}"
            add_sample(page, family, line)
    for one in page.families.values():
        assert one.samples, f"{one.name} has no line"
        if one.type == "histogram":
            check_histogram(one)
    return page


def histogram(page, name, labels=None):
    """The buckets as (bound, count so far)."""
    wanted = (labels or {}).items()
    return [(float(s.labels["le"]), s.value) for s in page.families[name].samples
            if s.name == name + "_bucket" and wanted <= s.labels.items()]


def url_of(server, path="/metrics"):
    """Where the metrics listener of a Server is."""
    match = wait_until(lambda: URL.search(server.log_text(this_run=True)), 10, "the metrics listener")
    return match.group(1) + path


def read(url, headers=None):
    """(status, headers, body), whatever the status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def metrics_of(server):
    """The page, parsed."""
    return parse(read(url_of(server))[2].decode())
