// The TypeScript SDK's client on `mcpctl bridge SERVER`: prints what the reference server "everything" answered, as JSON.
// Usage: node everything.mjs MCPCTL SERVER-OR-URL [FLAG…]
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [command, ...args] = process.argv.slice(2);
const transport = new StdioClientTransport({ command, args: ["bridge", ...args], env: process.env, stderr: "pipe" });
let stderr = "";
transport.stderr.on("data", (chunk) => (stderr += chunk));

const client = new Client(
  { name: "mcpctl-e2e", version: "1" },
  { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
);
client.setRequestHandler(CreateMessageRequestSchema, async (request) => ({
  model: "none", role: "assistant", content: { type: "text", text: "sampled: " + request.params.messages.length },
}));
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "decline" }));
client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [] }));

const began = Date.now();
await client.connect(transport);
const initialized = Date.now() - began;
const tools = (await client.listTools()).tools.map((t) => t.name);
const progress = [];
const call = (name, args, options) => client.callTool({ name, arguments: args }, undefined, options);
const echo = await call("echo", { message: "grüße 😀   \"quoted\"" });
const sum = await call("get-sum", { a: 2, b: 40 });
const long = await call("trigger-long-running-operation", { duration: 1, steps: 4 }, { onprogress: (p) => progress.push(p.progress) });
const image = await call("get-tiny-image", {});
const resources = (await client.listResources()).resources.length;
const prompts = (await client.listPrompts()).prompts.length;
const sampled = tools.includes("trigger-sampling-request")
  ? await call("trigger-sampling-request", { prompt: "hello", maxTokens: 10 }) : null;
let refused = "";
try {
  await client.readResource({ uri: "no:such" });
} catch (e) {
  refused = String(e.message);
}
const many = await Promise.all(Array.from({ length: 40 }, (_, i) => call("get-sum", { a: i, b: 1 })));

const pid = transport.pid;
const closing = Date.now();
await client.close();
console.log(JSON.stringify({
  server: client.getServerVersion(), initialized, tools, echo, sum, long, progress, image: image.content.map((c) => c.type),
  resources, prompts, sampled, refused, many: many.length, pid, closed: Date.now() - closing, stderr,
}));
