package config

import (
	"fmt"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mcpctl/mcpctl/internal/pattern"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// parserText is what the YAML parser says of data, but for the name of an anchor that isn't there: an unquoted value, which may be
// secret, begins with a * as well. For that the parser names no line either, so the first is sought with which there is that error.
func parserText(data []byte, err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if !strings.HasPrefix(text, "unknown anchor") {
		return text
	}
	lines := strings.Split(string(data), "\n")
	line := sort.Search(len(lines)-1, func(i int) bool {
		shorter := yaml.Unmarshal([]byte(strings.Join(lines[:i+1], "\n")), &yaml.Node{})
		return shorter != nil && shorter.Error() == err.Error()
	})
	return fmt.Sprintf("line %d: an alias, and nothing above it that it stands for", line+1)
}

var anyLine = pattern.New(`\bline (\d+): `)

// valueError is the error for YAML that holds what can't be decoded. The parser's words quote that, and it may be a secret: only the
// line comes from them, if they have one.
func valueError(place string, err error) error {
	what := "a value that can't be read as what it says it is, an alias of itself, or too many aliases"
	if m := anyLine().FindStringSubmatch(err.Error()); m != nil {
		what += " (line " + m[1] + ")"
	}
	return problem.New("correct the file", "%s: %s", place, what)
}
