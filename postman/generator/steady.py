# SPDX-License-Identifier: MIT
"""Puts samples in the place of whatever differs from run to run.

The same raw value always becomes the same sample, so what belongs together in the recorded answers still
belongs together in the collection: the `Location` names the task of the body, and `If-Match` the `ETag` from
before. A sample depends only on how many values came before it, never on the clock or on chance.
"""

import base64
import datetime
import hashlib
import hmac
import json
import re
import string
import zlib

from .items import ABSENT_ID

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# A date, or a time to the second, as a request says it.
DATE = re.compile(r'(?<=["=])\d{4}-\d\d-\d\d(?=["&]|$|T\d\d:\d\d:\d\d[Z+-])')
ONLY_DATE = re.compile(r"\d{4}-\d\d-\d\d")
TAG = re.compile(r'"([0-9A-Za-z]{6})-([lu]?)(\d+)"')
TAG_LENGTH = 24  # of any other tag: how long the one of an answer about changes is, is chance
START = datetime.datetime(2026, 11, 22, 15, 4, 5, 123000, tzinfo=datetime.timezone.utc)
SAMPLE_KEY = b"a sample key that signs nothing but this sample"
RETRY_AFTER = "3"
WAIT = re.compile(r"\bTry again in \d+ seconds?\b")
LEFT = re.compile(r'"([a-z]+)";r=(\d+);t=\d+')
SAMPLE_LEFT = {
    "api": (1100, 5),
    "auth": (20, 40),
    "failures": (5, 450),
}  # fewer than any run of the story leaves
SAMPLE_EMPTY = {"api": 60, "auth": 60, "failures": 900}  # seconds until all of it is there again
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SAMPLE_LIFE = datetime.timedelta(days=30)
NOW = datetime.timedelta(minutes=10)  # a time further off was not made by the clock of this run
DATES = {"yesterday": -1, "today": 0, "tomorrow": 1, "next_week": 7}


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Steady:
    def __init__(self):
        self.step = 0
        self.samples = {ABSENT_ID: ABSENT_ID}
        self.spaces = {}
        self.born = {}
        self.count = 0
        self.today = datetime.datetime.now(datetime.timezone.utc).date()

    def next_step(self):
        self.step += 1

    def moment(self):
        return START + datetime.timedelta(seconds=self.step)

    @staticmethod
    def time_text(moment):
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def dates(self):
        """The days around this one, of which requests make what is due."""
        return {name: str(self.today + datetime.timedelta(days)) for name, days in DATES.items()}

    def moved(self, date):
        """A day as far from that of the samples as `date` is from today."""
        return str(START.date() + (datetime.date.fromisoformat(date) - self.today))

    def sample_of_time(self, raw):
        time = datetime.datetime.fromisoformat(raw.replace("Z", "+00:00"))
        if abs(time - datetime.datetime.now(datetime.timezone.utc)) < NOW:
            return self.time_text(self.moment())
        return self.moved(raw[:10]) + raw[10:]

    def uuid(self):
        self.count += 1
        milliseconds = int(self.moment().timestamp() * 1000)
        tail = digest("uuid", self.count).hex()
        text = f"{milliseconds:012x}7{tail[:3]}{'89ab'[self.count % 4]}{tail[3:18]}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def access_token(self, raw):
        """A token that says the same as `raw`, with samples in it and another signature."""
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in raw.split(".")[:2])
        issued = int(self.moment().timestamp())
        life = claims["exp"] - claims["iat"]
        claims = self.value(claims) | {"iat": issued, "exp": issued + life}
        header["kid"] = "sample"
        parts = [base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        return signed + "." + base64url(hmac.new(SAMPLE_KEY, signed.encode(), hashlib.sha256).digest())

    def opaque(self, raw, kind):
        """A sample that is as long as `raw`, in the alphabet of base64url."""
        self.count += 1
        text = ""
        while len(text) < len(raw):
            text += base64url(digest(kind, self.count, len(text)))[:40]
        return text[: len(raw)]

    def script_token(self):
        """A sample that says the same of itself: it begins and ends as a token for a script does."""
        self.count += 1
        text = "".join(DIGITS[byte % 62] for byte in digest("script", self.count) + digest("token", self.count))[:39]
        rest = zlib.crc32(text.encode()) % 62**4
        return "thk_" + text + "".join(DIGITS[rest // 62**place % 62] for place in (3, 2, 1, 0))

    def learn(self, text):
        for raw in UUID.findall(text):
            if raw not in self.samples:
                self.samples[raw] = self.uuid()
                self.born[raw] = self.moment()
        for raw in TIME.findall(text):
            self.samples.setdefault(raw, self.sample_of_time(raw))

    def learn_members(self, value):
        for name, member in value.items() if isinstance(value, dict) else ():
            if not isinstance(member, str) or member in self.samples:
                continue
            if name == "access_token":
                self.samples[member] = self.access_token(member)
            elif name in ("refresh_token", "next_cursor"):
                self.samples[member] = self.opaque(member, name)
            elif name == "tag":
                self.samples[member] = self.space(member)
            elif name == "token" and member.startswith("thk_"):
                self.samples[member] = self.script_token()
            elif name == "deleted_at":  # what is in the trash
                self.learn(member)
                deleted = datetime.datetime.fromisoformat(self.samples[member].replace("Z", "+00:00"))
                self.samples.setdefault(value["expires_at"], self.time_text(deleted + SAMPLE_LIFE))

    def space(self, raw):
        """What the tags of an account begin with."""
        return self.spaces.setdefault(raw, digest("space", len(self.spaces)).hex()[:6])

    def text(self, text):
        """`text` with every known raw value replaced; unknown ids and times become known."""
        self.learn(text)
        text = DATE.sub(lambda found: self.moved(found[0]), text)
        text = WAIT.sub(f"Try again in {RETRY_AFTER} seconds", text)
        for raw in sorted(self.samples, key=len, reverse=True):
            text = text.replace(raw, self.samples[raw])
        return text

    def session(self, value):
        """When a session was used depends on how fast its client was: its times follow from its place."""
        self.learn(value["id"])
        created = self.born[value["id"]]
        times = {"created_at": created, "last_used_at": self.moment(), "expires_at": created + SAMPLE_LIFE}
        return {**value, "id": self.text(value["id"])} | {
            name: self.time_text(one) for name, one in times.items()
        }

    def value(self, value):
        if isinstance(value, dict):
            if "last_used_at" in value and "scopes" not in value:
                return self.session(value)
            self.learn_members(value)
            return {name: self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(member) for member in value]
        if isinstance(value, str) and ONLY_DATE.fullmatch(value):
            return self.moved(value)
        return self.text(value) if isinstance(value, str) else value

    @staticmethod
    def left(found):
        """How much of a quota is left depends on how fast the requests came."""
        name, empty = found[1], found[2] == "0"
        left, seconds = (0, SAMPLE_EMPTY[name]) if empty else SAMPLE_LEFT[name]
        return f'"{name}";r={left};t={seconds}'

    def learn_tag(self, raw):
        """A revision says the same in every run. What the tags of an account begin with does not, nor does the
        version of the account itself; the tag of a file is made from its bytes."""
        found = TAG.fullmatch(raw)
        if not found:
            self.samples[raw] = '"' + self.opaque("x" * TAG_LENGTH, "etag") + '"'
            return
        space, kind, version = found.groups()
        known = self.space(space)
        version = str(int.from_bytes(digest("version", len(self.samples))[:7], "big")) if kind == "u" else version
        self.samples[raw] = f'"{known}-{kind}{version}"'

    def header(self, name, raw):
        name = name.lower()
        if name == "date":
            return self.moment().strftime("%a, %d %b %Y %H:%M:%S GMT")
        if name == "retry-after":
            return RETRY_AFTER
        if name == "ratelimit":
            return LEFT.sub(self.left, raw)
        if name == "etag" and raw not in self.samples:
            self.learn_tag(raw)
        return self.text(raw)
