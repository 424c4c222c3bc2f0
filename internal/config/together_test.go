package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEditTogether: of changes at the same time, none is lost and none is refused. Each has what a process of its own would have.
func TestEditTogether(t *testing.T) {
	h := testHost(t, "# mine\n", nil)
	var wg sync.WaitGroup
	var want []string
	for i := range 64 {
		name := fmt.Sprintf("p%02d", i)
		want = append(want, name)
		wg.Go(func() {
			s, err := Load(h, Flags{Profile: name, GatewayURL: "https://" + name + ".example.com"})
			if err == nil {
				err = SaveProfile(s)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := Load(h, Flags{})
	slices.Sort(s.Profiles)
	if err != nil || !slices.Equal(s.Profiles, want) {
		t.Errorf("%q, %v", s.Profiles, err)
	}
}

// TestEditBesideAnEditor: what an editor writes meanwhile is kept, or the change is refused.
func TestEditBesideAnEditor(t *testing.T) {
	for _, tc := range []struct {
		name   string
		writes int
		fits   bool
	}{{"once", 1, true}, {"twice", 2, true}, {"all the time", 9, false}} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Load(testHost(t, "# mine\n", nil), Flags{})
			if err != nil {
				t.Fatal(err)
			}
			asked := 0
			err = s.edit(func(_ file, root *yaml.Node) bool {
				if asked++; asked <= tc.writes {
					if err := os.WriteFile(s.File, fmt.Appendf(nil, "# edit %d\n", asked), 0o600); err != nil {
						t.Error(err)
					}
				}
				set(root, currentProfile, scalar("work"))
				return true
			})
			data, _ := os.ReadFile(s.File)
			want := fmt.Sprintf("# edit %d\n", min(asked, tc.writes))
			if tc.fits {
				want += currentProfile + ": work\n"
			} else if err == nil || !strings.Contains(err.Error(), "another program") || errors.Is(err, errMoved) {
				t.Error(err)
			}
			if string(data) != want || tc.fits != (err == nil) {
				t.Errorf("%q, %v; want %q", data, err, want)
			}
		})
	}
}
