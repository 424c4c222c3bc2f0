// The TypeScript SDK's client calls a tool that needs consent. The bridge's opener starts a real browser; this script finds
// it by its debugging port, looks at the page, and clicks. Prints what happened as JSON.
// Usage: node consent.mjs MCPCTL SERVER PROFILE-FOLDER initialize|call: which of the two meets the missing consent
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { chromium } from "playwright-core";

const [command, server, profile, when] = process.argv.slice(2);
const transport = new StdioClientTransport({ command, args: ["bridge", server], env: process.env, stderr: "pipe" });
let stderr = "";
transport.stderr.on("data", (chunk) => (stderr += chunk));
const client = new Client({ name: "mcpctl-e2e", version: "1" }, { capabilities: {} });

const progress = [];
let browser;
const clicked = (async () => {
  let port;
  for (let i = 0; !port; i++) {
    if (i > 600) throw new Error("no browser was started; stderr: " + stderr);
    await sleep(100);
    port = (await readFile(profile + "/DevToolsActivePort", "utf8").catch(() => "")).split("\n")[0];
  }
  browser = await chromium.connectOverCDP("http://127.0.0.1:" + port);
  const page = browser.contexts()[0].pages()[0];
  await page.waitForSelector("#allow");
  const asked = await page.innerText("body");
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  await page.click("#allow");
  await page.waitForLoadState();
  return { asked, url: page.url(), then: await page.innerText("body") };
})();

await client.connect(transport);
if (when === "call") {
  const revoked = await fetch(process.env.MCPCTL_CONTROL_PLANE_URL + "/mcp-servers/" + server + "/connections", {
    method: "DELETE", headers: { "x-portkey-api-key": process.env.MCPCTL_API_KEY },
  });
  if (!revoked.ok) throw new Error("revoke: " + revoked.status);
}
const answer = await client.callTool(
  { name: "create_issue", arguments: { title: "Printer on fire", priority: "high" } }, undefined,
  { onprogress: (p) => progress.push(p.message), timeout: 60000 },
);
const page = await clicked;
const tools = (await client.listTools()).tools.map((t) => t.name);
await client.close();
const cdp = await browser.newBrowserCDPSession();
await cdp.send("Browser.close").catch(() => {});
console.log(JSON.stringify({ tools, answer, page, progress, stderr }));
