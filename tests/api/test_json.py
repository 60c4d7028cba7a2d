# SPDX-License-Identifier: MIT
"""JSON is read strictly: what two readers could read in two ways is refused."""
import json

import pytest

TASK = "/v1/tasks/01a203ca-194b-77a5-8c00-000000000003"
NO_OBJECT = [b"", b" ", b"[]", b'["title"]', b'"title"', b"1", b"null", b"true", b"nul"]
BROKEN = [b"{", b"}", b'{"title"}', b'{"title":}', b'{"title":"x"', b'{"title":"x",}', b"{'title':'x'}",
          b'{title:"x"}', b'{"title":"x"}}', b'{"title":"x"} x', b'{"title":"x"}{}', b'{"title":"x"},',
          b'/* c */{"title":"x"}', b'{"title":"x"// c\n}', b'{"title":"x";"status":"pending"}', b'{"title":NaN}',
          b'{"title":Infinity}', b'{"title":01}', b'{"title":+1}', b'{"title":.5}', b'{"title":1.}', b'{"title":0x1}',
          b'{"title":True}', b'{"title":undefined}', b'{"title":"x\ny"}', b'{"title":"\ty"}', b'{"title":"\x01"}',
          b'{"title":"\\x41"}', b'{"title":"\\u12"}', b'{"title":"\\u12g4"}', b'{"title":"open}', b'{,"title":"x"}',
          b'{"title":"x",,"status":"pending"}', b'{"title":"x"}\x00', b'\x00{"title":"x"}', b'{"title":"a" "b"}',
          b'{"title":"x"}\x0b', b'{"title":"\\a"}', b'{1:"x"}', b'{null:"x"}', b'{"title":-}']
TEXT = [b'\xef\xbb\xbf{"title":"x"}', '{"title":"x"}'.encode("utf-16"), '{"title":"x"}'.encode("utf-16-le"),
        b'{"title":"\xff"}', b'{"title":"\xc0\x80"}', b'{"title":"\xe0\x80\x80"}', b'{"title":"\xed\xa0\x80"}',
        b'{"title":"\xf4\x90\x80\x80"}', b'{"title":"\xf8\x88\x80\x80\x80"}', b'{"title":"\xc3"}',
        b'{"title":"\x80"}', b'{"title":"\xe2\x82"}', b'{"\xff":"x"}', b'{"title":"caf\xe9"}']
ESCAPES = [rb'{"title":"\u0000"}', rb'{"title":"a\u0000b"}', rb'{"title":"x","\u0000":1}', rb'{"title":"\ud800"}',
           rb'{"title":"\udc00"}', rb'{"title":"\ud800\ud800"}', rb'{"title":"\udc00\ud800"}',
           rb'{"title":"\ud83dx"}', rb'{"title":"\ud83d\n"}', rb'{"title":"x","\ud800":1}']
TWICE = [b'{"title":"a","title":"b"}', b'{"title":"a","title":"a"}', rb'{"title":"a","\u0074itle":"b"}',
         rb'{"title":"a","t\u0069tle":"b"}', b'{"title":"x","x":1,"x":2}', b'{"title":"x","d":{"a":1,"a":2}}']
