package credential

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/state"
)

func testFile(t *testing.T) *File {
	t.Helper()
	dir := t.TempDir()
	return NewFile(filepath.Join(dir, "config", "credentials.json"), state.At(filepath.Join(dir, "state")))
}

func TestFile(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	_, err := f.Get(ctx, "x")
	wantKind(t, err, NotFound)
	wantKind(t, f.Delete(ctx, "x"), NotFound)
	if made, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(f.path)), "*")); len(made) > 0 {
		t.Errorf("looking made %q", made)
	}
	other := Item{Key: item.Key, Origins: item.Origins[:1]}
	for name, i := range map[string]Item{"x": item, "y": other} {
		if err := f.Set(ctx, name, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Get(ctx, "x"); err != nil || !sameItem(got, item) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := f.Delete(ctx, "x"); err != nil {
		t.Error(err)
	}
	if got, err := f.Get(ctx, "y"); err != nil || !sameItem(got, other) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := f.Delete(ctx, "y"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(f.path); !os.IsNotExist(err) {
		t.Errorf("an empty file is left: %v", err)
	}
}

// TestFileWithoutALock: where there can be no lock, no other mcpctl has it.
func TestFileWithoutALock(t *testing.T) {
	f := testFile(t)
	inTheWay := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.locks = state.At(filepath.Join(inTheWay, "state"))
	err := f.Set(t.Context(), "x", item)
	wantKind(t, err, Failed)
	if next := problem.NextStep(err); !strings.Contains(next, "permissions of the state folder") {
		t.Errorf("%v: %s", err, next)
	}
	f.locks = state.At(t.TempDir())
	unlock, err := f.locks.Lock(t.Context(), "credentials")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantKind(t, f.Set(ctx, "x", item), Timeout)
}

func TestFileKeepsWhatOthersWrite(t *testing.T) {
	f := testFile(t)
	names := strings.Split("abcdefgh", "")
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if err := NewFile(f.path, f.locks).Set(context.Background(), name, item); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if _, err := f.Get(context.Background(), name); err != nil {
			t.Error(err)
		}
	}
}

func TestFileThatIsNotOurs(t *testing.T) {
	ctx := context.Background()
	f := testFile(t)
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", canary, "[]", `{"items":null}`, `{"items":{"x":{"v":1,"key":"` + canary + `"}}}`} {
		if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := f.Get(ctx, "x")
		wantKind(t, err, Corrupt)
	}
}
