# SPDX-License-Identifier: MIT
"""Requests that two parsers could read in two ways are refused, and nothing after them is read as a request."""
import itertools

import pytest

from support.client import Client
from support.raw import RawConnection, exchange

HOST = b"Host: t\r\n"
GOOD = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /v1/auth/login HTTP/1.1\r\n" + HOST


def refused(server, data, status, code):
    """One problem, then the end of the connection; the next client is served."""
    with RawConnection(server) as connection:
        connection.send(data + SMUGGLED)
        answer = connection.read()
        assert answer is not None, "closed without an answer"
        answer.expect(status, code)
        assert answer.headers["Connection"] == "close"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["request_id"] == answer.headers["X-Request-Id"]
        assert connection.closed(), "what came after it was answered"
    Client(server).get("/livez").expect(200)


LENGTHS = [b"Content-Length: " + value for value in (
    b"", b"+3", b"-3", b"0x3", b"3 ,3", b"3,3", b"3, 4", b"3 3", b"1_0", b"3.0", b"3;", b"\x0b3", b"\xb3",
    b"9223372036854775808", b"18446744073709551619")]
TWO_FRAMES = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5\r\nContent-Length: 6",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"]
CODINGS = [b"Transfer-Encoding: " + value for value in (
    b"", b"chunked, chunked", b"chunked, gzip", b"chunked,", b",chunked", b"chunked;a=b", b"\"chunked\"",
    b"gzip", b"xchunked", b"identity", b"chunkedx", b"chunked, identity",
    b"chunked chunked", b"chunked\x00", b"\x0bchunked", b"chunked\x0b")]
SPELLINGS = [
    b"Content-Length : 5", b"Content-Length\t: 5", b" Content-Length: 5", b"Content-Length 5", b": 5", b"Content-Length",
    b"Transfer-Encoding : chunked", b"Transfer\x00-Encoding: chunked", b"Transfer-Encoding\r: chunked",
    b"X: a\r\n Transfer-Encoding: chunked", b"X: a\rTransfer-Encoding: chunked", b"X: a\nTransfer-Encoding: chunked",
    b"X: a\x00b", b"X: a\x7fb", b"X\xe4: a", b"X[]: a"]


