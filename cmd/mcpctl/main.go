// Command mcpctl connects AI clients to the MCP servers of a workspace behind the Portkey MCP Gateway.
package main

import (
	"os"

	"github.com/mcpctl/mcpctl/internal/cli"
)

func main() {
	os.Exit(cli.Main())
}
