package bridge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseFindsMembers(t *testing.T) {
	for _, tc := range []struct{ in, id, method, params, result, err string }{
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `1`, `"ping"`, ``, ``, ``},
		{` {"id" : "1" , "method":"a\/b","params":{"id":2,"method":"x"}} `, `"1"`, `"a\/b"`, `{"id":2,"method":"x"}`, ``, ``},
		{`{"result":{"id":[1,{"error":2}]},"jsonrpc":"2.0","id":9007199254740993}`, `9007199254740993`, ``, ``, `{"id":[1,{"error":2}]}`, ``},
		{`{"id":1.50,"error":{"code":-1}}`, `1.50`, ``, ``, ``, `{"code":-1}`},
		{`{"id":null}`, `null`, ``, ``, ``, ``},
		{`{"id":1,"id":"\u00fc"}`, `"\u00fc"`, ``, ``, ``, ``},
	} {
		m, err := parse([]byte(tc.in))
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
		}
		got := []string{string(m.id), string(m.method), string(m.params), string(m.result), string(m.err)}
		if want := []string{tc.id, tc.method, tc.params, tc.result, tc.err}; strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q, want %q", tc.in, got, want)
		}
	}
}

func TestParseKeepsTheIDOfABrokenMessage(t *testing.T) {
	for _, in := range []string{`{"id":7,"method":"x",}`, `{"jsonrpc":"2.0","id":7,oops`, "{\"id\":7,\"params\":\"\xff\"}"} {
		m, err := parse([]byte(in))
		if err == nil || string(m.id) != "7" {
			t.Errorf("%s: id %q, error %v", in, m.id, err)
		}
	}
}

// FuzzParse holds the scanner against encoding/json, which defines what is JSON here.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"größe","arguments":{"a":[1,-0.5e+3,true,false,null]}}}`,
		`[{"id":1},{"id":2}]`, `{}`, `{"a":"\ud83d\ude00 \" \\ \/ \b"}`, `{"a":01}`, `{"a":1.}`, `{"a":+1}`, `{"a":.5}`, `{"a":1e}`,
		`{"a":"` + strings.Repeat("x", 40) + "\x1f" + `"}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a"}`, `{"a":1,}`, `[1,]`, `{,}`, `[`, `{"a":"`,
		`{"a":1}x`, ` `, ``, `"s"`, `nul`, `{"a":tru}`, "{\"a\":\"\xff\"}", strings.Repeat("[", 50) + strings.Repeat("]", 50), "\ufeff{}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		piecemeal(t, data, m, err)
		want := json.Valid(data) && utf8.Valid(data)
		if got := err == nil || err == errNotMessage; got != want {
			t.Fatalf("parse says %v, encoding/json says valid=%v", err, want)
		}
		if err != nil || m.batch {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			return // a depth that only one of the two takes
		}
		for name, got := range map[string][]byte{"id": m.id, "method": m.method, "result": m.result} {
			// encoding/json folds escaped names; only the plain spelling counts here, which is what peers send.
			if got != nil && string(got) != string(members[name]) && !strings.Contains(string(data), `\u`) {
				t.Fatalf("%s is %s, encoding/json has %s", name, got, members[name])
			}
		}
	})
}

// piecemeal checks that a message which arrives byte by byte, with a blank at its end that doesn't belong to it, is found to be
// what it is as a whole.
func piecemeal(t *testing.T, data []byte, want message, wantErr error) {
	t.Helper()
	var p parsing
	for i := range data {
		p.feed(slices.Clone(data[:i+1])) // in another place each time
	}
	if wantErr == nil {
		p.feed(append(slices.Clone(data), '\n'))
	}
	m, err := p.end(data)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(m, want) {
		t.Fatalf("%q\nin pieces %+v, %v\nas a whole %+v, %v", data, m, err, want, wantErr)
	}
}

