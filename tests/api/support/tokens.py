# SPDX-License-Identifier: MIT
"""Taking our access tokens apart and making false ones."""
import base64
import hashlib
import hmac
import json

from .server import SECRET


def encode(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """The bytes of unpadded base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token):
    """Header and claims of a token, as objects."""
    header, claims, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


def sign(signing_input, secret=SECRET, digest=hashlib.sha256):
    """`input.signature`."""
    return f"{signing_input}.{encode(hmac.new(secret.encode(), signing_input.encode(), digest).digest())}"


def compact(value):
    """JSON bytes without white space."""
    return json.dumps(value, separators=(",", ":")).encode()


def with_claims(token, secret=SECRET, drop=(), **changes):
    """The same token with other claims, under the same header and a good signature."""
    header, payload, _ = token.split(".")
    claims = {**json.loads(decode(payload)), **changes}
    for name in drop:
        del claims[name]
    return sign(f"{header}.{encode(compact(claims))}", secret)


def with_header(token, digest=hashlib.sha256, drop=(), **changes):
    """The same claims under another header, signed with our secret."""
    header, payload, _ = token.split(".")
    fields = {**json.loads(decode(header)), **changes}
    for name in drop:
        del fields[name]
    return sign(f"{encode(compact(fields))}.{payload}", digest=digest)


def expired(token):
    """A token of the same session that ran out a minute ago."""
    _, claims = parts(token)
    return with_claims(token, iat=claims["iat"] - 960, exp=claims["iat"] - 60)
