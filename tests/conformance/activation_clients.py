"""Clients of the text endpoint that others wrote, against a running Postern: activation_clients.py BINARY FOLDER.

Starts `BINARY dev` with activations on and lets each client go its ways in each status mode: a code received, no number
free, no money, a bad key, a cancel that comes too early. Ends with 1 at the first thing that is not as it should be.
"""
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE = 60
MODES = ("always_200", "mapped")


def until(what, ask):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"activations: {what} did not come within {PATIENCE} s")


class House:
    """The server, as its operator and its customers see it."""

    def __init__(self, base, operator):
        self.base, self.operator, self.numbers = base, operator, 100

    def call(self, key, method, path, body=None):
        headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def admin(self, method, path, body):
        return self.call(self.operator, method, "/v1/admin" + path, body)

    def open(self):
        """A service with a number for live keys, one for which there is none, and no rest between two renters."""
        for code in ("ot", "none"):
            self.admin("PUT", f"/services/{code}", {"name": code, "price": "0.50", "cool_down": "0s"})
        self.add_number("live")

    def add_number(self, mode):
        """A number set aside for fiction."""
        self.numbers += 1
        row = {"phone_number": f"+447700900{self.numbers}", "country": "GB", "services": ["ot"], "mode": mode}
        self.admin("POST", "/numbers", [row])

    def customer(self, name, statuses):
        """An organization: its key for text, one for live money that it has none of, and one that makes messages up."""
        org = self.admin("POST", "/orgs", {"name": name, "country": "GB", "plan": "enterprise"})["id"]
        key = lambda **more: self.admin("POST", f"/orgs/{org}/keys", {"name": name, "mode": "test"} | more)["secret"]
        text = {"kind": "activation", "statuses": statuses}
        return key(**text), key(**text | {"mode": "live"}), key()

    def message(self, key, number, text):
        body = {"from": "+447400123456", "to": "+" + str(number).lstrip("+"), "body": text}
        self.call(key, "POST", "/v1/sandbox/inbound", body)

    @property
    def stub(self):
        return self.base + "/stubs/handler_api.php"


def check(what, condition, seen):
    if not condition:
        sys.exit(f"activations: {what}: {seen!r}")


def told(what, call, word):
    """Calls what must be refused, and wants `word` in what the client makes of it."""
    try:
        seen = call()
    except Exception as fault:  # each client has its own
        seen = fault
    shown = f"{type(seen).__name__} {seen} {getattr(seen, 'code', '')}"
    check(what, word in shown, shown)


def smsactivate(house, mode):
    """smsactivate 1.5 reads the text and passes the status over: nothing is lost in either mode."""
    from smsactivate.api import SMSActivateAPI

    def client(key):
        api = SMSActivateAPI(key)
        api._SMSActivateAPI__api_url = house.stub
        return api

    key, poor, maker = house.customer("smsactivate", mode)
    api = client(key)
    check("balance", float(api.getBalance()["balance"]) > 0, api.getBalance())
    check("prices", api.getPrices(service="ot", country=16)["16"]["ot"]["cost"] == 0.5, api.getPrices())
    rented = api.getNumber(service="ot", country=16)
    number, id = rented["phone"], rented["activation_id"]
    told("no numbers", lambda: api.getNumber(service="none", country=16), "NO_NUMBERS")
    told("no money", lambda: client(poor).getNumber(service="ot", country=16), "NO_BALANCE")
    told("bad key", lambda: client("nobody").getBalance(), "BAD_KEY")
    told("cancel too early", lambda: api.setStatus(id=id, status=8), "EARLY_CANCEL_DENIED")
    told("ready", lambda: api.setStatus(id=id, status=1), "ACCESS_READY")
    told("waiting", lambda: api.getStatus(id=id), "STATUS_WAIT_CODE")
    house.message(maker, number, "Your code is 481516")
    told("the code", lambda: api.getStatus(id=id), "STATUS_OK:481516")
    told("the text", lambda: api.getFullSms(id=id), "Your code is 481516")
    check("the list", api.getActiveActivations()["activeActivations"][0]["smsCode"] == "481516", id)
    told("done", lambda: api.setStatus(id=id, status=6), "ACCESS_ACTIVATION")


