package render

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
)

type item struct {
	Slug string `json:"slug"`
	URL  string `json:"url"`
	N    int64  `json:"n"`
}

func items() []item {
	return []item{{"a", "https://x.example/?a=1&b=<2>", 9007199254740993}, {"b", "", 2}}
}

func filter(t *testing.T, jq string) Filter {
	t.Helper()
	if jq == "" {
		return Filter{}
	}
	f, err := NewFilter(t.Context(), jq)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
		jq   string
		want string
	}{
		{"one line, as it is", items(), "", `[{"slug":"a","url":"https://x.example/?a=1&b=<2>","n":9007199254740993},{"slug":"b","url":"","n":2}]` + "\n"},
		{"no list", []item(nil), "", "[]\n"},
		{"strings raw", items(), ".[].slug", "a\nb\n"},
		{"numbers exact", items(), ".[0].n", "9007199254740993\n"},
		{"objects", items(), ".[1]", `{"n":2,"slug":"b","url":""}` + "\n"},
		{"null", items(), ".[1].nothing", "null\n"},
		{"nothing", items(), ".[] | select(.slug == \"z\")", ""},
		{"several lines", items(), `"x\ny\u001b"`, "x\ny\u001b\n"},
		{"halt", items(), "1, halt, 2", "1\n"},
		{"no environment", items(), "env | length", "0\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := JSON(&out, tt.v, filter(t, tt.jq)); err != nil || out.String() != tt.want {
				t.Errorf("%q, %v; want %q", out.String(), err, tt.want)
			}
		})
	}
}

func TestJQErrors(t *testing.T) {
	for _, tt := range []struct{ jq, want, next string }{
		{".[] | ]", `unexpected token "]" at column 7`, ".[] | ]\n      ^"},
		{`"é" | )`, `at column 7`, "\"é\" | )\n      ^"},
		{".[", "unexpected EOF at column 3", ".[\n  ^"},
		{"nosuch", "function not defined: nosuch/0", "https://jqlang.org"},
		{`import "a" as a; .`, "", "https://jqlang.org"},
	} {
		_, err := NewFilter(t.Context(), tt.jq)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || !strings.Contains(problem.NextStep(err), tt.next) {
			t.Errorf("%s: %v\n%s", tt.jq, err, problem.NextStep(err))
		}
	}
	var out bytes.Buffer
	err := JSON(&out, items(), filter(t, ".[0].slug, .[0].slug.x"))
	if err == nil || !strings.HasPrefix(err.Error(), "--jq: ") || problem.NextStep(err) == "" || out.String() != "a\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// TestEndlessJQ: an expression without an end stops with the command.
func TestEndlessJQ(t *testing.T) {
	for _, jq := range []string{"repeat(1)", "def f: f; f", "[repeat(1)]"} {
		ctx, cancel := context.WithCancel(t.Context())
		f, err := NewFilter(ctx, jq)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- JSON(io.Discard, items(), f) }()
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", jq, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s goes on", jq)
		}
	}
}