@pytest.mark.parametrize("field", LENGTHS + TWO_FRAMES + CODINGS + SPELLINGS)
def test_framing_fields(server, field):
    refused(server, POST + field + b"\r\n\r\n0\r\n\r\n", 400, "malformed_request")


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"deflate,gzip , Chunked"])
def test_codings_that_the_server_does_not_have(server, coding):
    refused(server, POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n", 501, "not_implemented")


def test_no_coding_in_http_1_0(server):
    refused(server, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "malformed_request")


@pytest.mark.parametrize("line", [
    b"GET /livez HTTP/1.1\n", b"GET  /livez HTTP/1.1\r\n", b"GET /livez  HTTP/1.1\r\n", b" GET /livez HTTP/1.1\r\n",
    b"GET /livez HTTP/1.1 \r\n", b"GET\t/livez HTTP/1.1\r\n", b"GET /livez\r\n", b"GET /li vez HTTP/1.1\r\n",
    b"GET /livez http/1.1\r\n", b"GET /livez HTTP/1.1.1\r\n", b"GET /livez HTTP/01.1\r\n", b"G\x00T /livez HTTP/1.1\r\n",
    b"GET /livez\x00 HTTP/1.1\r\n", b"G@T /livez HTTP/1.1\r\n", b"\r\n\r\nGET /livez HTTP/1.1\r\n",
    b"\nGET /livez HTTP/1.1\r\n", b"GET livez HTTP/1.1\r\n", b"GET * HTTP/1.1\r\n", b"GET ftp://t/livez HTTP/1.1\r\n",
    b"GET http://u:p@t/livez HTTP/1.1\r\n", b"GET http:///livez HTTP/1.1\r\n", b"GET http://[zzz]/livez HTTP/1.1\r\n",
    b"GET http://a%zz/livez HTTP/1.1\r\n"])
def test_request_lines(server, line):
    refused(server, line + HOST + b"\r\n", 400, "malformed_request")


@pytest.mark.parametrize("target", [
    b"/livez%00", b"/x%2flivez", b"/x%2Flivez", b"/x%5clivez", b"/x\\livez", b"/%ff", b"/%c0%ae", b"/%ed%a0%80", b"/livez%0d%0a",
    b"/livez%", b"/livez%4",
    b"/livez%zz", b"/livez#x", b"/livez?a#x", b"/\xc3\xa4", b"/livez?\xc3\xa4", b"/<livez>"])
def test_targets(server, target):
    refused(server, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400, "malformed_request")


@pytest.mark.parametrize("host", [
    b"", b"Host:\r\nHost:\r\n", b"Host: [zzz]\r\n", b"Host: [:1]\r\n", b"Host: %\r\n", b"Host: a%zz\r\n",
    b"Host: [1.2.3.4]\r\n", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nhost: b\r\n", b"Host: a b\r\n", b"Host: a/b\r\n",
    b"Host: u@a\r\n", b"Host: a:b\r\n", b"Host: a:65536\r\n", b"Host: [::1\r\n", b"Host: :80\r\n"])
def test_hosts(server, host):
    refused(server, b"GET /livez HTTP/1.1\r\n" + host + b"\r\n", 400, "malformed_request")


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0", b"3.0", b"9.9"])
def test_versions(server, version):
    refused(server, b"GET /livez HTTP/" + version + b"\r\n" + HOST + b"\r\n", 505, "http_version_not_supported")


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"PROPFIND", b"get", b"GETX", b"A" * 200])
def test_methods_that_the_server_does_not_know(server, method):
    refused(server, method + b" /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501, "not_implemented")


@pytest.mark.parametrize("expect", [b"x", b"100-continue, 100-continue", b"100-continue;a", b""])
def test_expectations(server, expect):
    head = POST + b"Expect: " + expect + b"\r\nContent-Length: 2\r\n\r\n"
    refused(server, head + b"{}", 417, "expectation_failed")


@pytest.mark.parametrize("body", [
    b"", b"x", b"0x2\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"2 \r\n{}\r\n0\r\n\r\n", b" 2\r\n{}\r\n0\r\n\r\n",
    b"2\n{}\r\n0\r\n\r\n", b"2\r\n{}\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n", b"2\r\n{} \r\n0\r\n\r\n", b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    b"00000000000000002\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\n bad: x\r\n\r\n", b"2\r\n{}\r\n0\r\nbad\r\n\r\n",
    b"2\r\n{}\r\n0\r\n: x\r\n\r\n"])
def test_chunks(server, body):
    refused(server, POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"\r\n", 400, "malformed_request")


@pytest.mark.parametrize("body", [b"2;" + b"a" * 9000, b"0\r\nX: " + b"a" * 9000, b"0\r\n" + b"X: y\r\n" * 5000])
def test_extensions_and_trailers_are_bounded(server, body):
    refused(server, POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"\r\n", 431, "header_fields_too_large")


@pytest.mark.parametrize("data", [
    GOOD, b"\r\n" + GOOD, b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", b"GET http://other/livez HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /%6civez HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /livez?any=[|] HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /livez HTTP/1.1\r\nhOST:\tt:80 \t\r\nEmpty:\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc", b"GET /livez HTTP/1.1\r\n" + HOST + b"X: \xe4\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: CHUNKED\r\n\r\n3;x=\"y\"\r\nabc\r\n000\r\nT: x\r\n\r\n",
    b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"])
def test_what_is_good_keeps_the_connection(server, data):
    """In one piece, byte by byte, and twice in one packet."""
    with RawConnection(server) as connection:
        connection.send(data)
        connection.read().expect(200)
        for at in range(len(data)):
            connection.send(data[at:at + 1])
        connection.read().expect(200)
        connection.send(data + data)
        assert [connection.read().status for _ in range(2)] == [200, 200]


def test_head_and_get_agree(server):
    get, head = (exchange(server, method + GOOD[3:], method.decode()).expect(200) for method in (b"GET", b"HEAD"))
    differing = ("Date", "X-Request-Id")
    assert [i for i in get.headers.items() if i[0] not in differing] == \
        [i for i in head.headers.items() if i[0] not in differing]
    assert int(head.headers["Content-Length"]) == len(get.body) and head.body == b""


def test_options_of_the_server(server):
    answer = exchange(server, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "OPTIONS").expect(204)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert "Content-Length" not in answer.headers


def test_continue(server):
    head = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with RawConnection(server) as connection:
        connection.send(head)
        assert connection.read().status == 100
        connection.send(b"{}" + GOOD)
        connection.read().expect(422)
        connection.read().expect(200)
        # A body that is on its way needs no invitation, and one that is too large gets none.
        connection.send(head + b"{}")
        connection.read().expect(422)
        connection.send(head.replace(b": 2", b": 999999"))
        connection.read().expect(413)
        assert connection.closed()


def test_pipelined_answers_come_in_order(server):
    ids = [f"r{i}" for i in range(500)]
    paths = itertools.cycle(["/livez", "/", "/nothing", "/v1/tasks"])
    with RawConnection(server) as connection:
        connection.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: t\r\nX-Request-Id: {one}\r\n\r\n".encode()
                                 for one, path in zip(ids, paths)))
        assert [connection.read().headers["X-Request-Id"] for _ in ids] == ids


def test_connection_close(server):
    for data in (GOOD.replace(b"\r\n\r\n", b"\r\nConnection: Foo, CLOSE\r\n\r\n"), b"GET /livez HTTP/1.0\r\n\r\n"):
        with RawConnection(server) as connection:
            connection.send(data + SMUGGLED)
            assert connection.read().expect(200).headers["Connection"] == "close"
            assert connection.closed()


@pytest.mark.parametrize("given", ["", "a b", "a/b", "ä", "x" * 65, 'a"b'])
def test_a_request_id_of_doubtful_form_is_replaced(server, given):
    data = GOOD.replace(b"\r\n\r\n", b"\r\nX-Request-Id: " + given.encode() + b"\r\n\r\n")
    assert len(exchange(server, data).expect(200).headers["X-Request-Id"]) == 36
