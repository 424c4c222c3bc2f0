package clients

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpctl/mcpctl/internal/configfile"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Direct is how a client is told of a server that it speaks to by itself, over streamable HTTP.
type Direct struct {
	First, Last configfile.Members
	// URL is the member with the server's address.
	URL string
	// Headers is the path of the member with further headers, by name; none where the client sends none of ours.
	Headers []string
	// Variable is a header's value that the client takes from the environment, %s being the variable's name; "" where the
	// file can only hold the value itself, and so can't hold a key.
	Variable string
	// BearerVariable is a member that names the variable of a bearer token, for a client whose Variable is the whole value.
	BearerVariable string
	// OAuth says that the client asks its user to log in when the server wants that.
	OAuth bool
}

// Remote is a server for a client to speak to by itself.
type Remote struct {
	URL string
	// KeyHeader is the header that carries the API key, web.PortkeyHeader or web.AuthorizationHeader, and KeyVariable the
	// variable of the client's environment that the key is in. "" for KeyVariable leaves it to OAuth.
	KeyHeader, KeyVariable string
}

// CheckDirect returns why the client can't be told of r, nil if it can.
func (c Client) CheckDirect(r Remote) error {
	const bridged = "leave out --direct: mcpctl's bridge works everywhere"
	switch d := c.Direct; {
	case d == nil:
		return problem.New(bridged, "%s takes no remote server from its file: %s", c.Name, c.NotDirect)
	case r.KeyVariable == "" && !d.OAuth && d.Variable == "":
		return problem.New(bridged, "%s can't log in by OAuth, and its file could only hold the key itself, which mcpctl never writes", c.Name)
	case r.KeyVariable == "" && !d.OAuth:
		return problem.New("name a variable that holds the key, with --key-env NAME", "%s isn't known to log in by OAuth", c.Name)
	case r.KeyVariable != "" && d.Variable == "":
		return problem.New("leave out --key-env, for its own OAuth", "%s's file could only hold the key itself, which mcpctl never writes", c.Name)
	}
	return nil
}

// reach returns the members that say where r is, and what opens it.
func (d Direct) reach(r Remote) configfile.Members {
	members := configfile.Members{{Name: d.URL, Value: r.URL}}
	if r.KeyVariable != "" {
		members = append(members, d.key(r))
	}
	return members
}

// key returns the member that makes the client send the key.
func (d Direct) key(r Remote) configfile.Member {
	name, value := web.PortkeyHeader, fmt.Sprintf(d.Variable, r.KeyVariable)
	if r.KeyHeader == web.AuthorizationHeader {
		if d.BearerVariable != "" {
			return configfile.Member{Name: d.BearerVariable, Value: r.KeyVariable}
		}
		name, value = "Authorization", "Bearer "+value
	}
	m := configfile.Member{Name: name, Value: value}
	for _, parent := range slices.Backward(d.Headers) {
		m = configfile.Member{Name: parent, Value: configfile.Members{m}}
	}
	return m
}

// Link returns the address that makes the client offer e to its user, "" for a client without such.
func (c Client) Link(e Entry) string {
	entry := encode(c.Members(e))
	named := encode(append(configfile.Members{{Name: "name", Value: e.Name}}, c.Members(e)...))
	var args []string
	for _, a := range e.Command.Args {
		args = append(args, "arg="+component(a))
	}
	return strings.NewReplacer(
		"{name}", component(e.Name),
		"{base64}", component(base64.StdEncoding.EncodeToString([]byte(entry))),
		"{json}", component(named),
		"{command}", component(e.Command.Path),
		"{args}", strings.Join(args, "&"),
	).Replace(c.LinkForm)
}

// component escapes as JavaScript's encodeURIComponent does, or more.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// encode returns what is to be written as JSON, its members in their order and without white space.
func encode(value any) string {
	switch v := value.(type) {
	case configfile.Members:
		texts := make([]string, len(v))
		for i, m := range v {
			texts[i] = encode(m.Name) + ":" + encode(m.Value)
		}
		return "{" + strings.Join(texts, ",") + "}"
	case configfile.Raw:
		value, _ = v.Value() // a row's own
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // what a row or a command line holds encodes
	return strings.TrimSuffix(b.String(), "\n")
}
