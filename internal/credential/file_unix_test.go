//go:build !windows

package credential

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/host"
)

// TestCommandLeavesAProcess: an agent that the program of key_command starts may outlive it, with its stdout.
func TestCommandLeavesAProcess(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // lets it go
		if f, err := os.OpenFile(gate, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			f.Close()
		}
	})
	script := `cat "$0" & echo ` + canary
	key, err := runCommand(t.Context(), host.Host{}, []string{"sh", "-c", script, gate})
	if err != nil || key.Reveal() != canary {
		t.Errorf("%v", err)
	}
	_, err = runCommand(t.Context(), host.Host{}, []string{"sh", "-c", script + "; exit 3", gate})
	wantKind(t, err, Failed)
}

func TestFileModes(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	if err := f.Set(ctx, "x", item); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{f.path: 0o600, filepath.Dir(f.path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
		if err := os.Chmod(f.path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := f.Get(ctx, "x")
		wantKind(t, err, Denied)
		wantKind(t, f.Set(ctx, "x", item), Denied)
		wantKind(t, f.Delete(ctx, "x"), Denied)
	}
}

func TestFileRefusesLinks(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	if err := f.Set(ctx, "x", item); err != nil {
		t.Fatal(err)
	}
	real := f.path + ".real"
	if err := os.Rename(f.path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, f.path); err != nil {
		t.Fatal(err)
	}
	_, err := f.Get(ctx, "x")
	wantKind(t, err, Denied)
	wantKind(t, f.Set(ctx, "y", item), Denied)
}

// TestFileReadWhileReplaced: a reader finds the old file or the new one, whenever a writer replaces it. (Windows lets nobody
// replace an open file: a writer waits there for a moment without readers.)
func TestFileReadWhileReplaced(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	if err := f.Set(ctx, "x", item); err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for reading := true; reading; {
				select {
				case <-written:
					reading = false
				default:
				}
				if got, err := f.Get(ctx, "x"); err != nil || !sameItem(got, item) {
					t.Errorf("got %+v, %v", got, err)
					return
				}
			}
		})
	}
	for range 200 {
		if err := f.Set(ctx, "y", item); err != nil {
			t.Error(err)
			break
		}
	}
	close(written)
	wg.Wait()
}

// TestFileRefusesPipes: what opens but isn't a file, or waits for whoever opens it, is refused at once.
func TestFileRefusesPipes(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() error{
		"a pipe":   func() error { return syscall.Mkfifo(f.path, 0o600) },
		"a folder": func() error { return os.Mkdir(f.path, 0o700) },
		"a socket": func() error {
			// Relative, since a socket's path may only be short.
			t.Chdir(filepath.Dir(f.path))
			l, err := net.Listen("unix", filepath.Base(f.path))
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		_, err := f.Get(ctx, "x")
		wantKind(t, err, Denied)
		if err == nil || !strings.Contains(err.Error(), "regular file") {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileRefusesAnOpenFolder(t *testing.T) {
	f := testFile(t)
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	wantKind(t, f.Set(context.Background(), "x", item), Denied)
}

// foreign is a file of another user: making a real one takes root.
type foreign struct{ fs.FileInfo }

func (f foreign) Sys() any { return &syscall.Stat_t{Uid: uint32(os.Geteuid() + 1)} }

func TestFileRefusesAForeignOwner(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if why := exposure(foreign{info}, 0); !strings.Contains(why, "another user") {
		t.Errorf("got %q", why)
	}
	if why := exposure(info, 0); why != "" {
		t.Errorf("an own folder: %q", why)
	}
}

func TestCommandIsLimited(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := runCommand(ctx, host.Host{}, []string{"sh", "-c", "exec sleep 60"})
	wantKind(t, err, Timeout)
	if time.Since(start) > 10*time.Second {
		t.Error("took too long")
	}
}
