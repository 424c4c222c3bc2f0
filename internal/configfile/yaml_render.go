package configfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// yamlLayout is how the members of one mapping are written: indent is how far they stand from the margin, unit how much
// further what is in them does.
type yamlLayout struct {
	newline      string
	indent, unit int
}

// layout reads the style of the last of places from its members or, where it has none, from what is around it.
func (d *yamlText) layout(places []yamlPlace) yamlLayout {
	l := yamlLayout{newline: d.newline(), unit: 2}
	if d.root != nil {
		if unit := innerIndent(d.root); unit > 0 {
			l.unit = unit
		}
	}
	if len(places) == 0 {
		return l
	}
	m := places[len(places)-1].mapping
	if !isBlock(m) && len(places) > 1 {
		l.indent = places[len(places)-2].mapping.Column - 1 + l.unit
		return l
	}
	l.indent = m.Column - 1
	if unit := innerIndent(m); unit > 0 {
		l.unit = unit
	}
	return l
}

// innerIndent returns how much further than m's members those of the first block mapping in it are indented, 0 if it has
// none.
func innerIndent(m *yaml.Node) int {
	for i := 1; i < len(m.Content); i += 2 {
		if v := m.Content[i]; v.Kind == yaml.MappingNode && isBlock(v) {
			return v.Column - m.Column
		}
	}
	return 0
}

// block writes members one a line, the first without its indentation, the last without its newline.
func (l yamlLayout) block(members Members) string {
	var b strings.Builder
	for i, m := range members {
		if i > 0 {
			b.WriteString(l.newline + strings.Repeat(" ", l.indent))
		}
		b.WriteString(yamlString(m.Name) + ":")
		inner := l
		inner.indent += l.unit
		first := l.newline + strings.Repeat(" ", inner.indent)
		switch v := m.Value.(type) {
		case Members:
			if len(v) > 0 {
				b.WriteString(first + inner.block(v))
				continue
			}
		case Raw:
			if isBlockRaw(v) {
				b.WriteString(l.newline + reindent(v.Text, inner.indent))
				continue
			}
		}
		b.WriteString(" " + yamlInline(m.Value))
	}
	return b.String()
}

// sequence writes strings one a line, in the manner of block.
func (l yamlLayout) sequence(items []string) string {
	lines := make([]string, len(items))
	for i, s := range items {
		lines[i] = "- " + yamlString(s)
	}
	return strings.Join(lines, l.newline+strings.Repeat(" ", l.indent))
}

// yamlInline writes a value on one line.
func yamlInline(value any) string {
	switch v := value.(type) {
	case Raw:
		return v.Text
	case string:
		return yamlString(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = yamlString(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case nil:
		return "null"
	case Members:
		items := make([]string, len(v))
		for i, m := range v {
			items[i] = yamlString(m.Name) + ": " + yamlInline(m.Value)
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	panic(fmt.Sprintf("configfile: no YAML for %T", value))
}

// yamlString writes a string without quotes where every reader of YAML 1.1 or 1.2 takes that for one.
func yamlString(s string) string {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	safe := func(r rune) bool { return letter(r) || r >= '0' && r <= '9' || strings.ContainsRune("_./-", r) }
	// What 1.1 takes for a boolean or null without quotes: yaml.org/type/bool.html and null.html.
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	switch {
	case s != "" && strings.TrimFunc(s, safe) == "" && (letter(rune(s[0])) || s[0] == '/') && !slices.Contains(words, strings.ToLower(s)):
		return s
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return yamlEscaped(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// yamlEscaped writes a double-quoted string, in which a character that can't be seen is an escape.
func yamlEscaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}
