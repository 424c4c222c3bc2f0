//go:build clients && linux

package realclients

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reader is a program that reads a client's file: the client itself, or another that looks for clients' files.
type reader struct {
	name                string
	program, npmPackage string
	// install is what install is told, after the word.
	install []string
	// file is where it must write.
	file string
	// before is what the user has in it, in a file of the kind "plain".
	before string
	// refused are the kinds of file that the program can't read, and that install therefore leaves alone.
	refused []string
	// omitted are those that aren't tried: this program can't read them, but the client that they are for can.
	omitted []string
	// rewrites says that the program changes the file by itself.
	rewrites bool
	// list makes the program tell what servers it has.
	list func(h *home, program string) string
	// shows is in what it tells if it has read the entry, and has started the server where it does that; other if it has read
	// the entry that was there before.
	shows, other string
}

func readers() []reader {
	return []reader{
		{
			name: "claude-code", program: "claude", npmPackage: "@anthropic-ai/claude-code",
			install: []string{"claude-code"}, file: ".claude.json",
			before: jsonFile("mcpServers", `{ "type": "stdio", "command": "false" }`), refused: []string{"comments", "commas"},
			rewrites: true,
			list:     told("mcp", "list"), shows: `notes: .*mcpctl bridge notes - ✔ Connected`, other: `other: false .*Failed to connect`,
		},
		{
			name: "codex", program: "codex", npmPackage: "@openai/codex",
			install: []string{"codex"}, file: ".codex/config.toml", before: tomlFile,
			list: told("mcp", "list", "--json"), shows: `"name": "notes"(?s:.*)mcpctl"(?s:.*)"tool_timeout_sec": 600`, other: `"name": "other"`,
		},
		{
			name: "codex app-server", program: "codex", npmPackage: "@openai/codex",
			install: []string{"codex"}, file: ".codex/config.toml", before: tomlFile,
			list: appServer, shows: `"name":"notes".*"search_notes"`, other: `"name":"other".*"toolsError":"[^"]`,
		},
		{
			name: "gemini-cli", program: "gemini", npmPackage: "@google/gemini-cli",
			install: []string{"gemini-cli"}, file: ".gemini/settings.json",
			before: jsonFile("mcpServers", `{ "command": "false" }`), refused: []string{"commas", "BOM"},
			list: told("mcp", "list"), shows: `✓ notes: .*mcpctl bridge notes \(stdio\) - Connected`, other: `✗ other: .*Disconnected`,
		},
		{
			name: "qwen", program: "qwen", npmPackage: "@qwen-code/qwen-code",
			install: []string{"gemini-cli", "--config-path", ".qwen/settings.json"}, file: ".qwen/settings.json",
			before: jsonFile("mcpServers", `{ "command": "false" }`), refused: []string{"commas", "BOM"},
			rewrites: true,
			list:     told("mcp", "list"), shows: `✓ notes: .*mcpctl bridge notes \(stdio\) - Connected`, other: `✗ other: .*Disconnected`,
		},
		{
			name: "opencode", program: "opencode", npmPackage: "opencode-ai",
			install: []string{"opencode"}, file: ".config/opencode/opencode.json",
			before: opencodeFile(),
			list:   told("mcp", "list"), shows: `✓ notes connected`, other: `✗ other failed`,
		},
		{
			name: "opencode without $schema", program: "opencode", npmPackage: "opencode-ai",
			install: []string{"opencode"}, file: ".config/opencode/opencode.json",
			before:   jsonFile("mcp", `{ "type": "local", "command": ["false"], "enabled": true }`),
			omitted:  []string{none, "commas", "comments"}, // seen above
			rewrites: true,
			list:     told("mcp", "list"), shows: `✓ notes connected`, other: `✗ other failed`,
		},
		{
			name: "copilot-cli", program: "copilot", npmPackage: "@github/copilot",
			install: []string{"copilot-cli"}, file: ".copilot/mcp-config.json",
			before: jsonFile("mcpServers", `{ "type": "stdio", "command": "false", "args": [], "tools": ["*"] }`),
			list:   told("mcp", "list", "--json"), shows: `"notes": \{(?s:[^}]*)mcpctl"(?s:[^}]*)"enabled": true`, other: `"other": \{`,
		},
		{
			name: "cline", program: "cline", npmPackage: "cline",
			install: []string{"cline"}, file: ".cline/data/settings/cline_mcp_settings.json",
			before: jsonFile("mcpServers", `{ "command": "false" }`), refused: []string{"comments", "commas", "BOM"},
			list: offeredByCline, shows: `"notes__search_notes"`,
		},
		{
			name: "inspector", program: "mcp-inspector", npmPackage: "@modelcontextprotocol/inspector",
			install: []string{"claude-desktop"}, file: ".config/Claude/claude_desktop_config.json",
			before: jsonFile("mcpServers", `{ "command": "false" }`), refused: []string{"comments", "commas"}, omitted: []string{"BOM"},
			list: func(h *home, program string) string {
				return told("--cli", "--config", h.path(".config/Claude/claude_desktop_config.json"), "--server", "notes", "--method", "tools/list")(h, program)
			}, shows: `"search_notes"`,
		},
		mcporter("cursor", ".cursor/mcp.json", jsonFile("mcpServers", `{ "command": "false" }`)),
		mcporter("vscode", ".config/Code/User/mcp.json", jsonFile("servers", `{ "type": "stdio", "command": "false" }`)),
		mcporter("windsurf", ".codeium/windsurf/mcp_config.json", jsonFile("mcpServers", `{ "command": "false" }`)),
	}
}

