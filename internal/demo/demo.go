// Package demo is a stand-in for the Portkey MCP Gateway on loopback: its MCP endpoint with keys, workspace, real MCP servers
// and per-user consent, its registry, and the control plane that lists them.
//
// It follows the gateway's public source (Portkey-AI/gateway, branch 2.0.0, src/mcp), its OpenAPI and its documentation, and
// shares no code with the parts of mcpctl that speak to a gateway, so that it can't share their mistakes. Its own OAuth, for a
// login without a key, is a whole authorization server, as strict as one has to be.
package demo

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Gateway is a running gateway with its control plane. All methods may be called from several goroutines.
type Gateway struct {
	o         Options
	log       *slog.Logger
	keys      Keys
	holders   map[string]holder // by key
	workspace workspace
	servers   []*server
	consents  *consents
	oauth     *oauthServer
	record    record

	gatewayURL, controlPlaneURL string
	listeners                   []*http.Server

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// Start starts a gateway with fresh keys and no consent given. The error is an *OptionError if the options are at fault.
func Start(o Options) (*Gateway, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	g := &Gateway{o: o, log: o.Log, consents: newConsents(o.StateLifetime), oauth: newOAuthServer()}
	g.keys, g.holders = newKeys()
	g.workspace = newWorkspace()
	gateway, err := net.Listen("tcp", o.GatewayAddr)
	if err != nil {
		return nil, fmt.Errorf("the gateway can't listen: %w", err)
	}
	controlPlane, err := net.Listen("tcp", o.ControlPlaneAddr)
	if err != nil {
		gateway.Close()
		return nil, fmt.Errorf("the control plane can't listen: %w", err)
	}
	g.gatewayURL = "http://" + gateway.Addr().String() + o.BasePath
	g.controlPlaneURL = "http://" + controlPlane.Addr().String() + "/v1"
	g.servers = g.newServers()
	g.serve(gateway, "gateway", below(o.BasePath, g.gatewayRoutes()))
	g.serve(controlPlane, "control-plane", g.controlPlaneRoutes())
	return g, nil
}

// GatewayURL is the base URL of the MCP gateway, without a trailing slash.
func (g *Gateway) GatewayURL() string { return g.gatewayURL }

// ControlPlaneURL is the base URL of the control plane, without a trailing slash.
func (g *Gateway) ControlPlaneURL() string { return g.controlPlaneURL }

// Keys returns the keys that the gateway knows; any other is invalid.
func (g *Gateway) Keys() Keys { return g.keys }

// Servers returns the names (slugs) of the MCP servers, in the order of the listing.
func (g *Gateway) Servers() []string {
	var names []string
	for _, s := range g.servers {
		names = append(names, s.slug)
	}
	return names
}

// Requests returns the latest requests of both listeners, oldest first, those included that are still being answered.
func (g *Gateway) Requests() []Request { return g.record.list() }

// Close stops both listeners, ends open streams, and waits until every request is over.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	for _, s := range g.listeners {
		s.Close()
	}
	g.running.Wait()
	for _, s := range g.servers {
		if s.transport != nil {
			s.transport.CloseIdleConnections()
		}
	}
	return nil
}

// serve answers requests on l until Close.
func (g *Gateway) serve(l net.Listener, name string, h http.Handler) {
	s := &http.Server{
		Handler:           g.recorded(name, h),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	g.listeners = append(g.listeners, s)
	g.running.Go(func() { _ = s.Serve(l) })
}

// enter counts a request that must be over before Close returns. It reports whether there is still time for one.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Add(1)
	return true
}
