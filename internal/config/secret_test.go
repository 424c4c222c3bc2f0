package config

import (
	"strings"
	"testing"
)

func TestSecretHeaders(t *testing.T) {
	for name, want := range map[bool]string{
		true: "Authorization Proxy-Authorization Cookie X-User-Token X-Auth-Token X-API-Key api-key apikey X-ApiKey X-Goog-Api-Key " +
			"Ocp-Apim-Subscription-Key DD-API-KEY DD-APPLICATION-KEY PRIVATE-TOKEN JOB-TOKEN X-Vault-Token CF-Access-Client-Secret " +
			"X-User-Jwt X-Goog-Iap-Jwt-Assertion X-Amz-Security-Token x-functions-key X_Secret_Key X-Password XAccessToken " +
			"X-Client-Credentials X-Registry-Auth X-Vault-Secret-Id token key secret x-access-token ACCESSTOKEN",
		false: "X-Portkey-Trace-Id X-Portkey-Metadata X-Portkey-Config x-portkey-virtual-key X-Request-Id Idempotency-Key X-Idempotency-Key " +
			"X-Team X-User Traceparent X-Cache-Key Surrogate-Key X-Public-Key X-Key-Id X-Amz-Access-Key-Id CF-Access-Client-Id X-Auth-Type " +
			"X-Auth-User X-Max-Tokens X-Token-Count X-Monkey X-Keyboard X-Secretary X-Author X-Tenant-Id User-Agent X-Environment " +
			"Accept-Language X-Forwarded-For X-Path _user environment",
	} {
		for header := range strings.FieldsSeq(want) {
			if isSecretHeader(header) != name {
				t.Errorf("%s: %v", header, !name)
			}
		}
	}
}

func TestLooksLikeKey(t *testing.T) {
	for _, text := range []string{"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7+", "Bearer aB3dE6gH9jK2mN5pQ8sT1vW4yZ7/", "key=aB3dE6gH9jK2mN5pQ8sT1vW4yZ70",
		"pk-demo-user-0123456789abcdef0123456789abcdef", "pat_0123456789abcdef01", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"} {
		if !looksLikeKey("workspace", text) {
			t.Errorf("%s passes", text)
		}
	}
	for _, text := range []string{"", "ws-acme-corp", "pk-production-workspace", "pk-2024", "8d7f6a5b-4c3d-4e2f-9a1b-0c9d8e7f6a5b", "pat_rick",
		"0123456789abcdef0123456789ab", "0123456789abcdef0123456789abcdef", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"1-5759e988-bd862e3fe1be46a994272793", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "the-workspace-of-Team-Blue-1", "https://mcp.example.com/m/Abc123",
		"keyring:linear-token", "op://Private/Portkey Key/credential", "/Users/Jane1/Library/certs/ca", "a sentence that Has 28 letters", "eyJ"} {
		if looksLikeKey("workspace", text) {
			t.Errorf("%s is taken for a key", text)
		}
	}
	for setting, text := range map[string]string{
		"metadata._user": "Zk3Lg8PqR7sT2uVwXyZ1aBcD4eF5", "servers.linear.metadata.run": "Zk3Lg8PqR7sT2uVwXyZ1aBcD4eF5",
		"trace_id": "Zk3Lg8PqR7sT2uVwXyZ1aBcD4eF5", "key_command": "secret/Portkey/Prod/ApiKey01", "headers.X-Path": "Team/Platform/Production2026",
		"workspace": "pk-platform-engineering2", "metadata.team": "pk-acme-2026112612", "headers.X-Team": "pat_platform_automation_team",
	} {
		if looksLikeKey(setting, text) {
			t.Errorf("%s: %s is taken for a key", setting, text)
		}
	}
}

func TestSecretLabels(t *testing.T) {
	for want, names := range map[bool]string{
		true: "metadata.token metadata.api_key servers.linear.metadata.Authorization headers.X-User-Token servers.linear.headers.X-Auth",
		false: "metadata.project_key metadata.jira_key metadata.token_budget metadata.requires_auth metadata.pat metadata._user " +
			"headers.X-Project-Key headers.X-Token-Limit headers.X-Password-Policy servers.metadata.headers.X-Team",
	} {
		for name := range strings.FieldsSeq(names) {
			if isSecretSetting(name) != want {
				t.Errorf("%s: %v", name, !want)
			}
		}
	}
}

// TestKeyIsNoSetting: what was written into the file by hand all the same isn't shown.
func TestKeyIsNoSetting(t *testing.T) {
	const key = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7+"
	h := testHost(t, "profiles: {default: {trace_id: "+key+", key_command: [echo, "+key+"], headers: {X-Foo: "+key+", X-Vault-Token: x}}}", nil)
	s, err := Load(h, Flags{})
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, v := range s.Values() {
		switch value := v.Value.(type) {
		case string:
			if value == redacted {
				shown++
			}
		case []string:
			if len(value) == 2 && value[0] == "echo" && value[1] == redacted {
				shown++
			}
		}
	}
	if shown != 4 || s.KeyCommand[1] != key {
		t.Errorf("%d are blanked of %+v", shown, s.Values())
	}
	for _, name := range []string{"workspace", "trace_id", "headers.X-Foo", "metadata.team", "servers.linear.trace_id", "key_command", "log_level"} {
		if err := Set(s, name, []string{key}); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
