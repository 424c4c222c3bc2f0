//go:build clients && linux

package realclients

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// done is what the model says once it has a tool's result.
const done = "The model is done."

// model is a language model on loopback that does one thing: offered a tool, it calls it, and once it has been told a
// result, it says that it is done. It speaks what each of the clients speaks to its own.
type model struct {
	*httptest.Server
	tool string // the end of the tool's name
	args any
	// before is called before the tool is, idle whenever no tool is offered.
	before, idle func()

	callOnce sync.Once
	mu       sync.Mutex
	bodies   []string
	tools    bool // the tool was offered
}

func newModel(t *testing.T, tool string, args any) *model {
	m := &model{tool: tool, args: args, before: func() {}, idle: func() {}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

// dialect is a way to speak to a model. Events are what it streams: the data of a server-sent event, by the event's name
// if they have names.
type dialect struct {
	path string // the end of the request's path
	// result is in a request that brings along a tool's result.
	result string
	call   func(tool, namespace, args string) []string
	say    func(text string) []string
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	for _, d := range dialects() {
		if strings.HasSuffix(r.URL.Path, d.path) {
			m.answer(w, d, string(body))
			return
		}
	}
	m.note(r.Method + " " + r.URL.String())
	http.NotFound(w, r)
}

func (m *model) answer(w http.ResponseWriter, d dialect, body string) {
	m.note(body)
	events := d.say(done)
	switch tool, namespace := m.offered(body); {
	case tool == "":
		m.idle()
	case !strings.Contains(body, d.result):
		m.callOnce.Do(m.before)
		args, _ := json.Marshal(m.args)
		events = d.call(tool, namespace, string(args))
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range events {
		var typed struct{ Type string }
		if json.Unmarshal([]byte(e), &typed) == nil && typed.Type != "" {
			fmt.Fprintf(w, "event: %s\n", typed.Type)
		}
		fmt.Fprintf(w, "data: %s\n\n", e)
	}
}

func (m *model) note(body string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = append(m.bodies, body)
}

// requests returns what the client has sent so far.
func (m *model) requests() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.bodies, "\n\n")
}

// wasOffered reports whether the tool was among those of any request so far.
func (m *model) wasOffered() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tools
}

// offered finds the tool among those of a request; namespace is the tool's if it has one.
func (m *model) offered(body string) (tool, namespace string) {
	var request struct{ Tools any }
	if json.Unmarshal([]byte(body), &request) != nil {
		return "", ""
	}
	tool, namespace = find(request.Tools, regexp.MustCompile(`(^|[^a-z])`+regexp.QuoteMeta(m.tool)+`$`), "")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tools = m.tools || tool != ""
	return tool, namespace
}

// find looks for an object whose name fits, at any depth.
func find(v any, name *regexp.Regexp, around string) (tool, namespace string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if tool, namespace = find(e, name, around); tool != "" {
				return tool, namespace
			}
		}
	case map[string]any:
		own, _ := v["name"].(string)
		if name.MatchString(own) {
			return own, around
		}
		if v["type"] == "namespace" {
			around = own
		}
		for _, e := range v {
			if tool, namespace = find(e, name, around); tool != "" {
				return tool, namespace
			}
		}
	}
	return "", ""
}

func dialects() []dialect {
	return []dialect{
		{
			path: "/v1/messages", result: `"tool_result"`,
			call: func(tool, _, args string) []string {
				return anthropic(`{"type":"tool_use","id":"toolu_1","name":`+quote(tool)+`,"input":{}}`,
					`{"type":"input_json_delta","partial_json":`+quote(args)+`}`, "tool_use")
			},
			say: func(text string) []string {
				return anthropic(`{"type":"text","text":""}`, `{"type":"text_delta","text":`+quote(text)+`}`, "end_turn")
			},
		},
		{
			path: "/responses", result: `"function_call_output"`,
			call: func(tool, namespace, args string) []string {
				item := `{"type":"function_call","id":"fc_1","call_id":"call_1","name":` + quote(tool) + `,"arguments":` + quote(args)
				if namespace != "" {
					item += `,"namespace":` + quote(namespace)
				}
				return responses(item + `}`)
			},
			say: func(text string) []string {
				return responses(`{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":` + quote(text) + `}]}`)
			},
		},
		{
			path: ":streamGenerateContent", result: `"functionResponse"`,
			call: func(tool, _, args string) []string {
				return gemini(`{"functionCall":{"name":` + quote(tool) + `,"args":` + args + `}}`)
			},
			say: func(text string) []string { return gemini(`{"text":` + quote(text) + `}`) },
		},
		{
			path: "/chat/completions", result: `"role":"tool"`,
			call: func(tool, _, args string) []string {
				return completion(`{"role":"assistant","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":`+quote(tool)+
					`,"arguments":`+quote(args)+`}}]}`, "tool_calls")
			},
			say: func(text string) []string {
				return completion(`{"role":"assistant","content":`+quote(text)+`}`, "stop")
			},
		},
	}
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func anthropic(block, delta, reason string) []string {
	return []string{
		`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"fake","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":` + block + `}`,
		`{"type":"content_block_delta","index":0,"delta":` + delta + `}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":` + quote(reason) + `,"stop_sequence":null},"usage":{"output_tokens":1}}`,
		`{"type":"message_stop"}`,
	}
}

func responses(item string) []string {
	return []string{
		`{"type":"response.created","response":{"id":"resp_1"}}`,
		`{"type":"response.output_item.done","output_index":0,"item":` + item + `}`,
		`{"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}`,
	}
}

func gemini(part string) []string {
	return []string{`{"candidates":[{"index":0,"content":{"role":"model","parts":[` + part + `]},"finishReason":"STOP"}],` +
		`"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`}
}

func completion(delta, reason string) []string {
	chunk := func(delta, reason string) string {
		return `{"id":"chat_1","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + reason + `}]}`
	}
	return []string{chunk(delta, "null"), chunk("{}", quote(reason)), "[DONE]"}
}
