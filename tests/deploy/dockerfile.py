# SPDX-License-Identifier: MIT
"""Reads a Dockerfile into stages of instructions."""
import re
import shlex
from dataclasses import dataclass, field

INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER",
                "VOLUME", "WORKDIR"}


@dataclass
class Stage:
    base: str
    name: str
    instructions: list = field(default_factory=list)
    text: list = field(default_factory=list)

    def all(self, keyword):
        """What stands after every such instruction."""
        return [rest for found, rest in self.instructions if found == keyword]

    def one(self, keyword):
        """What stands after the only such instruction."""
        found = self.all(keyword)
        assert len(found) == 1, f"{keyword} stands {len(found)} times"
        return found[0]

    def pairs(self, keyword):
        """KEY=VALUE of all such instructions."""
        return dict(word.split("=", 1) for rest in self.all(keyword) for word in shlex.split(rest))


def lines_of(text):
    """Logical lines: comments left out, a backslash at the end joins."""
    kept = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return re.sub(r"\\\n\s*", " ", "\n".join(kept)).splitlines()


def parse(text):
    """(arguments before the first FROM, stages). An unknown instruction is a fault."""
    arguments, stages = {}, []
    for line in lines_of(text):
        keyword, _, rest = line.partition(" ")
        assert keyword in INSTRUCTIONS, f"unknown instruction {keyword}"
        if keyword == "FROM":
            words = re.fullmatch(r"(\S+)(?: AS (\S+))?", rest.strip())
            assert words, line
            stages.append(Stage(words[1], words[2] or ""))
        elif not stages:
            assert keyword == "ARG", f"{keyword} before FROM"
            name, _, value = rest.partition("=")
            arguments[name] = value
        if stages:
            stages[-1].instructions.append((keyword, rest.strip()))
            stages[-1].text.append(line)
    return arguments, stages
