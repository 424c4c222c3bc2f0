package clients

import "github.com/mcpctl/mcpctl/internal/configfile"

// All returns the clients that mcpctl knows: one row each, and nowhere else.
//
// No row may write what lets a server through without the user's word, such as trust or autoApprove.
func All() []Client {
	return []Client{
		{
			ID: "claude-desktop", Name: "Claude Desktop",
			Format: configfile.JSON, Key: "mcpServers",
			// Connectors are called from Anthropic's cloud, and a url in the file makes some builds drop all servers:
			// github.com/anthropics/claude-code issue 37286.
			NotDirect: "they go in under Settings > Connectors",
			Files: map[string][]string{
				"darwin": {"$SUPPORT/Claude/claude_desktop_config.json"},
				// Each kind of Windows package has its own place: github.com/anthropics/claude-code issues 25579, 26073.
				"windows": {
					"$LOCALAPPDATA/Claude-Data/claude*/claude_desktop_config.json",
					"$LOCALAPPDATA/Packages/Claude_*/LocalCache/Roaming/Claude/claude_desktop_config.json",
					"$APPDATA/Claude/claude_desktop_config.json",
				},
				"": {"$CONFIG/Claude/claude_desktop_config.json"},
			},
			Signs:   map[string][]string{"darwin": {"/Applications/Claude.app"}},
			Program: "claude-desktop",
			// Claude Code's executable is called claude too, hence folders.
			Process:        []string{"claude-desktop", "Claude.app", "AnthropicClaude", "Claude_*"},
			AfterInstall:   "quit Claude Desktop completely (from its icon in the tray or menu bar), then start it again",
			AfterUninstall: "quit Claude Desktop completely (from its icon in the tray or menu bar), then start it again",
		},
		{
			ID: "claude-code", Name: "Claude Code", Verified: "2026-11-25",
			Format: configfile.JSON, Key: "mcpServers",
			Shape: Shape{First: configfile.Members{{Name: "type", Value: "stdio"}}},
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "http"}}, URL: "url", Headers: []string{"headers"}, Variable: "${%s}", OAuth: true,
			},
			Files:          map[string][]string{"": {"~/.claude.json"}},
			SharedFolder:   true,
			Override:       []string{"$CLAUDE_CONFIG_DIR/.claude.json"},
			PerFolder:      "projects",
			ProjectFiles:   []string{".mcp.json"},
			Signs:          map[string][]string{"": {"~/.claude"}},
			Program:        "claude",
			AfterInstall:   "start a new session of Claude Code; of a project's servers it asks once whether you approve them",
			AfterUninstall: "start a new session of Claude Code",
		},
		{
			ID: "cursor", Name: "Cursor",
			Format: configfile.JSONC, Key: "mcpServers",
			Direct:       &Direct{URL: "url", Headers: []string{"headers"}, Variable: "${env:%s}", OAuth: true},
			LinkForm:     "cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={base64}",
			Files:        map[string][]string{"": {"~/.cursor/mcp.json"}},
			ProjectFiles: []string{".cursor/mcp.json"},
			Signs: map[string][]string{
				"darwin":  {"/Applications/Cursor.app"},
				"windows": {"$APPDATA/Cursor"},
			},
			Program:        "cursor",
			AfterInstall:   "in Cursor, run \"Developer: Reload Window\", then switch the server on under Settings > MCP; Cursor may ask once whether you trust it",
			AfterUninstall: "in Cursor, run \"Developer: Reload Window\"",
		},
		vscode("vscode", "VS Code", "Code", "code", "~/.vscode-server/data/User/mcp.json"),
		vscode("vscode-insiders", "VS Code Insiders", "Code - Insiders", "code-insiders", "~/.vscode-server-insiders/data/User/mcp.json"),
		vscode("vscodium", "VSCodium", "VSCodium", "codium", "~/.vscodium-server/data/User/mcp.json"),
		{
			// The command line, the app and the extensions of editors share the file.
			ID: "codex", Name: "Codex", Verified: "2026-11-25",
			Format: configfile.TOML, Key: "mcp_servers",
			Shape: Shape{Last: configfile.Members{
				// In seconds; its default of 60 is short for someone who consents meanwhile.
				{Name: "tool_timeout_sec", Value: 600},
				// What a browser and the keyring are found by. Codex passes a server nothing of its environment but HOME, PATH
				// and the like, and the variables named here, if they are set.
				{Name: "env_vars", Value: []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "BROWSER", "SSH_CONNECTION",
					"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}},
			}},
			Direct: &Direct{
				URL: "url", Headers: []string{"env_http_headers"}, Variable: "%s", BearerVariable: "bearer_token_env_var", OAuth: true,
			},
			Files:          map[string][]string{"": {"~/.codex/config.toml"}},
			Override:       []string{"$CODEX_HOME/config.toml"},
			ProjectFiles:   []string{".codex/config.toml"},
			Program:        "codex",
			AfterInstall:   "start a new session of Codex; a project's servers wait until you trust its folder",
			AfterUninstall: "start a new session of Codex",
		},
		{
			ID: "copilot-cli", Name: "Copilot CLI", Verified: "2026-11-25",
			Format: configfile.JSONC, Key: "mcpServers",
			Shape: Shape{
				First: configfile.Members{{Name: "type", Value: "stdio"}},
				Last:  configfile.Members{{Name: "tools", Value: []string{"*"}}},
			},
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "http"}}, URL: "url", Headers: []string{"headers"}, Variable: "${%s}", OAuth: true,
				Last: configfile.Members{{Name: "tools", Value: []string{"*"}}},
			},
			Files:          map[string][]string{"": {"~/.copilot/mcp-config.json"}},
			Override:       []string{"$COPILOT_HOME/mcp-config.json"},
			ProjectFiles:   []string{".mcp.json", ".github/mcp.json"},
			Program:        "copilot",
			AfterInstall:   "start a new session of copilot; a project's servers wait until you trust its folder",
			AfterUninstall: "start a new session of copilot",
		},
		{
			ID: "gemini-cli", Name: "Gemini CLI", Verified: "2026-11-25",
			Format: configfile.JSONC | configfile.NoTrailingComma | configfile.NoBOM, Key: "mcpServers",
			// Newer releases would rather have "url" with a type, which to older ones is the address of another transport.
			Direct:      &Direct{URL: "httpUrl", Headers: []string{"headers"}, Variable: "${%s}", OAuth: true},
			DollarNames: true,
			Files:       map[string][]string{"": {"~/.gemini/settings.json"}},
			// Antigravity keeps its own things in ~/.gemini.
			SharedFolder:   true,
			ProjectFiles:   []string{".gemini/settings.json"},
			Program:        "gemini",
			AfterInstall:   "start gemini again; in a folder that you haven't told it to trust, it starts no server at all",
			AfterUninstall: "start gemini again",
		},
		{
			ID: "antigravity", Name: "Antigravity",
			Format: configfile.JSONC, Key: "mcpServers",
			Direct:         &Direct{URL: "serverUrl", Headers: []string{"headers"}},
			Files:          map[string][]string{"": {"~/.gemini/config/mcp_config.json", "~/.gemini/antigravity/mcp_config.json"}},
			Moved:          true,
			ProjectFiles:   []string{".agents/mcp_config.json"},
			Program:        "agy",
			AfterInstall:   "start agy again, or refresh its MCP servers in the IDE",
			AfterUninstall: "start agy again, or refresh its MCP servers in the IDE",
		},
		{
			ID: "windsurf", Name: "Windsurf",
			Format: configfile.JSONC, Key: "mcpServers",
			NotDirect: "its two agents want different entries, and read each other's file",
			Files: map[string][]string{
				"windows": {"$APPDATA/devin/mcp_config.json", "~/.codeium/windsurf/mcp_config.json"},
				"":        {"~/.config/devin/mcp_config.json", "~/.codeium/windsurf/mcp_config.json"},
			},
			Moved:          true,
			ProjectFiles:   []string{".devin/mcp_config.json"},
			Program:        "windsurf",
			AfterInstall:   "in Windsurf, press Refresh in the list of MCP servers, or start it again",
			AfterUninstall: "in Windsurf, press Refresh in the list of MCP servers, or start it again",
		},
		{
			ID: "zed", Name: "Zed",
			Format: configfile.JSONC, Key: "context_servers",
			Shape: Shape{
				// Builds before the extensions moved out of this member want to be told.
				First: configfile.Members{{Name: "source", Value: "custom"}},
				Last:  configfile.Members{{Name: "env", Value: configfile.Raw{Text: "{}"}}},
			},
			Direct: &Direct{URL: "url", Headers: []string{"headers"}, OAuth: true},
			Files: map[string][]string{
				// On macOS too: crates/paths/src/paths.rs in zed-industries/zed.
				"darwin":  {"~/.config/zed/settings.json"},
				"windows": {"$APPDATA/Zed/settings.json"},
				"":        {"$CONFIG/zed/settings.json"},
			},
			Override:     []string{"$FLATPAK_XDG_CONFIG_HOME/zed/settings.json"},
			ProjectFiles: []string{".zed/settings.json"},
			Program:      "zed",
			AfterInstall: "nothing to do if Zed is running: it starts the server by itself",
		},
		{
			ID: "cline", Name: "Cline", Verified: "2026-11-25",
			Format: configfile.JSON | configfile.NoBOM, Key: "mcpServers",
			Shape: Shape{Last: configfile.Members{
				{Name: "disabled", Value: false},
				// In seconds; its default of 60 is short for someone who consents meanwhile.
				{Name: "timeout", Value: 600},
			}},
			// Without a type, Cline takes an address for that of the older transport. Its command line, seen with 3.0.65, sends
			// the name of a variable in place of its value.
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "streamableHttp"}}, URL: "url", Headers: []string{"headers"},
				Last: configfile.Members{{Name: "disabled", Value: false}, {Name: "timeout", Value: 600}},
			},
			Files: map[string][]string{
				"darwin":  {clineFile, "$SUPPORT/Code/User/" + clineStorage},
				"windows": {clineFile, "$APPDATA/Code/User/" + clineStorage},
				"":        {clineFile, "$CONFIG/Code/User/" + clineStorage},
			},
			Moved: true,
			Override: []string{
				"$CLINE_MCP_SETTINGS_PATH",
				"$CLINE_DATA_DIR/settings/cline_mcp_settings.json",
				"$CLINE_DIR/data/settings/cline_mcp_settings.json",
			},
			Program:      "cline",
			AfterInstall: "nothing to do if Cline is running: it watches the file",
		},
		{
			ID: "opencode", Name: "opencode", Verified: "2026-11-25",
			Format: configfile.JSONC, Key: "mcp",
			Shape: Shape{
				First:  configfile.Members{{Name: "type", Value: "local"}},
				Joined: true,
				Last:   configfile.Members{{Name: "enabled", Value: true}},
			},
			// opencode puts this into a file that lacks it, which would then no longer be as mcpctl left it.
			NewFile: configfile.Members{{Name: "$schema", Value: "https://opencode.ai/config.json"}},
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "remote"}}, URL: "url", Headers: []string{"headers"}, Variable: "{env:%s}", OAuth: true,
				Last: configfile.Members{{Name: "enabled", Value: true}},
			},
			Files:          map[string][]string{"": {"$CONFIG/opencode/opencode.json", "$CONFIG/opencode/opencode.jsonc"}},
			ProjectFiles:   []string{"opencode.json", "opencode.jsonc"},
			Program:        "opencode",
			AfterInstall:   "start opencode again",
			AfterUninstall: "start opencode again",
		},
		{
			ID: "goose", Name: "Goose",
			Format: configfile.YAML, Key: "extensions",
			Shape: Shape{
				NameMember: "name", Command: "cmd",
				First: configfile.Members{{Name: "type", Value: "stdio"}},
				Last:  configfile.Members{{Name: "enabled", Value: true}, {Name: "timeout", Value: 600}},
			},
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "streamable_http"}}, URL: "uri", Headers: []string{"headers"},
				Last: configfile.Members{{Name: "enabled", Value: true}, {Name: "timeout", Value: 600}},
			},
			// substitute_env_vars in crates/goose/src/agents/extension_manager.rs, block/goose.
			DollarNames: true,
			LinkForm:    "goose://extension?cmd={command}&{args}&id={name}&name={name}&description={name}",
			Files: map[string][]string{
				"windows": {"$APPDATA/Block/goose/config/config.yaml"},
				"":        {"$CONFIG/goose/config.yaml"},
			},
			Program:        "goose",
			AfterInstall:   "start a new session of Goose",
			AfterUninstall: "start a new session of Goose",
		},
		{
			ID: "lm-studio", Name: "LM Studio",
			Format: configfile.JSONC, Key: "mcpServers",
			Direct:       &Direct{URL: "url", Headers: []string{"headers"}},
			LinkForm:     "lmstudio://add_mcp?name={name}&config={base64}",
			Files:        map[string][]string{"": {"~/.lmstudio/mcp.json", "~/.cache/lm-studio/mcp.json"}},
			Moved:        true,
			Program:      "lms",
			AfterInstall: "switch the server on among the integrations of a chat in LM Studio; start it again if it isn't there",
		},
		{
			ID: "jetbrains-copilot", Name: "GitHub Copilot for JetBrains",
			Format: configfile.JSONC, Key: "servers",
			Shape: Shape{First: configfile.Members{{Name: "type", Value: "stdio"}}},
			Direct: &Direct{
				First: configfile.Members{{Name: "type", Value: "http"}}, URL: "url", Headers: []string{"requestInit", "headers"}, Variable: "${env:%s}",
			},
			Files: map[string][]string{
				"windows": {"$LOCALAPPDATA/github-copilot/intellij/mcp.json"},
				"":        {"$CONFIG/github-copilot/intellij/mcp.json"},
			},
			AfterInstall:   "start the agent again, or the IDE",
			AfterUninstall: "start the agent again, or the IDE",
		},
		{
			ID: "kiro", Name: "Kiro",
			Format: configfile.JSONC, Key: "mcpServers",
			Direct:       &Direct{URL: "url", Headers: []string{"headers"}, Variable: "${%s}"},
			Files:        map[string][]string{"": {"~/.kiro/settings/mcp.json"}},
			ProjectFiles: []string{".kiro/settings/mcp.json"},
			Signs:        map[string][]string{"": {"~/.kiro"}},
			Program:      "kiro",
			AfterInstall: "nothing to do if Kiro is running: it notices when the file is saved",
		},
	}
}

