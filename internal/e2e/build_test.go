//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestT33TwoBuildsAreEqual runs the commands of SECURITY.md: two clones, in two folders, with a build cache each, give the same
// program to the bit; and the list of checksums is checked as it says.
func TestT33TwoBuildsAreEqual(t *testing.T) {
	need(t, "git", "git")
	need(t, "sha256sum", "coreutils")
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("SECURITY.md has %d blocks of commands", len(blocks))
	}
	const version = "9.8.7"
	run := func(dir, script string, env ...string) string {
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "VERSION="+version), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v in %s\n%s", err, dir, out)
		}
		return string(out)
	}

	var said [2]string
	var wg sync.WaitGroup
	for i := range said {
		dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", i), "clone")
		cache := t.TempDir()
		run(root, "git clone --quiet --no-hardlinks . '"+dir+"' && git -C '"+dir+"' tag v"+version)
		env := []string{"GOFLAGS="}
		if i == 1 {
			env = append(env, "GOCACHE="+cache) // everything is compiled anew, once
		}
		wg.Go(func() { said[i] = run(dir, blocks[1][1], env...) })
	}
	wg.Wait()
	if said[0] != said[1] || !regexp.MustCompile(`^[0-9a-f]{64}  mcpctl\n`).MatchString(said[0]) {
		t.Errorf("two builds differ:\n%s\n%s", said[0], said[1])
	}
	for _, want := range []string{"-trimpath=true", "CGO_ENABLED=0"} {
		if !strings.Contains(said[0], want) {
			t.Errorf("go version -m doesn't say %s:\n%s", want, said[0])
		}
	}

	// Of the commands for a download, those that want the network stay; what they name is what the release makes.
	folder := t.TempDir()
	sum := sha256.Sum256([]byte("archive"))
	for name, data := range map[string]string{"mcpctl_9.8.7_linux_amd64.tar.gz": "archive",
		"checksums.txt": hex.EncodeToString(sum[:]) + "  mcpctl_9.8.7_linux_amd64.tar.gz\n" + strings.Repeat("0", 64) + "  mcpctl_9.8.7_darwin_arm64.tar.gz\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, rest, _ := strings.Cut(blocks[0][1], "\n")
	if out := run(folder, first); !strings.Contains(out, "mcpctl_9.8.7_linux_amd64.tar.gz: OK") {
		t.Errorf("%s: %s", first, out)
	}
	release, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for file, parts := range map[string][]string{
		string(release): {`signature: "${artifact}.sigstore.json"`, "name_template: checksums.txt", "-trimpath", "-s -w", "CGO_ENABLED=0"},
		rest:            {"--bundle checksums.txt.sigstore.json", ".github/workflows/release.yml@refs/tags/v$VERSION", "--repo mcpctl/mcpctl"},
	} {
		for _, part := range parts {
			if !strings.Contains(file, part) {
				t.Errorf("release and SECURITY.md don't agree on %q", part)
			}
		}
	}
}
