# SPDX-License-Identifier: MIT
"""Drives a headless Chromium by the DevTools protocol, over a pair of pipes.

A page notes what must not happen: errors on the console, exceptions, what the Content-Security-Policy
refused, and requests to anybody but the server under test.
"""
import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SECONDS = 30
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
]
# Chromium reads commands from 3 and writes answers to 4.
LAUNCH = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"

# Where the middle of an element is, when it is there and nothing covers it.
LOCATE = """(() => {
  const element = %s;
  if (!element) return null;
  element.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'});
  const box = element.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  return top && (element.contains(top) || top.contains(element)) ? {x, y} : null;
})()"""


# What Chromium says of an expression whose page goes while it is asked.
LEAVING = ("navigated or closed", "context was destroyed", "Cannot find context")


class Left(AssertionError):
    """The page went while it was asked."""


def program():
    """Where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """The process. Not for several threads."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="taskhold-browser-")
        self.last = 0
        self.input = b""
        self.pages = {}
        theirs_in, self.out = os.pipe()
        self.back, theirs_out = os.pipe()
        command = [sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), program(), *FLAGS]
        self.process = subprocess.Popen(
            [*command, f"--user-data-dir={self.folder}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.version = self.call("Browser.getVersion")["product"]

    def stop(self):
        """Ends the process and all of its children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.out)
        os.close(self.back)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, session=None, **parameters):
        """Sends one command and waits for its answer; events on the way go to their pages."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self._receive(deadline, method)
            if answer.get("id") == self.last:
                if "error" in answer:
                    why = answer["error"]["message"]
                    raise (Left if any(word in why for word in LEAVING) else AssertionError)(f"{method}: {answer['error']}")
                return answer["result"]
            if answer.get("sessionId") in self.pages:
                self.pages[answer["sessionId"]].note(answer["method"], answer["params"])

    def _receive(self, deadline, what):
        while b"\0" not in self.input:
            ready, _, _ = select.select([self.back], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{what}: no answer from Chromium in {SECONDS} s"
            piece = os.read(self.back, 1 << 20)
            assert piece, f"{what}: Chromium has ended"
            self.input += piece
        message, self.input = self.input.split(b"\0", 1)
        return json.loads(message)

    def open(self, server, path, width=1280, height=900, dark=False):
        """A new page of `server`, in a profile of its own."""
        return Page(self, server, path, width, height, dark)


class Page:
    """One page. `wrong` lists what must not have happened."""

    def __init__(self, browser, server, path, width, height, dark):
        self.browser, self.server = browser, server
        self.wrong, self.requests = [], []
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.go(path)

    def call(self, method, **parameters):
        """A command to this page."""
        return self.browser.call(method, self.session, **parameters)

    def note(self, event, data):
        """Keeps what the checks ask for."""
        if event == "Network.requestWillBeSent":
            url = data["request"]["url"]
            self.requests.append(url)
            if not url.startswith((self.server.url + "/", "data:", "about:blank", f"blob:{self.server.url}")):
                self.wrong.append(f"a request to somebody else: {url}")
        elif event == "Log.entryAdded" and data["entry"]["level"] in ("warning", "error"):
            self.wrong.append(f"{data['entry']['level']}: {data['entry']['text']} {data['entry'].get('url', '')}")
        elif event == "Runtime.consoleAPICalled" and data["type"] in ("warning", "error", "assert"):
            self.wrong.append(f"console.{data['type']}: {data['args']}")
        elif event == "Runtime.exceptionThrown":
            self.wrong.append(f"exception: {data['exceptionDetails']}")

    def go(self, path):
        """Opens a path of the server."""
        self.call("Page.navigate", url=self.server.url + path)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        """What a JavaScript expression gives."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def wait(self, expression, seconds=None):
        """Waits until the expression is true, and gives its value."""
        seconds = seconds or SECONDS
        deadline = time.monotonic() + seconds
        while True:
            value = None
            with contextlib.suppress(Left):  # by a link that was clicked, say: the next page is asked
                value = self.value(expression)
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {seconds} s: {expression}; {self.wrong}"
            select.select([], [], [], 0.02)

    def click(self, element):
        """Clicks with the mouse on what a JavaScript expression gives, once it stands still to be clicked."""
        place, before = self.wait(LOCATE % element), None
        while place != before:
            self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            place, before = self.wait(LOCATE % element), place
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def type(self, element, text):
        """Replaces what stands in an input field."""
        self.click(element)
        self.value(f"{element}.select()")
        self.call("Input.insertText", text=text)

    def press(self, key):
        """Presses Tab or Enter."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        for kind in ("keyDown", "keyUp"):
            shown = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **shown)

    def screenshot(self, path, height=None):
        """A picture for people: of what is seen, or of the page down to `height`."""
        more = {}
        if height:
            width = self.value("document.documentElement.clientWidth")
            more = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
        data = self.call("Page.captureScreenshot", **more)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def forgive(self, words):
        """Takes what holds `words` off the list; answers how much that was."""
        wrong, self.wrong = self.wrong, [one for one in self.wrong if words not in one]
        return len(wrong) - len(self.wrong)

    def close(self):
        """Closes it; fails when anything went wrong on it."""
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
        del self.browser.pages[self.session]
        assert not self.wrong, self.wrong
