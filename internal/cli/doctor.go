package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/doctor"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/render"
	"github.com/mcpctl/mcpctl/internal/web"
)

type doctorOptions struct {
	client  string
	offline bool
	timeout time.Duration
	only    []string
	outputOptions
}

func newDoctorCommand(a *app) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor [CLIENT]",
		Short: "Find out why a server doesn't show up in an AI client",
		Long: `Check the chain from this program to the tools in each AI client, or in CLIENT alone, and say of each link
what is wrong and what to do about it: the program, its settings, the key and whether clients' servers can
reach it, the gateway and the way there, what the key may do, each client's file and mcpctl's entries in it.
Then start each entry as its client would, with the client's own environment, and list its tools. No browser
is opened, and of what a project's file names nothing is started but this mcpctl, or what install put there.

Exit code 1 means that a check has failed.`,
		Example: `  mcpctl doctor
  mcpctl doctor cursor --offline
  mcpctl doctor --jq '.[] | select(.status == "failed")'`,
		Args: atMostOneClient,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.client = args[0]
			}
			return runDoctor(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.offline, "offline", false, "leave out what needs the network")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long an entry may take to list its tools, and the gateway to answer")
	f.StringArrayVar(&o.only, "only", nil, "run the checks of this `name` alone")
	_ = f.MarkHidden("only") // what a check starts this program again with
	o.outputOptions.add(cmd)
	return cmd
}

func runDoctor(ctx context.Context, a *app, o doctorOptions) error {
	if _, ok := clients.Lookup(o.client); !ok && o.client != "" {
		return unknownClient(o.client)
	}
	if o.timeout <= 0 {
		return usage("write it as --timeout 30s", "--timeout wants a time above zero")
	}
	options, err := a.doctorOptions(o)
	if err != nil {
		return err
	}
	checks := doctor.Checks(options)
	if len(o.only) > 0 {
		checks = slices.DeleteFunc(checks, func(c doctor.Check) bool { return !slices.Contains(o.only, c.Name) })
	}
	stop := a.spin("Checking …")
	results := doctor.Run(ctx, checks, o.timeout, o.offline)
	stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Gateways quote keys in what they say, and this goes to stdout.
	for i := range results {
		results[i].Detail, results[i].NextStep = a.redact.Text(results[i].Detail), a.redact.Text(results[i].NextStep)
	}
	if o.json {
		err = render.JSON(a.out, results, o.jq)
	} else {
		err = a.printResults(results)
	}
	number := map[doctor.Status]int{}
	for _, r := range results {
		number[r.Status]++
	}
	if !o.json {
		a.talk("%s: %d failed, %s\n", count(len(results), "check", "checks"), number[doctor.Failed],
			count(number[doctor.Warning], "warning", "warnings"))
	}
	if err == nil && number[doctor.Failed] > 0 {
		err = errSilent
	}
	return err
}

func (a *app) doctorOptions(o doctorOptions) (doctor.Options, error) {
	folder, err := os.Getwd()
	if err != nil {
		return doctor.Options{}, err
	}
	executable, err := os.Executable()
	if err != nil {
		return doctor.Options{}, problem.New("start it by its path", "mcpctl can't tell where it is: %w", err)
	}
	s, settingsErr := a.settings()
	store, machine := clients.NewStore(a.state()), clients.On(a.host)
	options := doctor.Options{
		Host: a.host, Environ: a.environ("MCPCTL_API_KEY", "PORTKEY_API_KEY"), Self: clients.FindSelf(a.host, executable),
		Version: buildInfo().Version, Project: folder, Client: o.client, Limit: o.timeout,
		Setting: doctor.Setting{
			File: s.File, Profile: s.Profile, Err: settingsErr, GatewayURL: s.GatewayURL, ControlPlaneURL: s.ControlPlaneURL,
			Proxy: s.Proxy, CAFile: s.CAFile,
		},
		Credential: func(ctx context.Context) (credential.Found, error) { return a.credential(ctx, s) },
		Verify: func(ctx context.Context, key web.Key) (gateway.Verification, error) {
			g, err := a.gateway(s, key)
			if err != nil {
				return gateway.Verification{}, err
			}
			return g.Verify(ctx)
		},
		Places: store.Places(machine, folder),
		Status: func(p clients.Place) clients.Status { return store.Look(machine, p) },
	}
	if _, err := os.Stat(s.File); !errors.Is(err, fs.ErrNotExist) {
		options.Setting.Exists = true
	}
	options.Places = slices.DeleteFunc(options.Places, func(p clients.Place) bool { return o.client != "" && p.Client.ID != o.client })
	for _, r := range oauth.Records(a.state()) {
		if r.Profile == s.Profile && (r.Gateway == "" || r.Gateway == s.GatewayURL) {
			options.Logins = append(options.Logins, r)
		}
	}
	if settingsErr == nil {
		options.Again, err = a.again(executable, s)
	}
	return options, err
}

// again is this program with the arguments that make it check the key alone.
func (a *app) again(executable string, s config.Settings) ([]string, error) {
	given, err := a.givenArgs(s)
	return append([]string{executable, "doctor", "--only", "credential", "--offline", "--json"}, given...), err
}

// printResults prints a line for each result, and below it on a terminal what to do.
func (a *app) printResults(results []doctor.Result) error {
	if !render.IsTerminal(a.out) {
		t := render.Table{}
		for _, r := range results {
			t.Row(string(r.Status), r.Check, r.Subject, r.Detail, r.NextStep)
		}
		return t.Write(a.out, false)
	}
	for _, r := range results {
		text := fmt.Sprintf("%-8s %s %s: %s", r.Status, r.Check, render.Clean(r.Subject), render.Clean(r.Detail))
		if r.NextStep != "" {
			text += "\n           next: " + strings.ReplaceAll(render.CleanLines(r.NextStep), "\n", "\n           ")
		}
		if _, err := fmt.Fprintln(a.out, text); err != nil {
			return err
		}
	}
	return nil
}
