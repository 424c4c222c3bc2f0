package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/pattern"
)

// refuse says why an entry isn't started, whose program is path; ok is false if it may be. Whoever writes a project's file
// chooses the program, its arguments and its variables, so that a look into a folder must not run them: what mcpctl hasn't
// written there itself has to be this program, with nothing that leads it elsewhere.
func (f file) refuse(i clients.Installed, path string) (refused Result, ok bool) {
	const look = "look at the entry; if you want it, "
	bare := !strings.ContainsAny(i.Launch.Command, `/\`)
	switch {
	case !filepath.IsAbs(path):
		return finding(Skipped, look+"give it the whole path of the program: "+f.again(i),
			"not started: its program is a relative path, another one in each folder"), true
	case f.isOwn():
		return Result{}, false
	case len(i.Launch.Env) > 0:
		return finding(Skipped, look+"start it in the client, or take its variables out",
			"not started: this file isn't yours alone, and the entry sets variables, which can lead anywhere"), true
	case i.Recorded:
		return Result{}, false
	case !f.isThis(path) && bare:
		return finding(Skipped, look+"run: mcpctl doctor "+f.place.Client.ID,
			"not started: the mcpctl on PATH, %s, is another one than this, %s", path, f.Self.Path), true
	case !f.isThis(path):
		return finding(Skipped, look+"run: "+f.again(i),
			"not started: this file isn't yours alone, and the entry names another program than this mcpctl"), true
	case !f.areHarmless(i.Launch.Args):
		return finding(Skipped, look+"run: "+f.again(i),
			"not started: this file isn't yours alone, and the entry has arguments that mcpctl didn't write"), true
	}
	return Result{}, false
}

// isOwn reports whether the file is one that the client keeps for its user.
func (f file) isOwn() bool {
	found := clients.On(f.Host).Find(f.place.Client)
	return f.place.Scope == clients.User &&
		(f.place.Path == found.Path || slices.Contains(found.Others, f.place.Path) || slices.Contains(found.Profiles, f.place.Path))
}

// isThis reports whether path is this program.
func (f file) isThis(path string) bool {
	this, err := os.Stat(f.Self.Path)
	info, infoErr := os.Stat(path)
	return err == nil && infoErr == nil && os.SameFile(this, info)
}

// serverName fits a name from the workspace, and no URL.
var serverName = pattern.New(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`)

// areHarmless reports whether args make a bridge to a server of the workspace, and leave it to the user's own settings where that
// is and which key it gets. What install writes where a setting came by flag is harmless if it is in force here too.
func (f file) areHarmless(args []string) bool {
	if len(args) < 2 || args[0] != "bridge" || !serverName().MatchString(args[1]) {
		return false
	}
	same := map[string]string{"--gateway": f.Setting.GatewayURL, "--control-plane": f.Setting.ControlPlaneURL}
	for rest := args[2:]; len(rest) > 0; rest = rest[2:] {
		name := rest[0]
		switch {
		case len(rest) < 2:
			return false
		case name == "--profile", name == "--workspace":
		case same[name] == "" || same[name] != rest[1]:
			return false
		}
	}
	return true
}