def aiosmsactivate(house, mode):
    """aiosmsactivate 1.5.1 posts with an odd content type; where statuses are mapped it keeps the status, not the word."""
    from aiosmsactivate import SmsActivate
    from aiosmsactivate.types import SetActivationStatus

    run = asyncio.run
    word = lambda text, status: text if mode == "always_200" else str(status)
    key, poor, maker = house.customer("aiosmsactivate", mode)
    api = SmsActivate(key, base_url=house.stub)
    check("balance", run(api.get_balance()) > 0, "none")
    told("no numbers", lambda: run(api.purchase("none", country=16)), word("NO_NUMBERS", 404))
    told("no money", lambda: run(SmsActivate(poor, base_url=house.stub).purchase("ot", country=16)), word("NO_BALANCE", 402))
    told("bad key", lambda: run(SmsActivate("nobody", base_url=house.stub).get_balance()), "BAD_KEY")
    number = run(api.purchase("ot", country=16, maxPrice=0.5))
    cancel = lambda: run(api.set_activation_status(number.activation_id, SetActivationStatus.CANCEL))
    told("cancel too early", cancel, word("EARLY_CANCEL_DENIED", 403))
    status = run(api.get_activation_status(number))
    check("waiting", status.sms is None, status)
    house.message(maker, number.phone_number, "Your code is 481516")
    check("the text", run(api.get_activation_status(number)).sms.text == "Your code is 481516", number)
    check("the code", run(api.wait_sms_code(number, timeout=10, per_attempt=1)) == "481516", number)
    done = run(api.set_activation_status(number.activation_id, 6))
    check("done", done.value == "ACCESS_ACTIVATION", done)


def herosms(house, mode):
    """herosms 0.1.1 knows refusals by their status: with 200 it finds a bad format instead."""
    from herosms import HeroSMSClient

    word = lambda text, mapped: mapped if mode == "mapped" else text
    key, poor, maker = house.customer("herosms", mode)

    def run(key, work):
        async def within():
            async with HeroSMSClient(key, base_url=house.stub) as client:
                return await work(client)

        return asyncio.run(within())

    async def rent(client):
        rented = await client.activations.create(service="ot", country=16)
        house.message(maker, rented.phone_number, "Your code is 481516")
        status = await rented.wait_for_sms(timeout=10, poll_interval=0.2)
        check("the texts", [one.text for one in await rented.get_all_sms()] == ["Your code is 481516"], rented.id)
        check("the list", [one.activation_id for one in await client.get_active_activations()] == [rented.id], rented.id)
        await rented.complete()
        check("the past", (await client.get_history())[0].id == str(rented.id), rented.id)
        return status.code

    check("balance", run(key, lambda client: client.get_balance()) is not None, "none")
    check("the code", run(key, rent) == "481516", "none")
    create = lambda service: lambda client: client.activations.create(service=service, country=16)
    told("no numbers", lambda: run(key, create("none")), word("Error", "ActivationNotFoundError"))
    told("no money", lambda: run(poor, create("ot")), word("Error", "InsufficientFundsError"))
    told("bad key", lambda: run("nobody", lambda client: client.get_balance()), "Error")


def walk(house):
    house.open()
    for mode in MODES:
        for client in (smsactivate, aiosmsactivate, herosms):
            house.add_number("test")
            client(house, mode)
            print(f"activations: {client.__name__} with statuses {mode}: as documented")


def main(binary, folder):
    folder = Path(folder)
    env = os.environ | {
        "POSTERN_BIND": "127.0.0.1:0",
        "POSTERN_METRICS_BIND": "off",
        "POSTERN_LOG": "warn",
        "POSTERN_ACTIVATIONS": "on",
        "POSTERN_DATA_DIR": str(folder / "activations-data"),
    }
    out, err = open(folder / "activations-stdout", "wb"), open(folder / "activations-stderr", "wb")
    server = subprocess.Popen([binary, "dev"], env=env, stdout=out, stderr=err)
    printed = lambda pattern: re.search(pattern, (folder / "activations-stdout").read_text())
    try:
        base = until("the server", lambda: printed(r"http://127\.0\.0\.1:\d+")).group()
        operator = until("the operator's key", lambda: printed(r"pst_opr_\w+")).group()
        walk(House(base, operator))
    except urllib.error.HTTPError as fault:
        sys.exit(f"activations: {fault.url}: {fault.code} {fault.read().decode()}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=PATIENCE)
        said = (folder / "activations-stderr").read_text()
        if "panicked at" in said:
            sys.exit("activations: something panicked")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
