// Says yes on the pages of the demo gateway, in the browser that mcpctl's opener has started.
// Usage: node oauth-click.mjs PROFILE-FOLDER
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
const asked = [];
for (let i = 0; i < 2; i++) {
  await page.waitForSelector("#allow");
  asked.push(await page.innerText("body"));
  await Promise.all([page.waitForNavigation(), page.click("#allow")]);
}
await page.waitForURL("**/done");
const then = await page.innerText("body");
if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
const cdp = await browser.newBrowserCDPSession();
await cdp.send("Browser.close").catch(() => {});
console.log(JSON.stringify({ asked, then }));
