// The console as its operators use it, in Chromium: first run, every page in both themes and on a phone, forms, keys,
// no scripts, hostile names. Also measures what pages weigh and when they paint, and tells.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test as named } from "node:test";
import { openBrowser, violations, watched } from "./browser.mjs";
import { startPostern } from "./server.mjs";

// Here and not by --test-timeout, which node 18 does not know.
const test = (name, walk) => named(name, { timeout: 240_000 }, walk);
const [binary, folder] = [process.env.POSTERN_BINARY, process.env.POSTERN_FOLDER];
const pictures = join(folder, "pictures");
const NAME = "Ada Operator";
const PASSWORD = "a quiet lighthouse at noon";
// Whatever can be named may be hostile.
const HOSTILE = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>{{7*7}}`;

const PAGES = ["now", "messages", "fraud", "tenants", "channels", "channels/carriers/sandbox", "webhooks", "activations", "developers", "system", "system/audit", "account"];
const THEMES = ["light", "dark"];

let server, browser, state, tenant, hook, followed, message, erasure, trial;

async function api(method, path, body, token = server.operatorToken) {
  const answer = await fetch(server.base + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function signedIn(options = {}) {
  return watched(browser, server.base, { storageState: state, ...options });
}

before(async () => {
  mkdirSync(pictures, { recursive: true });
  server = await startPostern(binary, join(folder, "postern"));
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the first run: a one-time link, no default password, then the console", async () => {
  const { context, faults } = await watched(browser, server.base);
  const page = await context.newPage();
  await page.goto("/console/now");
  assert.match(page.url(), /\/console\/sign-in\?next=/, "nobody is let in without a session");
  await page.goto(server.setupLink);
  assert.deepEqual(await violations(page), []);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.goto("/console/now");
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.match(page.url(), /\/console\/now$/);
  state = await context.storageState();
  assert.ok(state.cookies.some((cookie) => cookie.httpOnly && /postern/.test(cookie.name)), "the session's cookie is out of scripts' reach");
  const again = await page.goto(server.setupLink);
  assert.ok(again.status() >= 400, "the link works once");
  assert.deepEqual(faults, []);
  await context.close();
});

test("there is something to see: traffic, and names that try to get out", async () => {
  for (let at = 0; at < 12; at += 1) {
    await api("POST", "/v1/verifications", { to: `+141555501${20 + at}` }, server.testKey);
    await api("POST", "/v1/verifications", { to: `+141555501${20 + at}` }, server.liveKey);
  }
  for (const to of ["+12025550101", "+12025550102", "+12025550103"]) {
    await fetch(`${server.base}/v1/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.testKey}`, "content-type": "application/json" },
      body: JSON.stringify({ to, channel: "sms", kind: "transactional", body: HOSTILE }),
    });
  }
  const orgs = await api("GET", "/v1/admin/orgs");
  tenant = orgs.data[0].id;
  await api("POST", "/v1/admin/orgs", { name: HOSTILE.slice(0, 100), country: "GB" });
  const url = "https://example.com/a-long-path/that-does-not-break-anywhere-by-itself/hook";
  hook = (await api("POST", "/v1/webhooks", { url, description: HOSTILE.slice(0, 200) }, server.testKey)).id;
  const sent = await fetch(`${server.base}/v1/verifications`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.testKey}`, "content-type": "application/json", "x-client-request-id": "<b>order</b>" },
    body: JSON.stringify({ to: "+14155550199" }),
  });
  assert.equal(sent.status, 201);
  followed = sent.headers.get("x-request-id");
  message = (await api("GET", "/v1/admin/messages?kind=transactional&mode=test&limit=1")).data[0].id;
  trial = (await api("POST", "/v1/admin/carriers/sandbox/test", { to: "+12025550104", reason: HOSTILE.slice(0, 100) })).id;
  erasure = (await api("POST", "/v1/admin/erasures", { to: "+14155550131", reason: HOSTILE.slice(0, 100) })).id;
});

