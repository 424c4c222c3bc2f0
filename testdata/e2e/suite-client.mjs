// The client that the MCP conformance suite tests, made of the TypeScript SDK: on `$MCPCTL_UNDER_TEST bridge URL`, or on the
// SDK's own HTTP transport if that is not set. The suite appends the URL and names the scenario in the environment.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const url = process.argv.at(-1);
const command = process.env.MCPCTL_UNDER_TEST;
const transport = command
  ? new StdioClientTransport({ command, args: ["bridge", url], env: process.env })
  : new StreamableHTTPClientTransport(new URL(url));
const client = new Client(
  { name: "mcpctl-e2e", version: "1" },
  { capabilities: { elicitation: { form: { applyDefaults: true } } } },
);
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: {} }));
await client.connect(transport);

const scenarios = {
  initialize: async () => {},
  tools_call: (tools) => client.callTool({ name: tools[0].name, arguments: { a: 5, b: 3 } }),
  "elicitation-sep1034-client-defaults": (tools) => client.callTool({ name: tools[0].name, arguments: {} }),
  "sse-retry": (tools) => client.callTool({ name: tools[0].name, arguments: {} }),
};
const { tools } = process.env.MCP_CONFORMANCE_SCENARIO === "initialize" ? { tools: [] } : await client.listTools();
await scenarios[process.env.MCP_CONFORMANCE_SCENARIO](tools);
await client.close();
