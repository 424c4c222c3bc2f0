//go:build e2e && linux

package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// passed is how the conformance suite ends.
var passed = regexp.MustCompile(`Passed: (\d+/\d+), (\d+) failed(, \d+ warnings)?`)

// next is the suite's coming version, which knows revision 2026-07-28.
const next = "SUITE=conformance-next"

// TestConformanceSuite: each client scenario ends on the bridge as it does without it, where it passes.
func TestConformanceSuite(t *testing.T) {
	g := start(t, demo.Options{})
	for _, tc := range []struct {
		name, suite, client string
		args, scenarios     []string
	}{
		{"release", "", "suite-client.mjs", nil, []string{"initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"}},
		{"next, 2025-11-25", next, "suite-client.mjs", []string{"--spec-version", "2025-11-25"},
			[]string{"initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry", "json-schema-2020-12-preservation"}},
		{"next, 2026-07-28", next, "suite-modern.mjs", []string{"--spec-version", "2026-07-28"},
			[]string{"tools_call", "request-metadata", "http-standard-headers", "http-custom-headers", "http-invalid-tool-headers",
				"sep-2322-client-request-state", "json-schema-ref-no-deref", "json-schema-2020-12-preservation"}},
	} {
		for _, scenario := range tc.scenarios {
			t.Run(tc.name+"/"+scenario, func(t *testing.T) {
				run := func(more ...string) string {
					args := append([]string{"suite.mjs", "client", "--command", "node " + tc.client, "--scenario", scenario}, tc.args...)
					_, all, err := output(t, environment(t, g, append(more, tc.suite)...), "node", args...)
					m := passed.FindStringSubmatch(all)
					if m == nil {
						t.Fatalf("no result:\n%s", all)
					}
					if err != nil {
						t.Logf("%s", all)
						return m[0] + ", and the client failed"
					}
					return m[0]
				}
				without, with := run(), run("MCPCTL_UNDER_TEST="+binary(t))
				t.Logf("without the bridge %s; with it %s", without, with)
				if with != without || !strings.Contains(without, " 0 failed") || strings.Contains(without, "client failed") {
					t.Errorf("without the bridge %s; with it %s", without, with)
				}
			})
		}
	}
}
