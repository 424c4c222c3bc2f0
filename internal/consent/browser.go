package consent

import (
	"runtime"

	"github.com/pkg/browser"
)

// Browser returns a function that opens a URL in the user's browser, or nil where there is none to be expected: on Linux
// and the BSDs without a display, where xdg-open would start a text browser at best.
func Browser(getenv func(string) string) func(url string) error {
	if runtime.GOOS != "darwin" && runtime.GOOS != "windows" &&
		getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" && getenv("BROWSER") == "" {
		return nil
	}
	return open
}

// open waits until the opener has ended, which may be as late as the browser does.
func open(url string) error {
	// By default the opener's chatter goes to our stdout, which belongs to the protocol. nil is the null device; a
	// writer that isn't a file would be a pipe, which fills.
	browser.Stdout, browser.Stderr = nil, nil
	return browser.OpenURL(url)
}