// projects are those that read a file in a project too, which has the program's bare name in it. Each wants to be told that
// its user trusts the project.
func projects() []reader {
	return []reader{
		{
			name: "claude-code", program: "claude", npmPackage: "@anthropic-ai/claude-code",
			install: []string{"claude-code", "--project"}, file: "work/.mcp.json",
			before: jsonFile("mcpServers", `{ "type": "stdio", "command": "false" }`),
			list: func(h *home, program string) string {
				h.write(".claude/settings.json", `{"enableAllProjectMcpServers":true}`)
				return told("mcp", "list")(h, program)
			}, shows: `notes: mcpctl bridge notes - ✔ Connected`, other: `other: false .*Failed to connect`,
		},
		{
			name: "codex", program: "codex", npmPackage: "@openai/codex",
			install: []string{"codex", "--project"}, file: "work/.codex/config.toml", before: tomlFile,
			list: func(h *home, program string) string {
				h.write(".codex/config.toml", "[projects."+quote(h.path("work"))+"]\ntrust_level = \"trusted\"\n")
				return told("mcp", "list", "--json")(h, program) // the app-server reads a project's file for a thread alone
			}, shows: `"name": "notes"(?s:.*)"mcpctl"(?s:.*)"tool_timeout_sec": 600`, other: `"name": "other"`,
		},
		{
			name: "gemini-cli", program: "gemini", npmPackage: "@google/gemini-cli",
			install: []string{"gemini-cli", "--project"}, file: "work/.gemini/settings.json",
			before: jsonFile("mcpServers", `{ "command": "false" }`),
			list:   told("mcp", "list"), shows: `✓ notes: mcpctl bridge notes \(stdio\) - Connected`, other: `✗ other: .*Disconnected`,
		},
		{
			name: "opencode", program: "opencode", npmPackage: "opencode-ai",
			install: []string{"opencode", "--project"}, file: "work/opencode.json",
			before: opencodeFile(),
			list:   told("mcp", "list"), shows: `✓ notes connected`, other: `✗ other failed`,
		},
		{
			name: "copilot-cli", program: "copilot", npmPackage: "@github/copilot",
			install: []string{"copilot-cli", "--project"}, file: "work/.mcp.json",
			before: jsonFile("mcpServers", `{ "type": "stdio", "command": "false", "args": [], "tools": ["*"] }`),
			list: func(h *home, program string) string {
				h.write(".copilot/config.json", `{"trusted_folders":[`+quote(h.path("work"))+`]}`)
				return told("mcp", "list", "--json")(h, program)
			}, shows: `"notes": \{(?s:[^}]*)"mcpctl"(?s:[^}]*)"enabled": true`, other: `"other": \{`,
		},
	}
}

// mcporter is another reader of a client that isn't in npm.
func mcporter(client, file string, before string) reader {
	return reader{
		name: "mcporter for " + client, program: "mcporter", npmPackage: "mcporter",
		install: []string{client}, file: file, before: before, omitted: []string{"BOM"},
		list: told("list", "notes", "--json"), shows: `"status": "ok"(?s:.*)"search_notes"`,
	}
}

// none is the name of the case in which the user has no file yet.
const none = "none"

// jsonFile returns a file with another's entry in the member key.
func jsonFile(key, other string) string {
	return "{\n  \"" + key + "\": {\n    \"other\": " + other + "\n  }\n}\n"
}

// opencodeFile has a $schema, since opencode puts one in where there is none.
func opencodeFile() string {
	return strings.Replace(jsonFile("mcp", `{ "type": "local", "command": ["false"], "enabled": true }`), "{",
		"{\n  \"$schema\": \"https://opencode.ai/config.json\",", 1)
}

const tomlFile = "model = \"gpt-5\"\n\n[mcp_servers.other]\ncommand = \"false\"\nargs = [\n  \"x\",\n]\n"

