# Sends a code. --retry sends the same again where no answer came, and after 429 and 5xx as long as Retry-After says:
# it is one request with one key, so it has one effect.
curl -sS --retry 5 --retry-connrefused --max-time 10 http://127.0.0.1:8080/v1/verifications \
  -H "Authorization: Bearer $POSTERN_API_KEY" -H "Idempotency-Key: $(uuidgen)" \
  -H 'Content-Type: application/json' -d '{"to": "+15005550000"}'
# Checks what somebody typed: ID is the "id" of the answer above.
curl -sS --retry 5 --retry-connrefused --max-time 10 "http://127.0.0.1:8080/v1/verifications/$ID/check" \
  -H "Authorization: Bearer $POSTERN_API_KEY" -H "Idempotency-Key: $(uuidgen)" \
  -H 'Content-Type: application/json' -d "{\"code\": \"$CODE\"}"
