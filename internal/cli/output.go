package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/render"
)

// outputOptions are the flags of every command that lists or shows. The root command sets json if jq is given, and jq to the
// filter, before the command runs.
type outputOptions struct {
	json bool
	jq   render.Filter
}

// jqFlag is the text of --jq, and where its filter is to be.
type jqFlag struct {
	text   string
	filter *render.Filter
}

func (f *jqFlag) String() string { return f.text }

// Type implements pflag.Value: to help and man pages the flag is one of text.
func (f *jqFlag) Type() string { return "string" }

// Set implements pflag.Value.
func (f *jqFlag) Set(text string) error {
	f.text = text
	return nil
}

func (o *outputOptions) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().Var(&jqFlag{filter: &o.jq}, "jq", "print what a jq `expression` makes of the JSON")
}

// checkOutput makes --jq imply --json, and refuses what is not jq before any work is done.
func checkOutput(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("jq")
	if flag == nil || !flag.Changed {
		return nil
	}
	jq, ok := flag.Value.(*jqFlag)
	if !ok {
		return nil
	}
	var err error
	if *jq.filter, err = render.NewFilter(cmd.Context(), jq.text); err != nil {
		return &exitError{exitUsage, err}
	}
	return cmd.Flags().Set("json", "true")
}

// words fills a format for people. What is in it may come from a gateway, a server or somebody's file: whatever a terminal would
// act on is cleaned, once and for all that mcpctl says.
func words(format string, args ...any) string { return render.CleanLines(fmt.Sprintf(format, args...)) }

// talk writes to stderr unless the user wants it quiet.
func (a *app) talk(format string, args ...any) {
	if !a.flags.quiet {
		a.prompt(format, args...)
	}
}

// print writes text to stdout: as it is, or, on a terminal, without what that would act on.
func (a *app) print(text string) error {
	if render.IsTerminal(a.out) {
		text = render.CleanLines(text)
	}
	_, err := io.WriteString(a.out, text)
	return err
}

// spin shows that text is being worked on until the returned function is called.
func (a *app) spin(text string) (stop func()) {
	if a.flags.quiet {
		return func() {}
	}
	return render.Spin(a.err, a.host.Getenv("TERM"), text)
}
