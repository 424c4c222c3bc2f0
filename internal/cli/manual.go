package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// Manual returns all commands, and the topics of help as commands that do nothing, for a program that writes them down.
// None of them can be run.
func Manual() (root *cobra.Command, about []*cobra.Command) {
	for _, t := range topics() {
		about = append(about, &cobra.Command{Use: t.name, Short: t.short, Long: t.text})
	}
	return newRootCommand(&app{out: io.Discard, err: io.Discard}), about
}
