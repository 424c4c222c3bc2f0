//go:build unix

package promises

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// step is one run of a command.
type step struct {
	stdin string
	args  string // split at blanks
}

const (
	call     = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"x"}}}` + "\n"
	handover = "--insecure-storage --with-key"
)

// journey is each command that mcpctl has, with what is run of it where everything works. KEY stands for the key, FILE for a
// file that holds it.
func journey() map[string][]step {
	return map[string][]step{
		"login": {{"KEY\n", "login " + handover}, {"KEY\n", "login " + handover + " --profile work --skip-verify"},
			{"", "login --insecure-storage --key-file FILE"}},
		"status":       {{"", "status"}, {"", "status --json"}, {"", "status --key-file FILE"}},
		"profile ls":   {{"", "profile ls --json"}},
		"profile use":  {{"", "profile use work"}, {"", "profile use default"}},
		"profile set":  {{"", "profile set other --workspace ws-acme"}},
		"profile rm":   {{"", "profile rm work"}},
		"config path":  {{"", "config path"}},
		"config ls":    {{"", "config ls"}, {"", "config ls --json"}},
		"config get":   {{"", "config get gateway_url"}},
		"config set":   {{"", "config set headers.X-Team blue"}, {"", "config set log_level debug"}},
		"config unset": {{"", "config unset headers.X-Team"}},
		"servers ls":   {{"", "servers ls"}, {"", "servers ls --json"}},
		"servers show": {{"", "servers show notes"}, {"", "servers show linear --json"}},
		"connect":      {{"", "connect notes"}, {"", "connect linear --no-browser --timeout 200ms"}},
		"disconnect":   {{"", "disconnect linear"}},
		"bridge":       {{call, "bridge notes --log-level debug"}, {call, "bridge linear --no-browser --consent-timeout 200ms --log-level debug"}},
		"exec":         {{"", "exec notes -- sh -c env"}, {"", "exec -- sh -c env>&2"}},
		"install":      {{"", "install cursor notes linear --force"}, {"", "install all notes --force"}, {"", "install vscode notes --force --dry-run --key-file FILE"}},
		"uninstall":    {{"", "uninstall cursor linear"}},
		"clients ls":   {{"", "clients ls --json"}},
		"adopt":        {{"", "adopt --dry-run"}},
		"logs":         {{"", "logs"}, {"", "logs notes --since 1h"}},
		"demo":         {{"", "demo --headless --no-input"}},
		"demo serve":   nil, // it runs until it is interrupted, and knows no key but its own
		"completion":   {{"", "completion bash"}, {"", "__complete install cursor "}},
		"version":      {{"", "version --json"}},
		"help":         {{"", "help environment"}},
		"logout":       {{"", "logout --all"}},
		"tools ls":     {{"", "tools ls notes"}, {"", "tools ls notes --json"}},
		"tools show":   {{"", "tools show notes add_note"}},
		"tools call":   {{"", "tools call notes add_note title=x text=x"}, {"", "tools call notes add_note title=x text=x --json"}},
		"snippet":      {{"", "snippet notes --lang python"}, {"", "snippet notes --lang curl"}},
		"doctor":       {{"", "doctor"}, {"", "doctor --json"}},
	}
}

// order is the way through the commands: logging in comes first, what takes it back last. The others stand in between.
func order(paths []string) []string {
	last := []string{"uninstall", "profile rm", "logout"}
	rank := func(p string) int {
		switch {
		case p == "login":
			return 0
		case slices.Contains(last, p):
			return 2 + slices.Index(last, p)
		}
		return 1
	}
	slices.Sort(paths)
	slices.SortStableFunc(paths, func(a, b string) int { return rank(a) - rank(b) })
	return paths
}

// commands returns the paths of all commands, as help names them.
func (u *user) commands() []string {
	line := regexp.MustCompile(`^  ([a-z][a-z-]*)  +\S`)
	paths := []string{"help"}
	var visit func(path []string)
	visit = func(path []string) {
		found, section := 0, ""
		for text := range strings.Lines(u.must("", append(path, "--help")...)) {
			if text[0] != ' ' {
				section = strings.TrimSpace(text)
			}
			m := line.FindStringSubmatch(text)
			if m != nil && slices.Contains([]string{"Start here:", "More commands:", "Commands:"}, section) {
				found++
				visit(append(slices.Clone(path), m[1]))
			}
		}
		if len(path) > 0 && (found == 0 || path[0] == "demo") { // demo is a command beside those that it has
			paths = append(paths, strings.Join(path, " "))
		}
	}
	visit(nil)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// perform runs the steps of all commands.
func (u *user) perform(paths []string, key string) {
	u.t.Helper()
	file := u.write("given.key", key+"\n", 0o600)
	fill := strings.NewReplacer("KEY", key, "FILE", file)
	steps := journey()
	for _, path := range paths {
		for _, s := range steps[path] {
			args := strings.Split(fill.Replace(s.args), " ")
			if strings.Contains(s.args, " -- sh -c ") {
				at := slices.Index(args, "-c") + 1
				args = append(args[:at], strings.Join(args[at:], " "))
			}
			if code, stdout, stderr := u.run(fill.Replace(s.stdin), args...); code == 2 {
				u.t.Errorf("mcpctl %s: wrong usage, so it shows nothing\n%s%s", s.args, stdout, stderr)
			}
		}
	}
}

// TestT01Canary sends a key through every command, with every log as loud as it gets, and looks for it everywhere but where it
// belongs: in all that was printed, in arguments and environments of all processes meanwhile, and in every file.
func TestT01Canary(t *testing.T) {
	g := startDemo(t, demo.Options{})
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	paths := order(u.commands())
	for _, p := range paths {
		if _, known := journey()[p]; !known {
			t.Errorf("mcpctl %s is a new command: add what is to be run of it to the journey, so that the key is looked for in it too", p)
		}
	}
	key := g.Keys().User
	needles := forms(key)
	u.env["GODEBUG"] = "http2debug=2"
	ended := watch(t, needles, "PORTKEY_API_KEY=") // what exec gives its program
	u.perform(paths, key)
	ended()
	if found := leak(u.said.Bytes(), needles); found != "" {
		t.Errorf("the key was printed: %s", found)
	}
	if !strings.Contains(u.said.String(), "PORTKEY_API_KEY=[redacted]") {
		t.Error("exec didn't print its environment, so this shows nothing of it")
	}
	search(t, u.home, needles, "given.key")
}

// TestT01CanaryInAdopt: a key that somebody else has put into a client's file is taken out of it, and printed nowhere. What
// gives the old entry back holds it, for its owner alone, and that is said.
func TestT01CanaryInAdopt(t *testing.T) {
	g := startDemo(t, demo.Options{})
	key := g.Keys().User
	needles := forms(key)
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	entry := `{"mcpServers":{"other":{"url":"` + g.GatewayURL() + `/github/mcp","headers":{"x-portkey-api-key":"` + key + `"}}}}`
	file := u.write(".cursor/mcp.json", entry, 0o600)
	ended := watch(t, needles, "PORTKEY_API_KEY=")
	u.must("", "adopt", "--dry-run")
	u.must("", "adopt", "--yes", "--insecure-storage")
	u.must("", "clients", "ls", "--json")
	ended()
	if found := leak(u.said.Bytes(), needles); found != "" {
		t.Errorf("the key was printed: %s", found)
	}
	if !regexp.MustCompile(`holds? the key, readable by you alone`).MatchString(u.said.String()) {
		t.Errorf("nothing is said of the copy that holds the key: %s", &u.said)
	}
	if data, err := os.ReadFile(file); err != nil || leak(data, needles) != "" || !strings.Contains(string(data), "bridge") {
		t.Errorf("%s, %v", data, err)
	}
	state := filepath.Join(u.home, ".local", "state", "mcpctl")
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	u.must("", "uninstall", "cursor", "--all")
	if data, err := os.ReadFile(file); err != nil || string(data) != entry {
		t.Errorf("the old entry isn't back: %s, %v", data, err)
	}
}

// TestT01CanaryInFailures does the same at gateways that fail in every way and quote the key in all that they say.
func TestT01CanaryInFailures(t *testing.T) {
	const key = "mcpctl-canary-8f3b1d27c5"
	needles := forms(key)
	quoting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/s%d/", &status)
		sent := r.Header.Get("x-portkey-api-key") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+sent+`"`)
		w.Header().Set("Location", "https://"+sent+".example/?key="+sent)
		w.Header().Set("X-Request-Id", sent)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":"Invalid key %s (%s)","code":%q},"request_id":%q,"error_description":%q}`,
			sent, base64.StdEncoding.EncodeToString([]byte(sent)), sent, sent, sent)
	}))
	t.Cleanup(quoting.Close) // the cases run when this function has returned
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	type failing struct {
		base string
		busy bool // the bridge repeats a handshake there for seconds, so that one command with one is enough
	}
	list := []failing{{gone.URL, true}, {"http://192.0.2.1", false}}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 412, 429, 500, 502} {
		list = append(list, failing{fmt.Sprintf("%s/s%d", quoting.URL, status), status == 200 || status == 429 || status == 502})
	}
	without := []string{"demo", "demo serve", "completion", "version", "help", "adopt", "profile rm", "logout", "exec"}
	for _, f := range list {
		t.Run(f.base, func(t *testing.T) {
			t.Parallel()
			u := newUser(t).at(f.base, f.base+"/v1")
			u.env["MCPCTL_API_KEY"] = key
			file := u.write("given.key", key, 0o600)
			for path, steps := range journey() {
				if slices.Contains(without, path) || len(steps) == 0 || f.busy && (path == "connect" || path == "doctor" || strings.HasPrefix(path, "tools ")) {
					continue
				}
				u.run(strings.ReplaceAll(steps[0].stdin, "KEY", key), strings.Fields(strings.ReplaceAll(steps[0].args, "FILE", file))...)
			}
			if found := leak(u.said.Bytes(), needles); found != "" {
				t.Errorf("the key was printed: %s", found)
			}
			if quotes := strings.HasPrefix(f.base, quoting.URL); quotes && !strings.Contains(u.said.String(), "[redacted]") && !strings.HasSuffix(f.base, "/s302") {
				t.Errorf("nothing was blanked, so this shows nothing: %s", &u.said)
			}
			search(t, u.home, needles, "given.key", "credentials.json")
		})
	}
}

