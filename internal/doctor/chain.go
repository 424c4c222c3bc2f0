package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/gateway"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/oauth"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Setting is what the settings say; Err is why they can't be read, and then all else is zero.
type Setting struct {
	File, Profile               string
	Exists                      bool
	Err                         error
	GatewayURL, ControlPlaneURL string
	Proxy, CAFile               string
}

// Options are what the chain is checked with.
type Options struct {
	Host    host.Host
	Environ []string // of this process, each NAME=VALUE
	Version string
	Self    clients.Self
	Setting Setting
	// Credential returns the key in force, and Verify asks the gateway about it.
	Credential func(context.Context) (credential.Found, error)
	Verify     func(context.Context, web.Key) (gateway.Verification, error)
	// Logins are the servers that the user has signed in to through the browser.
	Logins []oauth.Record
	// Again is this program with the arguments that make it check the credential alone, offline, and print JSON.
	Again []string
	// Client is the id of the only client to look at; "" is all of them.
	Client string
	// Places are the files of AI clients to look into, and Status what is in each.
	Places []clients.Place
	Status func(clients.Place) clients.Status
	// Project is the folder whose files are among Places.
	Project string
	// Limit is how long the gateway and its control plane may take to answer what they are asked about the key.
	Limit time.Duration
}

// chain is what several checks need, found out once.
type chain struct {
	Options
	credential func() (credential.Found, error)
	verified   func() (gateway.Verification, error)
}

// keyTime is more than a keyring gets.
const keyTime = 8 * time.Second

// Checks returns the links of the chain, in the order in which they hang together.
func Checks(o Options) []Check {
	c := &chain{Options: o}
	c.credential = sync.OnceValues(func() (credential.Found, error) {
		ctx, cancel := context.WithTimeout(context.Background(), keyTime)
		defer cancel()
		return o.Credential(ctx)
	})
	c.verified = sync.OnceValues(func() (gateway.Verification, error) {
		found, _ := c.credential() // without a key this still tells what can be reached
		ctx, cancel := context.WithTimeout(context.Background(), o.Limit)
		defer cancel()
		return o.Verify(ctx, found.Key)
	})
	list := []Check{
		{Name: "program", Subject: o.Self.Path, Run: c.program},
		{Name: "settings", Subject: o.Setting.File, Run: c.settings},
	}
	if o.Setting.Err == nil {
		list = append(list,
			Check{Name: "environment", Subject: "proxy and certificates", Run: c.environment},
			Check{Name: "credential", Subject: o.Setting.Profile, Run: c.key, Limit: keyTime + time.Second},
			Check{Name: "credential-for-clients", Subject: o.Setting.Profile, Run: c.bareKey, Limit: 2*keyTime + time.Second},
			Check{Name: "gateway", Subject: o.Setting.GatewayURL, Online: true, Run: c.gateway, Limit: keyTime + o.Limit},
			Check{Name: "control-plane", Subject: o.Setting.ControlPlaneURL, Online: true, Run: c.controlPlane, Limit: keyTime + o.Limit},
			Check{Name: "key", Subject: o.Setting.Profile, Online: true, Run: c.scopes, Limit: keyTime + o.Limit},
		)
	}
	for _, r := range o.Logins {
		list = append(list, Check{Name: "login", Subject: r.Server, Run: func(context.Context) []Result { return []Result{login(r)} }})
	}
	return append(list, c.clients()...)
}

func (c *chain) program(context.Context) []Result {
	self := c.Self
	var found []Result
	next := "put it into a lasting folder, then install again"
	if self.Other != "" {
		next = "use the lasting one: " + self.Other
	}
	switch {
	case self.Vanishing:
		found = append(found, finding(Warning, next, "built by go run, and gone when it ends"))
	case self.Temporary:
		found = append(found, finding(Warning, next, "lies in a folder for temporary files"))
	}
	if self.Other != "" {
		found = append(found, finding(Warning, "remove one of the two, or change the order of PATH", "PATH leads to another mcpctl: %s", self.Other))
	}
	if c.Host.OS == "windows" && strings.Contains(self.Path, " ") {
		found = append(found, finding(Warning, "put it into a folder without", "has a space in its path, which some clients can't start"))
	}
	if len(found) == 0 {
		found = append(found, finding(OK, "", "version %s", c.Version))
	}
	return found
}

func (c *chain) settings(context.Context) []Result {
	s := c.Setting
	switch {
	case s.Err != nil:
		return []Result{failure(s.Err)}
	case !s.Exists:
		return []Result{finding(OK, "", "not there: the defaults hold")}
	}
	return []Result{finding(OK, "", "profile %s", s.Profile)}
}

// environment looks for what works in this shell alone: most clients start their servers without it.
func (c *chain) environment(context.Context) []Result {
	var found []Result
	u, err := url.Parse(c.Setting.GatewayURL)
	if err == nil && u.Scheme == "https" && !web.IsLoopback(u.Hostname()) {
		for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
			if c.Setting.Proxy == "" && c.Host.Getenv(name) != "" {
				found = append(found, finding(Warning, "write it into "+c.Setting.File+": profiles."+c.Setting.Profile+".proxy",
					"%s is set in this shell, and most clients don't pass it on to their servers", name))
				break
			}
		}
		if c.Setting.CAFile == "" && c.Host.Getenv("SSL_CERT_FILE") != "" {
			found = append(found, finding(Warning, "write it into "+c.Setting.File+": profiles."+c.Setting.Profile+".ca_file",
				"SSL_CERT_FILE is set in this shell, and most clients don't pass it on to their servers"))
		}
	}
	if len(found) == 0 {
		found = append(found, finding(OK, "", "nothing that clients' servers would miss"))
	}
	return found
}

