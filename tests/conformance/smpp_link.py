"""Postern against a message centre of another language's registry: smpp_link.py BINARY FOLDER.

Starts smsc.py and `BINARY dev` with a carrier to it; a message goes out and its receipt comes back, one is refused, and
a text comes in. Ends with 1 at the first thing that is not as it should be.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 60
TO = "+447911123456"


def until(what, ask):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"smpp: {what} did not come within {PATIENCE} s")


def call(key, method, url, body=None):
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=20) as answer:
        return json.load(answer)


def start(binary, folder, port):
    keys = {"name": "centre", "kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "postern"}
    keys.update({"password": "secret", "from": "447911000000", "binds": 2})
    table = ", ".join(f"{key} = {json.dumps(value)}" for key, value in keys.items())
    env = os.environ | {
        "POSTERN_BIND": "127.0.0.1:0",
        "POSTERN_METRICS_BIND": "off",
        "POSTERN_LOG": "warn",
        "POSTERN_DATA_DIR": str(folder / "smpp-data"),
        "POSTERN_CARRIERS": f"[{{ {table} }}]",
    }
    out, err = open(folder / "smpp-stdout", "wb"), open(folder / "smpp-stderr", "wb")
    return subprocess.Popen([binary, "dev"], env=env, stdout=out, stderr=err)


def run(folder):
    printed = lambda pattern: re.search(pattern, (folder / "smpp-stdout").read_text())
    base = until("the server", lambda: printed(r"http://127\.0\.0\.1:\d+")).group()
    live = until("the live key", lambda: printed(r"pst_live_\w+")).group()
    operator = until("the operator's key", lambda: printed(r"pst_opr_\w+")).group()
    carrier = lambda: next(one for one in call(operator, "GET", f"{base}/v1/admin/carriers")["data"] if one["name"] == "centre")
    until("the binds", lambda: carrier()["link"].startswith("2 of 2"))
    route = [{"channel": "sms", "carrier": "centre", "priority": 1, "weight": 1}]
    call(operator, "PUT", f"{base}/v1/admin/routes", route)

    def send(text):
        body = {"to": TO, "body": text, "kind": "transactional"}
        return f"{base}/v1/messages/" + call(live, "POST", f"{base}/v1/messages", body)["id"]

    def reaches(path, wanted):
        status = lambda: call(live, "GET", path)["status"]
        ended = ("delivered", "failed", "undelivered", "expired", "unknown")
        found = until(f"an end of {wanted}", lambda: (lambda now: now if now == wanted or now in ended else None)(status()))
        if found != wanted:
            sys.exit(f"smpp: {found}, not {wanted}: {call(live, 'GET', path)}")

    reaches(send("Your code is €{481516}; please answer"), "delivered")
    reaches(send("Ваш код 481516"), "delivered")
    reaches(send("refuse this"), "failed")
    said = lambda: [one["body"] for one in call(live, "GET", f"{base}/v1/inbound")["data"]]
    until("the text from the other side", lambda: "hello back" in said())


def main(binary, folder):
    here = Path(__file__).parent
    centre = subprocess.Popen([sys.executable, here / "smsc.py"], stdout=subprocess.PIPE)
    server = None
    try:
        server = start(binary, folder, int(centre.stdout.readline()))
        run(folder)
        server.send_signal(signal.SIGTERM)
        if server.wait(30) != 0:
            sys.exit(f"smpp: SIGTERM ended the server with {server.returncode}")
    except BaseException:
        if server:
            sys.stderr.write((folder / "smpp-stderr").read_text()[-4000:])
        raise
    finally:
        for process in (server, centre):
            if process:
                process.kill()
                process.wait()
    print("smpp: two delivered, one refused, one received")


main(sys.argv[1], Path(sys.argv[2]))
