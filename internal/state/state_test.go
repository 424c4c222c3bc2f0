package state

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRecords(t *testing.T) {
	d := At(filepath.Join(t.TempDir(), "a", "state"))
	var got map[string]string
	if found, err := d.Read("x/y.json", &got); found || err != nil {
		t.Errorf("nothing written: %v, %v", found, err)
	}
	if err := d.Write("x/y.json", map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	if found, err := d.Read("x/y.json", &got); !found || err != nil || got["a"] != "b" {
		t.Errorf("%v, %v, %v", found, err, got)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{d.Path(""): 0o700, d.Path("x"): 0o700, d.Path("x/y.json"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
	}
	if err := os.WriteFile(d.Path("bad.json"), []byte("{oops"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("bad.json", &got); err == nil || !strings.Contains(err.Error(), "bad.json") {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	d := At(t.TempDir())
	unlock, err := d.Lock(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.TryLock("one"); ok || err != nil {
		t.Errorf("taken twice: %v, %v", ok, err)
	}
	if other, ok, err := d.TryLock("two"); !ok || err != nil {
		t.Errorf("another lock: %v, %v", ok, err)
	} else {
		other()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Lock(ctx, "one"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	unlock()
	if again, ok, err := d.TryLock("one"); !ok || err != nil {
		t.Errorf("not freed: %v, %v", ok, err)
	} else {
		again()
	}
}

// TestLockOfTheDead: a process that is killed holds nothing.
func TestLockOfTheDead(t *testing.T) {
	if dir := os.Getenv("HOLD_LOCK_IN"); dir != "" {
		if _, err := At(dir).Lock(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=TestLockOfTheDead")
	cmd.Env = append(os.Environ(), "HOLD_LOCK_IN="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 5)
	if _, err := out.Read(line); err != nil || string(line) != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, ok, _ := At(dir).TryLock("one"); ok {
		t.Error("two processes hold it")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	unlock, err := At(dir).Lock(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
