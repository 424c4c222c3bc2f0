// A server of the TypeScript SDK that knows revision 2026-07-28 alone. Prints its URL; its path /seen lists the requests so far.
import { createServer } from "node:http";
import { acceptedContent, createMcpHandler, fromJsonSchema, inputRequired, McpServer } from "@modelcontextprotocol/server";

const schema = (properties, required = []) => fromJsonSchema({ type: "object", properties, required });
const text = (text) => ({ content: [{ type: "text", text }] });
const confirmation = { type: "object", properties: { confirm: { type: "boolean" } }, required: ["confirm"] };

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "modern", version: "1" },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }, instructions: "Order politely." });
  server.registerTool("greet", {
    description: "x", inputSchema: schema({ name: { type: "string", "x-mcp-header": "Guest" } }, ["name"]),
  }, ({ name }) => text("Hello " + name));
  server.registerTool("count", { description: "x", inputSchema: schema({}) }, async (_, { mcpReq }) => {
    for (let progress = 1; progress <= 3; progress++) {
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken: mcpReq._meta.progressToken, progress, total: 3 } });
      await new Promise((resolve) => setTimeout(resolve, 50)); // the SDK's client loses progress that comes along with the answer
    }
    return text("counted");
  });
  server.registerTool("order", { description: "x", inputSchema: schema({ meal: { type: "string" } }, ["meal"]) }, ({ meal }, { mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, "sure");
    if (!answer) {
      return inputRequired({
        inputRequests: { sure: inputRequired.elicit({ message: `Order ${meal}?`, requestedSchema: confirmation }) },
        requestState: "state of " + meal,
      });
    }
    return text(`${mcpReq.requestState()}: ${answer.confirm}`);
  });
  server.registerTool("wait", { description: "x", inputSchema: schema({}) }, (_, { mcpReq }) => new Promise((resolve) => {
    mcpReq.signal.addEventListener("abort", () => { seen.push({ aborted: true }); resolve(text("aborted")); });
  }));
  server.registerResource("menu", "menu://today", {}, (uri) => ({ contents: [{ uri: uri.href, text: "soup" }] }));
  return server;
}, { legacy: "reject" });

const seen = [];
createServer(async (request, response) => {
  if (request.url === "/seen") return response.end(JSON.stringify(seen));
  if (request.url === "/change") {
    handler.notify.toolsChanged();
    handler.notify.resourceUpdated("menu://today");
    return response.end();
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  let rpc;
  try { rpc = JSON.parse(body).method; } catch { /* a GET or DELETE */ }
  seen.push({ http: request.method, rpc, session: request.headers["mcp-session-id"], guest: request.headers["mcp-param-guest"] });
  const closed = new AbortController();
  response.on("close", () => closed.abort());
  const answer = await handler.fetch(new Request("http://" + request.headers.host + request.url, {
    method: request.method, headers: request.headers, body: body.length ? body : undefined, signal: closed.signal,
  }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  try {
    for await (const chunk of answer.body ?? []) response.write(chunk);
  } catch { /* the client has gone */ }
  response.end();
}).listen(0, "127.0.0.1", function () { console.log(`http://127.0.0.1:${this.address().port}/mcp`); });
