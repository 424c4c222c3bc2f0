package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// grant is what consent is about: a user's account at a server.
type grant struct{ user, server string } // ids

// connection is the state of a grant, as the control plane shows it.
type connection struct {
	connected        bool
	created, updated time.Time
}

// attempt is a user's way to consent: an authorization URL with its state.
type attempt struct {
	grant   grant
	slug    string
	query   url.Values // of the authorization URL
	expires time.Time
	code    string         // "" until the user has allowed access
	over    bool           // the gateway has seen the code or the refusal
	resume  *authorization // the login that it is a part of, nil if a call led here
}

// consents are all grants and attempts.
type consents struct {
	mu          sync.Mutex
	lifetime    time.Duration
	connections map[grant]*connection
	attempts    map[string]*attempt // by state
	minted      int
}

func newConsents(lifetime time.Duration) *consents {
	return &consents{lifetime: lifetime, connections: map[grant]*connection{}, attempts: map[string]*attempt{}}
}

// connected reports whether consent was given.
func (c *consents) connected(g grant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.connections[g]
	return conn != nil && conn.connected
}

// set gives or takes consent.
func (c *consents) set(g grant, connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setLocked(g, connected)
}

func (c *consents) setLocked(g grant, connected bool) {
	now := time.Now()
	conn := c.connections[g]
	if conn == nil {
		conn = &connection{created: now}
		c.connections[g] = conn
	}
	conn.connected, conn.updated = connected, now
}

// of returns the connections of a server by user; a user's own if user isn't "".
func (c *consents) of(s *server, user string) map[string]connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]connection{}
	for g, conn := range c.connections {
		if g.server == s.id && (user == "" || g.user == user) {
			found[g.user] = *conn
		}
	}
	return found
}

// mint makes an attempt with a fresh state and client, and forgets the user's tokens. It returns the URL's query.
func (c *consents) mint(g grant, slug, redirectURI, resource string, resume *authorization) url.Values {
	challenge := sha256.Sum256([]byte(randomHex(32)))
	state := randomHex(32)
	query := url.Values{
		"response_type": {"code"}, "client_id": {"client-" + randomHex(8)}, "redirect_uri": {redirectURI},
		"state": {state}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"}, "resource": {resource},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for s, a := range c.attempts {
		if now.After(a.expires) {
			delete(c.attempts, s)
		}
	}
	c.attempts[state] = &attempt{grant: g, slug: slug, query: query, expires: now.Add(c.lifetime), resume: resume}
	c.minted++
	if g.user != "" {
		c.setLocked(g, false)
	}
	return query
}

// waiting returns the attempt that an authorization URL belongs to, if the URL is whole and neither expired nor answered.
func (c *consents) waiting(slug string, query url.Values) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.attempts[query.Get("state")]
	if a == nil || a.slug != slug || a.over || a.code != "" || a.query.Encode() != query.Encode() || time.Now().After(a.expires) {
		return nil
	}
	return a
}

// allow gives the attempt a code, which the callback must bring along.
func (c *consents) allow(a *attempt) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.code = randomHex(16)
	return a.code
}

// resumes returns the login that an attempt is a part of, nil if there is none.
func (c *consents) resumes(state string) *authorization {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.attempts[state]; a != nil {
		return a.resume
	}
	return nil
}

// finish ends an attempt: with consent if code is the attempt's, without if the user denied it. It returns what is wrong
// with the attempt, or "".
func (c *consents) finish(state, code string, denied bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.attempts[state]
	switch {
	case a == nil || time.Now().After(a.expires):
		return "The link is unknown or has expired."
	case a.over || !denied && (a.code == "" || a.code != code):
		return "The link was used before."
	}
	a.over = true
	switch {
	case denied:
	case a.grant.user == "":
		return "The API key that asked names no user, so nobody's consent can be stored for it."
	default:
		c.setLocked(a.grant, true)
	}
	return ""
}

// Consented reports whether the key's user has given consent for a server.
func (g *Gateway) Consented(key, server string) bool {
	s := g.find(server)
	return s != nil && g.consents.connected(grant{g.holders[key].user, s.id})
}

