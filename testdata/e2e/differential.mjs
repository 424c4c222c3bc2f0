// The same operations by the same SDK client, once on HTTP and once on `mcpctl bridge URL`: prints both answers of each as JSON.
// Usage: node differential.mjs MCPCTL URL
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [command, url] = process.argv.slice(2);
const call = (name, args, more = {}) => ["tools/call " + name, (c) => c.callTool({ name, arguments: args, ...more })];
const operations = [
  ["ping", (c) => c.ping()],
  ["server", async (c) => [c.getServerVersion(), c.getServerCapabilities(), c.getInstructions()]],
  ["tools/list", (c) => c.listTools()],
  ["resources/list", (c) => c.listResources()],
  ["resources/templates/list", (c) => c.listResourceTemplates()],
  ["prompts/list", (c) => c.listPrompts()],
  ...["", "x", "ü😀\u2028\u0000", '"\\\n\t', "<script>&amp;", " ".repeat(3), "0".repeat(100000)].map((message) => call("echo", { message })),
  ...[[1, 2], [0.1, 0.2], [-0, 0], [1e21, 1], [9007199254740991, 1], [1.5, -1.5]].map(([a, b]) => call("get-sum", { a, b })),
  call("get-sum", { a: "no number", b: 1 }),
  call("get-sum", {}),
  call("no-such-tool", {}),
  call("get-tiny-image", {}),
  call("get-structured-content", { location: "New York" }),
  call("get-structured-content", { location: "Nowhere" }),
  call("get-annotated-message", { messageType: "error", includeImage: true }),
  call("get-annotated-message", { messageType: "success" }),
  call("get-resource-links", { count: 3 }),
  call("get-resource-reference", { resourceType: "Text", resourceId: 1 }),
  call("trigger-sampling-request", { prompt: "hello", maxTokens: 5 }),
  call("trigger-elicitation-request", {}),
  ["progress", async (c) => {
    const seen = [];
    const result = await c.callTool({ name: "trigger-long-running-operation", arguments: { duration: 0.4, steps: 4 } }, undefined, { onprogress: (p) => seen.push(p) });
    return [seen.slice(0, 3), result]; // the SDK drops progress that comes right before the result, now and then
  }],
  ["resources/read", async (c) => c.readResource({ uri: (await c.listResources()).resources[0].uri })],
  ["resources/read, none", (c) => c.readResource({ uri: "no:such" })],
  ["prompts/get", (c) => c.getPrompt({ name: "simple-prompt" })],
  ["prompts/get, arguments", (c) => c.getPrompt({ name: "args-prompt", arguments: { city: "Köln", state: "NRW" } })],
  ["prompts/get, none", (c) => c.getPrompt({ name: "no-such-prompt" })],
  ["completion", (c) => c.complete({ ref: { type: "ref/prompt", name: "completable-prompt" }, argument: { name: "department", value: "E" } })],
  ["setLevel", (c) => c.setLoggingLevel("debug")],
  ["subscribe", async (c) => c.subscribeResource({ uri: (await c.listResources()).resources[0].uri })],
  ["unsubscribe", async (c) => c.unsubscribeResource({ uri: (await c.listResources()).resources[0].uri })],
  ["unknown method", (c) => c.request({ method: "no/such" }, { parse: (x) => x })],
];

async function run(transport) {
  const client = new Client({ name: "mcpctl-e2e", version: "1" }, { capabilities: { sampling: {}, elicitation: {}, roots: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, async (r) => ({ model: "none", role: "assistant", content: { type: "text", text: JSON.stringify(r.params) } }));
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "decline" }));
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: "file:///tmp", name: "t" }] }));
  await client.connect(transport);
  await new Promise((done) => setTimeout(done, 300)); // the server asks for the roots by itself
  const answers = [];
  for (const [, operation] of operations) {
    try {
      answers.push({ result: (await operation(client)) ?? null });
    } catch (e) {
      answers.push({ error: { code: e.code, message: e.message, data: e.data } });
    }
  }
  await client.close();
  return answers;
}

const direct = await run(new StreamableHTTPClientTransport(new URL(url)));
const bridged = await run(new StdioClientTransport({ command, args: ["bridge", url], env: process.env }));
// What differs from one moment to the next by the server's own doing.
const settled = (answer) => JSON.stringify(answer).replace(/\d{1,2}:\d{2}:\d{2}( [AP]M)?/g, "TIME").replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, "TIME");
console.log(JSON.stringify(operations.map(([name], i) => ({ name, direct: settled(direct[i]), bridged: settled(bridged[i]) }))));
