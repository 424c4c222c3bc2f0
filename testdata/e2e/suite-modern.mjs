// The client that the conformance suite tests in the scenarios of revision 2026-07-28, made of version 2 of the TypeScript SDK: on
// `$MCPCTL_UNDER_TEST bridge URL`, or on the SDK's own HTTP transport if that is not set.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const url = process.argv.at(-1);
const command = process.env.MCPCTL_UNDER_TEST;
const transport = command
  ? new StdioClientTransport({ command, args: ["bridge", url], env: process.env })
  : new StreamableHTTPClientTransport(new URL(url));
const client = new Client(
  { name: "mcpctl-e2e", version: "1" },
  { capabilities: { elicitation: { form: {} }, roots: {}, sampling: {} }, versionNegotiation: { mode: "auto" } },
);
client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { confirmed: true } }));
await client.connect(transport);

const { tools } = await client.listTools();
const call = (name, args = {}) => client.callTool({ name, arguments: args });
// What the suite wants to see called, and else each tool with arguments of the kinds that its schema asks for.
const { toolCalls } = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");
const values = { string: "eu", integer: 3, number: 3, boolean: true, array: ["a"], object: {}, null: null };
const some = (schema) => Object.fromEntries(
  Object.entries(schema.properties ?? {}).map(([name, property]) => [name, values[property.type] ?? null]));
const scenarios = {
  "http-standard-headers": async () => {
    const { resources } = await client.listResources();
    const { prompts } = await client.listPrompts();
    for (const { uri } of resources) await client.readResource({ uri });
    for (const { name } of prompts) await client.getPrompt({ name });
    for (const { name } of tools) await call(name);
  },
  "sep-2322-client-request-state": async () => {
    for (const { name } of tools) await call(name).catch(() => {}); // the SDK refuses one of the answers
  },
  "json-schema-ref-no-deref": async () => {},
  "json-schema-2020-12-preservation": () =>
    call("json_schema_echo", { schema: tools.find((t) => t.name === "json_schema_2020_12_tool").inputSchema }),
};
await (scenarios[process.env.MCP_CONFORMANCE_SCENARIO] ?? (async () => {
  for (const { name, arguments: args } of toolCalls ?? tools.map((t) => ({ name: t.name, arguments: some(t.inputSchema) }))) {
    await call(name, args);
  }
}))();
await client.close();