// SetConsent gives or takes the consent of the key's user for a server. A key that names no user stays without.
func (g *Gateway) SetConsent(key, server string, connected bool) {
	if s, h := g.find(server), g.holders[key]; s != nil && h.user != "" {
		g.consents.set(grant{h.user, s.id}, connected)
	}
}

// AuthorizationURLs returns how many authorization URLs, each with its own state, the gateway has made.
func (g *Gateway) AuthorizationURLs() int {
	g.consents.mu.Lock()
	defer g.consents.mu.Unlock()
	return g.consents.minted
}

// shapes are the forms of "the user must authorize this first". A shape that returns nil lets the call through.
func shapes() map[string]func(g *Gateway, c *call, authorize string) *answer {
	return map[string]func(g *Gateway, c *call, authorize string) *answer{
		"A": func(g *Gateway, c *call, authorize string) *answer {
			type data struct {
				Type string `json:"type"`
				URL  string `json:"authorizationUrl"`
			}
			return rpcAnswer(http.StatusUnauthorized, notMCP,
				"Authorization required for "+g.workspace.slug+"/"+c.server.slug+". Complete it here: "+authorize,
				messageID(c.body), data{"oauth_required", authorize})
		},
		"B": func(g *Gateway, c *call, authorize string) *answer {
			type data struct {
				Server    string `json:"serverId"`
				Workspace string `json:"workspaceId"`
				URL       string `json:"authorizationUrl"`
			}
			return inStream(c, notMCP, "Authorization required", data{c.server.slug, g.workspace.slug, authorize})
		},
		"C": func(_ *Gateway, c *call, authorize string) *answer {
			type data struct {
				URL string `json:"authorization_url"`
			}
			return inStream(c, -32001, "OAuth required: "+string(encode(data{authorize})), data{authorize})
		},
		"C-body": func(g *Gateway, c *call, authorize string) *answer {
			return &answer{status: http.StatusUnauthorized, body: struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
				URL         string `json:"authorization_url"`
			}{"authorization_required", "Authorize " + c.server.slug + " first", authorize}}
		},
		"D": func(g *Gateway, c *call, _ string) *answer {
			return g.unauthorized("/"+g.workspace.slug+"/"+c.server.slug+"/mcp", "The upstream access token is invalid or has expired")
		},
		"F": func(_ *Gateway, c *call, _ string) *answer { return sessionLost(messageID(c.body)) },
		"G": func(_ *Gateway, c *call, _ string) *answer {
			const cause = "Streamable HTTP error: Server returned 401 after successful authentication"
			switch prefix := flattened(rpcMethods(c.body)); {
			case prefix == "" || messageID(c.body) == nil:
				return nil
			default:
				return inStream(c, mcp.INTERNAL_ERROR, prefix+cause, nil)
			}
		},
	}
}

// inStream is an error that comes with status 200 in an event stream. Where there is no request to answer, it is lost.
func inStream(c *call, code int, message string, data any) *answer {
	id := messageID(c.body)
	if id == nil {
		return &answer{status: http.StatusAccepted}
	}
	a := rpcAnswer(http.StatusOK, code, message, id, data)
	a.stream = true
	return a
}

// checkConsent turns away a user who hasn't authorized the server, each time with a new URL, as the source does: it registers
// with the upstream anew, and deletes what tokens it has.
func (g *Gateway) checkConsent(c *call) *answer {
	grant := grant{c.holder.user, c.server.id}
	if !c.server.perUser() || g.consents.connected(grant) {
		return nil
	}
	if c.r.Method != http.MethodPost {
		// The source reads the message's id from the body that these don't have.
		return &answer{status: http.StatusInternalServerError, body: struct {
			Status  string `json:"status"`
			Message string `json:"message"`
		}{"failure", "Unexpected end of JSON input"}}
	}
	select {
	case <-time.After(g.o.RegistrationTime):
	case <-c.r.Context().Done():
	}
	query := g.consents.mint(grant, c.server.slug, g.gatewayURL+callbackPath, c.server.upstream, nil)
	return shapes()[g.o.Consent](g, c, g.gatewayURL+"/oauth/upstream/"+c.server.slug+"/authorize?"+query.Encode())
}

const callbackPath = "/oauth/upstream-callback"
