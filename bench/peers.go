package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// peer is another bridge to compare with. {cache} is where `run` installs, {url} the upstream's address.
type peer struct {
	name    string
	version string
	command string
	env     []string
	needs   string // a file under the cache that must exist
	cannot  string // why it takes no part
}

var peers = []peer{
	{name: "mcp-remote", version: "0.15.1",
		command: "node {cache}/node_modules/mcp-remote/dist/proxy.js {url} --transport http-only --allow-http --silent",
		needs:   "node_modules/mcp-remote/dist/proxy.js"},
	{name: "mcp-remote-0.1", version: "0.1.38",
		command: "node {cache}/node_modules/mcp-remote-0.1/dist/proxy.js {url} --transport http-only --allow-http --silent",
		needs:   "node_modules/mcp-remote-0.1/dist/proxy.js"},
	{name: "supergateway", version: "4.0.0",
		command: "node {cache}/node_modules/supergateway/dist/index.js --streamableHttp {url} --logLevel none",
		needs:   "node_modules/supergateway/dist/index.js"},
	{name: "wordpress-remote", version: "0.4.0",
		command: "node {cache}/node_modules/@automattic/mcp-wordpress-remote/dist/proxy.js",
		env:     []string{"WP_API_URL={url}", "OAUTH_ENABLED=false", "JWT_TOKEN=bench", "LOG_LEVEL=0"},
		needs:   "node_modules/@automattic/mcp-wordpress-remote/dist/proxy.js"},
	{name: "glean-connect", version: "0.2.4",
		command: "node {cache}/node_modules/@gleanwork/connect-mcp-server/dist/proxy.js {url} --transport http-only --allow-http",
		needs:   "node_modules/@gleanwork/connect-mcp-server/dist/proxy.js"},

	{name: "mcp-proxy-py", version: "0.13.0",
		command: "{cache}/venv/bin/mcp-proxy --transport streamablehttp {url}",
		env:     []string{"PYTHONDONTWRITEBYTECODE=1"},
		needs:   "venv/bin/mcp-proxy"},

	{name: "pyroprompts-adapter", cannot: "npm @pyroprompts/mcp-stdio-to-streamable-http-adapter can't be installed any more"},
	{name: "mcp-remote-go", cannot: "Go github.com/naotama2002/mcp-remote-go is not to be had as a module"},
	{name: "mcp-stdio-proxy", cannot: "Go github.com/lattenwald/mcp-stdio-proxy is not to be had as a module"},
	{name: "toolhive", cannot: "Go github.com/stacklok/toolhive: 0.63.0 needs Go 1.27; 0.47.0 builds, but will not start without a container runtime, and speaks to its own workloads only"},
	{name: "mcp-proxy", cannot: "npm mcp-proxy 6.7.19 goes the other way only (stdio server to HTTP)"},
	{name: "mcp-gcloud-adc", cannot: "npm mcp-gcloud-adc 0.1.0 sends nothing without Google credentials, and takes https only"},
}

// choosePeers resolves --peers: all, none, or names.
func choosePeers(want, cache string) ([]*subject, []string, error) {
	if want == "none" || want == "" {
		return nil, nil, nil
	}
	byName := map[string]bool{}
	if want != "all" {
		for n := range strings.SplitSeq(want, ",") {
			byName[strings.TrimSpace(n)] = true
		}
	}
	var out []*subject
	var notes []string
	for _, p := range peers {
		if want != "all" && !byName[p.name] {
			continue
		}
		delete(byName, p.name)
		if p.cannot != "" {
			notes = append(notes, p.name+": "+p.cannot)
			continue
		}
		if _, err := os.Stat(filepath.Join(cache, p.needs)); err != nil {
			notes = append(notes, p.name+": not installed ("+p.needs+" is missing)")
			continue
		}
		s := newSubject(p.name, strings.Join(append(p.env, p.command), " "), isBridge)
		s.version = p.version
		argv, err := splitCommand(p.command)
		if err != nil {
			return nil, nil, err
		}
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "{cache}", cache)
		}
		s.argv, s.env = argv, append([]string(nil), p.env...)
		out = append(out, s)
	}
	for n := range byName {
		return nil, nil, fmt.Errorf("no peer is called %q", n)
	}
	return out, notes, nil
}
