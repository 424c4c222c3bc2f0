//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type finding struct{ Check, Subject, Status, Detail, NextStep string }

// doctor returns what doctor found by check, and its exit code.
func (s *session) doctor(limit time.Duration, env []string, args ...string) (code int, found map[string]finding) {
	s.t.Helper()
	code, stdout, _ := s.run(limit, env, "", append([]string{"doctor", "--json"}, args...)...)
	var list []finding
	if err := json.Unmarshal([]byte(strings.ReplaceAll(stdout, "next_step", "NextStep")), &list); err != nil {
		s.t.Fatalf("%v in %s", err, stdout)
	}
	found = map[string]finding{}
	for _, f := range list {
		found[f.Check] = f
	}
	return code, found
}

// TestAdoptIntoKeyring: the key moves from a client's file into the keyring, where the bridge that doctor starts finds it.
func TestAdoptIntoKeyring(t *testing.T) {
	s := newSession(t, "unlocked")
	const limit = 10 * time.Second
	key := s.gateway.Keys().User
	file := filepath.Join(s.folder, "home", ".claude.json")
	entry := fmt.Sprintf(`{"mcpServers": {"portkey-notes": {"type": "http", "url": "%s/notes/mcp", "headers": {"x-portkey-api-key": "%s"}}}}`,
		s.gateway.GatewayURL(), key)
	if err := os.WriteFile(file, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, _ := s.run(limit, nil, "", "adopt", "--yes")
	s.want("adopt", code, 0)
	if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), key) {
		t.Errorf("the key is still in the file: %v", err)
	}
	code, stdout, _ := s.run(limit, nil, "", "status", "--jq", ".credential.kind")
	s.want("status", fmt.Sprint(code, stdout), "0keyring\n")

	// Claude Code passes the bus on, so what it starts works. A desktop program doesn't, and this session's bus isn't where
	// one without the variable looks.
	code, found := s.doctor(limit, nil)
	s.want("doctor", code, 1)
	s.want("the key", found["credential"].Status, "ok")
	s.want("the start", found["start"].Status, "ok")
	bare := found["credential-for-clients"]
	if bare.Status != "failed" || !strings.Contains(bare.Detail, "no D-Bus session bus") || bare.NextStep == "" {
		t.Errorf("the key in a bare environment: %+v", bare)
	}
	code, _, _ = s.run(limit, nil, "", "uninstall", "claude-code", "--all")
	s.want("uninstall", code, 0)
	if data, err := os.ReadFile(file); err != nil || string(data) != entry {
		t.Errorf("the old entry isn't back: %v", err)
	}
	code, _, _ = s.run(limit, nil, "", "logout")
	s.want("logout", code, 0)
}

// TestDoctorWithKeyringsThatFail: a keyring that doesn't answer costs its limit, and hides nothing else.
func TestDoctorWithKeyringsThatFail(t *testing.T) {
	for state, says := range map[string]string{"locked": "is locked", "silent": "doesn't answer", "stopped": "doesn't answer", "absent": "isn't there"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			s := newSession(t, state)
			code, _, _ := s.run(10*time.Second, nil, "", "install", "cursor", "notes", "--force")
			s.want("install", code, 0)
			// The keyring gets 5 s, and the bridge that is started gives it 8.
			code, found := s.doctor(15*time.Second, nil)
			s.want("doctor", code, 1)
			if f := found["credential"]; f.Status != "failed" || !strings.Contains(f.Detail, says) || f.NextStep == "" {
				t.Errorf("the key: %+v", f)
			}
			s.want("the gateway", found["gateway"].Status, "ok")
			s.want("the entry", found["entry"].Status, "ok")
			if f := found["start"]; f.Status != "failed" || f.NextStep == "" {
				t.Errorf("the start: %+v", f)
			}
		})
	}
}
