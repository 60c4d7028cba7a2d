# SPDX-License-Identifier: MIT
"""Our access tokens in the hands of another JOSE library, PyJWT: it needs the secret and nothing else."""
import http.client
import json
import uuid

import jwt
import pytest

from support.server import SECRET

CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
ROTATED = "w7Rk2-another-secret-for-the-rotation-tests-4Nf"


def call(server, method, path, body=None, token=None):
    """Status and object of one call."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def log_in(server):
    """A new account: its id and its tokens."""
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse battery staple"}
    status, user = call(server, "POST", "/v1/auth/register", account)
    assert status == 201
    status, token = call(server, "POST", "/v1/auth/login", account)
    assert status == 200
    return user["id"], token


def decode(token, secret=SECRET, **more):
    """The claims, after every check that PyJWT has."""
    options = {"require": CLAIMS, "verify_signature": True}
    expected = {"audience": "taskhold", "issuer": "taskhold", "leeway": 5, **more}
    return jwt.decode(token, secret, algorithms=["HS256"], options=options, **expected)


@pytest.fixture(scope="module")
def login(server):
    """One account and its tokens, for all tests of this file."""
    return log_in(server)


def test_pyjwt_verifies_our_token(login):
    user, token = login
    claims = decode(token["access_token"])
    assert set(claims) == set(CLAIMS)
    assert claims["sub"] == user
    assert claims["exp"] - claims["iat"] == token["expires_in"]
    for name in ("sub", "sid", "jti"):
        assert str(uuid.UUID(claims[name])) == claims[name] and uuid.UUID(claims[name]).version == 7


def test_the_header_is_that_of_an_access_token(login):
    header = jwt.get_unverified_header(login[1]["access_token"])
    assert (header["alg"], header["typ"]) == ("HS256", "at+jwt")
    assert len(header["kid"]) == 16 and set(header["kid"]) <= set("0123456789abcdef")


def test_pyjwt_refuses_what_is_not_as_we_signed_it(login):
    token = login[1]["access_token"]
    for change in ({"secret": ROTATED}, {"audience": "other"}, {"issuer": "other"}):
        with pytest.raises(jwt.InvalidTokenError):
            decode(token, **change)


def test_the_key_id_does_not_show_the_secret(login):
    """The kid is public; equal secrets give equal kids, other secrets others."""
    kid = jwt.get_unverified_header(login[1]["access_token"])["kid"]
    assert kid not in SECRET and kid not in SECRET.encode().hex()


def test_a_rotated_secret_signs_and_the_previous_one_verifies(start_server):
    issuer = "https://tasks.example.com"
    server = start_server(env={"JWT_ISSUER": issuer})
    _, token = log_in(server)
    old = token["access_token"]
    server.restart(env={"JWT_SECRET": ROTATED, "JWT_SECRET_PREVIOUS": SECRET})
    assert call(server, "GET", "/v1/me", token=old)[0] == 200
    status, renewed = call(server, "POST", "/v1/auth/refresh", {"refresh_token": token["refresh_token"]})
    assert status == 200
    new = renewed["access_token"]
    assert decode(new, ROTATED, issuer=issuer)["sid"] == decode(old, SECRET, issuer=issuer)["sid"]
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    assert call(server, "GET", "/v1/me", token=new)[0] == 200
    server.restart(env={"JWT_SECRET": ROTATED, "JWT_SECRET_PREVIOUS": None})
    assert call(server, "GET", "/v1/me", token=old)[0] == 401
    assert call(server, "GET", "/v1/me", token=new)[0] == 200
    assert call(server, "POST", "/v1/auth/refresh", {"refresh_token": token["refresh_token"]})[0] == 401
