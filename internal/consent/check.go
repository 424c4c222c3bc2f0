package consent

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mcpctl/mcpctl/internal/web"
)

// maxURL is the longest URL that is shown or opened, in bytes.
const maxURL = 4 << 10

// Check returns a URL that a browser may be given: https, or http to this machine, with a host and without anything that
// a shell, a terminal or a browser could take for something else. Openers of other tools were led to run commands by what
// a server sent them (CVE-2025-6514, CVE-2025-10619). Its errors don't repeat the URL.
func Check(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("it is longer than %d bytes", maxURL)
	}
	for _, c := range []byte(raw) {
		if c < 0x21 || c > 0x7e || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return nil, fmt.Errorf("it holds the byte 0x%02x", c)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	switch {
	case u.Scheme != "https" && !(u.Scheme == "http" && web.IsLoopback(u.Hostname())):
		return nil, errors.New("its scheme is not https")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("it has no host")
	case u.User != nil:
		return nil, errors.New("it holds a user name")
	case u.Fragment != "" || u.RawFragment != "":
		return nil, errors.New("it has a fragment")
	case !isHost(u.Hostname()):
		return nil, errors.New("its host holds something else than letters, digits, dots and hyphens")
	}
	return url.Parse(shellSafe.Replace(u.String()))
}

// shellSafe encodes what is allowed in a URL but means something to a shell. No shell is used here; this is for the
// programs behind the opener.
var shellSafe = strings.NewReplacer("$", "%24", "'", "%27", "(", "%28", ")", "%29")

func isHost(host string) bool {
	return strings.IndexFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-:_", r))
	}) < 0
}