// kinds are the ways in which a user's file may be written, made from a plain one.
func kinds(file string) map[string]func(string) string {
	all := map[string]func(string) string{
		none:    func(string) string { return "" },
		"plain": func(text string) string { return text },
		"BOM":   func(text string) string { return "\ufeff" + text },
		"CRLF":  func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") },
	}
	if filepath.Ext(file) == ".toml" {
		all["comments"] = func(text string) string {
			return "# mine\n" + strings.ReplaceAll(text, "]\n", "] # keep\n") + "# the end\n"
		}
		return all
	}
	all["comments"] = func(text string) string {
		return "// mine\n" + strings.NewReplacer("{\n", "{ /* and */\n", "}\n", "} // keep\n").Replace(text) + "// the end\n"
	}
	all["commas"] = func(text string) string {
		return regexp.MustCompile(`}\n( *)}`).ReplaceAllString(regexp.MustCompile(`}\n( *)}`).ReplaceAllString(text, "},\n$1}"), "},\n$1}")
	}
	return all
}

// told returns what a program prints with args.
func told(args ...string) func(*home, string) string {
	return func(h *home, program string) string {
		stdout, stderr, _ := h.run(nil, "", program, args...)
		return plain(stdout + stderr)
	}
}

// TestReaders: what install writes into a file of any kind that a client can read, the client reads, and starts the bridge;
// what uninstall leaves is the user's file as it was. A file that the client can't read is left alone.
func TestReaders(t *testing.T) {
	for _, r := range readers() {
		all := kinds(r.file)
		for _, kind := range slices.Sorted(maps.Keys(all)) {
			if slices.Contains(r.omitted, kind) {
				continue
			}
			t.Run(r.name+"/"+kind, func(t *testing.T) {
				h := newHome(t)
				if err := os.MkdirAll(filepath.Dir(h.path(r.file)), 0o700); err != nil { // the client is there
					t.Fatal(err)
				}
				if slices.Contains(r.refused, kind) {
					h.wantRefused(r, all[kind])
				} else {
					h.wantRead(r, all[kind](r.before))
				}
			})
		}
	}
}

// TestProjects is the same for files in a project.
func TestProjects(t *testing.T) {
	for _, r := range projects() {
		t.Run(r.name, func(t *testing.T) { newHome(t).wantRead(r, r.before) })
	}
}

// wantRead installs into a file, before being its text or "" for none, and uninstalls.
func (h *home) wantRead(r reader, before string) {
	h.t.Helper()
	if before != "" {
		h.write(r.file, before)
	}
	h.own(append([]string{"install"}, r.arguments(h)...)...)
	installed := h.read(r.file)
	told := r.list(h, program(h.t, r.program, r.npmPackage))
	if !regexp.MustCompile(r.shows).MatchString(told) || before != "" && !regexp.MustCompile(r.other).MatchString(told) {
		h.t.Errorf("it doesn't tell of the servers:\n%s\nthe file is\n%s", told, installed)
	}
	used := h.read(r.file)
	if used != installed && !r.rewrites {
		h.t.Errorf("it has changed the file, from\n%s\nto\n%s", installed, used)
	}
	h.own(append([]string{"uninstall"}, r.arguments(h)...)...)
	after := h.read(r.file)
	if _, err := os.Stat(h.path(r.file)); used == installed && (after != before || (err == nil) != (before != "")) {
		h.t.Errorf("uninstall left\n%q\nwant\n%q", after, before)
	}
	if strings.Contains(after, "notes") || before != "" && !strings.Contains(after, `other`) {
		h.t.Errorf("uninstall left\n%s", after)
	}
}

// wantRefused tries to install into a file of a kind that the program can't read, and lets the program show that it can't.
func (h *home) wantRefused(r reader, kind func(string) string) {
	h.t.Helper()
	h.write(r.file, kind(r.before))
	_, errs, err := h.run(nil, "", h.mcpctl, append([]string{"install"}, r.arguments(h)...)...)
	if err == nil || !strings.Contains(errs, "but the program that reads this file takes") || h.read(r.file) != kind(r.before) {
		h.t.Errorf("install: %v\n%s\n%s", err, errs, h.read(r.file))
	}
	h.write(r.file, r.before)
	h.own(append([]string{"install"}, r.arguments(h)...)...)
	h.write(r.file, kind(h.read(r.file)))
	told := r.list(h, program(h.t, r.program, r.npmPackage))
	if regexp.MustCompile(r.shows).MatchString(told) {
		h.t.Errorf("it reads this after all:\n%s", told)
	}
}

// arguments returns what install and uninstall are told; a path is below the home.
func (r reader) arguments(h *home) []string {
	args := append(slices.Clone(r.install), "notes")
	for i, a := range args {
		if i > 0 && args[i-1] == "--config-path" {
			args[i] = filepath.Join(h.dir, a)
		}
	}
	return args
}
