//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestT01JourneyLeavesNoKey goes the whole way with the key in a real keyring, with every log as loud as it gets, and then looks
// for the key: in what was printed, in the arguments and environments of every process on the machine meanwhile, and in every
// file. Package promises does the same with every command there is, the key being in a file.
func TestT01JourneyLeavesNoKey(t *testing.T) {
	s := newSession(t, "unlocked")
	key := s.gateway.Keys().User
	found := watchArguments(t, key)
	home := filepath.Join(s.folder, "home")
	if err := os.MkdirAll(filepath.Join(home, ".cursor"), 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(s.folder, "bridge.log")
	loud := []string{"GODEBUG=http2debug=2"}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_issue","arguments":{"title":"Printer on fire"}}}` + "\n"
	go func() {
		for len(s.gateway.Requests()) == 0 || s.gateway.AuthorizationURLs() == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		s.gateway.SetConsent(key, "linear", true)
	}()
	for _, step := range []struct {
		stdin, want string
		args        []string
	}{
		{key + "\n", "", []string{"login", "--with-key"}},
		{"", "keyring", []string{"status", "--json"}},
		{"", "linear", []string{"servers", "ls"}},
		{"", "", []string{"install", "cursor", "linear", "notes"}},
		{call, "Created ENG-", []string{"bridge", "linear", "--log-level", "debug", "--log-file", log}},
		{call, "Unknown tool", []string{"bridge", "notes", "--log-level", "debug"}},
		{"", "linear", []string{"clients", "ls"}},
		{"", "cursor", []string{"servers", "show", "linear"}},
		{"", "", []string{"connect", "linear"}},
		{"", "[redacted]", []string{"exec", "linear", "--", "env"}},
		{"", "create_issue", []string{"tools", "ls", "linear"}},
		{"", "", []string{"disconnect", "linear"}},
		{"", "gateway_url", []string{"config", "ls"}},
		{"", "default", []string{"profile", "ls"}},
		{"", "linear", []string{"logs"}},
		{"", "", []string{"uninstall", "cursor", "linear", "notes"}},
		{"", "", []string{"logout"}},
	} {
		code, stdout, stderr := s.run(10*time.Second, loud, step.stdin, step.args...)
		if code != 0 || !strings.Contains(stdout, step.want) {
			t.Errorf("%q: exit %d, %s", step.args, code, stdout)
		}
		for _, form := range forms(key) {
			if strings.Contains(stdout+stderr, form) {
				t.Errorf("%q prints the key", step.args)
			}
		}
	}
	if args := found(); args != "" {
		t.Errorf("the key stood in the arguments or the environment of a process: %q", args)
	}
	files := 0
	err := filepath.WalkDir(s.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, form := range forms(key) {
			if bytes.Contains(data, []byte(form)) {
				t.Errorf("the key stands in %s", path)
			}
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files searched, %v", files, err)
	}
	if info, err := os.Stat(log); err != nil || info.Size() == 0 {
		t.Errorf("the log that was searched is empty: %v", err)
	}
}

// forms are the spellings in which a key could leak.
func forms(key string) []string {
	return []string{key, base64.StdEncoding.EncodeToString([]byte(key)), hex.EncodeToString([]byte(key))}
}

// watchArguments looks at the arguments and environments of all processes all the time. The function that it returns ends that, and returns
// the arguments that held the key, or "".
func watchArguments(t *testing.T, key string) func() string {
	done := make(chan struct{})
	var wg sync.WaitGroup
	var found string
	looks := 0
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			files, _ := filepath.Glob("/proc/[0-9]*/[ce][mn][dv]*") // cmdline and environ
			for _, f := range files {
				data, _ := os.ReadFile(f)
				for entry := range bytes.SplitSeq(data, []byte{0}) {
					if bytes.Contains(entry, []byte(key)) && !bytes.HasPrefix(entry, []byte("PORTKEY_API_KEY=")) { // exec's program has it
						found = f + ": " + string(entry)
					}
				}
			}
			looks++
			time.Sleep(5 * time.Millisecond)
		}
	})
	return func() string {
		close(done)
		wg.Wait()
		if looks < 10 {
			t.Errorf("looked only %d times", looks)
		}
		return found
	}
}
