package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/web"
)

// statusInfo is what `mcpctl status --json` prints.
type statusInfo struct {
	Profile         string            `json:"profile"`
	GatewayURL      string            `json:"gateway_url"`
	ControlPlaneURL string            `json:"control_plane_url"`
	Workspace       string            `json:"workspace"`
	Credential      *statusCredential `json:"credential"` // null: there is none, or it can't be read
	CanList         *bool             `json:"can_list"`   // null: not known
	CanInvoke       *bool             `json:"can_invoke"`
	Gateway         statusGateway     `json:"gateway"`
	SignIns         []statusSignIn    `json:"sign_ins,omitempty"` // logins in the browser
}

type statusCredential struct {
	Kind   string `json:"kind"`   // keyring, file, key-file, environment, command, oauth
	Source string `json:"source"` // which of that kind
	Hint   string `json:"hint"`   // the key's last characters
	// ExpiresAt is when the access token of kind oauth expires; mcpctl renews it before that if it can.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

type statusGateway struct {
	Reachable bool   `json:"reachable"`
	Version   string `json:"version"`
}

func newStatusCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show who you are to which gateway, and what your key may do",
		Example: `  mcpctl status
  mcpctl status --jq .credential.kind`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), a, o) },
	}
	o.add(cmd)
	return cmd
}

func runStatus(ctx context.Context, a *app, o outputOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	found, missing := a.credential(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if missing != nil {
		found = credential.Found{}
	}
	g, err := a.gateway(s, found.Key)
	if err != nil {
		return err
	}
	// Without a key this still tells whether the gateway can be reached.
	stop := a.spin("Asking the gateway …")
	v, refused := g.Verify(ctx)
	stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	info := a.statusInfo(s, found, v)
	if err := a.printStatus(o, s, info, found, missing, v); err != nil {
		return err
	}
	if isSignedIn(missing, info) {
		missing, refused = nil, nil
	}
	return statusError(missing, refused, v)
}

// statusError is what decides the exit code: a key that is missing or refused, or nobody to ask about it.
func statusError(missing, refused error, v gateway.Verification) error {
	switch {
	case missing != nil:
		return missing
	case errors.Is(refused, gateway.ErrKeyRefused):
		return notLoggedIn(problem.With(refused, "run: mcpctl login"))
	case refused != nil:
		return refused
	case !v.Gateway.Reachable && !v.ControlPlane.Reachable:
		return problem.New("check the addresses and your network", "the key was not checked: %s", unreached(v))
	}
	return nil
}

func (a *app) statusInfo(s config.Settings, found credential.Found, v gateway.Verification) statusInfo {
	info := statusInfo{
		Profile: s.Profile, GatewayURL: s.GatewayURL, ControlPlaneURL: s.ControlPlaneURL, Workspace: v.Workspace,
		CanList: known(v.CanList), CanInvoke: known(v.CanInvoke),
		Gateway: statusGateway{v.Gateway.Reachable, v.Gateway.Version},
	}
	if info.Workspace == "" {
		info.Workspace = s.Workspace
	}
	if !found.Value.IsZero() {
		info.Credential = &statusCredential{Kind: found.Kind, Source: found.Source, Hint: found.Value.Hint()}
	}
	a.signInStatus(s, &info)
	return info
}

func (a *app) printStatus(o outputOptions, s config.Settings, info statusInfo, found credential.Found, missing error, v gateway.Verification) error {
	if o.json {
		return render.JSON(a.out, info, o.jq)
	}
	t := render.Table{}
	t.Row("profile", info.Profile)
	t.Row("gateway", info.GatewayURL+" ("+reachText(v.Gateway)+")")
	t.Row("control plane", info.ControlPlaneURL+" ("+reachText(v.ControlPlane)+")")
	if v.WorkspaceName == "" {
		v.Workspace = info.Workspace
	}
	t.Row("workspace", orUnknown(workspaceText(v)))
	defer a.warnOfUnknownSettings(s)
	if found.Value.IsZero() {
		key := "can't be read"
		if kind, _ := credential.KindOf(missing); kind == credential.NotFound {
			key = "none"
		}
		t.Row("key", key)
		t.Row("not used", a.unusedText(s))
		signInRows(&t, info.SignIns)
		return t.Write(a.out, render.IsTerminal(a.out))
	}
	t.Row("key", info.Credential.Hint+" from "+sourceText(found)+", sent as "+headerText(found.Key, v))
	t.Row("not used", a.unusedText(s))
	t.Row("key may", orUnknown(permissions(v)))
	signInRows(&t, info.SignIns)
	return t.Write(a.out, render.IsTerminal(a.out))
}

// unusedText says of each other source of a key why it isn't in force.
func (a *app) unusedText(s config.Settings) string {
	var texts []string
	for _, u := range a.query(s).Unused() {
		texts = append(texts, u.Source+" ("+u.Why+")")
	}
	return strings.Join(texts, ", ")
}

func known(answer gateway.Answer) *bool {
	if answer == gateway.Unknown {
		return nil
	}
	yes := answer == gateway.Yes
	return &yes
}

func reachText(r gateway.Reach) string {
	switch {
	case !r.Reachable:
		return "not reached"
	case r.Version == "":
		return "reached"
	}
	return "reached, version " + r.Version
}

func orUnknown(text string) string {
	if text == "" {
		return "not known"
	}
	return text
}

func sourceText(f credential.Found) string {
	switch f.Kind {
	case credential.FromEnvironment:
		return "the variable " + f.Source
	case credential.FromCommand:
		return "key_command (" + f.Source + ")"
	case credential.FromKeyFile:
		return "the file " + f.Source
	}
	return f.Source
}

func headerText(k web.Key, v gateway.Verification) string {
	for _, header := range []string{v.Header, k.Header} {
		if header != "" {
			return header
		}
	}
	return web.PortkeyHeader
}
