package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mcpctl/mcpctl/internal/testuser"
)

// TestReplaceInherits: whose the file is, and what hangs on it, stays. Only root, as CI is, can make files of others here.
func TestReplaceInherits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, tc := range []struct{ uid, gid int }{{os.Geteuid(), os.Getegid()}, {os.Geteuid(), 50}, {1000, 1000}, {1000, os.Getegid()}} {
		if err := os.WriteFile(path, []byte("old"), 0o660); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, tc.uid, tc.gid); err != nil && os.Geteuid() == 0 {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o660); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setxattr(path, "user.note", []byte("mine"), 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
			t.Fatal(err)
		}
		before, note := look(t, path)
		old, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer old.Close()
		if err := Replace(path, old, []byte("new"), 0o660, nil); err != nil {
			t.Fatal(err)
		}
		after, noted := look(t, path)
		if after.Uid != before.Uid || after.Gid != before.Gid || after.Mode != before.Mode || note != noted || after.Ino == before.Ino {
			t.Errorf("%+v %q became %+v %q", before, note, after, noted)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func look(t *testing.T, path string) (stat syscall.Stat_t, note string) {
	t.Helper()
	if err := syscall.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 16)
	n, _ := unix.Getxattr(path, "user.note", value)
	return stat, string(value[:max(n, 0)])
}

// TestReplaceRefusesAnotherOwner: a file that can't stay whose it is stays as it is.
func TestReplaceRefusesAnotherOwner(t *testing.T) {
	dir := testuser.Folder(t)
	path := filepath.Join(dir, "f")
	for _, tc := range []struct {
		uid, gid int
		mode     os.FileMode
		want     error
	}{
		{1001, 1001, 0o666, ErrOwner},
		{1000, 1001, 0o664, ErrOwner},
		{1000, 1001, 0o644, nil}, // the group may do what everybody may
		{1000, 1000, 0o640, nil},
		{1000, 1001, 0o660, ErrOwner},
	} {
		old := ownedBy(t, path, tc.uid, tc.gid, tc.mode)
		var err error
		testuser.Run(1000, func() { err = Replace(path, old, []byte("new"), tc.mode, nil) })
		if !errors.Is(err, tc.want) {
			t.Errorf("%+v: %v", tc, err)
		}
		want := "new"
		if tc.want != nil {
			want = "old"
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != want {
			t.Errorf("%+v: %q, %v", tc, data, err)
		}
		alone(t, dir)
	}
}

// TestReplaceWithoutOnesOwnGroup: a container's user has the files of home, and not the group that is the user's alone there.
func TestReplaceWithoutOnesOwnGroup(t *testing.T) {
	dir := testuser.Folder(t)
	path := filepath.Join(dir, "f")
	old := ownedBy(t, path, 1001, 1001, 0o664)
	var err error
	testuser.RunIn(1001, 1000, func() { err = Replace(path, old, []byte("new"), 0o664, nil) })
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || info.Mode().Perm() != 0o644 || info.Sys().(*syscall.Stat_t).Uid != 1001 {
		t.Errorf("%v, %v", info, err)
	}
}

// ownedBy makes a file of someone, and opens it.
func ownedBy(t *testing.T, path string, uid, gid int, mode os.FileMode) *os.File {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte("old"), mode), os.Chmod(path, mode), os.Chown(path, uid, gid)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
