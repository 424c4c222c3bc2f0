package tool

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const issueSchema = `{"type":"object","$defs":{"level":{"enum":["low","medium","high"]},"label":{"type":"string"}},
 "properties":{
  "title":{"type":"string","description":"One line."},
  "priority":{"$ref":"#/$defs/level","default":"low"},
  "count":{"type":"integer"},
  "ratio":{"type":"number"},
  "draft":{"type":"boolean"},
  "labels":{"type":"array","items":{"$ref":"#/$defs/label"}},
  "points":{"type":"array","items":{"type":"integer"}},
  "parent":{"anyOf":[{"type":"string"},{"type":"null"}]},
  "estimate":{"anyOf":[{"type":"integer"},{"type":"null"}],"default":null},
  "id":{"type":["integer","string"]},
  "level":{"anyOf":[{"$ref":"#/$defs/level"},{"type":"null"}]},
  "size":{"enum":[1,2,3]},
  "kind":{"const":"issue"},
  "filter":{"type":"object","required":["state"],"additionalProperties":false,"properties":{"state":{"enum":["open","shut"]},"limit":{"type":"integer"},"by":{"type":"object","properties":{"name":{"type":"string"}}}}},
  "base":{"allOf":[{"$ref":"#/$defs/level"}],"default":"low"},
  "wild":{},
  "data":{"type":"string","contentEncoding":"base64"},
  "a.b":{"type":"string"},
  "one or many":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}
 },"required":["title"]}`

func readFile(name string) ([]byte, error) {
	switch name {
	case "text":
		return []byte("two\nlines\n"), nil
	case "number":
		return []byte("7\n"), nil
	case "json":
		return []byte("{\"a\": [1]}\n"), nil
	case "binary":
		return []byte{0xff, 0x00}, nil
	}
	return nil, errors.New("no such file")
}

func TestBuild(t *testing.T) {
	for _, tt := range []struct{ words, want string }{
		{"title=Bug report|priority=high|count=3|labels:=[\"a\"]|draft=true", `{"title":"Bug report","priority":"high","count":3,"labels":["a"],"draft":true}`},
		{"title=3", `{"title":"3"}`},
		{"title=true", `{"title":"true"}`},
		{"title=", `{"title":""}`},
		{"title=a=b", `{"title":"a=b"}`},
		{"title=<&>", `{"title":"<&>"}`},
		{"title=x|count=12345678901234567890", `{"title":"x","count":12345678901234567890}`},
		{"title=x|ratio=1e-3", `{"title":"x","ratio":1e-3}`},
		{"title=x|labels=a|labels=b", `{"title":"x","labels":["a","b"]}`},
		{"title=x|labels=a", `{"title":"x","labels":["a"]}`},
		{"title=x|labels=[\"a\",\"b\"]", `{"title":"x","labels":["a","b"]}`},
		{"title=x|points=1|points=2", `{"title":"x","points":[1,2]}`},
		{"title=x|parent=ENG-1", `{"title":"x","parent":"ENG-1"}`},
		{"title=x|parent=null", `{"title":"x","parent":null}`},
		{"title=x|estimate=5", `{"title":"x","estimate":5}`},
		{"title=x|id=5", `{"title":"x","id":5}`},
		{"title=x|id=007", `{"title":"x","id":"007"}`},
		{"title=x|level=high", `{"title":"x","level":"high"}`},
		{"title=x|size=2", `{"title":"x","size":2}`},
		{"title=x|kind=issue", `{"title":"x","kind":"issue"}`},
		{"title=x|base=medium", `{"title":"x","base":"medium"}`},
		{"title=x|filter={\"state\":\"open\"}", `{"title":"x","filter":{"state":"open"}}`},
		{"title=x|filter.state=shut|filter.limit=5|filter.by.name=me", `{"title":"x","filter":{"state":"shut","limit":5,"by":{"name":"me"}}}`},
		{"title=x|wild=3", `{"title":"x","wild":3}`},
		{"title=x|wild=three", `{"title":"x","wild":"three"}`},
		{"title=@text", `{"title":"two\nlines\n"}`},
		{"title=@@text", `{"title":"@text"}`},
		{"title=x|count=@number", `{"title":"x","count":7}`},
		{"title=x|wild:=@json", `{"title":"x","wild":{"a":[1]}}`},
		{"title=x|data=@binary", `{"title":"x","data":"/wA="}`},
		{"title=x|a.b=c", `{"title":"x","a.b":"c"}`},
		{"title=x|one or many=a", `{"title":"x","one or many":"a"}`},
		{"title=x|one or many=a|one or many=b", `{"title":"x","one or many":["a","b"]}`},
	} {
		got, err := NewSchema(json.RawMessage(issueSchema)).Build(strings.Split(tt.words, "|"), nil, readFile)
		if err != nil || !sameJSON(string(got), tt.want) {
			t.Errorf("%s: %s, %v", tt.words, got, err)
		}
	}
}

