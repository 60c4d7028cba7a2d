#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes docs/docs-page.png, the README's picture of /docs: 1,280 pixels wide, light, down to the calls of tasks.

usage: /usr/bin/python3 tests/docs/picture.py [FILE]

Needs build/taskhold with Swagger UI (script/bootstrap build, script/build), Chromium (script/bootstrap test) and
pngquant (apt-get install pngquant). The letters are those of the machine's sans-serif font.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "api"))
sys.dont_write_bytecode = True

from support.server import Server  # noqa: E402

from browser import Browser  # noqa: E402

PLACE = ROOT / "docs" / "docs-page.png"


def draw(server, browser, file):
    """The page down to the end of the tasks. The address shown is that of a server with no settings."""
    page = browser.open(server, "/docs")
    page.call("Emulation.setScrollbarsHidden", hidden=True)
    tasks = "document.querySelector('#operations-tag-Tasks')?.parentElement"
    page.wait(f"{tasks}?.querySelectorAll('.opblock').length >= 6")
    page.value("document.querySelector('.about code').textContent = 'http://127.0.0.1:8080'")
    bottom = page.value(f"{tasks}.getBoundingClientRect().bottom")
    page.screenshot(str(file), height=int(bottom) + 8)
    page.close()


def main():
    file = pathlib.Path(sys.argv[1]) if sys.argv[1:] else PLACE
    server, browser = Server(), Browser()
    try:
        draw(server, browser, file)
    finally:
        browser.stop()
        server.stop()
    subprocess.run(["pngquant", "--force", "--strip", "--speed", "1", "--output", file, "--", file], check=True)
    print(f"picture: wrote {file}, {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
