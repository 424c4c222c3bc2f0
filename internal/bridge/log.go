package bridge

// logClient says who is at the other end, in the client's own words.
func (b *Bridge) logClient(initialize message) {
	info := member(initialize.params, "clientInfo")
	b.Log.Info("the client introduced itself", "client", shorten(unquote(member(info, "name"))),
		"client_version", shorten(unquote(member(info, "version"))), "revision", shorten(unquote(member(initialize.params, "protocolVersion"))))
}

// logFailure says that a request got an error in place of an answer. The error's text stays out: it may quote the server.
func (b *Bridge) logFailure(x *exchange, r reply, f failure) {
	log := b.Log.With("method", shorten(unquote(x.msg.method)), "reason", f.reason)
	if r.status == 0 { // then there is no answer that the error could quote
		log.Info("a request failed", "error", describe(r.err))
		return
	}
	log.Info("a request failed", "status", r.status)
}