// sameJSON compares without the order of names, and with numbers as they are written.
func sameJSON(a, b string) bool {
	decode := func(s string) any {
		var v any
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return s
		}
		return v
	}
	return fmt.Sprintf("%#v", decode(a)) == fmt.Sprintf("%#v", decode(b))
}

func TestBuildErrors(t *testing.T) {
	for _, tt := range []struct{ words, err, known string }{
		{"titel=x", `there is no argument "titel"`, "title"},
		{"title=x|filter.stat=open", `there is no argument "stat"`, "state"},
		{"count=3", "an argument is missing: title", ""},
		{"title=x|filter.limit=3", "an argument is missing: filter.state", ""},
		{"title=x|priority=hihg", `priority is one of low, medium, high, not "hihg"`, "high"},
		{"title=x|level=x", `level is one of low, medium, high, not "x"`, "high"},
		{"title=x|size=4", `size is one of 1, 2, 3, not "4"`, "2"},
		{"title=x|count=3.5", `count wants integer, not "3.5"`, ""},
		{"title=x|count=", `count wants integer, not ""`, ""},
		{"title=x|draft=yes", `draft wants boolean, not "yes"`, ""},
		{"title=x|points=1|points=b", `points wants integer, not "b"`, ""},
		{"title=x|filter=open", "filter is an object", ""},
		{"title=x|title=y", "title is given twice", ""},
		{"title=x|title:=\"y\"", "title is given twice", ""},
		{"title=x|filter={}|filter.state=open", "filter is given whole and in parts", ""},
		{"title=x|wild:={", "wild: that is not JSON", ""},
		{"title=x|oops", "argument 2 isn't of the form NAME=VALUE", ""},
		{"=x", "argument 1 isn't of the form", ""},
		{"title=@binary", "isn't text", ""},
		{"title=@", "names no file", ""},
		{"title=x|estimate=" + strings.Repeat("x", 100), strings.Repeat("x", 40) + "…", ""},
	} {
		_, err := NewSchema(json.RawMessage(issueSchema)).Build(strings.Split(tt.words, "|"), nil, readFile)
		var wrong *ArgumentError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.err) || tt.known != "" && !strings.Contains(strings.Join(wrong.Known, " "), tt.known) {
			t.Errorf("%s: %v", tt.words, err)
		}
	}
	var wrong *ArgumentError
	if _, err := NewSchema(json.RawMessage(issueSchema)).Build([]string{"title=@nosuch"}, nil, readFile); err == nil || errors.As(err, &wrong) {
		t.Errorf("a file that can't be read: %v", err)
	}
}