for (const colorScheme of THEMES) {
  test(`every page is without faults in the ${colorScheme} theme and on a phone`, async () => {
    const { context, faults } = await signedIn({ colorScheme, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const found = [];
    for (const name of [...PAGES, `tenants/${tenant}`, `webhooks/${hook}`, `requests/${followed}`, `messages/${message}`, `channels/tests/${trial}`, "system/erasures", `system/erasures/${erasure}`]) {
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        const answer = await page.goto(`/console/${name}`, { waitUntil: "load" });
        assert.equal(answer.status(), 200, name);
        const policy = answer.headers()["content-security-policy"] ?? "";
        assert.ok(policy.includes("default-src 'none'") && !policy.includes("unsafe"), `${name}: ${policy}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        found.push(...(await violations(page)).map((what) => `${name} at ${width}: ${what}`));
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (sideways > 0) {
          const wide = await page.evaluate(() => [...document.querySelectorAll("main *")].filter((one) => !one.closest(".scroll") && one.getBoundingClientRect().right > document.documentElement.clientWidth).slice(0, 3).map((one) => one.outerHTML.slice(0, 90)));
          found.push(`${name} at ${width} scrolls sideways by ${sideways}: ${wide.join(" | ")}`);
        }
        await page.screenshot({ path: join(pictures, `${name.replace(/\W/g, "_")}.${colorScheme}.${width}.png`), fullPage: true });
      }
    }
    assert.deepEqual(found, []);
    assert.deepEqual(faults, []);
    await context.close();
  });
}

test("a message is found by tokens and followed, and its number is shown to who says why", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/messages?did=");
  await page.keyboard.press("/");
  await page.keyboard.type(`${message} kind:transactional`);
  await page.keyboard.press("Enter");
  await page.locator(`a[href="/console/messages/${message}"]`).first().click();
  await page.getByText("message.accepted", { exact: true }).waitFor();
  assert.equal(await page.getByText("+12025550").count(), 0, "a number before it is revealed");
  await page.getByText("Reveal number and text").first().click();
  const form = page.locator('form[action="/console/act/reveal-message"]');
  await form.getByLabel("Why, for the audit log").fill("the browser test asks");
  await form.getByRole("button").click();
  await page.getByText("+12025550").first().waitFor();
  await page.getByText("onerror").first().waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a hostile name is text, wherever it stands", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/tenants");
  await page.getByText(HOSTILE.slice(0, 100)).first().waitFor();
  await page.goto(`/console/tenants?${new URLSearchParams({ cursor: HOSTILE, did: HOSTILE })}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test("an operator makes a tenant and a key, sees the key once, and revokes it with a typed word", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/tenants");
  await page.getByText("Make an organization").first().click();
  const made = page.locator("form[action$='/act/new-organization']");
  await made.getByLabel("Name").fill("Walked Ltd");
  await made.getByLabel("Country", { exact: true }).fill("GB");
  await made.getByRole("button", { name: "Make an organization" }).click();
  await page.getByRole("heading", { level: 1, name: "Walked Ltd" }).waitFor();
  await page.getByText("Make a key").first().click();
  const form = page.locator("form[action$='/act/new-key']");
  await form.getByLabel("Name").fill("walked");
  await form.getByLabel("Mode").selectOption("test");
  await form.getByRole("button", { name: "Make a key" }).click();
  const secret = await page.getByText(/pst_test_\w+/).first().textContent();
  await api("GET", "/v1/account", undefined, secret.trim());
  await page.goBack();
  await page.reload();
  assert.equal(await page.getByText(secret.trim()).count(), 0, "a key is shown once");
  const row = page.locator("tr", { hasText: "walked" });
  await row.getByText("Revoke").first().click();
  const revoke = row.locator("form[action$='/act/revoke-key']");
  await revoke.getByLabel(/To confirm/).fill("something else");
  await revoke.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("What you typed is not what was asked for").waitFor();
  await page.goBack();
  await page.reload();
  await row.getByText("Revoke").first().click();
  await revoke.getByLabel(/Why/).fill("a walk");
  await revoke.getByLabel(/To confirm/).fill((await revoke.locator("code").textContent()).trim());
  await revoke.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The key is revoked.").waitFor();
  const refused = await fetch(`${server.base}/v1/account`, { headers: { authorization: `Bearer ${secret.trim()}` } });
  assert.equal(refused.status, 401);
  const audit = await api("GET", "/v1/admin/audit?action=key.revoke");
  assert.equal(audit.data[0].reason, "a walk");
  assert.match(audit.data[0].actor, /^opr_/);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a webhook endpoint is tested, turned off with a typed word and on again; a request is followed by its id", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/webhooks");
  await page.getByRole("link", { name: /example\.com/ }).first().click();
  await page.getByText("Send a test event").first().click();
  const form = page.locator("form[action$='/act/test-webhook']");
  await form.getByLabel("Event").selectOption("verification.approved");
  await form.getByRole("button", { name: "Send a test event" }).click();
  await page.getByText("The test is on its way").waitFor();
  await page.locator("td", { hasText: "verification.approved" }).first().waitFor();
  await page.locator("summary", { hasText: "Disable" }).click();
  const off = page.locator("form[action$='/act/disable-webhook']");
  await off.getByLabel(/To confirm/).fill("disable");
  await off.getByRole("button", { name: "Disable" }).click();
  await page.getByText("The endpoint is disabled.").waitFor();
  await page.locator("summary", { hasText: "Enable" }).click();
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("The endpoint is called again.").waitFor();
  await page.goto("/console/developers");
  await page.getByLabel("Follow a request").fill(followed);
  await page.getByRole("button", { name: "Follow" }).click();
  await page.getByRole("heading", { level: 2, name: "Verification", exact: true }).waitFor();
  const text = await page.locator("main").textContent();
  assert.ok(!text.includes("14155550199"), "a number is masked");
  assert.deepEqual(faults, []);
  await context.close();
});

test("the chain is checked, a checkpoint made, a proof and a support bundle taken away, a backup made", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/system");
  await page.locator("summary", { hasText: "Back up now" }).click();
  await page.locator("form[action$='/act/back-up']").getByRole("button", { name: "Back up now" }).click();
  await page.getByText("The backup is asked for").waitFor();
  for (let tries = 0; tries < 50 && !(await page.locator("#backups .status.good").count()); tries += 1) {
    await page.waitForTimeout(100);
    await page.reload();
  }
  assert.equal(await page.locator("#backups .status.good").textContent(), "made");
  const taken = async (link) => {
    const [file] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  };
  const bundle = await taken(page.getByRole("link", { name: /Support bundle/ }));
  assert.equal(JSON.parse(bundle).status.database.kind, "sqlite");
  for (const secret of [server.testKey, server.liveKey, server.operatorToken, "14155550199"]) assert.ok(!bundle.includes(secret));
  await page.getByRole("link", { name: "Audit log", exact: true }).click();
  await page.locator("summary", { hasText: "Make a checkpoint now" }).click();
  await page.locator("form[action$='/act/new-checkpoint']").getByRole("button", { name: "Make a checkpoint now" }).click();
  await page.getByText("The checkpoint is made.").waitFor();
  await page.getByRole("button", { name: "Check the whole chain" }).click();
  await page.getByText("The chain is whole, and every checkpoint in the database agrees.").waitFor();
  await page.getByLabel("Proof from no.").fill("2");
  const proof = await taken(page.getByRole("button", { name: "Download a proof" }));
  const lines = proof.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].kind, lines[0].seq, lines.at(-1).kind], ["row", 2, "checkpoint"]);
  await page.goto("/console/system/audit?action=backup.create");
  assert.equal(await page.locator("#audit tbody tr").count(), 1);
  assert.deepEqual(faults, []);
  await context.close();
});

test("sending is stopped and let go again from a phone, without scripts", async () => {
  const { context } = await signedIn({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto("/console/channels");
  await page.locator("details:has(form[action$='/act/pause']) > summary").click();
  const pause = page.locator("form[action$='/act/pause']");
  await pause.getByLabel("Scope").selectOption("country");
  await pause.getByLabel("Which").fill("LV");
  await pause.getByLabel(/To confirm/).fill("stop");
  await pause.getByRole("button", { name: "Stop sending" }).click();
  await page.getByText("Stopped.").waitFor();
  assert.equal((await api("GET", "/v1/admin/pauses")).data[0].value, "LV");
  await page.locator("details:has(form[action$='/act/resume']) > summary").click();
  const resume = page.locator("form[action$='/act/resume']");
  await resume.getByLabel("Scope").selectOption("country");
  await resume.getByLabel("Which").fill("LV");
  await resume.getByRole("button", { name: "Send again" }).click();
  await page.getByText("It sends again.").waitFor();
  assert.deepEqual((await api("GET", "/v1/admin/pauses")).data, []);
  await context.close();
});

test("a carrier is tried from a phone without scripts, and its answer and receipt are shown", async () => {
  const { context, faults } = await signedIn({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto("/console/channels");
  await page.locator("#carriers").getByRole("link", { name: "sandbox" }).click();
  await page.locator("details:has(form[action$='/act/test-carrier']) > summary").click();
  const form = page.locator("form[action$='/act/test-carrier']");
  await form.getByLabel("To", { exact: true }).fill("12");
  await form.getByLabel(/Why/).fill("a walk");
  await form.getByRole("button", { name: "Send a test message" }).click();
  await form.locator(".fault").first().waitFor();
  await form.getByLabel("To", { exact: true }).fill("+12025550105");
  await form.getByLabel(/Why/).fill("a walk");
  await form.getByRole("button", { name: "Send a test message" }).click();
  await page.getByText("The test message is on its way").waitFor();
  for (let tries = 0; tries < 50 && !(await page.locator("#test-receipts .status").count()); tries += 1) {
    await page.waitForTimeout(100);
    await page.getByRole("link", { name: "Look again" }).click();
  }
  assert.equal(await page.locator("#test-receipts .status").textContent(), "delivered");
  const text = await page.locator("main").textContent();
  assert.ok(text.includes("accepted") && text.includes("Postern test message.") && !text.includes("12025550105"), text);
  const audit = await api("GET", "/v1/admin/audit?action=carrier.test");
  assert.equal(audit.data[0].reason, "a walk");
  assert.deepEqual(faults, []);
  await context.close();
});

// What a program of the developers' page prints, with the code typed that the sandbox's handset shows.
function ran(command, file, code) {
  writeFileSync(join(folder, file), code);
  const child = spawn(command, [join(folder, file)], { env: { ...process.env, POSTERN_API_KEY: server.testKey } });
  let said = "", typed = false;
  return new Promise((tell, fail) => {
    const hear = async (chunk) => {
      said += chunk;
      if (typed || !/vrf_\w+ pending/.test(said)) return;
      typed = true;
      for (let tries = 0; tries < 50; tries += 1) {
        const inbox = await api("GET", "/v1/sandbox/messages?to=%2B15005550000", undefined, server.testKey);
        const shown = inbox.data.filter((one) => Date.parse(one.received_at) >= begun).map((one) => one.body.match(/\d{6}/)?.[0]);
        if (shown[0]) return child.stdin.write(`${shown[0]}\n`);
        await new Promise((go) => setTimeout(go, 100));
      }
    };
    const begun = Date.now();
    child.stdout.on("data", (chunk) => hear(chunk).catch(fail));
    child.stderr.on("data", (chunk) => { said += chunk; });
    child.on("error", fail);
    child.on("exit", () => tell(said));
  });
}

test("the programs that developers copy send a code and check it", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/developers");
  const programs = {};
  for (const one of await page.locator("#snippets details").all()) {
    programs[await one.locator("summary").textContent()] = await one.locator("code").textContent();
  }
  assert.deepEqual(Object.keys(programs), ["curl", "Python", "JavaScript", "Go"]);
  for (const [name, code] of Object.entries(programs)) {
    assert.ok(code.includes(server.base) && !code.includes("127.0.0.1:8080") && /idempotency-key/i.test(code), name);
  }
  assert.match(await ran("python3", "send.py", programs.Python), /approved/);
  assert.match(await ran(process.execPath, "send.mjs", programs.JavaScript), /approved/);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a view and its columns are kept without scripts, and forgotten", async () => {
  const { context, faults } = await signedIn({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto("/console/messages?status=unknown");
  const foot = page.locator("#messages .foot details");
  await foot.locator("summary").click();
  await foot.getByLabel("Name of this view").fill("Lost ones");
  await foot.getByRole("button", { name: "Keep this view" }).click();
  await page.goto("/console/messages");
  await page.locator("#messages .views").getByRole("link", { name: "Lost ones" }).click();
  assert.match(page.url(), /status=unknown/);
  await page.goto("/console/tenants?col=0&col=1");
  assert.equal(await page.locator("#organizations thead th").count(), 2);
  const columns = page.locator("#organizations .foot details");
  await columns.locator("summary").click();
  await columns.getByRole("button", { name: "Keep these columns" }).click();
  await page.goto("/console/tenants");
  assert.equal(await page.locator("#organizations thead th").count(), 2);
  await page.goto("/console/messages");
  await foot.locator("summary").click();
  await foot.getByRole("button", { name: "Forget: Lost ones" }).click();
  assert.equal(await page.locator("#messages .views").getByRole("link", { name: "Lost ones" }).count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test("what happens is told at once on the first page; an alert is acknowledged", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/now");
  const lines = page.locator("[data-tail-lines] li");
  await page.getByText("connected", { exact: true }).waitFor();
  await api("POST", "/v1/verifications", { to: "+14155550177" }, server.liveKey);
  await lines.filter({ hasText: "message.accepted" }).first().waitFor();
  const told = await page.locator("[data-tail-lines]").textContent();
  assert.ok(!told.includes("14155550177"), "a number is masked");
  assert.equal(await page.locator("[data-tail-lines]").getAttribute("aria-live"), "off");
  await page.getByRole("button", { name: "Hold still" }).click();
  const before = await lines.count();
  await api("POST", "/v1/verifications", { to: "+14155550178" }, server.liveKey);
  await page.waitForTimeout(1500);
  assert.equal(await lines.count(), before, "it is held still");
  await api("POST", "/v1/admin/pause", { scope: "country", value: "AQ", reason: "a walk" });
  await page.reload();
  const row = page.locator("#alerts tr", { hasText: "pause" }).first();
  await row.getByText("Acknowledge").first().click();
  await row.getByLabel(/Why/).fill("our own walk");
  await row.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("Acknowledged.").waitFor();
  const alerts = await api("GET", "/v1/admin/alerts?state=acknowledged");
  assert.equal(alerts.data[0].acknowledged_reason, "our own walk");
  await page.locator("#pauses tr", { hasText: "AQ" }).getByText("Send again").first().click();
  await page.locator("#pauses tr", { hasText: "AQ" }).getByRole("button", { name: "Send again" }).click();
  await page.getByText("It sends again.").waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test("a rule is replayed on recorded traffic and its result told", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/fraud");
  const row = page.locator("#fraud-rules tr", { hasText: "prefix.hold" });
  await row.getByText("Replay", { exact: true }).first().click();
  const form = row.locator("form[action$='/act/replay-fraud-rule']");
  await form.getByLabel("Mode", { exact: true }).selectOption("off");
  await form.getByRole("button", { name: "Replay" }).click();
  await page.getByText("The replay is under way").waitFor();
  await page.locator("#fraud-simulations tr", { hasText: "prefix.hold" }).first().waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test("a table is filtered in its address, exported, and told as curl", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/channels");
  await page.locator("#templates .filters").getByLabel("Status", { exact: true }).selectOption("pending");
  await page.locator("#templates").getByRole("button", { name: "Filter" }).click();
  assert.match(page.url(), /templates\.status=pending/);
  const answer = await context.request.get("/console/export/organizations.csv");
  assert.equal(answer.status(), 200);
  const sheet = await answer.text();
  assert.ok(sheet.split("\n")[0].startsWith("Name,Id,Status"), sheet);
  assert.ok(!/^[=+@-]/m.test(sheet), "no cell is a formula");
  const rows = JSON.parse(await (await context.request.get("/console/export/organizations.json")).text());
  assert.ok(rows.length >= 3);
  await page.goto("/console/tenants");
  const curl = await page.locator("#organizations pre code").textContent();
  const path = curl.match(/'http:\/\/[^/]+(\/[^']+)'/)[1];
  assert.equal((await api("GET", path)).data.length, rows.length);
  assert.deepEqual(faults, []);
  await context.close();
});

test("the whole console by keys alone", async () => {
  const { context, faults } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/tenants");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id || location.hash), "main");
  for (const [letter, name] of [["c", "channels"], ["a", "activations"], ["m", "messages"], ["n", "now"]]) {
    await page.keyboard.press("g");
    await Promise.all([page.waitForURL(new RegExp(`/console/${name}`)), page.keyboard.press(letter)]);
  }
  await page.goto("/console/messages");
  await page.keyboard.press("/");
  assert.ok(await page.evaluate(() => document.activeElement.matches("input")));
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("?");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  assert.deepEqual(faults, []);
  await context.close();
});

test("another site can make nobody act, and frames nothing", async () => {
  const session = state.cookies.map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
  const send = (headers) => fetch(`${server.base}/console/act/pause`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: session, "content-type": "application/x-www-form-urlencoded", ...headers },
    body: "f.scope=all&must=stop&typed=stop&csrf=nonsense",
  });
  assert.equal((await send({ "sec-fetch-site": "cross-site", origin: "https://evil.example" })).status, 403);
  assert.equal((await send({ "sec-fetch-site": "same-origin", origin: server.base })).status, 403, "the form's token is wrong");
  assert.deepEqual((await api("GET", "/v1/admin/pauses")).data, []);
  const page = await fetch(`${server.base}/console/now`, { headers: { cookie: session } });
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  assert.equal(page.headers.get("cross-origin-opener-policy"), "same-origin");
  assert.equal(page.headers.get("cache-control"), "no-store");
});

test("signing out ends the session everywhere", async () => {
  const { context } = await signedIn();
  const page = await context.newPage();
  await page.goto("/console/now");
  await page.locator(".me summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto("/console/now");
  assert.match(page.url(), /sign-in/);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/console\/now/);
  state = await context.storageState();
  await context.close();
});

test("pages are light and soon there (told, not judged by the clock)", async () => {
  const told = [];
  for (const name of PAGES) {
    const { context } = await signedIn({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    let bytes = 0;
    const sizes = [];
    page.on("response", (response) => {
      // The live tail has no end.
      if (response.headers()["content-type"]?.startsWith("text/event-stream")) return;
      sizes.push(response.finished().then(() => response.request().sizes()).then((size) => { bytes += size.responseBodySize; }, () => {}));
    });
    await page.goto(`/console/${name}`, { waitUntil: "load" });
    const paint = await page.evaluate(() => new Promise((tell) => {
      new PerformanceObserver((list) => tell(Math.round(list.getEntries()[0].startTime))).observe({ type: "paint", buffered: true });
    }));
    await Promise.all(sizes);
    told.push(`  ${name.padEnd(12)} ${(bytes / 1024).toFixed(1).padStart(7)} KiB   first paint ${String(paint).padStart(4)} ms`);
    assert.ok(bytes > 4_000 && bytes < 100 * 1024, `${name} weighs ${bytes} bytes with its files`);
    await context.close();
  }
  console.log(`Pages with their files over the wire, cold cache:\n${told.join("\n")}`);
});