func (c *chain) key(context.Context) []Result {
	found, err := c.credential()
	kind, _ := credential.KindOf(err)
	switch {
	case err != nil && kind == credential.NotFound && len(c.Logins) > 0:
		return []Result{finding(OK, "", "no key; what you have logged in to through the browser needs none")}
	case err != nil:
		return []Result{failure(err)}
	case found.Kind == credential.FromEnvironment:
		return []Result{finding(Warning, "run mcpctl login, which keeps it where every client's servers find it",
			"the key %s comes from the variable %s, which most clients don't pass on to their servers", found.Value.Hint(), found.Source)}
	}
	return []Result{finding(OK, "", "the key %s from %s", found.Value.Hint(), found.Source)}
}

// login is how a login through the browser fares.
func login(r oauth.Record) Result {
	again := "run: mcpctl login --oauth " + r.Server
	switch {
	case r.Ended():
		return finding(Failed, again, "the login has ended")
	case !r.Renewable && !r.ExpiresAt.IsZero() && time.Now().After(r.ExpiresAt):
		return finding(Failed, again, "the login has expired, and can't be renewed")
	}
	return finding(OK, "", "logged in through the browser")
}

// bareKey starts this program once more, as clients start it, to see whether the key is within reach there too.
func (c *chain) bareKey(ctx context.Context) []Result {
	found, err := c.credential()
	switch {
	case err != nil:
		return []Result{finding(Skipped, "", "there is none here either")}
	case found.Kind == credential.FromEnvironment:
		return []Result{finding(Skipped, "", "a variable of this shell says nothing about theirs")}
	case found.Kind == credential.FromFile || found.Kind == credential.FromKeyFile:
		return []Result{finding(OK, "", "a file is within reach of all")}
	}
	return []Result{c.again(ctx)}
}

func (c *chain) gateway(context.Context) []Result {
	v, err := c.verified()
	return []Result{c.reach(v.Gateway, err)}
}

func (c *chain) controlPlane(context.Context) []Result {
	v, err := c.verified()
	r := c.reach(v.ControlPlane, err)
	if r.Status == Failed {
		r.Status = Warning // only listings come from there
	}
	return []Result{r}
}

// reach is how a side was reached; err is the error of the whole verification.
func (c *chain) reach(r gateway.Reach, err error) Result {
	switch {
	case !r.Reachable && errors.Is(err, context.DeadlineExceeded):
		return finding(Failed, "check the address, your network, and a proxy if there is one", "no answer within %s", c.Limit)
	case r.Reachable && r.Version != "":
		return finding(OK, "", "reached, version %s", r.Version)
	case r.Reachable:
		return finding(OK, "", "reached")
	case r.Err == nil:
		return finding(Failed, "check the address and your network", "not reached")
	}
	return c.unreached(r.Err)
}

func (c *chain) scopes(context.Context) []Result {
	found, missing := c.credential()
	v, err := c.verified()
	switch {
	case missing != nil:
		return []Result{finding(Skipped, "", "there is no key to ask about")}
	case errors.Is(err, gateway.ErrKeyRefused):
		return []Result{finding(Failed, "run mcpctl login with a valid key", "%s", err)}
	case errors.Is(err, context.DeadlineExceeded):
		return []Result{finding(Skipped, "", "there is nobody to ask")}
	case err != nil:
		return []Result{failure(err)}
	case v.CanInvoke == gateway.No:
		return []Result{finding(Failed, "tick MCP Invoke for it at https://app.portkey.ai/api-keys; it has to be a workspace's key",
			"the key %s is valid, but lacks the scope mcp.invoke, so it can't call tools", found.Value.Hint())}
	case !v.Gateway.Reachable && !v.ControlPlane.Reachable:
		return []Result{finding(Skipped, "", "there is nobody to ask")}
	case v.CanList == gateway.No:
		return []Result{finding(Warning, "tick MCP Servers List for it at https://app.portkey.ai/api-keys; installing by name works without",
			"the key %s may call tools, but lacks the scope mcp_servers.list", found.Value.Hint())}
	}
	var may []string
	if v.CanList == gateway.Yes {
		may = append(may, "list servers")
	}
	if v.CanInvoke == gateway.Yes {
		may = append(may, "call tools")
	}
	if len(may) == 0 {
		return []Result{finding(Warning, "see: mcpctl status", "what the key %s may do could not be found out", found.Value.Hint())}
	}
	detail := fmt.Sprintf("the key %s may %s", found.Value.Hint(), strings.Join(may, " and "))
	if v.Workspace != "" {
		detail += " in the workspace " + v.Workspace
	}
	return []Result{finding(OK, "", "%s", detail)}
}
