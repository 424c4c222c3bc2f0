package consent

import (
	"bytes"
	"os"
	"os/exec"
	"slices"

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
			return exec.Command(command[0], append(slices.Clone(command[1:]), url)...).Run()
		}
	}
	return nil
}

// choose returns the way to a browser: the desktop's own, or a program that takes a URL as its last argument, with the
// arguments before that; neither if there is no way.
//
// Under WSL that program is one of Windows, where the user's browser is, unless BROWSER names one.
func (d desktop) choose() (native bool, command []string) {
	shown := slices.ContainsFunc([]string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}, func(name string) bool { return d.getenv(name) != "" })
	if d.getenv("SSH_CONNECTION") != "" && !shown {
		return false, nil
	}
	if d.wsl && d.getenv("BROWSER") == "" {
		for _, c := range [][]string{{"wslview"}, {"rundll32.exe", "url.dll,FileProtocolHandler"}} {
			if path, err := d.find(c[0]); err == nil {
				return false, append([]string{path}, c[1:]...)
			}
		}
	}
	return shown || d.os == "darwin" || d.os == "windows", nil
}

// openNatively waits until the opener has ended, which may be as late as the browser does. The opener's chatter goes to the
// null device: by default it would go to our stdout, which belongs to the protocol, and a pipe would fill.
func openNatively(url string) error {
	browser.Stdout, browser.Stderr = nil, nil
	return browser.OpenURL(url)
}
