# SPDX-License-Identifier: MIT
"""Texts that a database or a locale could treat in a way of its own."""

# Pairs and groups that some collation calls equal, or puts into another order than their code points.
ORDERED = [
    "a", "B", "b", "A", "Z", "z", "_", "10", "2", "1", "a b", "a-b", "ab", "a_b", "co-op", "coop", "CO-OP",
    "é", "e\u0301", "É", "ö", "o\u0308", "oz", "ß", "ss", "SS", "ẞ", "İ", "I", "ı", "i", "i\u0307", "ǆ", "ǅ", "Ǆ",
    "ﬁ", "fi", "Å", "\u212b", "A\u030a", "K", "\u212a", "ſ", "s", "ñ", "n\u0303", "ç", "c", "d", "ğ", "Ğ", "ş",
    "～ wide", "~", "\uffff", "\ue000", "\U0001f600", "\U0010ffff", "\U00010000", "\ud7ff", "日本", "ｶ", "カ",
    "가", "\u1100\u1161", "שלום", "مرحبا", "\u202eabc", "\u200b", "a\u200b", "a\u00ad", "\ufeffx", " lead", "trail ",
    "%", "_%", "\\", "'", "''", "\"", "$1", "?1", ":x", "; DROP TABLE tasks", "NULL", "\\N", "{}", "\\x41",
    "👩\u200d👩\u200d👧", "🇩🇪",
]
DESCRIPTIONS = ["", "plain", "one\r\ntwo\nthree\rfour\tfive", "\r\n", "   ", "\\r\\n", "\u2028\u2029",
                "a\u0301\u0302\u0303",
                "ÄÖÜ" * 40, "\U0001f469\u200d\U0001f680" * 30, "'; --", "E'\\x00'", "$$", "\t", None, None]
LIMITS = [("title", "x" * 1024), ("title", "x" * 1025), ("title", "\U0001f404" * 1024), ("title", "\U0001f404" * 1025),
          ("description", "y" * 16384), ("description", "y" * 16385), ("description", "é" * 16384)]
REFUSED_TITLES = ["", " ", "\u3000", "\u00a0 \u2003", "a\u0000b", "a\u0001b", "a\nb", "a\u0085b", "\u007f"]
WRONG_TYPES = [0, 1.5, -1, True, False, [], {}, ["x"], {"a": 1}, 10 ** 30]

# Bodies that are not one JSON object in UTF-8, and some that are one in an unusual way.
RAW_BODIES = [
    b"", b"{", b"}", b"null", b"[]", b"1", b'"x"', b"{} {}", b'{"title":"x"', b'{"title":"x",}', b"{'title':'x'}",
    b'{"title":"x","title":"y"}', b'{"title":"\\u0000"}', b'{"title":"a\\u0000b"}', b'{"title":"\\ud83d"}',
    b'{"title":"\\ude00\\ud83d"}', b'{"title":"\xed\xa0\xbd\xed\xb8\x80"}', b'{"title":"\xff"}',
    b'{"title":"\xc0\x80"}',
    b'{"title":"\xf4\x90\x80\x80"}', b'{"title":"x\x00"}', b'\xef\xbb\xbf{"title":"x"}', b'{"title":NaN}',
    b'{"title":01}', b"[" * 200, b'{"title":' + b"[" * 200, b'{"a":1,"b":2,"title":"x"}',
]
ODD_BODIES = [
    b'{"title":"\\ud83d\\ude00 pair"}', b' \r\n\t{ "title" : "spaced" } \n', b'{"t\\u0069tle":"escaped name"}',
    b'{"title":"\\/\\"\\\\"}', b'{"title":"\\uffff\\ufffe"}', b'{"title":"\\u0130\\u0131"}',
    b'{"title":"tab\\u00adsoft"}',
]
QUERIES = [
    "limit=0", "limit=101", "limit=-1", "limit=1e1", "limit=", "limit=%31", "limit=99999999999999999999999",
    "limit=1&limit=2",
    "sort=", "sort=Title", "sort=--title", "sort=title,status", "sort=id", "status=", "status=done",
    "status=pending,pending",
    "status=pending,,completed", "status=PENDING", "include=all", "include=total,total", "cursor=", "cursor=x",
    "cursor=%00",
    "cursor=" + "A" * 200, "unknown=1", "q=milk", "limit=%zz", "limit=5&", "&limit=5", "limit=5&&sort=title", "limit",
    "status=pending%2Ccompleted&limit=3", "sort=%74itle&limit=3", "a=1&b=2&limit=0&sort=x",
]
BAD_IDS = ["x", "0", "01A203CA-194B-77A5-8C00-000000000003", "01a203ca-194b-77a5-8c00-00000000000", "%20", "..",
           "%2e%2e",
           "{01a203ca-194b-77a5-8c00-000000000003}", "01a203ca194b77a58c00000000000003", "%00", "'",
           "01a203ca-194b-77a5-8c00-000000000003%00",
           "01a203ca-194b-77a5-8c00-00000000000g", "00000000-0000-0000-0000-000000000000",
           "ffffffff-ffff-ffff-ffff-ffffffffffff"]

# Addresses beside `kirsi.ilis@Example.com`: the first ones are the same account, the others look alike or fold alike.
EMAIL = "Kirsi.Ilis@Example.com"
SAME_EMAILS = ["kirsi.ilis@example.com", "KIRSI.ILIS@EXAMPLE.COM", "kIRSI.iLIS@eXAMPLE.cOM"]
OTHER_EMAILS = ["K\u0130RS\u0130.\u0130LIS@EXAMPLE.COM", "k\u0131rs\u0131.\u0131lis@example.com",
                "\u212airsi.ilis@example.com",
                "kir\u017fi.ili\u017f@example.com", "kirsi.ilis@example.co", "kirs\u00ed.ilis@example.com",
                "kirsi.ili\u00df@example.com",
                "kirsi.iliss@example.com", "kirsi.ilis@\uff45xample.com", " kirsi.ilis@example.com",
                "kirsi.ilis@example.com\n",
                "kirsi%ilis@example.com", "kirsi_ilis@example.com", "kirsi.ilis@example..com",
                "a" * 300 + "@example.com"]