// TestT01CanaryInACrash: what the runtime prints when a process is made to crash holds no key, and no core file is written.
func TestT01CanaryInACrash(t *testing.T) {
	g := startDemo(t, demo.Options{})
	key := g.Keys().User
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	u.env["MCPCTL_API_KEY"], u.env["GOTRACEBACK"] = key, "crash"
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := u.command(ctx, "bridge", "notes", "--log-level", "debug")
	cmd.Args[0], cmd.Path = "sh", lookPath(t, "sh")
	cmd.Args = append([]string{"sh", "-c", `ulimit -c unlimited 2>/dev/null; exec "$0" "$@"`, built.Path(t)}, cmd.Args[1:]...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = stdin.Write([]byte(call))
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || !strings.Contains(line, `"id":1`) {
		t.Errorf("%q, %v", line, err)
	}
	_ = cmd.Process.Signal(syscall.SIGQUIT)
	_ = cmd.Wait()
	if !strings.Contains(stderr.String(), "goroutine ") {
		t.Errorf("no crash, so this shows nothing: %s", &stderr)
	}
	if found := leak(stderr.Bytes(), forms(key)); found != "" {
		t.Errorf("the crash shows the key: %s", found)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.CoreDump() {
		t.Error("a core file was written")
	}
	search(t, u.home, forms(key))
}

func lookPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// watch looks at the arguments and environments of all processes until the function that it returns is called. A variable that
// begins with allowed may hold a key.
func watch(t *testing.T, needles [][]byte, allowed string) (ended func()) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	looks := 0
	own := fmt.Sprintf("/proc/%d/", os.Getpid())
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
			files, _ := filepath.Glob("/proc/[0-9]*/[ce][mn][dv]*") // cmdline and environ
			for _, f := range files {
				if strings.HasPrefix(f, own) {
					continue
				}
				data, _ := os.ReadFile(f)
				for entry := range bytes.SplitSeq(data, []byte{0}) {
					if found := leak(entry, needles); found != "" && !bytes.HasPrefix(entry, []byte(allowed)) {
						t.Errorf("the key stands in %s: %s", f, found)
					}
				}
			}
			looks++
		}
	})
	return func() {
		close(done)
		wg.Wait()
		if looks == 0 {
			t.Errorf("never looked")
		}
	}
}
