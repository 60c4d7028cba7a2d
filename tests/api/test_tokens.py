# SPDX-License-Identifier: MIT
"""Access tokens: only what we issued, exactly as we issued it, opens a door."""
import hashlib
import json
import re
import time

import pytest

from support import tokens
from support.client import Client
from support.waiting import wait_until


@pytest.fixture(scope="module")
def token(user):
    """A good access token."""
    return user.token["access_token"]


def test_a_token_says_what_it_should(user, token):
    header, claims = tokens.parts(token)
    assert header["alg"] == "HS256" and header["typ"] == "at+jwt" and header["kid"]
    assert set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("taskhold", "taskhold", user.id)
    assert claims["exp"] - claims["iat"] == 900 == user.token["expires_in"]
    assert abs(claims["iat"] - time.time()) < 600
    assert 2592000 - 30 <= user.token["refresh_expires_in"] <= 2592000, "what is left, in whole seconds rounded up"


def test_every_token_has_its_own_id(user):
    ids = {tokens.parts(user.login()["access_token"])[1]["jti"] for _ in range(2)}
    assert len(ids) == 2


def test_our_way_of_signing_gives_good_tokens(server, token):
    """Without this the tests below would pass for the wrong reason."""
    same = tokens.with_claims(token)
    Client(server, same).get("/v1/me").expect(200)


def duplicate_claim(token):
    header, payload, _ = token.split(".")
    claims = tokens.decode(payload)
    doubled = claims[:-1] + b',"sub":' + json.dumps(json.loads(claims)["sub"]).encode() + b"}"
    return tokens.sign(f"{header}.{tokens.encode(doubled)}")


def unsigned(token, alg):
    changed = tokens.with_header(token, alg=alg).rsplit(".", 1)[0]
    return changed + "."