// What a terminal gets: indented, and without anything that it would act on.
func TestJSONOnTerminal(t *testing.T) {
	doc, err := marshal([]item{{Slug: "a\u009b2J\u202eb\u007f"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeJSON(&out, doc, true, true); err != nil {
		t.Fatal(err)
	}
	want := "[\n  {\n    \"slug\": \"a\\u009b2J\\u202eb\\u007f\",\n    \"url\": \"\",\n    \"n\": 0\n  }\n]\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	want = `[{"slug":"a\u009b2J\u202eb\u007f","url":"","n":0}]` + "\n"
	if err := writeJSON(&out, doc, false, true); err != nil || out.String() != want {
		t.Errorf("a line: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := writeResult(&out, "a\x1b[31m\nb", true, true); err != nil || out.String() != "a\ufffd[31m\nb\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestTable(t *testing.T) {
	fill := func() *Table {
		table := &Table{Header: []string{"SERVER", "NAME", "DESCRIPTION"}, Columns: 40}
		table.Row("linear", "Linear", "Issues and projects of your team, to read and write")
		table.Row("東京", "e\u0301", "")
		table.Row("bad\x1b[2J", "a\tb\r\nc", "\u009b31m\u202eevil")
		return table
	}
	for _, tt := range []struct {
		name string
		tty  bool
		want string
	}{
		{"for people", true, "" +
			"SERVER   NAME    DESCRIPTION\n" +
			"linear   Linear  Issues and projects of…\n" +
			"東京     e\u0301\n" +
			"bad\ufffd[2J  a b c   \ufffd31m\ufffdevil\n"},
		{"for programs", false, "" +
			"linear\tLinear\tIssues and projects of your team, to read and write\n" +
			"東京\te\u0301\t\n" +
			"bad\ufffd[2J\ta b c\t\ufffd31m\ufffdevil\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := fill().Write(&out, tt.tty); err != nil || out.String() != tt.want {
				t.Errorf("%v\n%s\n%q, want\n%s\n%q", err, out.String(), out.String(), tt.want, tt.want)
			}
		})
	}
	var out bytes.Buffer
	if err := (&Table{Header: []string{"SERVER"}}).Write(&out, true); err != nil || out.Len() > 0 {
		t.Errorf("without rows: %q, %v", out.String(), err)
	}
}

// A terminal too narrow for columns gets a line for each cell, whole.
func TestTableOnNarrowTerminal(t *testing.T) {
	table := &Table{Header: []string{"SERVER", "NAME", "DESCRIPTION"}, Columns: 24}
	table.Row("linear", "Linear", "Issues and projects of your team")
	table.Row("notes", "", "Notes")
	var out bytes.Buffer
	want := "SERVER       linear\nNAME         Linear\nDESCRIPTION  Issues and projects of your team\n\n" +
		"SERVER       notes\nDESCRIPTION  Notes\n"
	if err := table.Write(&out, true); err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
}

func TestFill(t *testing.T) {
	const text = "One sentence that is\nbroken early. Another.\n\nA list:\n  a     short\n  long  words that go on below\n" +
		"  a-row-without-cells-or-blanks-to-break\n  1234567890123456  narrow cell\n\nEnd"
	for columns, want := range map[int]string{
		100: "One sentence that is broken early. Another.\n\nA list:\n  a     short\n  long  words that go on below\n" +
			"  a-row-without-cells-or-blanks-to-break\n  1234567890123456  narrow cell\n\nEnd\n",
		20: "One sentence that is\nbroken early.\nAnother.\n\nA list:\n  a     short\n  long  words that\n        go on below\n" +
			"  a-row-without-cells-or-blanks-to-break\n  1234567890123456  narrow\n      cell\n\nEnd\n",
	} {
		if got := Fill(text, columns); got != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", columns, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		s       string
		columns int
		want    string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"two words", 5, "two…"},
		{"東京東京", 5, "東京…"},
		{"東京東京", 6, "東京…"},
		{"東京東京", 8, "東京東京"},
	} {
		if got := truncate(tt.s, tt.columns); got != tt.want || displayWidth(got) > tt.columns {
			t.Errorf("truncate(%q, %d) = %q, want %q", tt.s, tt.columns, got, tt.want)
		}
	}
}

func TestIsTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if IsTerminal(f) || IsTerminal(&bytes.Buffer{}) {
		t.Error("a file or a buffer passes for a terminal")
	}
	var out lockedBuffer
	Spin(&out, "xterm", "working")()
	if out.String() != "" {
		t.Errorf("%q is shown where there is no terminal", out.String())
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestSpinner(t *testing.T) {
	for name, tt := range map[string]struct {
		work  time.Duration
		shown bool
	}{"short work": {299 * time.Millisecond, false}, "long work": {450 * time.Millisecond, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out lockedBuffer
				s := newSpinner(&out, "working")
				time.Sleep(tt.work)
				synctest.Wait()
				s.Stop()
				s.Stop()
				got := out.String()
				if !tt.shown && got != "" {
					t.Errorf("%q is shown", got)
				}
				if tt.shown && (!strings.HasPrefix(got, "\r| working\r/ working\r") || !strings.HasSuffix(got, "\r         \r")) {
					t.Errorf("%q", got)
				}
			})
		})
	}
}

func TestSpinnerChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		s := newSpinner(&out, "long text")
		time.Sleep(350 * time.Millisecond)
		s.Set("so\x1b\n")
		time.Sleep(100 * time.Millisecond)
		s.Print("a line\n")
		time.Sleep(100 * time.Millisecond)
		s.Set(strings.Repeat("x", 200))
		time.Sleep(100 * time.Millisecond)
		s.Stop()
		want := "\r| long text\r/ so\ufffd      \r     \ra line\n\r- so\ufffd\r\\ " + strings.Repeat("x", 76) + "…\r" + strings.Repeat(" ", 79) + "\r"
		if got := out.String(); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	})
}

// Where there is no terminal a spinner prints lines, and nothing else.
func TestSpinnerWithoutTerminal(t *testing.T) {
	var out lockedBuffer
	s := NewSpinner(&out, "xterm", "text")
	s.Set("other")
	s.Print("a\u009b31m line\n")
	s.Stop()
	if got := out.String(); got != "a�31m line\n" {
		t.Errorf("%q", got)
	}
}
