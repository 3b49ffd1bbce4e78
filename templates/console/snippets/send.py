import json, os, time, urllib.error, urllib.request, uuid

BASE = "http://127.0.0.1:8080"


def post(path, body, tries=5):
    """Sends until it is answered, with one key for all tries: it has one effect however often it arrives."""
    headers = {
        "Authorization": "Bearer " + os.environ["POSTERN_API_KEY"],
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    for left in reversed(range(tries)):
        request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            wait = refusal.headers.get("Retry-After") or (1 if refusal.code >= 500 else None)
            if left == 0 or wait is None:  # any other refusal is final
                raise SystemExit(refusal.read().decode())
        except OSError:
            wait = 1
            if left == 0:
                raise
        time.sleep(int(wait))


sent = post("/v1/verifications", {"to": "+15005550000"})
print(sent["id"], sent["status"], flush=True)
checked = post(f"/v1/verifications/{sent['id']}/check", {"code": input("The code? ")})
print(checked["status"], checked["checks_left"])