// Cline's file, and where its extension of VS Code kept it before version 3.
const (
	clineFile    = "~/.cline/data/settings/cline_mcp_settings.json"
	clineStorage = "globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
)

// vscode is the row of a build of VS Code: they differ by the name of their folder. remote is the file of windows that are
// connected to this machine from another.
func vscode(id, name, folder, program, remote string) Client {
	return Client{
		ID: id, Name: name,
		Format: configfile.JSONC, Key: "servers",
		Shape: Shape{First: configfile.Members{{Name: "type", Value: "stdio"}}},
		Direct: &Direct{
			First: configfile.Members{{Name: "type", Value: "http"}}, URL: "url", Headers: []string{"headers"}, Variable: "${env:%s}", OAuth: true,
		},
		// The scheme is the id, as it is the build's urlProtocol: mcpUrlHandler.ts in microsoft/vscode.
		LinkForm: id + ":mcp/install?{json}",
		Files: map[string][]string{
			"darwin":  {"$SUPPORT/" + folder + "/User/mcp.json"},
			"windows": {"$APPDATA/" + folder + "/User/mcp.json"},
			"":        {"$CONFIG/" + folder + "/User/mcp.json", remote},
		},
		ProjectFiles: []string{".vscode/mcp.json"},
		Profiles:     "profiles/*/mcp.json",
		// github.com/microsoft/vscode issue 337155.
		Successor: "copilot-cli",
		Program:   program,
		// What VS Code migrates out of settings.json is the member "mcp" alone: mcpMigration.ts in microsoft/vscode.
		DeadFile: "settings.json", DeadKey: "mcp.servers",
		AfterInstall: "in " + name + ", run \"MCP: List Servers\" and start it; " + name + " asks once whether you trust it",
	}
}
