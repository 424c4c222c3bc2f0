package configfile

import (
	"fmt"
	"strconv"
	"strings"
)

// tomlPath writes a key, dotted if path has several names.
func tomlPath(path []string) string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = tomlName(name)
	}
	return strings.Join(names, ".")
}

func tomlName(name string) string {
	bare := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
	}
	if name == "" || strings.TrimFunc(name, bare) != "" {
		return tomlBasic(name)
	}
	return name
}

// tomlInline writes a value that stands after a name. A string is a literal one, in which nothing needs an escape: people
// who correct a Windows path by hand would forget them.
func tomlInline(value any) string {
	switch v := value.(type) {
	case Raw:
		return strings.TrimRight(v.Text, blank)
	case string:
		return tomlLiteral(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = tomlBasic(s)
			if strings.ContainsAny(s, `"\`) {
				quoted[i] = tomlLiteral(s)
			}
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case Members:
		var items []string
		for _, m := range v {
			if m.Value != nil {
				items = append(items, tomlName(m.Name)+" = "+tomlInline(m.Value))
			}
		}
		if len(items) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(items, ", ") + " }"
	}
	panic(fmt.Sprintf("configfile: no TOML for %T", value))
}

func tomlLiteral(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == '\'' || r < ' ' || r == 0x7f }) {
		return tomlBasic(s)
	}
	return "'" + s + "'"
}

// tomlBasic writes a basic string. Its escapes are those of JSON, but for DEL, which JSON leaves alone.
func tomlBasic(s string) string { return strings.ReplaceAll(quote(s), "\x7f", `\u007f`) }
