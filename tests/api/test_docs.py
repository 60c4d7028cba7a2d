# SPDX-License-Identifier: MIT
"""The documentation page's files over HTTP; tests/docs looks at the page with a browser."""
import gzip
import re

import pytest

from support.paths import ROOT

OWN = {"init.js": "text/javascript", "page.css": "text/css"}
PACKED = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
GZIP = {"Accept-Encoding": "gzip, br"}


def get_packed(client, name, **headers):
    """One of Swagger UI's files; skips where the build has none."""
    answer = client.get(f"/docs/{name}", headers={**GZIP, **headers})
    if answer.status == 404:
        pytest.skip("this build has no Swagger UI")
    return answer


@pytest.mark.parametrize("name", OWN)
def test_our_files(client, name):
    answer = client.get(f"/docs/{name}").expect(200)
    assert answer.headers["Content-Type"] == OWN[name] + "; charset=utf-8"
    assert answer.body == (ROOT / "src" / "api" / "docs" / name).read_bytes()


@pytest.mark.parametrize("name", PACKED)
def test_packed_files(client, name):
    answer = get_packed(client, name).expect(200)
    assert answer.headers["Content-Type"] == PACKED[name] + "; charset=utf-8"
    assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["Vary"] == "Accept, Accept-Encoding"
    text = gzip.decompress(answer.body).decode("utf-8")
    wanted = (ROOT / "src" / "api" / "docs" / "requirements.txt").read_text(encoding="utf-8")
    version = re.search(r"==(\S+)", wanted)[1]
    assert text.startswith(f"/*!\nSwagger UI v{version}\n") and "Apache License" in text[:1000]


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("coding", ["identity", "br", "gzip;q=0", ""])
def test_packed_files_come_in_no_other_form(client, name, coding):
    get_packed(client, name, **{"Accept-Encoding": coding}).expect(406, "not_acceptable")


def test_a_reload_is_304(client):
    for path in ("/docs", *(f"/docs/{name}" for name in (*OWN, *PACKED))):
        first = client.get(path, headers=GZIP)
        if first.status == 404:
            continue
        assert first.headers["Cache-Control"] == "no-cache"
        client.get(path, headers={**GZIP, "If-None-Match": first.etag}).expect(304)
        client.get(path, headers={**GZIP, "If-None-Match": '"other"'}).expect(200)
        client.get(path, headers={**GZIP, "If-None-Match": "other"}).expect(400, "invalid_header")


def test_each_file_has_a_type(client):
    client.get("/docs/page.css", headers={"Accept": "text/css,*/*;q=0.1"}).expect(200)
    client.get("/docs/page.css", headers={"Accept": "text/javascript"}).expect(406, "not_acceptable")
    client.get("/docs/init.js", headers={"Accept": "text/css"}).expect(406, "not_acceptable")


@pytest.mark.parametrize("name", ["index.html", "plain.html", "page", "page.css.gz", "PAGE.CSS"])
def test_no_other_file(client, name):
    client.get(f"/docs/{name}").expect(404, "not_found")


def test_the_page_has_nothing_inline(client):
    page = client.get("/docs").expect(200).body.decode("utf-8")
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    for path in re.findall(r"""(?:src|href)="(/docs/[^"]+)""", page):
        client.get(path, headers=GZIP).expect(200)
