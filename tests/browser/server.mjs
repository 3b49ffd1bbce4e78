// A Postern of its own for the browser: the built binary on a free port, with an empty folder.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export async function startPostern(binary, folder) {
  mkdirSync(folder, { recursive: true });
  const out = join(folder, "stdout");
  const child = spawn(binary, ["dev"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      POSTERN_BIND: "127.0.0.1:0",
      POSTERN_METRICS_BIND: "off",
      POSTERN_DATA_DIR: join(folder, "data"),
      POSTERN_ACTIVATIONS: "on",
      POSTERN_LOG: "info",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.pipe(createWriteStream(out));
  child.stderr.pipe(createWriteStream(join(folder, "stderr")));
  const text = () => { try { return readFileSync(out, "utf8"); } catch { return ""; } };
  const found = async (pattern) => {
    for (let tries = 0; tries < 300; tries += 1) {
      const match = text().match(pattern);
      if (match) return match[0];
      if (child.exitCode !== null) break;
      await new Promise((go) => setTimeout(go, 100));
    }
    throw new Error(`the server did not print ${pattern}; it printed:\n${text()}`);
  };
  const base = (await found(/http:\/\/127\.0\.0\.1:\d+/));
  return {
    base,
    setupLink: await found(/http:\/\/\S+\/console\/setup\?token=\S+/),
    testKey: await found(/pst_test_\w+/),
    liveKey: await found(/pst_live_\w+/),
    operatorToken: await found(/pst_opr_\w+/),
    printed: text,
    stop: () => new Promise((gone) => { child.once("exit", gone); child.kill("SIGTERM"); }),
  };
}
