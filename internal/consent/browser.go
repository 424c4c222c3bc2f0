package consent

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/pkg/browser"

	"github.com/mcpctl/mcpctl/internal/host"
)

// desktop is what is known of the machine that a browser should open on.
type desktop struct {
	os     string // GOOS
	wsl    bool
	getenv func(string) string
	// find returns the path of a program, as exec.LookPath does.
	find func(program string) (string, error)
}

// Browser returns a function that opens a URL in the user's browser, or nil where there is none to be expected: on Linux and
// the BSDs, containers included, without a display, where xdg-open would start a text browser at best; and over SSH, where
// a page would open on a screen that the user doesn't sit at.
func Browser(h host.Host) func(url string) error {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease") // a text like 6.6.87.2-microsoft-standard-WSL2
	return desktop{
		os: h.OS, wsl: h.OS == "linux" && bytes.Contains(bytes.ToLower(release), []byte("microsoft")),
		getenv: h.Getenv, find: exec.LookPath,
	}.opener()
}

func (d desktop) opener() func(url string) error {
	native, command := d.choose()
	switch {
	case native:
		return openNatively
	case command != nil:
		// stdout and stderr are the null device, as in openNatively.
		return func(url string) error {
			args := withURL(command, url)
			return exec.Command(args[0], args[1:]...).Run()
		}
	}
	return nil
}

// withURL puts a URL into a command where it has %s, or at its end.
func withURL(command []string, url string) []string {
	args := slices.Clone(command)
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "%s", url)
	}
	if slices.Equal(args, command) {
		args = append(args, url)
	}
	return args
}

// choose returns the way to a browser: the desktop's own, or a command that takes a URL as withURL puts it there; neither if there
// is no way.
//
// The command is the one that BROWSER names. Otherwise it is one of Windows under WSL, where the user's browser is.
func (d desktop) choose() (native bool, command []string) {
	shown := slices.ContainsFunc([]string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}, func(name string) bool { return d.getenv(name) != "" })
	if d.getenv("SSH_CONNECTION") != "" && !shown {
		return false, nil
	}
	if d.os != "darwin" && d.os != "windows" {
		command = d.named()
	}
	if command == nil && d.wsl && d.getenv("BROWSER") == "" {
		command = d.first([]string{"wslview"}, []string{"rundll32.exe", "url.dll,FileProtocolHandler"})
	}
	if command != nil {
		return false, command
	}
	return shown || d.os == "darwin" || d.os == "windows", nil
}

// named returns the command that BROWSER names: the first of its list, which colons divide, whose program is there. xdg-open reads it
// like that, but not in every desktop, and in a container, where an editor sets BROWSER, it is seldom there.
func (d desktop) named() []string {
	var commands [][]string
	for c := range strings.SplitSeq(d.getenv("BROWSER"), ":") {
		if words := strings.Fields(c); len(words) > 0 {
			commands = append(commands, words)
		}
	}
	return d.first(commands...)
}

// first returns the first command whose program is there, with its path, nil if there is none.
func (d desktop) first(commands ...[]string) []string {
	for _, c := range commands {
		if path, err := d.find(c[0]); err == nil {
			return append([]string{path}, c[1:]...)
		}
	}
	return nil
}

// openNatively waits until the opener has ended, which may be as late as the browser does. The opener's chatter goes to the
// null device: by default it would go to our stdout, which belongs to the protocol, and a pipe would fill.
func openNatively(url string) error {
	browser.Stdout, browser.Stderr = nil, nil
	return browser.OpenURL(url)
}
