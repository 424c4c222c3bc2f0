# pip install mcp
import asyncio
import os

from mcp import ClientSession
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main():
    http = create_mcp_http_client(headers={@HEADER@})
    async with streamable_http_client("@URL@", http_client=http) as streams:
        async with ClientSession(*streams[:2]) as session:
            await session.initialize()
            for tool in (await session.list_tools()).tools:
                print(tool.name)


asyncio.run(main())
