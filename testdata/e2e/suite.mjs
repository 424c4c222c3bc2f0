// Starts the MCP conformance suite with this process's arguments: its latest release, or the package that $SUITE names. It
// imports fs.globSync, which Node 20 hasn't, for a command that isn't used here.
import { register } from "node:module";

const fs = `export * from "node:fs"; export { default } from "node:fs"; export function globSync() { throw new Error("needs Node 22"); }`;
const hooks = `export const resolve = (name, context, next) =>
  name === "fs" && context.parentURL?.match("/conformance(-next)?/dist/")
    ? { url: ${JSON.stringify("data:text/javascript," + encodeURIComponent(fs))}, shortCircuit: true } : next(name, context);`;
if (!("globSync" in (await import("node:fs")))) register("data:text/javascript," + encodeURIComponent(hooks));
await import(`./node_modules/${process.env.SUITE ?? "@modelcontextprotocol/conformance"}/dist/index.js`);
