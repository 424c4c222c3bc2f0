package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
)

// style is the pages' only style, and the only one that their Content-Security-Policy lets in.
const style = `:root{color-scheme:light dark;--back:#f4f4f6;--card:#fff;--text:#1d1d22;--soft:#62626c;--line:#dcdce2;--main:#3b5bdb}
@media(prefers-color-scheme:dark){:root{--back:#16161a;--card:#212127;--text:#eeeef2;--soft:#a2a2ae;--line:#3a3a43;--main:#748ffc}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem}
h1{font-size:1.3rem;line-height:1.3;margin:0 0 .75rem}
p,ul{margin:0 0 1rem}ul{padding-left:1.2rem}
form{display:flex;gap:.75rem;margin:1.5rem 0 0}
button{flex:1;font:inherit;font-weight:600;padding:.7rem 1rem;border-radius:9px;border:1px solid var(--line);background:none;color:inherit;cursor:pointer}
button#allow{background:var(--main);border-color:var(--main);color:var(--card)}
button:focus-visible{outline:3px solid var(--main);outline-offset:2px}
small{display:block;margin-top:1.5rem;color:var(--soft)}`

// page sends a page without scripts, which nobody may store, frame or learn the address of. A form's answer may end at the
// program on this machine that wants to log in: browsers apply form-action to redirects as well.
func page(w http.ResponseWriter, status int, title, body string) {
	sum := sha256.Sum256([]byte(style))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>%[1]s</title><style>%[2]s</style></head>
<body><main><h1>%[1]s</h1>
%[3]s
<small>A page of the demo gateway on this machine. No real account is involved.</small></main></body>
</html>
`, html.EscapeString(title), style, body)
}

// consentPage is the upstream's page that an authorization URL leads to.
func (g *Gateway) consentPage(w http.ResponseWriter, r *http.Request) {
	a := g.consents.waiting(r.PathValue("server"), r.URL.Query())
	if a == nil {
		deadLink(w)
		return
	}
	s := g.find(a.slug)
	switch g.o.ConsentPage {
	case "accept":
		g.toCallback(w, r, a, true)
	case "deny":
		g.toCallback(w, r, a, false)
	case "never":
		page(w, http.StatusOK, "Allow access to "+s.name+"?", "<p>Nobody will answer here: the demo was started with a page that has no buttons.</p>")
	default:
		page(w, http.StatusOK, "Allow access to "+s.name+"?", fmt.Sprintf(`<p>The MCP gateway of workspace <strong>%s</strong> asks for access to your %s account, to</p>
<ul><li>read what you can read</li><li>create and change things in your name</li></ul>
<form method="post"><button id="deny" name="decision" value="deny">Deny</button><button id="allow" name="decision" value="allow">Allow</button></form>`,
			html.EscapeString(g.workspace.name), html.EscapeString(s.name)))
	}
}

func deadLink(w http.ResponseWriter) {
	page(w, http.StatusBadRequest, "This link doesn't work",
		"<p>It is incomplete, was used before, or has expired. Call the tool again to get a new one.</p>")
}

// consentDecision is a press on one of the page's buttons. The form's target is the authorization URL itself.
func (g *Gateway) consentDecision(w http.ResponseWriter, r *http.Request) {
	a := g.consents.waiting(r.PathValue("server"), r.URL.Query())
	decision := r.PostFormValue("decision")
	if a == nil || g.o.ConsentPage == "never" || decision != "allow" && decision != "deny" {
		deadLink(w)
		return
	}
	g.toCallback(w, r, a, decision == "allow")
}

// toCallback sends the browser to the gateway with an authorization code, or a refusal (RFC 6749, section 4.1.2).
func (g *Gateway) toCallback(w http.ResponseWriter, r *http.Request, a *attempt, allowed bool) {
	query := url.Values{"state": {a.query.Get("state")}}
	if allowed {
		query.Set("code", g.consents.allow(a))
	} else {
		query.Set("error", "access_denied")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, a.query.Get("redirect_uri")+"?"+query.Encode(), http.StatusFound)
}

// consentCallback is where the gateway takes the code. As in the source, its failures are pages with status 200.
func (g *Gateway) consentCallback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	denied := query.Get("error") != ""
	login := g.consents.resumes(query.Get("state"))
	fault := "Invalid resume state in upstream callback"
	if g.o.Generation != "2.2" || login != nil {
		fault = g.consents.finish(query.Get("state"), query.Get("code"), denied)
	}
	switch {
	case fault != "":
		page(w, http.StatusOK, "Authorization Failed", "<p>"+html.EscapeString(fault)+"</p>")
	case denied:
		page(w, http.StatusOK, "Access denied", "<p>Nothing was connected. You can close this window.</p>")
	case login != nil:
		g.toClient(w, r, login, "")
	default:
		page(w, http.StatusOK, "Access granted", "<p>You can close this window.</p>")
	}
}
