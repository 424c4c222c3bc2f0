package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// unreached says what keeps an address from being reached, as far as the error tells.
func (c *chain) unreached(err error) Result {
	profile := c.Setting.File + ": profiles." + c.Setting.Profile
	var (
		unknown   x509.UnknownAuthorityError
		bad       *tls.CertificateVerificationError
		plain     tls.RecordHeaderError
		operation *net.OpError
		name      *net.DNSError
	)
	switch {
	case errors.As(err, &unknown):
		return finding(Failed, "name the PEM file of the CA that signed it (your company's, if its proxy looks into TLS) in "+profile+".ca_file, or with --ca-file",
			"%s", err)
	case errors.As(err, &bad):
		return finding(Failed, "check the address; a clock that is wrong spoils every certificate", "%s", err)
	case errors.As(err, &plain):
		return finding(Failed, "check the address: is it http, or another port?", "%s", err)
	case errors.As(err, &operation) && operation.Op == "proxyconnect", strings.Contains(err.Error(), "Proxy Authentication Required"):
		return finding(Failed, "check the proxy: "+profile+".proxy, else the variable HTTPS_PROXY", "the proxy: %s", err)
	case errors.As(err, &name), c.Setting.Proxy == "" && isTimeout(err):
		return finding(Failed, "check the address and your network; if it lets https out through a proxy alone, name that in "+profile+".proxy", "%s", err)
	}
	next := problem.NextStep(err)
	if next == "" {
		next = "check the address and your network"
	}
	return finding(Failed, next, "%s", err)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
