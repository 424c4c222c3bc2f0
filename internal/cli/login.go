package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

type loginOptions struct {
	withKey    bool
	skipVerify bool
	insecure   bool
	oauth      loginOAuthOptions
}

func newLoginCommand(a *app) *cobra.Command {
	var o loginOptions
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Verify your API key and keep it in the OS keyring",
		Long: `Ask for an API key, verify it with the gateway, and keep it in the keyring of the operating system.
Keys are made at ` + keysPage + `. There is no way to give the key as an argument: other users and
your shell's history would see it.

The gateway, control plane and workspace that you give here are kept in the profile. The key goes to
these two addresses and to no others.`,
		Example: `  mcpctl login
  mcpctl login --with-key < key.txt
  mcpctl login --oauth linear            # in the browser, for one server
  mcpctl login --profile work --gateway https://mcp.example.com --control-plane https://portkey.example.com/v1`,
		Args: noKeyArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOAuthFlags(cmd, o.oauth); err != nil {
				return err
			}
			if o.oauth.server != "" {
				o.oauth.insecure = o.insecure
				return runLoginOAuth(cmd.Context(), a, o.oauth)
			}
			return runLogin(cmd.Context(), a, o)
		},
	}
	cmd.SetFlagErrorFunc(noKeyFlags)
	f := cmd.Flags()
	f.BoolVar(&o.withKey, "with-key", false, "read the key from the first line of stdin")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "keep the key without asking the gateway whether it is good")
	f.BoolVar(&o.insecure, "insecure-storage", false, "keep the key in a plain-text file that only you can read, not in the keyring")
	o.oauth.add(cmd)
	return cmd
}

const notArgument = "leave it out: mcpctl login asks for the key, or reads it from stdin with --with-key"

// noKeyArguments refuses arguments without showing them: somebody may have pasted a key.
func noKeyArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(notArgument+"\nif that was a key, it is in your shell's history now: make a new one at "+keysPage,
			"mcpctl login takes no arguments (not shown here: it may be a key)")
	}
	return nil
}

// noKeyFlags is the root's flag error without the value, for the same reason: --with-key=KEY.
func noKeyFlags(cmd *cobra.Command, err error) error {
	if text := err.Error(); strings.HasPrefix(text, "unknown flag: ") {
		return usage("see: "+cmd.CommandPath()+" --help", "%s", text)
	}
	return usage(notArgument, "a flag has a value that it can't take, or there is no such flag (not shown here: it may be a key)")
}

func runLogin(ctx context.Context, a *app, o loginOptions) error {
	s, err := config.Load(a.host, a.flags.settings)
	if err != nil {
		return err
	}
	if o.insecure {
		a.talk("warning: the key will be kept as plain text; every program of yours, and every backup, can read it\n")
	}
	value, err := a.readKey(ctx, o.withKey)
	if err != nil {
		return err
	}
	a.redact.Hide(value)
	origins, err := credential.Origins(s.GatewayURL, s.ControlPlaneURL)
	if err != nil {
		return err
	}
	item := credential.Item{Key: value, Origins: origins}
	var v gateway.Verification
	if !o.skipVerify {
		if v, err = a.verify(ctx, s, value, origins); err != nil {
			return err
		}
		if v.Gateway.Reachable { // else it is the control plane's form, and the gateway may want the other
			item.Header = v.Header
		}
	}
	place, err := a.keep(ctx, s, item, o.insecure)
	if err != nil {
		return err
	}
	a.reportLogin(s, v, place, o)
	return nil
}

// verify asks the gateway about a key. The error says why it must not be kept.
func (a *app) verify(ctx context.Context, s config.Settings, value secret.Secret, origins []string) (gateway.Verification, error) {
	ask := func(header string) (gateway.Verification, error) {
		g, err := a.gateway(s, web.Key{Value: value, Header: header, Origins: origins})
		if err != nil {
			return gateway.Verification{}, err
		}
		defer a.spin("Asking the gateway about the key …")()
		return g.Verify(ctx)
	}
	v, err := ask(s.KeyHeader)
	// The header that an earlier login found, maybe elsewhere, may be wrong here.
	if s.KeyHeader != "" && (errors.Is(err, gateway.ErrKeyRefused) || v.CanInvoke == gateway.No) {
		v, err = ask("")
	}
	switch {
	case errors.Is(err, gateway.ErrKeyRefused):
		return v, notLoggedIn(problem.With(err, "check that the key was copied whole and hasn't expired, or make a new one at "+keysPage))
	case err != nil:
		return v, err
	case !v.Gateway.Reachable && !v.ControlPlane.Reachable:
		return v, problem.New("check the addresses and your network; mcpctl login --skip-verify keeps the key unverified",
			"the key was not verified, and not kept: %s", unreached(v))
	case v.Header == "":
		return v, problem.New("check --gateway and --control-plane; mcpctl login --skip-verify keeps the key unverified",
			"the key was not verified, and not kept: neither %s nor %s answered as a Portkey gateway does", s.GatewayURL, s.ControlPlaneURL)
	}
	return v, nil
}

// keep stores the key and records the place in the profile; it returns the place in words.
func (a *app) keep(ctx context.Context, s config.Settings, item credential.Item, insecure bool) (place string, err error) {
	kind := credential.FromKeyring
	if insecure {
		kind = credential.FromFile
	}
	name := credential.Name(s.Profile, s.GatewayURL)
	store := a.store(s, kind)
	if err := a.patiently(ctx, func(ctx context.Context) error { return store.Set(ctx, name, item) }); err != nil {
		return "", err
	}
	a.noteLogin(s, kind)
	if err := config.SaveLogin(s, config.Login{Store: kind, KeyHeader: item.Header}); err != nil {
		return "", err
	}
	if kind == credential.FromKeyring { // no plain text stays behind when a key moves into the keyring
		err := a.store(s, credential.FromFile).Delete(ctx, name)
		if k, _ := credential.KindOf(err); err != nil && k != credential.NotFound {
			a.talk("warning: an older key may still be kept as plain text: %s\n", err)
		}
	}
	return store.Place(name), nil
}

func (a *app) reportLogin(s config.Settings, v gateway.Verification, place string, o loginOptions) {
	switch {
	case o.skipVerify:
		a.talk("The key was not verified\n")
	case v.Workspace != "" || v.WorkspaceName != "":
		a.talk("Logged in to the workspace %s at %s\n", workspaceText(v), s.GatewayURL)
	default:
		a.talk("Logged in at %s\n", s.GatewayURL)
	}
	if may := permissions(v); may != "" {
		a.talk("The key may: %s\n", may)
	}
	a.talk("It is kept in %s\n", place)
	a.warnOfPermissions(v)
	if !o.skipVerify {
		a.warnOfReach("gateway", s.GatewayURL, v.Gateway)
		a.warnOfReach("control plane", s.ControlPlaneURL, v.ControlPlane)
	}
	if source := a.query(s).Override(); source != "" {
		a.talk("warning: %s is set, and goes before the key that was kept now\n", source)
	}
}

func (a *app) warnOfReach(what, address string, r gateway.Reach) {
	if !r.Reachable && r.Err != nil {
		a.talk("warning: the %s was not reached (%s): %s\n", what, address, r.Err)
	}
}
