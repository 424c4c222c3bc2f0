// An authorization server that mcpctl's authors didn't write (oidc-provider), and an MCP server of the TypeScript SDK that takes
// nothing but its tokens. Refresh tokens rotate, and one that comes twice ends the login. Prints the MCP server's URL; its paths
// /counts, /expire and /revoke show and change what the two know.
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import Provider from "oidc-provider";

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done("http://127.0.0.1:" + server.address().port)));
const authorization = createServer(), resource = createServer();
const issuer = await listen(authorization), base = await listen(resource);
const url = base + "/mcp";

const provider = new Provider(issuer, {
  features: {
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => {
        if (indicator !== url) throw new Error("no such resource");
        return { scope: "tools", audience: url, accessTokenTTL: 3600, accessTokenFormat: "opaque" };
      },
    },
  },
  scopes: ["openid", "offline_access", "tools"],
  clientDefaults: { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "none" },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  pkce: { required: () => true, methods: ["S256"] },
  cookies: { keys: ["for this run"] },
});
const counts = { code: 0, refresh: 0, refused: 0, calls: 0 };
provider.on("grant.success", (ctx) => ctx.oidc.params.grant_type === "refresh_token" ? counts.refresh++ : counts.code++);
provider.on("grant.error", () => counts.refused++);
const seen = new Set(), expired = new Set(), grants = new Set(); // of tokens that were used
authorization.on("request", provider.callback());

resource.on("request", async (request, response) => {
  const json = (status, body, header = {}) => response.writeHead(status, { "Content-Type": "application/json", ...header }).end(JSON.stringify(body));
  if (request.url === "/.well-known/oauth-protected-resource/mcp") {
    return json(200, { resource: url, authorization_servers: [issuer], scopes_supported: ["tools"] });
  }
  if (request.url === "/counts") return json(200, counts);
  if (request.url === "/expire") { seen.forEach((id) => expired.add(id)); return json(200, {}); }
  if (request.url === "/revoke") {
    for (const id of grants) {
      await provider.RefreshToken.revokeByGrantId(id);
      await provider.AccessToken.revokeByGrantId(id);
    }
    return json(200, {});
  }
  const text = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const token = text && (await provider.AccessToken.find(text));
  if (!token || token.aud !== url || expired.has(token.jti)) {
    return json(401, { error: "invalid_token" }, { "WWW-Authenticate": `Bearer resource_metadata="${base}/.well-known/oauth-protected-resource/mcp", scope="tools"` });
  }
  counts.calls++;
  seen.add(token.jti);
  grants.add(token.grantId);
  const server = new McpServer({ name: "guarded", version: "1" });
  server.registerTool("greet", { description: "x" }, () => ({ content: [{ type: "text", text: "Hello " + token.accountId }] }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => { transport.close(); server.close(); });
  await server.connect(transport);
  await transport.handleRequest(request, response);
});
console.log(url);
