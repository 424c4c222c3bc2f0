package render

import (
	"bytes"
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
//
// If jq, a jq expression, isn't empty, each of its results is written on its own line instead, strings raw. The error of
// an expression that can't be parsed is that of CheckJQ.
func JSON(w io.Writer, v any, jq string) error {
	doc, err := marshal(v)
	if err != nil {
		return err
	}
	tty := IsTerminal(w)
	if jq == "" {
		return writeJSON(w, doc, tty)
	}
	code, err := compile(jq)
	if err != nil {
		return err
	}
	var input any
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber() // a number that float64 can't hold stays as it is
	if err := dec.Decode(&input); err != nil {
		return err
	}
	results := code.Run(input)
	for {
		result, more := results.Next()
		if !more {
			return nil
		}
		if err, failed := result.(error); failed {
			return stopped(err)
		}
		if err := writeResult(w, result, tty); err != nil {
			return err
		}
	}
}

// CheckJQ reports why expr is not a jq expression, with its place in it. A command calls it before it does any work.
func CheckJQ(expr string) error {
	_, err := compile(expr)
	return err
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

// stopped is the error of an expression that ended by an error, or nil where it asked for its end.
func stopped(err error) error {
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.ExitCode() == 0 {
		return nil
	}
	return problem.New("try the expression on the whole of --json", "--jq: %w", err)
}

func writeResult(w io.Writer, result any, tty bool) error {
	s, isString := result.(string)
	if !isString {
		doc, err := gojq.Marshal(result)
		if err != nil {
			return err
		}
		return writeJSON(w, doc, tty)
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

func writeJSON(w io.Writer, doc []byte, tty bool) error {
	if tty {
		var buf bytes.Buffer
		if err := json.Indent(&buf, doc, "", "  "); err != nil {
			return err
		}
		doc = escapeControls(buf.Bytes())
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
