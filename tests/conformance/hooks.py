"""What Schemathesis is told besides its configuration."""
import itertools

import schemathesis

numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each request comes from an address of its own, as through a proxy that the server trusts: thousands of requests
    without a good key would else count against one client address, and be told 429 instead of 401."""
    number = next(numbers)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@schemathesis.check
def a_refusal_says_why(ctx, response, case):
    """A problem has the members of the contract; one about a field names the field, in every dialect its sentence."""
    if response.status_code < 400 or "json" not in response.headers.get("content-type", [""])[0]:
        return
    body = response.json()
    if case.path.startswith("/simcoal"):
        assert body["success"] is False and body["error"]["message"], body
    elif "checks" not in body:  # what /readyz answers is no problem
        assert body["status"] == response.status_code and body["detail"], body
        assert body["request_id"] == response.headers["x-request-id"][0], body
        assert body["code"] != "validation_failed" or body["field_errors"], body


NUMBERS = [f"+1415555{number:04d}" for number in range(100, 200)] + [f"+1500555000{last}" for last in range(10)]


@schemathesis.hook
def map_case(context, case):
    """Valid requests go deeper than a schema can take them: to a number that exists, with one idempotency key, and with
    one of the members that exclude each other. What was made to be wrong stays wrong."""
    body = case.body
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(body, dict):
        return case
    if any(name.endswith("Idempotency-Key") for name in case.headers or {}):
        body.pop("idempotency_key", None)
    for message in [body, body.get("defaults")] + (body.get("messages") or []):
        if isinstance(message, dict) and case.path.startswith(("/v1/messages", "/v1/verif", "/simcoal")):
            at_home(message)
    if case.path == "/v1/activations":
        body.update(service="ot")
        for wish in ("country", "operator", "max_price"):
            body.pop(wish, None)
    if case.path == "/simcoal/send-bulk":
        body.pop("to", None)
        body["recipients"] = NUMBERS[: len(body.get("recipients") or []) + 1]
    return case


def at_home(message):
    if isinstance(message.get("to"), str):
        message["to"] = NUMBERS[len(str(message)) % len(NUMBERS)]
        message.pop("country", None)
    for kept, dropped in [("body", "template"), ("channel", "workflow"), ("message", "text")]:
        if message.get(kept) is not None:
            message.pop(dropped, None)
    message.pop("scheduled_for", None)
