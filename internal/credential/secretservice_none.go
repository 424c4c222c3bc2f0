//go:build darwin || windows

package credential

import "github.com/mcpctl/mcpctl/internal/host"

func connect(host.Host) (why string) { return "" }

func secretServiceKind(error) (Kind, bool) { return Failed, false }
