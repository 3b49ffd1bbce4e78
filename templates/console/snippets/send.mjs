import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";

const base = "http://127.0.0.1:8080";

// Sends until it is answered, with one key for all tries: it has one effect however often it arrives.
async function post(path, body, tries = 5) {
  const headers = {
    authorization: `Bearer ${process.env.POSTERN_API_KEY}`,
    "content-type": "application/json",
    "idempotency-key": randomUUID(),
  };
  for (let left = tries - 1; ; left -= 1) {
    const signal = AbortSignal.timeout(10_000);
    const asked = fetch(base + path, { method: "POST", headers, body: JSON.stringify(body), signal });
    const answer = await asked.catch(() => null); // null: nobody knows whether it arrived
    if (answer?.ok) return answer.json();
    const wait = answer?.headers.get("retry-after") ?? (!answer || answer.status >= 500 ? 1 : null);
    if (left === 0 || wait === null) throw new Error(answer ? await answer.text() : "no answer"); // final
    await new Promise((go) => setTimeout(go, Number(wait) * 1000));
  }
}

const sent = await post("/v1/verifications", { to: "+15005550000" });
console.log(sent.id, sent.status);
const person = createInterface({ input: process.stdin, output: process.stdout });
const checked = await post(`/v1/verifications/${sent.id}/check`, { code: await person.question("The code? ") });
console.log(checked.status, checked.checks_left);
person.close();
