package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/consent"
	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// tourClient is the client that the tour installs for: it is found on every OS by the folder of its file alone.
const tourClient = "cursor"

// foreignEntry is what the tour's user had in the client's file before.
const foreignEntry = `{
  // a server of another program, with a key of its own
  "mcpServers": {
    "weather": { "command": "weather-mcp", "args": ["--units", "metric"] }
  }
}
`

type tourOptions struct {
	headless bool
}

// tour is the way from login to a tool's answer: real processes of this binary in a throw-away home, against an embedded
// gateway.
type tour struct {
	a       *app
	gateway *demo.Gateway
	program string
	home    string
	env     []string
	// visit has the user's part in the consent: it opens the page, or, headless, presses Allow by itself. It is nil where the
	// bridge opens the browser.
	visit func(ctx context.Context, page string) error
	steps int
}

func runTour(ctx context.Context, a *app, o tourOptions) (err error) {
	t, err := newTour(a, o)
	if err != nil {
		return err
	}
	defer func() {
		t.gateway.Close()
		if removeErr := os.RemoveAll(t.home); err == nil && removeErr != nil {
			err = removeErr
		}
	}()
	began := time.Now()
	t.introduce(o)
	for _, step := range []func(context.Context) error{t.login, t.servers, t.install, t.plainCall, t.consentCall, t.uninstall, t.logout} {
		if err := step(ctx); err != nil {
			return problem.With(fmt.Errorf("step %d went wrong: %w", t.steps, err), "please report this, with all that is printed above")
		}
	}
	t.say("\nAll of it worked, in %s; the throw-away home is gone. To begin for real:\n\n  mcpctl login\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

func newTour(a *app, o tourOptions) (*tour, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "mcpctl-demo-")
	if err != nil {
		return nil, err
	}
	if home, err = filepath.EvalSymlinks(home); err != nil {
		return nil, err
	}
	g, err := demo.Start(demo.Options{})
	if err != nil {
		os.RemoveAll(home)
		return nil, err
	}
	t := &tour{a: a, gateway: g, program: program, home: home}
	headless := o.headless || consent.Browser(a.host) == nil
	t.env = tourEnvironment(home, headless)
	if headless {
		t.visit = pressAllow
	}
	return t, nil
}

// tourEnvironment is the user's environment with another home, and without what leads out of it.
func tourEnvironment(home string, headless bool) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "MCPCTL_") || strings.HasPrefix(name, "PORTKEY_") || slices.Contains([]string{
			"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_STATE_HOME"}, name)
	})
	env = append(env, "HOME="+home, "USERPROFILE="+home, "APPDATA="+filepath.Join(home, "AppData", "Roaming"),
		"LOCALAPPDATA="+filepath.Join(home, "AppData", "Local"), "NO_COLOR=1")
	if headless {
		// A bus that doesn't exist: no keyring is near. With a display the browser may need the real one.
		env = append(env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(home, "no-bus"))
	}
	return env
}

func (t *tour) say(format string, args ...any) { fmt.Fprintf(t.a.out, format, args...) }

func (t *tour) introduce(o tourOptions) {
	page := "your browser, where you press Allow"
	if t.visit != nil {
		page = "this program pressing Allow on the gateway's page, as --headless says"
		if !o.headless {
			page = "this program pressing Allow on the gateway's page, since there is no display for a browser"
		}
	}
	t.say(`The whole journey, with nothing to set up. What is real: every command below is a process of this
mcpctl, and every line under it is what it printed. What stands in for what:

  the Portkey gateway   an embedded one, at %s
  the OS keyring        a plain-text file in a throw-away home (%s)
  the AI client         this program, which starts the installed entry as %s would
  you at the browser    %s
`, t.gateway.GatewayURL(), t.home, "Cursor", page)
}

func (t *tour) step(title string) {
	t.steps++
	t.say("\n%d. %s\n", t.steps, title)
}

// run runs mcpctl, shows the command and what it printed, and returns its stdout.
func (t *tour) run(ctx context.Context, stdin, shown string, args ...string) (string, error) {
	if shown == "" {
		shown = "mcpctl " + strings.Join(args, " ")
	}
	t.say("\n   $ %s\n", shown)
	cmd := exec.CommandContext(ctx, t.program, args...)
	cmd.Env = t.env
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	var all lockedBuffer
	cmd.Stdout = io.MultiWriter(&out, &all)
	cmd.Stderr = &all
	err := cmd.Run()
	t.show(all.String())
	if err != nil {
		return "", fmt.Errorf("%s: %w", shown, err)
	}
	return out.String(), nil
}

// lockedBuffer takes what two streams of a process write.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string { return b.text.String() }

// show prints text indented, without the name of the throw-away home, which is long and says nothing.
func (t *tour) show(text string) {
	text = strings.TrimRight(strings.ReplaceAll(text, t.home, "~"), "\n")
	if text != "" {
		t.say("   %s\n", strings.ReplaceAll(text, "\n", "\n   "))
	}
}

func (t *tour) login(ctx context.Context) error {
	t.step("Log in. The key comes on stdin and is verified before it is kept.")
	_, err := t.run(ctx, t.gateway.Keys().User+"\n", "mcpctl login --with-key --insecure-storage < key",
		"login", "--with-key", "--insecure-storage", "--gateway", t.gateway.GatewayURL(), "--control-plane", t.gateway.ControlPlaneURL())
	return err
}

