// The client that the MCP conformance suite tests, made of the TypeScript SDK: on `$MCPCTL_UNDER_TEST bridge URL`, or on the
// SDK's own HTTP transport if that is not set. The suite appends the URL and names the scenario in the environment.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const url = process.argv.at(-1);
const command = process.env.MCPCTL_UNDER_TEST;

// What the user does once where a client was registered by hand.
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");
const byHand = {
  "auth/basic-cimd": ["https://conformance-test.local/client-metadata.json"],
  "auth/pre-registration": [context.client_id, context.client_secret],
}[process.env.MCP_CONFORMANCE_SCENARIO];
if (command && byHand) {
  const [id, secret] = byHand;
  const args = ["login", "--oauth", url, "--client-id", id];
  if (secret) {
    writeFileSync(process.env.HOME + "/client.key", secret);
    args.push("--client-secret-file", process.env.HOME + "/client.key");
  }
  execFileSync(command, args, { timeout: 20_000 });
}
const transport = command
  ? new StdioClientTransport({ command, args: ["bridge", url], env: process.env })
  : new StreamableHTTPClientTransport(new URL(url));
const client = new Client(
  { name: "mcpctl-e2e", version: "1" },
  { capabilities: { elicitation: { form: { applyDefaults: true } } } },
);
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: {} }));
await client.connect(transport);

const call = (tools) => client.callTool({ name: tools[0].name, arguments: {} });
const scenarios = {
  initialize: async () => {},
  tools_call: (tools) => client.callTool({ name: tools[0].name, arguments: { a: 5, b: 3 } }),
  "elicitation-sep1034-client-defaults": (tools) => client.callTool({ name: tools[0].name, arguments: {} }),
  "json-schema-2020-12-preservation": (tools) => client.callTool({
    name: "json_schema_echo",
    arguments: { schema: tools.find((t) => t.name === "json_schema_2020_12_tool").inputSchema },
  }),
  "sse-retry": (tools) => client.callTool({ name: tools[0].name, arguments: {} }),
};
const { tools } = process.env.MCP_CONFORMANCE_SCENARIO === "initialize" ? { tools: [] } : await client.listTools();
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
await (scenarios[scenario] ?? (scenario.startsWith("auth/") ? call : undefined))(tools);
await client.close();
