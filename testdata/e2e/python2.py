"""Version 2 of the Python SDK on `mcpctl bridge URL`, which first asks for revision 2026-07-28: prints what the reference
server "everything" answered, as JSON.

Usage: python2.py MCPCTL URL
"""
import asyncio
import json
import os
import sys

from mcp import Client, MCPError, StdioServerParameters, types


async def sample(context, params):
    text = types.TextContent(type="text", text=f"sampled: {len(params.messages)}")
    return types.CreateMessageResult(role="assistant", content=text, model="none")


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["bridge", sys.argv[2]], env=dict(os.environ))
    progress = []

    async def on_progress(done, total, message):
        progress.append(done)

    async with Client(server, sampling_callback=sample) as client:
        tools = [t.name for t in (await client.list_tools()).tools]
        echo = await client.call_tool("echo", {"message": 'grüße 😀 "quoted"'})
        await client.call_tool("trigger-long-running-operation", {"duration": 1, "steps": 4}, progress_callback=on_progress)
        sampled = await client.call_tool("trigger-sampling-request", {"prompt": "hello", "maxTokens": 10})
        sums = await asyncio.gather(*(client.call_tool("get-sum", {"a": i, "b": 1}) for i in range(40)))
        prompts = len((await client.list_prompts()).prompts)
        resources = len((await client.list_resources()).resources)
        try:
            await client.read_resource("no:such")
            refused = ""
        except MCPError as e:
            refused = str(e)
        await client.send_ping()
        result = {
            "revision": client.protocol_version, "server": client.server_info.name, "tools": tools, "echo": echo.content[0].text,
            "progress": progress, "sampled": sampled.content[0].text, "sums": [s.content[0].text for s in sums],
            "prompts": prompts, "resources": resources, "refused": refused,
        }
    print(json.dumps(result))


asyncio.run(main())
