// Package config reads mcpctl's settings, each from the first of flag, environment, profile, default.
package config

// Flags are the settings as they were given on the command line; empty means not given.
type Flags struct {
	ConfigFile      string
	Profile         string
	GatewayURL      string
	ControlPlaneURL string
	Workspace       string
	CAFile          string
	AllowHTTP       bool
}

// Settings are the settings in force.
type Settings struct {
	// File is the path of the settings file, whether or not it exists.
	File string
	// Profile is the profile's name.
	Profile string
	// GatewayURL and ControlPlaneURL are base URLs without a trailing slash; they may have a path.
	GatewayURL, ControlPlaneURL string
	// Workspace is a workspace's UUID or slug, for organisation keys.
	Workspace string
	// CAFile is a PEM file whose certificates are trusted beside the system's.
	CAFile string
	// Proxy is a proxy's URL for all requests; empty means that the environment decides.
	Proxy string
	// AllowHTTP lists the origins off loopback that may be spoken to over plain http.
	AllowHTTP []string
	// KeyHeader is "x-portkey-api-key" or "authorization" where the user fixed it; empty means what login found.
	KeyHeader string
	// KeyCommand is a program with arguments that prints the key.
	KeyCommand []string
	// CredentialStore is where login put the key: "keyring" (also when nothing is recorded) or "file".
	CredentialStore string
	// Headers go out with every request to an MCP server; ServerHeaders, by server, win over them. They aren't secret.
	Headers       map[string]string
	ServerHeaders map[string]map[string]string
	// Given holds the settings that came by flag or environment rather than from the settings file or a default, by
	// the name of the flag that sets them ("gateway", "profile", …): an installed entry has to repeat them.
	Given map[string]string
}
