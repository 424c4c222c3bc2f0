package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// JSON writes v as one JSON document with a newline at its end, indented if w is a terminal. A nil slice is written as [].
// With a filter, each of its results is written on its own line instead, strings raw.
func JSON(w io.Writer, v any, jq Filter) error { return writeValue(w, v, jq, IsTerminal(w)) }

// JSONLine is JSON that isn't indented on a terminal either: for what is one record of many, each on its line.
func JSONLine(w io.Writer, v any, jq Filter) error { return writeValue(w, v, jq, false) }

func writeValue(w io.Writer, v any, jq Filter, indent bool) error {
	doc, err := marshal(v)
	if err != nil {
		return err
	}
	tty := IsTerminal(w)
	if jq.results == nil {
		return writeJSON(w, doc, indent, tty)
	}
	var input any
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber() // a number that float64 can't hold stays as it is
	if err := dec.Decode(&input); err != nil {
		return err
	}
	results := jq.results(input)
	for {
		result, more := results.Next()
		if !more {
			return nil
		}
		if err, failed := result.(error); failed {
			return stopped(err)
		}
		if err := writeResult(w, result, indent, tty); err != nil {
			return err
		}
	}
}

// Filter is a jq expression. The zero Filter is none.
type Filter struct {
	results func(input any) gojq.Iter
}

// NewFilter returns the filter that a jq expression is, which may have no end and stops with ctx. The error of what is no jq
// has its place in it. A command calls it before it does any work.
func NewFilter(ctx context.Context, expr string) (Filter, error) {
	code, err := compile(expr)
	if err != nil {
		return Filter{}, err
	}
	return Filter{func(input any) gojq.Iter { return code.RunWithContext(ctx, input) }}, nil
}

func compile(expr string) (*gojq.Code, error) {
	query, err := gojq.Parse(expr)
	if err != nil {
		return nil, syntaxError(expr, err)
	}
	// Without a loader neither the environment nor any file is within an expression's reach.
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, problem.New("see: https://jqlang.org/manual", "--jq %q: %w", expr, err)
	}
	return code, nil
}

// syntaxError shows where the parser gave up.
func syntaxError(expr string, err error) error {
	var parse *gojq.ParseError
	if !errors.As(err, &parse) {
		return problem.New("see: https://jqlang.org/manual", "--jq %q: %w", expr, err)
	}
	offset := min(max(parse.Offset-len(parse.Token), 0), len(expr))
	column := utf8.RuneCountInString(expr[:offset]) + 1
	return problem.New(fmt.Sprintf("%s\n%*s", Clean(expr), column, "^"), "--jq: %w at column %d", err, column)
}

// stopped is the error of an expression that ended by an error or by its context, or nil where it asked for its end.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.ExitCode() == 0 {
		return nil
	}
	return problem.New("try the expression on the whole of --json", "--jq: %w", err)
}

func writeResult(w io.Writer, result any, indent, tty bool) error {
	s, isString := result.(string)
	if !isString {
		doc, err := gojq.Marshal(result)
		if err != nil {
			return err
		}
		return writeJSON(w, doc, indent, tty)
	}
	if tty {
		s = CleanLines(s)
	}
	_, err := io.WriteString(w, s+"\n")
	return err
}

func marshal(v any) ([]byte, error) {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.IsNil() {
		return []byte("[]"), nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // URLs stay readable
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

func writeJSON(w io.Writer, doc []byte, indent, tty bool) error {
	if indent {
		var buf bytes.Buffer
		if err := json.Indent(&buf, doc, "", "  "); err != nil {
			return err
		}
		doc = buf.Bytes()
	}
	if tty {
		doc = escapeControls(doc)
	}
	_, err := w.Write(append(doc, '\n'))
	return err
}

// escapeControls escapes what JSON lets pass and a terminal may act on. Outside of strings JSON has none of it.
func escapeControls(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for _, r := range string(doc) {
		if r != '\n' && isHarmful(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