func TestBuildUponJSON(t *testing.T) {
	schema := NewSchema(json.RawMessage(`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"],"additionalProperties":false}`))
	for _, tt := range []struct{ base, word, want, err string }{
		{`{"a":1,"b":"x"}`, "b=y", `{"a":1,"b":"y"}`, ""},
		{`{"b":"x"}`, "a=2", `{"a":2,"b":"x"}`, ""},
		{`{"b":"x"}`, "b=y", "", "missing: a"},
		{`{"a":1,"c":2}`, "b=y", "", `no argument "c"`},
		{`[]`, "b=y", "", "no JSON object"},
		{`null`, "b=y", "", "no JSON object"},
		{`nonsense`, "b=y", "", "no JSON object"},
	} {
		got, err := schema.Build([]string{tt.word}, json.RawMessage(tt.base), readFile)
		if tt.err == "" && (err != nil || !sameJSON(string(got), tt.want)) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s %s: %s, %v", tt.base, tt.word, got, err)
		}
	}
	// What the schema doesn't describe but doesn't forbid either can be given as JSON, where a typo is less likely.
	lax := NewSchema(json.RawMessage(`{"type":"object","properties":{"a":{"type":"integer"}}}`))
	if got, err := lax.Build(nil, json.RawMessage(`{"z":1}`), readFile); err != nil || string(got) != `{"z":1}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := lax.Build([]string{"z=1"}, nil, readFile); err == nil {
		t.Error("z is taken for an argument")
	}
}

func TestOpenSchemas(t *testing.T) {
	for _, tt := range []struct{ schema, want string }{
		{``, `{"x":1}`}, {`null`, `{"x":1}`}, {`true`, `{"x":1}`}, {`{"type":"object"}`, `{"x":1}`},
		{`{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}}`, `{"x":"1"}`},
		{`{"type":"object","properties":{"a":{}},"additionalProperties":true}`, `{"x":1}`},
		{`{"type":"object","properties":{}}`, ""},
	} {
		got, err := NewSchema(json.RawMessage(tt.schema)).Build([]string{"x=1"}, nil, readFile)
		if tt.want != "" && string(got) != tt.want || tt.want == "" && err == nil {
			t.Errorf("%s: %s, %v", tt.schema, got, err)
		}
	}
}

func TestUsage(t *testing.T) {
	got := NewSchema(json.RawMessage(issueSchema)).Usage()
	for _, want := range []string{"title=STRING [priority=low|medium|high] [count=INTEGER]", "[labels=STRING …]", "[parent=STRING]", "[size=1|2|3]", "[filter=OBJECT]", "[wild=ANY]", "[estimate=INTEGER]"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	list := NewSchema(json.RawMessage(issueSchema)).Arguments()
	if list[0].Name != "title" || !list[0].Required || list[0].Description != "One line." || list[1].Default != "low" || list[1].Required {
		t.Errorf("%+v", list[:2])
	}
}

// A schema that refers to itself, in many ways at once, takes no time and no stack.
func TestEndlessSchemas(t *testing.T) {
	self := strings.Repeat(`{"$ref":"#"},`, 20) + `{"$ref":"#/properties/x"}`
	for _, schema := range []string{
		`{"properties":{"x":{"$ref":"#/properties/x"}}}`,
		`{"properties":{"x":{"type":"array","items":{"$ref":"#/properties/x"}}}}`,
		`{"allOf":[` + self + `],"properties":{"x":{"anyOf":[` + self + `]}}}`,
		`{"anyOf":[` + self + `],"properties":{"x":{"allOf":[` + self + `]}}}`,
		`{"properties":{"x":{"$ref":"#/nowhere"},"y":{"$ref":"https://example.com/schema"},"z":{"$ref":"#"}}}`,
	} {
		done := make(chan bool)
		go func() {
			s := NewSchema(json.RawMessage(schema))
			_ = s.Usage()
			_, _ = s.Build([]string{"x=1", "y=2", "z.x=3"}, nil, readFile)
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%.60s", schema)
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add(issueSchema, "title=x")
	f.Add(`{"properties":{"x":{"anyOf":[{"$ref":"#"}]}}}`, "x.x.x=1")
	f.Fuzz(func(t *testing.T, schema, word string) {
		s := NewSchema(json.RawMessage(schema))
		_ = s.Usage()
		got, err := s.Build([]string{word}, nil, readFile)
		var object map[string]json.RawMessage
		if err == nil && json.Unmarshal(got, &object) != nil {
			t.Errorf("%s %s: %s", schema, word, got)
		}
	})
}
