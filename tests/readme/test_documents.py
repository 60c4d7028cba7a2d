# SPDX-License-Identifier: MIT
"""What the documents say can be done, and where they lead is there."""
import functools
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest
from markdown_it import MarkdownIt

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TASKHOLD_BIN", str(ROOT / "build" / "taskhold"))
TARGET = re.compile(r"""<(?:a|img)\b[^>]*?\b(?:href|src)=["']([^"']+)""")
ANCHOR = re.compile(r"""<\w+\b[^>]*?\b(?:id|name)=["']([^"']+)""")


def all_documents():
    """Every Markdown file that git knows or would know, relative to the repository."""
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in sorted(set(listed.splitlines())) if (ROOT / name).exists()]


PLAYED = [name for name in all_documents() if re.fullmatch(r"(docs/)?[\w-]+\.md", name) and name != "CHANGELOG.md"]


def readme(*arguments):
    """The exit status of script/readme, and what it printed."""
    done = subprocess.run([str(ROOT / "script" / "readme"), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=200, check=False)
    return done.returncode, done.stdout


@functools.cache
def tokens_of(path):
    """The document as a flat list: blocks, and what stands in them."""
    flat = []
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        flat += [token, *(token.children or [])]
    return flat


def headings_of(path):
    """The names of its headings, as GitHub makes them, and of its anchors in HTML."""
    names = []
    tokens = tokens_of(path)
    for token, inner in zip(tokens, tokens[1:]):
        if token.type == "heading_open":
            text = "".join(part.content for part in inner.children if part.type in ("text", "code_inline"))
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = sum(1 for known in names if re.fullmatch(rf"{re.escape(name)}(-\d+)?", known))
            names.append(f"{name}-{again}" if again else name)
        elif token.type in ("html_block", "html_inline"):
            names += ANCHOR.findall(token.content)
    return names


def links_of(path):
    """All places that it leads to."""
    for token in tokens_of(path):
        if token.type == "link_open":
            yield token.attrs["href"]
        elif token.type == "image":
            yield token.attrs["src"]
        elif token.type in ("html_block", "html_inline"):
            yield from TARGET.findall(token.content)


def fault_of(path, link):
    """Why a link of the document is dead, or nothing. The network is not asked."""
    parts = urllib.parse.urlsplit(link)
    if parts.scheme in ("http", "https"):
        return "" if re.fullmatch(r"[\w-]+(\.[\w-]+)*(:\d+)?", parts.netloc) else "no address"
    if parts.scheme:
        return "" if parts.scheme == "mailto" else "an unknown scheme"
    target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
    if not target.exists() or (path.is_relative_to(ROOT) and not target.is_relative_to(ROOT)):
        return "no such file"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in headings_of(target):
        return f"no such heading among {', '.join(headings_of(target))}"
    return ""


@pytest.mark.parametrize("name", all_documents())
def test_no_link_is_dead(name):
    dead = [f"{link}: {fault}" for link in links_of(ROOT / name) if (fault := fault_of(ROOT / name, link))]
    assert not dead, "\n".join([name, *dead])


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One `two`, three\n\n[a](#one-two-three) [b](#one) ![c](none.png) [d](https://a.example) [e](https://) "
                    "[f](x:y)\n<a href='gone'>g</a>\n")
    assert [link for link in links_of(page) if fault_of(page, link)] == ["#one", "none.png", "https://", "x:y", "gone"]


def test_the_index_names_every_document():
    named = {os.path.normpath(os.path.join("docs", link)) for link in links_of(ROOT / "docs" / "index.md")}
    assert {name for name in all_documents() if name.startswith("docs/")} - named == {"docs/index.md"}
    assert "docs/index.md" in links_of(ROOT / "README.md")


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.encode()) <= 10_000
    prose = re.sub(r"^```.*?^```|^\|.*?$", "", text, flags=re.M | re.S)
    assert [line for line in prose.splitlines() if len(line) > 100] == []