func (t *tour) servers(ctx context.Context) error {
	t.step("See what the workspace has.")
	out, err := t.run(ctx, "", "", "servers", "ls")
	if err == nil && !strings.Contains(out, "linear") {
		err = errors.New("linear isn't among the servers")
	}
	return err
}

func (t *tour) clientFile() string { return filepath.Join(t.home, ".cursor", "mcp.json") }

func (t *tour) install(ctx context.Context) error {
	t.step("Let an AI client use two of them. Its file has another program's entry, and a comment.")
	if err := os.MkdirAll(filepath.Dir(t.clientFile()), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(t.clientFile(), []byte(foreignEntry), 0o600); err != nil {
		return err
	}
	if _, err := t.run(ctx, "", "mcpctl install "+tourClient+" notes linear", "install", tourClient, "notes", "linear", "--command", t.program); err != nil {
		return err
	}
	data, err := os.ReadFile(t.clientFile())
	if err != nil {
		return err
	}
	t.say("\n   $ cat ~/.cursor/mcp.json\n")
	t.show(string(data))
	key := t.gateway.Keys().User
	if bytes.Contains(data, []byte(key)) || !bytes.Contains(data, []byte(`"weather": { "command": "weather-mcp"`)) {
		return errors.New("the file is not as it should be")
	}
	return nil
}

func (t *tour) plainCall(ctx context.Context) error {
	t.step("The client starts its entry \"notes\" and calls a tool.")
	c, err := t.startEntry(ctx, "notes")
	if err != nil {
		return err
	}
	defer c.kill()
	if err := c.initialize(ctx); err != nil {
		return err
	}
	text, err := c.call(ctx, "search_notes", map[string]any{"query": "release"})
	if err == nil && !strings.Contains(text, "Release checklist") {
		err = errors.New("that is not the tool's answer")
	}
	if err != nil {
		return err
	}
	return c.end()
}

func (t *tour) consentCall(ctx context.Context) error {
	t.step("The same with \"linear\", which wants your consent. The call waits for it, and then finishes by itself.")
	t.gateway.SetConsent(t.gateway.Keys().User, "linear", true) // so that the client has its tools, as after a first use
	c, err := t.startEntry(ctx, "linear")
	if err != nil {
		return err
	}
	defer c.kill()
	if err := c.initialize(ctx); err != nil {
		return err
	}
	t.gateway.SetConsent(t.gateway.Keys().User, "linear", false)
	t.say("   (the consent is taken back at the gateway)\n")
	visited := make(chan error, 1)
	go func() { visited <- t.consentAt(ctx, c) }()
	text, err := c.call(ctx, "create_issue", map[string]any{"title": "Printer on fire", "priority": "high"})
	if err != nil {
		return err
	}
	if err := <-visited; err != nil {
		return err
	}
	if !strings.Contains(text, "Printer on fire") || !t.gateway.Consented(t.gateway.Keys().User, "linear") {
		return errors.New("that is not the tool's answer")
	}
	return c.end()
}

// consentAt waits until the bridge has printed the page's address and, headless, consents there.
func (t *tour) consentAt(ctx context.Context, c *tourProcess) error {
	page, err := c.page(ctx)
	if err != nil || t.visit == nil {
		return err
	}
	return t.visit(ctx, page)
}

// button is the page's button, as a browser would find it.
var button = pattern.New(`<form method="post">.*<button id="allow" name="([a-z]+)" value="([a-z]+)">`)

// pressAllow does what a person does: reads the page and presses the button Allow.
func pressAllow(ctx context.Context, page string) error {
	read := func(r *http.Request, err error) (string, error) {
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	body, err := read(http.NewRequestWithContext(ctx, http.MethodGet, page, nil))
	if err != nil {
		return err
	}
	m := button().FindStringSubmatch(body)
	if m == nil {
		return errors.New("the page has no button Allow")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(url.Values{m[1]: {m[2]}}.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	body, err = read(r, err)
	if err == nil && !strings.Contains(body, "Access granted") {
		err = errors.New("the gateway did not grant access")
	}
	return err
}

func (t *tour) uninstall(ctx context.Context) error {
	t.step("Take it back. The client's file is as it was, to the byte.")
	if _, err := t.run(ctx, "", "", "uninstall", tourClient, "notes", "linear"); err != nil {
		return err
	}
	data, err := os.ReadFile(t.clientFile())
	if err == nil && string(data) != foreignEntry {
		err = errors.New("the file is not as it was")
	}
	return err
}

func (t *tour) logout(ctx context.Context) error {
	t.step("Log out.")
	if _, err := t.run(ctx, "", "", "logout"); err != nil {
		return err
	}
	return filepath.WalkDir(t.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(t.gateway.Keys().User)) {
			return fmt.Errorf("the key is still in %s", path)
		}
		return err
	})
}

// startEntry starts what the client's file says, with the environment that clients give their servers.
func (t *tour) startEntry(ctx context.Context, name string) (*tourProcess, error) {
	data, err := os.ReadFile(t.clientFile())
	if err != nil {
		return nil, err
	}
	var file struct {
		Servers map[string]struct {
			Command string   `json:"command"`
			Args    []string `json:"args"`
		} `json:"mcpServers"`
	}
	data = regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAll(data, nil)
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	entry := file.Servers[name]
	if entry.Command != t.program {
		return nil, fmt.Errorf("the entry %s doesn't start this program", name)
	}
	t.say("\n   $ mcpctl %s\n", strings.Join(entry.Args, " "))
	return startTourProcess(ctx, t, entry.Command, entry.Args)
}
