// Logs in on the pages of oidc-server.mjs, in the browser that mcpctl's opener has started.
// Usage: node oidc-login.mjs PROFILE-FOLDER
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const profile = process.argv[2];
let port;
for (let i = 0; !port; i++) {
  if (i > 600) throw new Error("no browser was started");
  await sleep(100);
  port = (await readFile(profile + "/DevToolsActivePort", "utf8").catch(() => "")).split("\n")[0];
}
const browser = await chromium.connectOverCDP("http://127.0.0.1:" + port);
const page = browser.contexts()[0].pages()[0];
await page.waitForSelector("input[name=login]");
await page.fill("input[name=login]", "alice");
await page.fill("input[name=password]", "any");
await page.click("button[type=submit]");
await page.waitForSelector("form input[value=consent]", { state: "attached" });
await page.click("button[type=submit]");
await page.waitForURL("**/done");
const then = await page.innerText("body");
if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
const cdp = await browser.newBrowserCDPSession();
await cdp.send("Browser.close").catch(() => {});
console.log(JSON.stringify({ then }));
