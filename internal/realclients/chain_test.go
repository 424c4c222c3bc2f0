//go:build clients && linux

package realclients

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// chain is how a client is made to ask a model of ours.
type chain struct {
	client              string // the row that install gets
	program, npmPackage string
	// prepare writes what the user has set already, and may run the client's own setup.
	prepare func(h *home, url string)
	env     func(url string) []string
	args    []string
}

func chains() []chain {
	const prompt = "The printer is on fire: file an issue."
	return []chain{
		{
			client: "claude-code", program: "claude", npmPackage: "@anthropic-ai/claude-code",
			env: func(url string) []string {
				return []string{"ANTHROPIC_BASE_URL=" + url, "ANTHROPIC_AUTH_TOKEN=dummy", "ENABLE_TOOL_SEARCH=false"}
			},
			args: []string{"-p", prompt, "--model", "fake", "--allowedTools", "mcp__linear__create_issue"},
		},
		{
			client: "codex", program: "codex", npmPackage: "@openai/codex",
			prepare: func(h *home, url string) {
				h.write(".codex/config.toml", "model = \"fake\"\nmodel_provider = \"fake\"\n\n[model_providers.fake]\nname = \"fake\"\nbase_url = \""+
					url+"\"\nwire_api = \"responses\"\n")
			},
			args: []string{"exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt},
		},
		{
			client: "gemini-cli", program: "gemini", npmPackage: "@google/gemini-cli",
			prepare: func(h *home, _ string) {
				h.write(".gemini/settings.json", "{\n  \"security\": { \"auth\": { \"selectedType\": \"gemini-api-key\" } }\n}\n")
			},
			env:  func(url string) []string { return []string{"GEMINI_API_KEY=dummy", "GOOGLE_GEMINI_BASE_URL=" + url} },
			args: []string{"-m", "gemini-2.5-flash", "--approval-mode", "yolo", "-p", prompt},
		},
		{
			client: "opencode", program: "opencode", npmPackage: "opencode-ai",
			prepare: func(h *home, url string) {
				h.write(".config/opencode/opencode.json", `{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "fake": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "fake",
      "options": { "baseURL": "`+url+`" },
      "models": { "fake": {} }
    }
  },
  "model": "fake/fake",
  "small_model": "fake/fake"
}
`)
			},
			args: []string{"run", prompt},
		},
		{
			client: "copilot-cli", program: "copilot", npmPackage: "@github/copilot",
			env:  func(url string) []string { return []string{"COPILOT_PROVIDER_BASE_URL=" + url, "COPILOT_MODEL=fake"} },
			args: []string{"-p", prompt, "--allow-all-tools", "--disable-builtin-mcps"},
		},
		{
			client: "cline", program: "cline", npmPackage: "cline",
			prepare: configureCline,
			args:    []string{"-P", "openai", "-m", "fake", "-t", "100", prompt},
		},
	}
}

// TestChain: a client asks a model, the model calls a tool, the call goes through the bridge to a gateway that wants the
// user's consent, the user gives it, and the tool's result reaches the model. The consent may be missing from the start,
// or be gone when the tool is called.
func TestChain(t *testing.T) {
	for _, c := range chains() {
		for _, when := range []string{"initialize", "call"} {
			t.Run(c.client+"/"+when, func(t *testing.T) { runChain(t, c, when) })
		}
	}
}

func runChain(t *testing.T, c chain, when string) {
	path := program(t, c.program, c.npmPackage)
	h := newHome(t)
	user := h.gateway.Keys().User
	consented := func() bool { return h.gateway.Consented(user, "linear") }
	m := newModel(t, "create_issue", map[string]string{"title": "Printer on fire"})
	m.idle = func() {
		for limit := time.Now().Add(10 * time.Second); !consented() && time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		}
	}
	if when == "call" {
		h.gateway.SetConsent(user, "linear", true)
		m.before = func() { h.gateway.SetConsent(user, "linear", false) }
	}
	if c.prepare != nil {
		c.prepare(h, m.URL)
	}
	h.install(c.client, "linear")
	stop := h.consentWhenAsked()
	defer stop()
	var env []string
	if c.env != nil {
		env = c.env(m.URL)
	}
	stdout, stderr, err := h.run(env, "", path, c.args...)
	if when == "initialize" && !m.wasOffered() {
		// A client that doesn't wait for its servers has shown its model no tool, yet the user has consented meanwhile.
		t.Log("asked once more")
		stdout, stderr, err = h.run(env, "", path, c.args...)
	}
	requests := m.requests()
	if !strings.Contains(requests, "ENG-4") { // the new issue's number: three are there
		t.Errorf("the model got no answer: %v\nstdout %s\nstderr %s\nat last to the model %s\nto the gateway %+v", err, stdout, stderr,
			requests[max(0, len(requests)-3000):], h.gateway.Requests())
	}
	if !strings.Contains(plain(stdout), done) {
		t.Errorf("the client doesn't show the model's last word: %v\n%s\n%s", err, stdout, stderr)
	}
	if !consented() || strings.Count(h.read("opened"), "\n") != 1 {
		t.Errorf("consented: %v, pages opened: %q", consented(), h.read("opened"))
	}
}

// consentWhenAsked visits the pages that are opened, as the user's browser would, until stop is called.
func (h *home) consentWhenAsked() (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		seen := 0
		for {
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
			}
			pages := strings.Fields(h.read("opened"))
			for _, page := range pages[seen:] {
				if resp, err := http.Get(page); err == nil {
					resp.Body.Close()
				}
			}
			seen = len(pages)
		}
	}()
	return func() { close(over); <-ended }
}

// install installs a server for a client. A client without a folder of its own is found by its program on PATH.
func (h *home) install(client, server string) {
	h.t.Helper()
	h.own("install", client, server)
}
