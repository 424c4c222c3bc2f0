// A client of the TypeScript SDK on `mcpctl bridge SERVER`: prints what it saw, as JSON.
// Usage: node modern.mjs v1|v2 MCPCTL SERVER-OR-URL; v2 negotiates the revision, v1 knows none later than 2025-11-25.
const [generation, command, target] = process.argv.slice(2);
const v2 = generation === "v2";
const { Client } = await import(v2 ? "@modelcontextprotocol/client" : "@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = await import(v2 ? "@modelcontextprotocol/client/stdio" : "@modelcontextprotocol/sdk/client/stdio.js");
const types = v2 ? undefined : await import("@modelcontextprotocol/sdk/types.js");
const name = (method, schema) => (v2 ? method : types[schema]);

const transport = new StdioClientTransport({ command, args: ["bridge", target], env: process.env, stderr: "pipe" });
let stderr = "";
transport.stderr?.on("data", (chunk) => (stderr += chunk));
const client = new Client({ name: "mcpctl-e2e", version: "1" },
  { capabilities: { elicitation: {} }, ...(v2 && { versionNegotiation: { mode: "auto" } }) });
let asked = "";
client.setRequestHandler(name("elicitation/create", "ElicitRequestSchema"), async (request) => {
  asked = request.params.message;
  return { action: "accept", content: { confirm: true } };
});
const changes = [];
client.setNotificationHandler(name("notifications/tools/list_changed", "ToolListChangedNotificationSchema"), () => changes.push("tools"));
client.setNotificationHandler(name("notifications/resources/updated", "ResourceUpdatedNotificationSchema"), (n) => changes.push(n.params.uri));

await client.connect(transport);
const tools = (await client.listTools()).tools.map((t) => t.name);
const out = {
  server: client.getServerVersion()?.name, instructions: client.getInstructions() ?? "", tools,
  revision: v2 ? client.getNegotiatedProtocolVersion() : undefined, era: v2 ? client.getProtocolEra() : undefined,
};
const call = (name, args, options) => v2
  ? client.callTool({ name, arguments: args }, options) : client.callTool({ name, arguments: args }, undefined, options);
const said = async (...args) => (await call(...args)).content[0].text;
if (tools.includes("order")) {
  const progress = [];
  out.greeted = await said("greet", { name: "Zoë" });
  out.counted = await said("count", {}, { onprogress: (p) => progress.push(p.progress) });
  out.progress = progress;
  out.ordered = await said("order", { meal: "soup" });
  out.asked = asked;
  out.read = (await client.readResource({ uri: "menu://today" })).contents[0].text;
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  out.waited = await call("wait", {}, { signal: abort.signal }).then(() => "answered", () => "aborted");
}
out.changes = changes;
if (!v2) {
  await client.ping();
  await client.setLoggingLevel("info");
  await client.subscribeResource({ uri: "menu://today" });
  await fetch(new URL("/change", target));
  for (let i = 0; i < 200 && changes.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  changes.sort();
}
out.pid = transport.pid;
const closing = Date.now();
await client.close();
console.log(JSON.stringify({ ...out, closed: Date.now() - closing, stderr }));