def test_the_readme_names_the_defaults():
    """A row with a default says the one that the program has."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)?[^|]*\|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    done = subprocess.run([BINARY, "config", "--json"], cwd="/", env={}, capture_output=True, check=False)
    values = {one["name"]: one["value"] for one in json.loads(done.stdout)["settings"]}
    assert len(rows) == 8
    assert rows == [(name, "" if values[name] is None else str(values[name])) for name, _ in rows]


def test_the_readme_says_what_script_test_says():
    """How long the tests take, and how much room."""
    (said,) = re.findall(r'^ *echo "test: .*"$', (ROOT / "script" / "test").read_text(encoding="utf-8"), re.M)
    figures = re.findall(r"\d+ (?:minutes|more|GB)", said)
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert figures and [figure for figure in figures if figure not in text] == []


@pytest.mark.parametrize("name", PLAYED)
def test_every_block_runs(name):
    status, printed = readme("--check", name)
    print(printed)
    assert status == 0, printed


GOOD = """# A document

```sh
curl -sS http://127.0.0.1:8080/livez -w '\\n'
echo '{"id":"01a2264b-5c8e-7597-806b-95cecbe557e4","tasks":1}'
```

```sh
false || test -s data/taskhold.db
cd docs
git log -1 --format=%H | wc -c | sed s/^/@/
```

<!-- printed -->
```text
@41
```

<!-- not run: it
belongs elsewhere -->
```sh
exit 1
```

<!-- made: pwd | sed 's/.*clone/clone/' -->
clone
<!-- made: end -->
"""


def test_a_good_document_passes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(GOOD)
    status, printed = readme("--check", page)
    assert status == 0 and printed.endswith(": 2 blocks run, 1 not run\n    not run: it belongs elsewhere\n1 passed, 0 failed\n")


@pytest.mark.parametrize("was, now, line, said", [
    ("cd docs", "cd nowhere", 9, "ended with 1, and printed:"),
    ("cd docs", "echo $NOBODY_SET_THIS", 9, "unbound variable"),
    ("cd docs", "curl -sSf http://127.0.0.1:8080/none", 9, "404"),
    ("<!-- printed -->\n```text", "```", 14, "names no language"),
    ("cd docs", "$ cd docs", 8, "a prompt"),
    ("```text", "```bash", 15, "should be sh"),
    ("<!-- printed -->\n```text\n@41", "```json\n{", 14, "cannot be read"),
    ("<!-- printed -->\n```text", "<!-- printed -->\n```json", 8, "printed no JSON"),
    ("\n@41", "\n@42", 0, "-@42\n+@41"),
    ("clone\n<", "elsewhere\n<", 0, "+clone"),
    ("<!-- made: end -->", "", 25, "does not end"),
    ("```sh\nfalse", "<!-- not run: x -->\n```sh\nfalse", 16, "no block that is run"),
])
def test_a_bad_document_fails(was, now, line, said, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(GOOD.replace(was, now, 1))
    assert page.read_text() != GOOD
    status, printed = readme("--check", page)
    assert status == 1 and printed.endswith("\n0 passed, 1 failed\n"), printed
    assert said in printed and (not line or f"page.md:{line}: " in printed), printed


def test_what_is_printed_is_written(tmp_path):
    """What stands in a document stays when only ids, times and tokens are others."""
    page = tmp_path / "page.md"
    page.write_text(GOOD.replace("\n@41", "\n@42").replace("clone\n<", "<"))
    assert readme(page)[0] == 0 and page.read_text() == GOOD
    kept = GOOD.replace("git log -1 --format=%H | wc -c | sed s/^/@/", 'echo \'{"id":"01a2264b-5c8e-7597-806b-95cecbe557e5","n":1}\'')
    kept = kept.replace("text\n@41", 'json\n{\n  "id": "01a2264b-0000-7597-806b-95cecbe557e4",\n  "n": 1\n}')
    page.write_text(kept)
    assert readme(page)[0] == 0 and page.read_text() == kept


def test_each_file_of_the_root_says_who_needs_it_there():
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    there = {name for name in listed if "/" not in name and (ROOT / name).exists()}
    part = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Files in the root\n")[1]
    named = [name for row in re.findall(r"^\| (`.*?) \|", part, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]
    assert sorted(named) == sorted(there)
