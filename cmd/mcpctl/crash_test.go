package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/testbin"
)

// desk is a home with the files of one client for each format, all of them crowded.
type desk struct {
	*testing.T
	program, home string
	// files are the clients' files by the client's ID.
	files map[string]string
}

func newDesk(t *testing.T) desk {
	t.Helper()
	program, err := testbin.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(program)) })
	d := desk{t, program, t.TempDir(), map[string]string{}}
	var json, toml, yaml strings.Builder
	for i := range 200 {
		filler := strings.Repeat("x", 200)
		fmt.Fprintf(&json, "    \"old%d\": { \"command\": \"x\", \"args\": [\"%s\"] }, // mine\n", i, filler)
		fmt.Fprintf(&toml, "[mcp_servers.old%d] # mine\ncommand = \"x\"\nargs = [\"%s\"]\n\n", i, filler)
		fmt.Fprintf(&yaml, "  old%d: # mine\n    cmd: x\n    args:\n    - %s\n", i, filler)
	}
	d.file("cursor", ".cursor/mcp.json", "{\n  \"mcpServers\": {\n"+json.String()+"    \"last\": {}\n  }\n}\n")
	d.file("codex", ".codex/config.toml", toml.String())
	goose := ".config/goose/config.yaml"
	if runtime.GOOS == "windows" {
		goose = "Block/goose/config/config.yaml"
	}
	d.file("goose", goose, "extensions:\n"+yaml.String())
	return d
}

func (d desk) file(client, path, text string) {
	d.Helper()
	path = filepath.Join(d.home, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
	d.files[client] = path
}

func (d desk) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Env = []string{"HOME=" + d.home, "USERPROFILE=" + d.home, "APPDATA=" + d.home, "LOCALAPPDATA=" + d.home,
		"SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "PATH=" + filepath.Dir(d.program)}
	return cmd
}

func (d desk) run(args ...string) {
	d.Helper()
	if out, err := d.command(args...).CombinedOutput(); err != nil {
		d.Fatalf("mcpctl %v: %v\n%s", args, err, out)
	}
}

func (d desk) read(client string) []byte {
	d.Helper()
	data, err := os.ReadFile(d.files[client])
	if err != nil {
		d.Fatal(err)
	}
	return data
}

// litter returns what lies beside the clients' files.
func (d desk) litter() []string {
	var names []string
	for _, path := range d.files {
		entries, _ := os.ReadDir(filepath.Dir(path))
		for _, e := range entries {
			if e.Name() != filepath.Base(path) {
				names = append(names, e.Name())
			}
		}
	}
	return names
}

// rounds returns how often to do something: what the variable says, or a few times.
func rounds(t *testing.T, variable string, few int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return few
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKilledInstall kills installs at random moments, MCPCTL_KILLS of them: a client's file is then the old one or the new
// one, which an uninstall turns into the old one, and the next install leaves nothing beside it.
func TestKilledInstall(t *testing.T) {
	d := newDesk(t)
	clients := slices.Sorted(maps.Keys(d.files))
	d.run("install", "cursor", "first")
	start := time.Now()
	d.run("uninstall", "cursor", "first")
	took := time.Since(start)
	outcomes := map[string]int{}
	for i := range rounds(t, "MCPCTL_KILLS", 15) {
		client, server := clients[i%len(clients)], fmt.Sprintf("new%d", i)
		before := d.read(client)
		cmd := d.command("install", client, server)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(took))
		_ = cmd.Process.Kill()
		if cmd.Wait() == nil {
			outcomes["ended before"]++
		}
		outcomes["temporary files left"] += len(d.litter())
		if bytes.Equal(d.read(client), before) {
			outcomes["old file"]++
			continue
		}
		outcomes["new file"]++
		d.run("uninstall", client, server)
		if now := d.read(client); !bytes.Equal(now, before) {
			t.Fatalf("%s after kill %d and an uninstall:\n%s", client, i, now)
		}
	}
	t.Log(outcomes)
	for _, client := range clients {
		d.run("install", client, "after")
		d.run("uninstall", client, "after")
	}
	if left := d.litter(); len(left) > 0 {
		t.Errorf("left beside the files: %v", left)
	}
}

// TestParallelInstalls runs eight installs at once, MCPCTL_ROUNDS times, then eight uninstalls: nothing is lost.
func TestParallelInstalls(t *testing.T) {
	d := newDesk(t)
	clients := slices.Sorted(maps.Keys(d.files))
	all := func(verb string, client string) {
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if out, err := d.command(verb, client, fmt.Sprintf("new%d", i)).CombinedOutput(); err != nil {
					t.Errorf("%s %s new%d: %v\n%s", verb, client, i, err, out)
				}
			})
		}
		group.Wait()
	}
	for round := range rounds(t, "MCPCTL_ROUNDS", 3) {
		client := clients[round%len(clients)]
		before := d.read(client)
		all("install", client)
		for i := range 8 {
			if name := fmt.Sprintf("new%d", i); !bytes.Contains(d.read(client), []byte(name)) {
				t.Errorf("round %d: %s is lost from %s", round, name, client)
			}
		}
		all("uninstall", client)
		if now := d.read(client); !bytes.Equal(now, before) {
			t.Fatalf("round %d: %s holds\n%s", round, client, now)
		}
	}
	if left := d.litter(); len(left) > 0 {
		t.Errorf("left beside the files: %v", left)
	}
}