def other_last_bit(token):
    """The signature with an unused bit set: the same bytes to a lax decoder."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


FORGERIES = {
    "alg none": lambda t: unsigned(t, "none"),
    "alg nOnE": lambda t: unsigned(t, "nOnE"),
    "alg none, our signature": lambda t: tokens.with_header(t, alg="none"),
    "HS384": lambda t: tokens.with_header(t, hashlib.sha384, alg="HS384"),
    "HS512": lambda t: tokens.with_header(t, hashlib.sha512, alg="HS512"),
    "typ JWT": lambda t: tokens.with_header(t, typ="JWT"),
    "no typ": lambda t: tokens.with_header(t, drop=["typ"]),
    "no kid": lambda t: tokens.with_header(t, drop=["kid"]),
    "other kid": lambda t: tokens.with_header(t, kid="0123456789abcdef"),
    "crit": lambda t: tokens.with_header(t, crit=["exp"]),
    "jwk": lambda t: tokens.with_header(t, jwk={"kty": "oct", "k": "AAAA"}),
    "jku": lambda t: tokens.with_header(t, jku="https://example.com/keys"),
    "b64": lambda t: tokens.with_header(t, b64=False),
    "other secret": lambda t: tokens.with_claims(t, secret="another-secret-of-more-than-32-bytes-0"),
    "empty secret": lambda t: tokens.with_claims(t, secret=""),
    "expired": tokens.expired,
    "expires as text": lambda t: tokens.with_claims(t, exp="9999999999"),
    "expires as float": lambda t: tokens.with_claims(t, exp=9999999999.5),
    "expires far beyond": lambda t: tokens.with_claims(t, exp=10 ** 30),
    "from the future": lambda t: tokens.with_claims(t, iat=int(time.time()) + 600, exp=int(time.time()) + 1200),
    "wrong issuer": lambda t: tokens.with_claims(t, iss="somebody"),
    "wrong audience": lambda t: tokens.with_claims(t, aud="somebody"),
    "audience as list": lambda t: tokens.with_claims(t, aud=["taskhold"]),
    "subject unknown": lambda t: tokens.with_claims(t, sub="01a203c9-2b03-70a1-81ce-000000000001"),
    "subject no uuid": lambda t: tokens.with_claims(t, sub="1"),
    "session unknown": lambda t: tokens.with_claims(t, sid="01a203c9-2b03-70a1-81ce-000000000001"),
    "claim twice": duplicate_claim,
    "signature cut": lambda t: t[:-1],
    "signature longer": lambda t: t + "A",
    "signature bit": lambda t: t[:-5] + ("A" if t[-5] != "A" else "B") + t[-4:],
    "unused bits": other_last_bit,
    "padding": lambda t: t + "=",
    "four parts": lambda t: t + ".AAAA",
    "five parts": lambda t: t + ".AAAA.AAAA",
    "two parts": lambda t: t.rsplit(".", 1)[0],
    "empty": lambda t: "..",
    "only dots": lambda t: "." * 200,
    "longer than 1 KiB": lambda t: t + "A" * 1024,
    "twice": lambda t: f"{t}, {t}",
    "space inside": lambda t: t.replace(".", ". ", 1),
    "JSON form": lambda t: '{"payload":"' + t.split(".")[1] + '"}',
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(server, token, name):
    forged = FORGERIES[name](token)
    answer = Client(server).get("/v1/me", headers={"Authorization": f"Bearer {forged}"}).expect(401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


EXPIRED = re.compile(r"expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.mark.parametrize("make, text, challenge", [
    (FORGERIES["other secret"], "not an access token of this server", "not an access token of this server"),
    (lambda t: "secret", "not an access token of this server", "not an access token of this server"),
    (tokens.expired, EXPIRED, EXPIRED),
    (FORGERIES["session unknown"], "session of this token has ended", "session of the access token has ended"),
], ids=["foreign", "no token", "expired", "ended"])
def test_a_refusal_says_what_is_wrong(server, token, make, text, challenge):
    """And what to do, in the problem and in error_description (RFC 6750 section 3)."""
    answer = Client(server, make(token)).get("/v1/me").expect(401, "invalid_token")
    found = re.search(r'error="invalid_token", error_description="([^"\\]+)"', answer.headers["WWW-Authenticate"])
    assert re.search(text, answer.json["detail"]) and re.search(challenge, found.group(1))
    assert len(answer.headers.get_all("WWW-Authenticate")) == 1


def test_a_refresh_token_in_place_of_the_access_token_is_named(server, user):
    answer = Client(server, user.token["refresh_token"]).get("/v1/me").expect(401, "invalid_token")
    assert "refresh token" in answer.json["detail"] and "access_token" in answer.json["detail"]


def test_another_scheme_is_named(server):
    answer = Client(server).get("/v1/me", headers={"Authorization": "Basic YTpi"}).expect(401, "unauthorized")
    assert "Bearer TOKEN" in answer.json["detail"] and "Authorization field" in answer.json["detail"]


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
def test_no_claim_may_be_missing(server, token, claim):
    Client(server, tokens.with_claims(token, drop=[claim])).get("/v1/me").expect(401, "invalid_token")


def test_a_token_of_another_users_session_is_refused(server, user, other):
    theirs = tokens.parts(other.token["access_token"])[1]["sid"]
    mixed = tokens.with_claims(user.token["access_token"], sid=theirs)
    Client(server, mixed).get("/v1/me").expect(401, "invalid_token")


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER  ", "Bearer     "])
def test_the_scheme_in_any_case_and_any_number_of_blanks(user, scheme):
    user.client.get("/v1/me", headers={"Authorization": scheme + user.client.token}).expect(200)


@pytest.mark.parametrize("field", ["Basic YTpi", "Bearer", "Bearer ", "Token {}", "{}", "Bearer{}", "Digest {}"])
def test_only_the_bearer_scheme_opens(server, token, field):
    client = Client(server)
    client.get("/v1/me", headers={"Authorization": field.format(token)}).expect(401)


def test_a_token_counts_only_in_its_field(server, token):
    client = Client(server)
    client.get(f"/v1/me?access_token={token}").expect(401, "unauthorized")
    client.get("/v1/me", headers={"Cookie": f"access_token={token}"}).expect(401, "unauthorized")
    client.get("/v1/me", headers={"X-Access-Token": token}).expect(401, "unauthorized")


def test_tokens_run_out(start_server, make_user):
    own = start_server(env={"ACCESS_TOKEN_TTL": "1", "REFRESH_TOKEN_TTL": "1"})
    user = make_user(own)
    issued = time.time()
    assert (user.token["expires_in"], user.token["refresh_expires_in"]) == (1, 1)
    wait_until(lambda: user.client.get("/v1/me").status == 401, 5, "the end of the access token")
    user.client.get("/v1/me").expect(401, "invalid_token")
    wait_until(lambda: time.time() > issued + 1, 5, "the end of the refresh token")
    body = {"refresh_token": user.token["refresh_token"]}
    user.anonymous.post("/v1/auth/refresh", body).expect(401, "invalid_refresh_token")


def test_tokens_look_like_tokens(user):
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]{43}", user.token["access_token"])
    assert re.fullmatch(r"[\w-]{75}", user.token["refresh_token"])
