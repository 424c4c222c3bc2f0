package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// The ways in which a client says who it is at the token endpoint (RFC 7591, section 2).
const (
	methodNone  = "none"
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
)

// client is mcpctl as an authorization server knows it.
type client struct {
	id     string
	secret secret.Secret // mostly empty: a program on a user's machine keeps no secret from its user
	method string
}

// identify and sign put the client's name, and its secret if it has one, on a request to the authorization server.
func (c client) identify(form url.Values) {
	if c.method != methodBasic {
		form.Set("client_id", c.id)
	}
	if c.method == methodPost {
		form.Set("client_secret", c.secret.Reveal())
	}
}

func (c client) sign(r *http.Request) {
	if c.method == methodBasic {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret.Reveal())) // RFC 6749, section 2.3.1
	}
}

// register makes mcpctl known to the authorization server, with the address that the browser will be sent back to.
func (a *Server) register(ctx context.Context, redirect string) (client, error) {
	if id := a.s.o.ClientID; id != "" {
		c := client{id, a.s.o.ClientSecret, methodNone}
		if !c.secret.IsZero() {
			c.method = secretMethod(a.meta.AuthMethods)
		}
		return c, nil
	}
	if a.meta.Register == "" {
		return client{}, problem.New("register a client there by hand, with the redirect address http://127.0.0.1/callback, and run mcpctl login --oauth URL --client-id ID",
			"the authorization server %s registers no clients by itself", cleanHost(a.meta.Issuer))
	}
	method := methodNone
	if len(a.meta.AuthMethods) > 0 && !slices.Contains(a.meta.AuthMethods, methodNone) {
		method = secretMethod(a.meta.AuthMethods)
	}
	return a.registerAs(ctx, method, redirect)
}

// secretMethod chooses how a secret is sent; metadata that names no method means the first (RFC 8414, section 2).
func secretMethod(offered []string) string {
	if len(offered) > 0 && !slices.Contains(offered, methodBasic) && slices.Contains(offered, methodPost) {
		return methodPost
	}
	return methodBasic
}

func (a *Server) registerAs(ctx context.Context, method, redirect string) (client, error) {
	request, err := json.Marshal(map[string]any{
		"client_name": "mcpctl", "application_type": "native", "redirect_uris": []string{redirect},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": method,
	})
	if err != nil {
		return client{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.meta.Register, bytes.NewReader(request))
	if err != nil {
		return client{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	status, body, err := a.s.do(r)
	if err != nil {
		return client{}, err
	}
	var answer struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Method string `json:"token_endpoint_auth_method"`
		Error  string `json:"error"`
	}
	// The gateway's control plane refuses with 201 and null (Portkey-AI/gateway, src/mcp).
	if err := json.Unmarshal(body, &answer); err != nil || status < 200 || status > 299 || answer.ID == "" {
		return client{}, &refusedRegistration{cleanHost(a.meta.Issuer), status, errorCode(answer.Error)}
	}
	c := client{answer.ID, secret.New(answer.Secret), method}
	a.s.o.Hide(c.secret)
	if slices.Contains([]string{methodNone, methodBasic, methodPost}, answer.Method) {
		c.method = answer.Method
	}
	if c.secret.IsZero() {
		c.method = methodNone
	}
	return c, nil
}

// refusedRegistration is the error of an authorization server that doesn't want mcpctl as a client.
type refusedRegistration struct {
	host   string
	status int
	code   string
}

func (e *refusedRegistration) Error() string {
	text := fmt.Sprintf("the authorization server %s took no registration (%d", e.host, e.status)
	if e.code != "" {
		text += " " + e.code
	}
	return text + ")"
}

func isRefusedRegistration(err error) bool {
	var refused *refusedRegistration
	return errors.As(err, &refused)
}