UNREADABLE = [
    (b"", "is empty"), (b" \n", "is empty"), (b"[]", "a JSON array"), (b"5", "a JSON number"), (b"null", "JSON word"),
    (b'"{\\"title\\":\\"x\\"}"', "stringified twice"), (b"title=x", "an object is expected, but `t`"),
    (b'\xef\xbb\xbf{"title":"x"}', "byte order mark"), (b'{"title":"x"} x', "line 1, column 15: something stands after"),
    (b'{"title":"x"}{"title":"y"}', "line 1, column 14: something stands after the object"),
    (b'{"title":"x",\n "title":"y"}', 'The member "title" stands twice in one object, again at line 2, column 2'),
    (b'{"description":{"a":1,"a":2},"title":"x"}', 'The member "a" stands twice'),
    (b'{"title":"a\\u0000b"}', "line 1, column 12: \\u0000"), (b'{"title":"cut \\ud83d"}', "half of a surrogate pair"),
    (b'{"title":"x\xff"}', "not UTF-8 at byte 12"), (b'{"title":"\xe4"}', "not UTF-8 at byte 11"),
    (b'{"title":"x",}', "line 1, column 14: the name of one more member is expected after the comma"),
    (b'{"title":"one\ntwo"}', "a line break stands in a text"), (b"{'title':'x'}", "in double quotes, not in single ones"),
    (b'{"title":"x"', "ends before the object is closed"), (b'{"title":"x', "whose closing quote is missing"),
    (b'{"title":undefined}', "a value is expected"), (b'{"title":"x"/*c*/}', "no comments"),
    (b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", "nested more than 16 levels deep at line 1, column 21"),
    (b'{"a":[' + b"0," * 4096 + b"0]}", "more than 4096"),
    # A NUL after a number or a word.
    (b'{"title":"x","description":null\x00}', "a NUL byte"), (b'{"title":"x","a":1\x00}', "a NUL byte"),
    (b'{"title":"x","a":true\x00}', "a NUL byte"), (b'{"title":"x","a":false\x00}', "a NUL byte"),
]
DEEP = [b'{"title":"x","d":' + b"[" * depth + b"]" * depth + b"}" for depth in (20, 1000, 50000)]
DEEP += [b'{"title":"x","d":' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}", b"[" * 100000, b'{"a":' * 40000]


@pytest.mark.parametrize("body", NO_OBJECT + BROKEN + TEXT + ESCAPES + TWICE + DEEP, ids=lambda b: ascii(b)[:32])
def test_refused(user, body):
    before = user.client.get("/v1/tasks?limit=1&include=total").json["total"]
    user.client.post("/v1/tasks", body=body).expect(400, "invalid_json")
    assert user.client.get("/v1/tasks?limit=1&include=total").json["total"] == before


@pytest.mark.parametrize("body, says", UNREADABLE, ids=lambda b: ascii(b)[:32])
def test_a_refusal_says_what_is_wrong_and_where(user, body, says):
    answer = user.client.post("/v1/tasks", body=body).expect(400, "invalid_json")
    assert says in answer.json["detail"], answer.json["detail"]


@pytest.mark.parametrize("body, title", [
    (b'{"title":"x"}', "x"), (b' \t\r\n{ "title" : "x" } \n', "x"),
    (rb'{"title":"\u0041\u00e9\ud83d\ude00"}', "Aé😀"),
    (rb'{"title":"\"\\\/ "}', '"\\/ '), (rb'{"\u0074itle":"x"}', "x"), ('{"title":"é😀\u007e"}'.encode(), "é😀~"),
    (rb'{"title":"\uffff\ufdd0"}', "\uffff\ufdd0"), (rb'{"title":"\uD83D\uDE00"}', "😀")],
    ids=lambda b: ascii(b)[:32])
def test_accepted(user, body, title):
    assert user.client.post("/v1/tasks", body=body).expect(201).json["title"] == title


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 400, b"123456789012345678901234567890",
                                    b"18446744073709551616", b"9223372036854775808", b"-9223372036854775809", b"1e999",
                                    b"1e-400", b"1E5", b"-0"])
def test_huge_numbers_harm_nobody(user, number):
    """They are well-formed; the member that has them is named."""
    answer = user.client.post("/v1/tasks", body=b'{"title":' + number + b"}").expect(422, "validation_failed")
    assert answer.errors == {("/title", "type")}


@pytest.mark.parametrize("method, path", [
    ("POST", "/v1/auth/register"), ("POST", "/v1/auth/login"), ("POST", "/v1/auth/refresh"), ("PATCH", "/v1/me"),
    ("PUT", "/v1/me/password"), ("PUT", "/v1/me/email"), ("POST", "/v1/me/deletion"),
    ("PUT", TASK), ("PATCH", TASK)])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', rb'{"a":"\u0000"}', b'{"a":"\xff"}'])
def test_every_call_with_a_body_is_as_strict(user, method, path, body):
    user.client.request(method, path, body=body).expect(400, "invalid_json")


def test_answers_are_json_that_any_reader_reads(user):
    text = "\u2028\u2029</script>\"\\\u200b\ufeff" + "😀"
    answer = user.client.post("/v1/tasks", {"title": text, "description": "\n\t\r" + text}).expect(201)
    assert json.loads(answer.body.decode("utf-8"))["title"] == text
    assert answer.headers["Content-Type"].startswith("application/json")
    answer.body.decode("utf-8")
