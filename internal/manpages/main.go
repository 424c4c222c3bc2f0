// Command manpages writes a man page for each command of mcpctl and each topic of its help.
//
//	go run ./internal/manpages DIR
//
// It is a program of its own so that mcpctl doesn't link what only packagers need. Pages carry the date in SOURCE_DATE_EPOCH
// (seconds since 1970), so that two builds of one commit are the same; without it, today's.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/mcpctl/mcpctl/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manpages DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "manpages:", err)
		os.Exit(1)
	}
}

// write writes the pages into dir, which it makes if need be: section 1 for commands, 7 for topics.
func write(dir, epoch string) error {
	date := time.Now()
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		date = time.Unix(seconds, 0)
	}
	date = date.UTC()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	header := doc.GenManHeader{Section: "1", Date: &date, Source: "mcpctl", Manual: "mcpctl manual"}
	root, topics := cli.Manual()
	prepare(root)
	if err := writeTree(dir, root, header); err != nil {
		return err
	}
	header.Section = "7"
	for _, topic := range topics {
		topic.Use, topic.DisableFlagsInUseLine = root.Name()+"-"+topic.Use, true
		topic.Flags().BoolP("help", "h", false, "")
		topic.Flags().Lookup("help").Hidden = true
		prepare(topic)
		if err := writePage(dir, topic, header); err != nil {
			return err
		}
	}
	return nil
}

func writeTree(dir string, cmd *cobra.Command, header doc.GenManHeader) error {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			if err := writeTree(dir, c, header); err != nil {
				return err
			}
		}
	}
	return writePage(dir, cmd, header)
}

func writePage(dir string, cmd *cobra.Command, header doc.GenManHeader) error {
	cmd.DisableAutoGenTag = true
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + "." + header.Section
	var page bytes.Buffer
	if err := doc.GenMan(cmd, &header, &page); err != nil { // which also fills in its copy of the header
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), tidyFlags(page.Bytes()), 0o644)
}

// flagValue is the value after a flag's name as cobra writes it: a default.
var flagValue = regexp.MustCompile(`(?m)^(\\fB-.*\\fP)(?:\[=false\]|="?([^"\n]*?)"?)$`)

// tidyFlags makes "--name VALUE" of "--name=VALUE", and "--name" of "--name[=false]".
func tidyFlags(page []byte) []byte {
	page = flagValue.ReplaceAll(page, []byte(`$1 \fI$2\fP`))
	return bytes.ReplaceAll(page, []byte(` \fI\fP`), nil)
}

// prepare makes Markdown, which cobra takes the texts of commands for, of what was written for a terminal.
func prepare(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	cmd.Short, cmd.Long = escape(cmd.Short), markdown(cmd.Long)
	cmd.LocalNonPersistentFlags().VisitAll(prepareFlag)
	cmd.PersistentFlags().VisitAll(prepareFlag)
	for _, c := range cmd.Commands() {
		prepare(c)
	}
}

// prepareFlag puts the name of a flag's value where cobra writes the default, and the default into the words.
func prepareFlag(f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	if value == "" { // a bool
		f.Usage = escape(usage)
		return
	}
	if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
		usage += " (default " + f.DefValue + ")"
	}
	f.Usage, f.DefValue = escape(usage), strings.Trim(value, "'")
}

// markdown keeps paragraphs with indented lines, such as tables, as they are.
func markdown(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, "  ") || strings.Contains(p, "\n  ") {
			paragraphs[i] = "```\n" + strings.Trim(p, "\n") + "\n```"
		} else {
			paragraphs[i] = escape(p)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "#", `\#`)

func escape(text string) string { return special.Replace(text) }
