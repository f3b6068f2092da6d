"""Opens the chat page in two tabs of a headless Chromium and talks between them.

usage: chat_page.py CHROMIUM PORT SECRET
Speaks the DevTools protocol over two pipes; needs nothing but Python's own library.
"""
import json, os, subprocess, sys, tempfile, time

chromium, port, secret = sys.argv[1:4]


class Browser:
    def __init__(self, folder):
        commands, self.write = os.pipe()
        self.read, answers = os.pipe()
        # Chromium reads descriptor 3 and writes descriptor 4, whatever they were before.
        line = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", line, chromium, "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.rest, self.number = b"", 0

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                part = os.read(self.read, 65536)
                if not part:
                    sys.exit("Chromium ended")
                self.rest += part
            text, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]

    def tab(self, url):
        target = self.ask("Target.createTarget", url=url)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self, session)


class Tab:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def run(self, script):
        result = self.browser.ask("Runtime.evaluate", self.session, expression=script)
        if "exceptionDetails" in result:
            sys.exit(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script, wanted):
        end = time.monotonic() + 40
        while (value := self.run(script)) != wanted:
            if time.monotonic() > end:
                sys.exit(f"{script}: {value!r} instead of {wanted!r}")
            time.sleep(0.02)

    def join(self, user, device, given):
        # A new tab is complete while it is empty, too.
        self.wait("document.readyState == 'complete' && !!document.getElementById('join')", True)
        for name, value in [("user", user), ("device", device), ("secret", given)]:
            self.run(f"document.getElementById({name!r}).value = {value!r}")
        self.run("document.querySelector('#join button').click()")

    def say(self, text):
        self.run(f"document.getElementById('text').value = {text!r}")
        self.run("document.querySelector('#say button').click()")

    def lines(self):
        return self.run(
            "[...document.querySelectorAll('#messages li')].map(x => x.textContent).join('|')")


STATE = "document.getElementById('state').textContent"
COUNT = "document.querySelectorAll('#messages li').length"

with tempfile.TemporaryDirectory() as folder:
    browser = Browser(folder)
    try:
        url = f"http://127.0.0.1:{port}/push_server/"
        home, work, stranger = (browser.tab(url) for _ in range(3))
        home.join("ann", "1", secret)
        home.wait(STATE, "Connected.")
        work.join("ann", "2", secret)
        work.wait(STATE, "Connected.")
        home.wait(COUNT, 2)
        home.say("are you there?")
        work.say("<b id=bold>yes</b>")
        home.wait(COUNT, 4)
        print("home", home.lines())
        work.wait(COUNT, 3)
        print("work", work.lines())
        print("markup", home.run("document.getElementById('bold') === null"))
        stranger.join("mallory", "3", "wrong" if secret else "")
        stranger.wait(STATE, "Refused: the secret or a name is wrong.")
        print("stranger", stranger.run(COUNT))
    finally:
        os.close(browser.write)
        browser.process.terminate()
        browser.process.wait()
