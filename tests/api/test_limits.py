# SPDX-License-Identifier: MIT
"""Every bound on the size of a request: at the limit it works, one beyond it has its code and the connection ends."""
import json
from urllib.parse import quote

import pytest

from support.client import Client
from support.raw import RawConnection, exchange

LINE_MOST, HEAD_MOST, FIELDS_MOST = 8192, 16384, 128
BODY_MOST, ACCOUNT_BODY_MOST = 262144, 4096


def padded(size, body=b'{"title":"x"'):
    """A JSON object of exactly `size` bytes: white space fills it up."""
    return body + b" " * (size - len(body) - 1) + b"}"


def post(user, path, body, length=None):
    """A POST byte for byte."""
    return (f"POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n").encode() + body


def chunked(user, path, body, size=4096):
    """The same as chunks."""
    head = (f"POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def refused(server, data, status, code):
    """The answer is this problem, nothing more is read as a request, and the server goes on."""
    with RawConnection(server) as connection:
        connection.send(data + b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = connection.read()
        assert answer is not None, "closed without an answer"
        answer.expect(status, code)
        assert answer.headers["Connection"].lower() == "close"
        assert answer.headers["Cache-Control"] == "no-store" and answer.json["request_id"]
        assert connection.closed(), "it read on"
    Client(server).get("/livez").expect(200)


@pytest.mark.parametrize("form", [post, chunked])
def test_bodies(server, user, form):
    exchange(server, form(user, "/v1/tasks", padded(BODY_MOST))).expect(201)
    refused(server, form(user, "/v1/tasks", padded(BODY_MOST + 1)), 413, "content_too_large")


@pytest.mark.parametrize("form", [post, chunked])
@pytest.mark.parametrize("path", ["/v1/auth/refresh", "/v1/auth/login", "/v1/auth/register", "/v1/me/deletion"])
def test_bodies_of_account_calls(server, user, form, path):
    exchange(server, form(user, path, padded(ACCOUNT_BODY_MOST, b'{"unknown":1'))).expect(422)
    refused(server, form(user, path, padded(ACCOUNT_BODY_MOST + 1)), 413, "content_too_large")


@pytest.mark.parametrize("length", [BODY_MOST + 1, 10 ** 9, 2 ** 63 - 1])
def test_a_large_content_length_is_refused_before_the_body_comes(server, user, length):
    with RawConnection(server) as connection:
        connection.send(post(user, "/v1/tasks", b"", length))
        connection.read().expect(413, "content_too_large")
        assert connection.closed()


def test_the_body_limit_is_a_setting(start_server, make_user):
    own = make_user(start_server(args=["--max-body-bytes", "5000"]))
    own.client.post("/v1/tasks", body=padded(5000)).expect(201)
    refused(own.server, post(own, "/v1/tasks", padded(5001)), 413, "content_too_large")


def line(length):
    """A request line of `length` bytes without its CRLF."""
    return b"GET /livez?" + b"q" * (length - 20) + b" HTTP/1.1"


def test_request_lines(server):
    assert len(line(100)) == 100
    exchange(server, line(LINE_MOST - 2) + b"\r\nHost: t\r\n\r\n").expect(200)
    refused(server, line(LINE_MOST + 1) + b"\r\nHost: t\r\n\r\n", 414, "uri_too_long")
    refused(server, b"GET /" + b"q" * 100000, 414, "uri_too_long")


def test_header_sections(server):
    head = b"GET /livez HTTP/1.1\r\nHost: t\r\n"
    few = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 1000) for number in range(15))
    exchange(server, head + few + b"\r\n").expect(200)
    refused(server, head + few + few + b"\r\n", 431, "header_fields_too_large")
    refused(server, head + b"X: " + b"v" * (HEAD_MOST + 1) + b"\r\n\r\n", 431, "header_fields_too_large")
    refused(server, head + b"X: " + b"v" * 100000, 431, "header_fields_too_large")


def test_numbers_of_fields(server):
    head = b"GET /livez HTTP/1.1\r\nHost: t\r\n"
    exchange(server, head + b"X: 1\r\n" * (FIELDS_MOST - 1) + b"\r\n").expect(200)
    refused(server, head + b"X: 1\r\n" * FIELDS_MOST + b"\r\n", 431, "header_fields_too_large")


def test_too_many_query_parameters(user):
    query = "&".join(f"p{number}=1" for number in range(200))
    answer = user.client.get(f"/v1/tasks?{query}").expect(400, "invalid_parameter")
    assert 1 <= len(answer.json["errors"]) <= 32


def test_the_largest_task_can_be_written_read_and_listed(user):
    """Four bytes a character, and six as an escape: what fits the limits of the fields fits the server."""
    body = json.dumps({"title": "🐄" * 1024, "description": "🐄" * 16384}).encode()
    task = user.client.post("/v1/tasks", body=body).expect(201).json
    assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json == task
    for _ in range(9):
        user.client.post("/v1/tasks", body=body).expect(201)
    items, cursor = [], ""
    while cursor is not None:  # a page may end before its limit, by bytes
        page = user.client.get(f"/v1/tasks?limit=10{cursor}").expect(200).json
        items += page["items"]
        cursor = page["next_cursor"] and "&cursor=" + quote(page["next_cursor"])
    assert sum(item["description"] == task["description"] for item in items) == 10


def test_the_same_bad_request_a_thousand_times(server, user):
    data = post(user, "/v1/tasks", b'{"title":"\xff"}') * 50
    for _ in range(20):
        with RawConnection(server) as connection:
            connection.send(data)
            for _ in range(50):
                connection.read().expect(400, "invalid_json")
    Client(server).get("/readyz").expect(200)


def test_a_head_that_does_not_come(server):
    """A client that sends a part and then nothing is told so, and makes room for others."""
    with RawConnection(server) as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n")
        answer = connection.read().expect(408, "request_timeout")
        assert answer.headers["Connection"].lower() == "close" and connection.closed()
