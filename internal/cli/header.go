package cli

import (
	"context"
	"net/http"
	"strings"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// ownHeaders are those that the bridge sets by itself.
var ownHeaders = []string{"Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Content-Type", "Accept", "Content-Length", "Host"}

// bridgeHeader joins the extra headers of the settings, those of the server after those of all, with those of the command
// line, which win.
func (a *app) bridgeHeader(ctx context.Context, s config.Settings, t target, flags []string) (http.Header, error) {
	h := http.Header{"User-Agent": {"mcpctl/" + buildInfo().Version}}
	if t.atGateway {
		if err := a.labelTrace(ctx, h, s.TraceOf(t.slug)); err != nil {
			return nil, err
		}
		for _, set := range []map[string]string{s.Headers, s.ServerHeaders[t.slug]} {
			for name, setting := range set {
				value, err := a.headerValue(ctx, name, setting)
				if err != nil {
					return nil, err
				}
				h.Set(name, value)
			}
		}
	}
	for _, line := range flags {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(line, "\r\n") {
			return nil, usage("write it as --header 'NAME: VALUE'", "--header: that is no header")
		}
		h.Set(name, strings.TrimSpace(value))
	}
	for _, name := range ownHeaders {
		if h.Get(name) != "" {
			return nil, problem.New("leave it out", "the header %s is the bridge's own", name)
		}
	}
	return h, nil
}

// variable fits ${NAME}; a lone dollar sign is one.
var variable = pattern.New(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// headerValue returns what a header's setting stands for: keyring:NAME for an item of the OS keyring (service mcpctl, account
// NAME), else the text with ${NAME} replaced from the environment.
func (a *app) headerValue(ctx context.Context, header, setting string) (string, error) {
	if item, ok := strings.CutPrefix(setting, "keyring:"); ok {
		value, err := credential.NewKeyring(a.host).Value(ctx, item)
		a.redact.Hide(value)
		if err != nil {
			return "", problem.New("store it under the service mcpctl and the account "+item, "the header %s: %w", header, err)
		}
		return value.Reveal(), nil
	}
	missing := ""
	value := variable().ReplaceAllStringFunc(setting, func(v string) string {
		name := v[2 : len(v)-1]
		got := a.host.Getenv(name)
		if got == "" {
			missing = name
		}
		return got
	})
	if missing != "" {
		return "", problem.New("set it, or take the header out of the settings", "the header %s needs the variable %s", header, missing)
	}
	return value, nil
}
