//go:build clients && linux

package realclients

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"time"
)

// appServer asks Codex's app-server, which has no limit on how long it lives, for its MCP servers.
func appServer(h *home, program string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "app-server")
	cmd.Dir, cmd.Env, cmd.WaitDelay = h.path("work"), h.env, 5*time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	for _, message := range []string{
		`{"id":1,"method":"initialize","params":{"clientInfo":{"name":"test","version":"1"}}}`, `{"method":"initialized"}`,
		`{"id":2,"method":"mcpServerStatus/list","params":{}}`,
	} {
		if _, err := stdin.Write([]byte(message + "\n")); err != nil {
			h.t.Fatal(err)
		}
	}
	var lines strings.Builder
	s := bufio.NewScanner(stdout)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines.WriteString(s.Text() + "\n")
		if strings.HasPrefix(s.Text(), `{"id":2,`) {
			break
		}
	}
	return lines.String()
}

// offered returns what a client tells its model, for those that don't start their servers to list them.
func (h *home) offered(m *model, env []string, program string, args ...string) string {
	h.t.Helper()
	stdout, stderr, err := h.run(env, "", program, args...)
	if m.requests() == "" {
		h.t.Fatalf("it asks no model: %v\n%s\n%s", err, stdout, stderr)
	}
	return m.requests()
}

func offeredByCline(h *home, program string) string {
	m := newModel(h.t, "no such tool", nil)
	configureCline(h, m.URL)
	return h.offered(m, nil, program, "-P", "openai", "-m", "fake", "-t", "100", "What can you do?")
}

func offeredByCopilot(h *home, program string) string {
	m := newModel(h.t, "no such tool", nil)
	return h.offered(m, []string{"COPILOT_PROVIDER_BASE_URL=" + m.URL, "COPILOT_MODEL=fake"}, program,
		"-p", "What can you do?", "--allow-all-tools", "--disable-builtin-mcps")
}

func configureCline(h *home, url string) {
	// Otherwise each run waits seconds for a place to report to.
	h.write(".cline/data/settings/global-settings.json", `{"telemetryOptOut":true,"autoUpdateEnabled":false}`)
	if out, errs, err := h.run(nil, "", program(h.t, "cline", "cline"), "auth", "-p", "openai", "-k", "dummy", "-m", "fake", "-b", url); err != nil {
		h.t.Fatalf("cline auth: %v\n%s%s", err, out, errs)
	}
}
