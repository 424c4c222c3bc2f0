package bridge

import (
	"bytes"
	"slices"
)

// property is a member of a JSON object: its name without quotes, and its value as JSON.
type property struct {
	name  string
	value []byte
}

// withMeta returns a request with properties in params._meta; one that is there already keeps its value. Params and _meta are
// made where they are absent, and all other bytes stay as they are. Params that are no object can't be extended: the request
// is returned as it is.
func withMeta(m message, properties []property) message {
	meta := member(m.params, "_meta")
	var missing []property
	for _, p := range properties {
		if member(meta, p.name) == nil {
			missing = append(missing, p)
		}
	}
	switch {
	case meta == nil:
		return withParams(m, []property{{"_meta", withProperties([]byte("{}"), missing)}})
	case isObject(meta):
		return m.replaced(meta, withProperties(meta, missing))
	}
	return m.replaced(meta, withProperties([]byte("{}"), missing))
}

// withParams returns a request with properties in its params, which it doesn't hold yet.
func withParams(m message, properties []property) message {
	switch {
	case isObject(m.params):
		return m.replaced(m.params, withProperties(m.params, properties))
	case m.params == nil:
		return m.replaced(m.raw, withProperties(m.raw, []property{{"params", withProperties([]byte("{}"), properties)}}))
	case string(m.params) == "null":
		return m.replaced(m.params, withProperties([]byte("{}"), properties))
	}
	return m
}

// replaced returns the message with the bytes new instead of old, which are a part of it.
func (m message) replaced(old, new []byte) message {
	start := cap(m.raw) - cap(old) // both end where their memory ends
	edited, err := parse(slices.Concat(m.raw[:start], new, m.raw[start+len(old):]))
	if err != nil {
		return m
	}
	return edited
}

// withProperties returns a JSON object with properties before its own.
func withProperties(object []byte, properties []property) []byte {
	inside := bytes.TrimLeft(object, " \t\r\n")[1:]
	edited := []byte("{")
	for i, p := range properties {
		if i > 0 {
			edited = append(edited, ',')
		}
		edited = append(append(append(append(edited, '"'), p.name...), `":`...), p.value...)
	}
	if len(properties) > 0 && bytes.TrimLeft(inside, " \t\r\n")[0] != '}' {
		edited = append(edited, ',')
	}
	return append(edited, inside...)
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }
