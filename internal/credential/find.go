package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

// commandTime limits the program of Query.Command.
const commandTime = 10 * time.Second

// Query says whose key is wanted, and where it may be.
type Query struct {
	Host host.Host
	// Profile, GatewayURL and ControlPlaneURL name the item in the store; the key goes to the origins of the two URLs.
	Profile, GatewayURL, ControlPlaneURL string
	// KeyFile is a file that holds the key; empty for none.
	KeyFile string
	// Command is a program with arguments that prints the key; empty for none. It is started without a shell.
	Command []string
	// Store is where login put the key, and StoreKind its Kind in Found.
	Store     Store
	StoreKind string
	// Header is the header that the settings fix; empty means the one that login found.
	Header string
}

// The kinds of source in Found.
const (
	FromKeyFile     = "key-file"
	FromEnvironment = "environment"
	FromCommand     = "command"
	FromKeyring     = "keyring"
	FromFile        = "file"
)

// Found is a key with where it comes from.
type Found struct {
	web.Key
	// Kind is one of the kinds of source.
	Kind string
	// Source names the source itself: a path, a variable, a program, an item.
	Source string
}

// Find returns the key of the first source that has one: the key file, MCPCTL_API_KEY, PORTKEY_API_KEY, the key command,
// the store. Nothing else is probed, so that a locked keyring never leads to a weaker place in silence.
//
// PORTKEY_API_KEY is set for other work, and counts only if everything that the key would go to is under portkey.ai. A key
// from a store goes only to the origins that it was verified for at login; the others go to the configured ones.
func Find(ctx context.Context, q Query) (Found, error) {
	origins, err := q.origins()
	if err != nil {
		return Found{}, err
	}
	found := func(kind, source string, key secret.Secret) Found {
		return Found{web.Key{Value: key, Header: q.Header, Origins: origins}, kind, source}
	}
	if q.KeyFile != "" {
		key, err := ReadFile(ctx, q.KeyFile)
		return found(FromKeyFile, q.KeyFile, key), err
	}
	for _, name := range q.variables() {
		if value := q.Host.Getenv(name); value != "" {
			key, err := Parse(value, "in "+name)
			return found(FromEnvironment, name, key), err
		}
	}
	if len(q.Command) > 0 {
		key, err := runCommand(ctx, q.Host, q.Command)
		return found(FromCommand, filepath.Base(q.Command[0]), key), err
	}
	return q.fromStore(ctx, origins)
}

// Override names the variable or setting that goes before the store, or "" if none does.
func (q Query) Override() string {
	for _, name := range q.variables() {
		if q.Host.Getenv(name) != "" {
			return name
		}
	}
	if len(q.Command) > 0 {
		return "key_command"
	}
	return ""
}

// Unused is a source of keys that isn't in force.
type Unused struct {
	Source string // a flag, a variable, a setting, a kind of store
	Why    string
}

// Unused returns every source but the first that has a key, in their order, each with why it isn't in force. It asks no store
// and starts no program.
func (q Query) Unused() []Unused {
	isSet := func(name string) bool { return q.Host.Getenv(name) != "" }
	var list []Unused
	inForce := ""
	for _, s := range []struct {
		name, missing  string
		given, counted bool
	}{
		{"--key-file", "not given", q.KeyFile != "", true},
		{"MCPCTL_API_KEY", "not set", isSet("MCPCTL_API_KEY"), true},
		{"PORTKEY_API_KEY", "not set", isSet("PORTKEY_API_KEY"), q.portkeyOnly()},
		{"key_command", "not set", len(q.Command) > 0, true},
		{"what login stored, " + q.StoreKind, "", true, true},
	} {
		switch {
		case !s.given:
			list = append(list, Unused{s.name, s.missing})
		case !s.counted:
			list = append(list, Unused{s.name, "set, but counts for portkey.ai alone"})
		case inForce != "":
			list = append(list, Unused{s.name, "goes after " + inForce})
		default:
			inForce = s.name
		}
	}
	return list
}