// TestNumberInPieces: a number as long as a message can be costs no more than its length, in however many pieces it comes.
func TestNumberInPieces(t *testing.T) {
	data := []byte(`{"id":` + strings.Repeat("1", 1<<20) + `}`)
	var p parsing
	looks := 0
	for end := 1; end < len(data); end += 64 {
		before := p.scan.enough
		p.feed(data[:end])
		if waited := before > end && p.scan.enough == before; !waited {
			looks++
		}
	}
	if m, err := p.end(data); err != nil || len(m.id) != 1<<20 {
		t.Fatalf("%v, %d digits", err, len(m.id))
	}
	if looks > 20 {
		t.Errorf("looked at %d times", looks)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, unit := range map[string]string{
		"JSON in text": `{\"k\":\"0123456789abcdefghijklmnopqrstuvwxyz\",\"v\":[1,2,3,45.678]}\n`,
		"plain":        "The quick brown fox jumps over the lazy dog, and so on and on for a long time. ",
		"code points":  `\u6f22\u5b57 \u00e9\u00fc `,
		"values":       `","name":"value","n":[12,3.5,true,null],"id":"a1b2","x":"`,
	} {
		raw := []byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"` + strings.Repeat(unit, 1<<20/len(unit)) + `"}]}}`)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, err := parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestStrings: a string is judged as encoding/json judges it, wherever in a block of it an escape or a bad character stands, whatever
// comes after, and wherever it is cut off.
func TestStrings(t *testing.T) {
	parts := []string{`\"`, `\\`, `\/\b\f\n\r\t`, `\\\"`, `\\\\\\`, `\u00e9`, `\u6F22\u5b57`, "\u6f22\U0001F600", "\x7f", " \u2028",
		`"`, `\`, `\x`, `\u`, `\u12`, `\u12g4`, `\u123"`, `\\"`, "\x00", "\x1f", "\n", `\\u12`, `\"\x`, `"\x`}
	tails := []string{"", strings.Repeat("z", 80), strings.Repeat(`\"`, 40), strings.Repeat(`\u0041`, 20), `","b":"` + strings.Repeat("y", 70)}
	for _, part := range parts {
		for before := range 2*block + 3 {
			for _, tail := range tails {
				data := []byte(`{"id":1,"result":{"a":"` + strings.Repeat("x", before) + part + tail + `"}}`)
				_, err := parse(data)
				if want := json.Valid(data); (err == nil) != want {
					t.Fatalf("%s: %v, encoding/json says %v", data, err, want)
				}
				var p parsing
				p.feed(data[:len(data)/2])
				if _, inParts := p.end(data); fmt.Sprint(inParts) != fmt.Sprint(err) {
					t.Fatalf("%s: %v, in two parts %v", data, err, inParts)
				}
			}
		}
	}
}

// TestSpecialMembers: what routing looks for in params and results is found however its name is written, and nothing else costs
// a second look.
func TestSpecialMembers(t *testing.T) {
	for in, want := range map[string]bool{
		`{"params":{"_meta":{}}}`: true, `{"result":{"content":[],"resultType":"x"}}`: true, `{"params":{"\u005fmeta":{}}}`: true,
		`{"params":{"arguments":{"_meta":{}}}}`: false, `{"_meta":{}}`: false, `{"result":{"content":"_meta","x":["_meta"]}}`: false,
	} {
		if m, err := parse([]byte(in)); err != nil || m.special != want {
			t.Errorf("%s: %v, %v", in, m.special, err)
		}
	}
}

// TestDeep: as deep as encoding/json goes, with objects and arrays in turn, and no deeper.
func TestDeep(t *testing.T) {
	for _, depth := range []int{63, 64, 65, 128, 129, maxDepth} {
		data := strings.Repeat(`{"a":[`, depth/2) + strings.Repeat(`[`, depth%2) + strings.Repeat(`]`, depth%2) + strings.Repeat(`]}`, depth/2)
		if _, err := parse([]byte(data)); err != nil || !json.Valid([]byte(data)) {
			t.Errorf("depth %d: %v", depth, err)
		}
		if _, err := parse([]byte(strings.Replace(data, "]}", "}]", 1))); err == nil {
			t.Errorf("depth %d: brackets that don't match are taken", depth)
		}
	}
	data := []byte(strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1))
	if _, err := parse(data); err == nil || json.Valid(data) {
		t.Errorf("too deep: %v", err)
	}
}
