"""Lifts every limit of every plan, so that the run meets the routes and not their 429s. Speaks as the operator."""
import json
import os
import sys
import urllib.request

base = sys.argv[1] + "/v1/admin/plans"
headers = {"Authorization": "Bearer " + os.environ["POSTERN_OPERATOR_KEY"], "Content-Type": "application/json"}


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
        return json.load(answer)


for plan in call("GET", base)["data"]:
    # A rate and not "unlimited", so that the rate headers of the document are seen.
    # A WhatsApp tier belongs to its number; no plan sets it.
    raised = {policy: "1000000/min" for policy in plan["policies"] if not policy.startswith("whatsapp.")}
    call("PUT", f"{base}/{plan['name']}", {"policies": raised, "reason": "conformance run"})
