"""Version 1 of the Python SDK on `mcpctl bridge URL`: prints what the reference server "everything" answered, as JSON.

Usage: python1.py MCPCTL URL
"""
import asyncio
import json
import os
import sys

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client


async def sample(context, params):
    text = types.TextContent(type="text", text=f"sampled: {len(params.messages)}")
    return types.CreateMessageResult(role="assistant", content=text, model="none")


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["bridge", sys.argv[2]], env=dict(os.environ))
    progress = []

    async def on_progress(done, total, message):
        progress.append(done)

    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write, sampling_callback=sample) as session:
            began = await session.initialize()
            tools = [t.name for t in (await session.list_tools()).tools]
            echo = await session.call_tool("echo", {"message": 'grüße 😀 "quoted"'})
            await session.call_tool("trigger-long-running-operation", {"duration": 1, "steps": 4}, progress_callback=on_progress)
            sampled = await session.call_tool("trigger-sampling-request", {"prompt": "hello", "maxTokens": 10})
            sums = await asyncio.gather(*(session.call_tool("get-sum", {"a": i, "b": 1}) for i in range(40)))
            prompts = len((await session.list_prompts()).prompts)
            resources = len((await session.list_resources()).resources)
            try:
                await session.read_resource("no:such")
                refused = ""
            except McpError as e:
                refused = str(e)
            await session.send_ping()
    print(json.dumps({
        "revision": began.protocolVersion, "server": began.serverInfo.name, "tools": tools, "echo": echo.content[0].text,
        "progress": progress, "sampled": sampled.content[0].text, "sums": [s.content[0].text for s in sums],
        "prompts": prompts, "resources": resources, "refused": refused,
    }))


asyncio.run(main())
