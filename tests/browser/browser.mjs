// Chromium, watched: what a page asks of other hosts, what its policy refuses, what its scripts complain of, what axe finds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

// A context whose pages tell on themselves: `faults` must stay empty.
export async function watched(browser, base, options = {}) {
  const context = await browser.newContext({ baseURL: base, ...options });
  const faults = [];
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("data:")) faults.push(`asked another host: ${url}`);
  });
  context.on("page", (page) => {
    page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
    page.on("dialog", async (dialog) => { faults.push(`${page.url()}: a dialog: ${dialog.message()}`); await dialog.dismiss(); });
    page.on("console", (message) => {
      const text = message.text();
      // A page that is meant to answer 4xx is no fault of the script.
      if (message.type() === "error" && !/status of (4\d\d)/.test(text)) faults.push(`${page.url()}: ${text}`);
    });
  });
  return { context, faults };
}

// What axe finds, in a world of its own: the page's policy stays as it is.
export async function violations(page) {
  const devtools = await page.context().newCDPSession(page);
  const { frameTree } = await devtools.send("Page.getFrameTree");
  const world = await devtools.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const run = (expression) => devtools.send("Runtime.evaluate", {
    expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true,
  });
  await run(axe);
  const answer = await run(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((found) => ({
    passed: found.passes.length,
    bad: found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(" | ")),
  }))`);
  await devtools.detach();
  if (!answer.result.value || answer.result.value.passed === 0) throw new Error(`axe did not run: ${JSON.stringify(answer)}`);
  return answer.result.value.bad;
}
