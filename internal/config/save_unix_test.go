//go:build !windows

package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSaveLoginModesAndLinks(t *testing.T) {
	h := testHost(t, "", nil)
	s, err := Load(h, Flags{Profile: "work"})
	if err != nil {
		t.Fatal(err)
	}
	if err := SaveLogin(s, Login{Store: "keyring"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{s.File: 0o600, filepath.Dir(s.File): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// dotfiles: the link stays, what it leads to changes
	real := filepath.Join(h.Home, "dotfiles.yaml")
	if err := os.Rename(s.File, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, s.File); err != nil {
		t.Fatal(err)
	}
	s, _ = Load(h, Flags{Profile: "home"})
	if err := SaveLogin(s, Login{Store: "keyring"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(s.File); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if s, _ = Load(h, Flags{Profile: "home"}); len(s.Profiles) != 2 {
		t.Errorf("profiles: %q", s.Profiles)
	}
}