// variables are the variables that may hold the key, in their order.
func (q Query) variables() []string {
	if q.portkeyOnly() {
		return []string{"MCPCTL_API_KEY", "PORTKEY_API_KEY"}
	}
	return []string{"MCPCTL_API_KEY"}
}

func (q Query) portkeyOnly() bool {
	for _, base := range []string{q.GatewayURL, q.ControlPlaneURL} {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "https" || !web.IsPortkey(u) {
			return false
		}
	}
	return true
}

func (q Query) origins() ([]string, error) { return Origins(q.GatewayURL, q.ControlPlaneURL) }

// Origins returns the origins of base URLs, each once: those that a key for them may go to.
func Origins(bases ...string) ([]string, error) {
	var origins []string
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" {
			return nil, errors.New("a base URL isn't one")
		}
		if o := web.Origin(u); !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
	}
	return origins, nil
}

func (q Query) fromStore(ctx context.Context, origins []string) (Found, error) {
	name := Name(q.Profile, q.GatewayURL)
	login := "run: mcpctl login"
	item, err := q.Store.Get(ctx, name)
	if kind, _ := KindOf(err); err != nil && kind == NotFound {
		if q.Host.Getenv("PORTKEY_API_KEY") != "" {
			login += "\n(PORTKEY_API_KEY is used for portkey.ai alone; MCPCTL_API_KEY for any gateway)"
		}
		return Found{}, NewError(NotFound, login, "not logged in to %s (profile %s)", q.GatewayURL, q.Profile)
	}
	if err != nil {
		return Found{}, err
	}
	for _, o := range origins {
		if !slices.Contains(item.Origins, o) {
			return Found{}, NewError(Elsewhere, login, "the key of profile %s was verified for %s, and isn't sent to %s",
				q.Profile, strings.Join(item.Origins, " and "), o)
		}
	}
	header := q.Header
	if header == "" {
		header = item.Header
	}
	return Found{web.Key{Value: item.Key, Header: header, Origins: item.Origins}, q.StoreKind, q.Store.Place(name)}, nil
}

// ReadFile reads a key from a file that holds nothing else, as for --key-file. The file may be a named pipe that nobody writes
// to, which can't be read with a limit: when ctx ends first, the reading is left behind.
func ReadFile(ctx context.Context, path string) (secret.Secret, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	fault.Go(func() {
		text, err := readStart(path, MaxKey+64)
		done <- result{text, err}
	}, func(err error) { done <- result{nil, err} })
	select {
	case r := <-done:
		if r.err != nil {
			return secret.Secret{}, problem.With(fmt.Errorf("read the key: %w", r.err), "check the path after --key-file")
		}
		return Parse(string(r.text), "in "+path)
	case <-ctx.Done():
		return secret.Secret{}, ctx.Err()
	}
}

// readStart reads a file, up to a limit in bytes.
func readStart(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// runCommand never shows what the program wrote: it may be a key, or a part of one.
func runCommand(ctx context.Context, h host.Host, command []string) (secret.Secret, error) {
	name := filepath.Base(command[0])
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout = &limitedBuffer{&out, MaxKey + 64}
	// mcpctl keeps this variable from the programs that it starts; the one that hands over a key may work with it.
	if value := h.Getenv("PORTKEY_API_KEY"); value != "" {
		cmd.Env = append(os.Environ(), "PORTKEY_API_KEY="+value)
	}
	cmd.WaitDelay = time.Second // a grandchild may hold the pipe
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // it does, for example an agent that stays; the program itself ended well
		err = nil
	}
	next := "run the program of the setting key_command by hand"
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return secret.Secret{}, NewError(Timeout, next, "key_command: %s printed no key within %v", name, commandTime)
	case ctx.Err() != nil:
		return secret.Secret{}, ctx.Err()
	case err != nil:
		return secret.Secret{}, NewError(Failed, next, "key_command: %s: %w", name, err)
	}
	return Parse(out.String(), "printed by "+name)
}

// limitedBuffer takes no more than it has room for.
type limitedBuffer struct {
	to   *bytes.Buffer
	room int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, errors.New("too much output")
	}
	l.room -= len(p)
	return l.to.Write(p)
}
