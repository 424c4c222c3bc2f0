package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestNamesAreExact: a setting's name in another upper and lower case is none, as the warning about it says.
func TestNamesAreExact(t *testing.T) {
	h := testHost(t, `
CURRENT_PROFILE: work
profiles:
  default:
    gateway_url: https://right.example
    Gateway_URL: https://other.example
    Key_Header: bogus
    KEY_COMMAND: cat /etc/passwd
    Allow_HTTP: [http://other.example]
`, nil)
	s, err := Load(h, Flags{})
	if err != nil || s.GatewayURL != "https://right.example" || s.KeyHeader != "" || s.KeyCommand != nil || s.AllowHTTP != nil || s.Profile != "default" {
		t.Errorf("%+v, %v", s, err)
	}
	var unknown []string
	for _, u := range s.Unknown {
		unknown = append(unknown, strings.TrimPrefix(u.Place, s.File)+" "+u.Name)
	}
	if want := []string{":6:5 Gateway_URL", ":7:5 Key_Header", ":8:5 KEY_COMMAND", ":9:5 Allow_HTTP"}; !reflect.DeepEqual(unknown, want) {
		t.Errorf("%q", unknown)
	}
}

// TestValuesAsWritten: what YAML takes for a number or a date is the text that stands there.
func TestValuesAsWritten(t *testing.T) {
	for _, text := range []string{"007", "0123", "0x1F", "1e3", "1_000", "2024-01-01", "true", "no", ".5", "+1", "190:20:30", "~a"} {
		s, err := Load(testHost(t, "current_profile: "+text+"\nprofiles:\n  "+text+":\n    workspace: "+text+"\n    key_command: ["+text+"]\n"+
			"    trace_id: "+text+"\n    headers: {A: "+text+"}\n", nil), Flags{})
		if err != nil || !s.KnowsProfile() {
			t.Errorf("%s: %v", text, err)
		}
		got := append([]string{s.Profile, s.Workspace, s.Trace.ID, s.Headers["A"]}, s.KeyCommand...)
		if want := slices.Repeat([]string{text}, 5); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func TestMergedSettings(t *testing.T) {
	s, err := Load(testHost(t, `
base: &base {workspace: base, proxy: "http://p.example:1", <<: &deep {log_level: debug, workspace: deep}}
other: &other {workspace: other, ca_file: /ca.pem}
profiles:
  default:
    <<: [*base, *other]
    proxy: http://own.example:1
    log-level: error
    headers: &h {A: b}
    servers: {linear: {headers: {<<: *h, C: d}}}
`, nil), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.Workspace, s.Proxy, s.LogLevel, s.CAFile, s.ServerHeaders["linear"]["A"], s.ServerHeaders["linear"]["C"], s.Sources["workspace"]}
	if want := []string{"base", "http://own.example:1", "debug", "/ca.pem", "b", "d", s.File + ":2:25"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if len(s.Unknown) != 1 || s.Unknown[0].Name != "log-level" {
		t.Errorf("unknown: %+v", s.Unknown)
	}
}

// TestMergesEnd: a file can't keep its reader busy.
func TestMergesEnd(t *testing.T) {
	bomb := "a0: &a0 {workspace: w}\n"
	for i := range 60 {
		bomb += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	for _, file := range []string{bomb + "profiles: {default: *a60}\n", "profiles:\n  default: &d\n    workspace: w\n    <<: *d\n"} {
		if s, err := Load(testHost(t, file, nil), Flags{}); err == nil && s.Workspace != "w" || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, %v", s.Workspace, err)
		}
	}
}
