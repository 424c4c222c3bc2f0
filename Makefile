# make test is everything; make quick is what to run while working.

GO ?= go

.PHONY: build quick test test-clients setup check fuzz bench completions manpages release-check pictures

# As it is released.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o bin/ ./cmd/mcpctl

# No network beyond loopback, nothing to install.
quick:
	$(GO) test ./...

# Units and scripts with the race detector; without it what is other code then, or on other processors; static checks; then end
# to end against a real keyring, browser, MCP client and MCP server. Installs what is missing (Debian packages as root or by
# sudo, npm packages into testdata/e2e).
test: setup check
	$(GO) test -race -shuffle=on ./...
	$(GO) test -tags purego ./internal/bridge ./internal/polled
	$(GO) test -tags e2e -count=1 -timeout 10m ./internal/e2e/...

# Real AI clients read what install writes, and call tools through the bridge (Linux). The first run installs them from npm,
# about 2 GB.
test-clients:
	.ci/setup-clients
	$(GO) test -tags clients -count=1 -timeout 20m ./internal/realclients/...

setup:
	.ci/setup

check:
	@test -z "$$(gofmt -l cmd internal bench/*.go)" || { echo "gofmt would change:"; gofmt -l cmd internal bench/*.go; exit 1; }
	$(GO) vet -tags e2e,clients ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	$(GO) mod verify
	cd bench && $(GO) vet ./... && $(GO) test ./...

# Each fuzz target for FUZZTIME. Left to itself, Go may spend a minute on making one input shorter.
FUZZTIME ?= 30s
fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$pkg || exit 1; \
	  done; \
	done

# The bridge beside its peers, in one run (Linux; 5 minutes). bench/README.md says how to read it.
bench: build
	bench/run --bridge 'mcpctl=bin/mcpctl bridge {url}'

completions: build
	@mkdir -p completions
	bin/mcpctl completion bash > completions/mcpctl.bash
	bin/mcpctl completion zsh > completions/_mcpctl
	bin/mcpctl completion fish > completions/mcpctl.fish
	bin/mcpctl completion powershell > completions/mcpctl.ps1

# Dated by the commit, so that a commit's pages are always the same.
manpages:
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(GO) run ./internal/manpages manpages

# The whole release, built twice and compared, but not published; the Debian package installed and run.
release-check:
	.ci/release-check

# The README's picture, from a real run.
pictures: build
	bin/mcpctl demo --headless </dev/null | $(GO) run ./internal/picture -title 'mcpctl demo' -from '1. ' -to '6. ' \
	  -program "$$(realpath bin/mcpctl)" > docs/tour.svg
