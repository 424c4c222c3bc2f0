package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/web"
)

const (
	// fetchTime limits a request for metadata or a registration, tokenTime one for tokens.
	fetchTime = 10 * time.Second
	tokenTime = 15 * time.Second
	// maxBody is the most that is read of an answer, in bytes.
	maxBody = 1 << 20
)

// checkScheme refuses plain http off this machine, whatever other requests may do: these carry codes and tokens.
func checkScheme(u *url.URL) error { return web.CheckURL(u, nil) }

// get fetches a JSON document into v, and reports whether there is one.
func (s *Resource) get(ctx context.Context, u *url.URL, v any) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Accept", "application/json")
	status, body, err := s.do(r)
	switch {
	case err != nil:
		return false, err
	case status >= 500:
		return false, fmt.Errorf("%s answered %d", web.Redact(u), status)
	case status != http.StatusOK:
		return false, nil
	case json.Unmarshal(body, v) != nil:
		return false, nil // some servers answer every path with a page
	}
	return true, nil
}

// do sends r and reads its whole answer. Its error shows no query.
func (s *Resource) do(r *http.Request) (status int, body []byte, err error) {
	if checkScheme(r.URL) != nil {
		return 0, nil, errors.New(web.Redact(r.URL) + ": a login needs https")
	}
	resp, err := s.o.HTTP.Do(r)
	if err != nil {
		if ctxErr := r.Context().Err(); errors.Is(ctxErr, context.Canceled) {
			return 0, nil, ctxErr
		}
		return 0, nil, &unreached{web.Describe(err)}
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return 0, nil, &unreached{web.Redact(r.URL) + ": the answer broke off"}
	case len(body) > maxBody:
		return 0, nil, fmt.Errorf("%s answered with more than 1 MiB", web.Redact(r.URL))
	}
	return resp.StatusCode, body, nil
}

// unreached is the error of a request that may not have got an answer for reasons that pass.
type unreached struct{ text string }

func (e *unreached) Error() string { return e.text }

// post sends a form to an endpoint of the authorization server, as client, and returns the answer.
func (s *Resource) post(ctx context.Context, endpoint string, c client, form url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	c.identify(form)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, errors.New("the authorization server's endpoint isn't a URL")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	c.sign(r)
	return s.do(r)
}
