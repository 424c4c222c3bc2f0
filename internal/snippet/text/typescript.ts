// npm install @modelcontextprotocol/client
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
// With version 1, npm install @modelcontextprotocol/sdk, these two lines instead:
// import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "agent", version: "1.0.0" });
await client.connect(
  new StreamableHTTPClientTransport(new URL("@URL@"), {
    requestInit: { headers: { @HEADER@ } },
  }),
);
for (const tool of (await client.listTools()).tools) console.log(tool.name);
await client.close();
