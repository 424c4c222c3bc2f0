package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mcpctl/mcpctl/internal/render"
)

// Set by the release build (-ldflags -X); a plain go build leaves them empty and buildInfo asks the binary.
var version, commit, date string

// versionInfo is what `mcpctl version --json` prints.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"` // of the commit, RFC 3339
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func buildInfo() versionInfo {
	v := versionInfo{version, commit, date, runtime.Version(), runtime.GOOS, runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && v.Version == "" {
		v.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.time":
				v.Date = s.Value
			}
		}
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	return v
}

func newVersionCommand(a *app) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  mcpctl version
  mcpctl version --jq .version`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			v := buildInfo()
			if o.json {
				return render.JSON(a.out, v, o.jq)
			}
			_, err := fmt.Fprintf(a.out, "mcpctl %s (%s/%s, %s)\n", v.Version, v.OS, v.Arch, v.Go)
			return err
		},
	}
	o.add(cmd)
	return cmd
}
