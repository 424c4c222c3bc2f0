package cli

import (
	"context"
	"slices"

	"github.com/mcpctl/mcpctl/internal/config"
	"github.com/mcpctl/mcpctl/internal/credential"
)

// login is a note that a key was stored: without it, a key would be out of logout's sight once its profile has another
// gateway, or is gone. It holds nothing secret.
type login struct {
	File       string `json:"file"` // the settings file
	Profile    string `json:"profile"`
	GatewayURL string `json:"gateway_url"`
	Store      string `json:"store"`
}

const loginsName = "logins.json"

// logins returns the notes of all logins. If they can't be read, logout still removes the keys that the settings lead to.
func (a *app) logins() []login {
	var list []login
	_, _ = a.state().Read(loginsName, &list)
	return list
}

// noteLogin notes that the key of s is in a store now, or, if store is "", nowhere any more.
func (a *app) noteLogin(s config.Settings, store string) {
	is := func(l login) bool { return l.File == s.File && l.Profile == s.Profile && l.GatewayURL == s.GatewayURL }
	if store == "" && !slices.ContainsFunc(a.logins(), is) {
		return // no lock file for nothing
	}
	ctx, cancel := context.WithTimeout(context.Background(), credential.Limit)
	defer cancel()
	unlock, err := a.state().Lock(ctx, "logins")
	if err == nil {
		defer unlock()
		list := slices.DeleteFunc(a.logins(), is)
		if store != "" {
			list = append(list, login{s.File, s.Profile, s.GatewayURL, store})
		}
		err = a.state().Write(loginsName, list)
	}
	if err != nil && store != "" {
		a.talk("warning: logout won't find this key once the profile has another gateway: %s\n", err)
	}
}
