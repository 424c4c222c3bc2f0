// Package logfile keeps what bridges log: a bounded file of JSON lines for each process, and all of them read as one log.
package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/state"
)

// folder is where the logs are in the state folder.
const folder = "logs"

// The file names: one that is being written to, and its predecessor.
const (
	currentExt  = ".log"
	previousExt = ".log.1"
)

// startFormat has a fixed width, so that names in alphabetical order are in the order of time.
const startFormat = "20060102T150405.000Z"

// source is a process that wrote a log: what a file's name says.
type source struct {
	server string
	start  time.Time
	pid    int
}

// name is the name of the source's files without their extension.
func (s source) name() string {
	return fmt.Sprintf("%s-%s-%d", escape(s.server), s.start.UTC().Format(startFormat), s.pid)
}

var namePattern = pattern.New(`^(.+)-(\d{8}T\d{6}\.\d{3}Z)-(\d+)\.log(?:\.1)?$`)

func parseName(name string) (source, bool) {
	m := namePattern().FindStringSubmatch(name)
	if m == nil {
		return source{}, false
	}
	server, err := url.PathUnescape(m[1])
	start, timeErr := time.Parse(startFormat, m[2])
	pid, pidErr := strconv.Atoi(m[3])
	return source{server, start, pid}, err == nil && timeErr == nil && pidErr == nil
}

// escape makes a server's name, which may be WORKSPACE/NAME or HOST:PORT, fit for a file name on every OS.
func escape(server string) string {
	var b strings.Builder
	for i := range len(server) {
		c := server[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// sources returns the processes that wrote logs for server, or for any server if that is "", the oldest first.
func sources(d state.Dir, server string) ([]source, error) {
	entries, err := os.ReadDir(d.Path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []source
	for _, e := range entries {
		s, ok := parseName(e.Name())
		if ok && (server == "" || s.server == server) && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b source) int { return a.start.Compare(b.start) })
	return found, nil
}

// Servers returns the names of the servers that there are logs of, in alphabetical order.
func Servers(d state.Dir) ([]string, error) {
	found, err := sources(d, "")
	var names []string
	for _, s := range found {
		names = append(names, s.server)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}
