package logfile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

var began = time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)

// line is a record as bridges write it, second seconds after began.
func line(second int, text string) string {
	at := began.Add(time.Duration(second) * time.Second).Format(time.RFC3339Nano)
	return fmt.Sprintf(`{"time":%q,"level":"INFO","msg":%q}`+"\n", at, text)
}

// process is the Writer of another process, the pid-th that started.
func process(t *testing.T, d state.Dir, server string, pid int) *Writer {
	w := NewWriter(d, server)
	w.own = source{server, began.Add(time.Duration(pid) * time.Minute), pid}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, w *Writer, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if n, err := w.Write([]byte(l)); n < len(l) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
}

func next(t *testing.T, r *Reader) string {
	t.Helper()
	records, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range records {
		words = append(words, r.Message)
	}
	return strings.Join(words, " ")
}

func files(t *testing.T, d state.Dir) []string {
	t.Helper()
	paths, err := filepath.Glob(d.Path("logs/*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestNothingIsMadeForNothing(t *testing.T) {
	d := state.At(filepath.Join(t.TempDir(), "state"))
	if err := NewWriter(d, "linear").Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path("")); !os.IsNotExist(err) {
		t.Errorf("a Writer that wrote nothing left something: %v", err)
	}
	if got := next(t, NewReader(d, "")); got != "" {
		t.Errorf("read %q out of nothing", got)
	}
}

func TestRecord(t *testing.T) {
	d := state.At(filepath.Join(t.TempDir(), "state"))
	server := "../Team A/linear:8443%"
	w := process(t, d, server, 7)
	write(t, w, `{"time":"2026-01-31T09:00:00.5+01:00","level":"WARN","msg":"careful","n":9007199254740993,"server":"x"}`+"\n")
	got, err := NewReader(d, server).Next()
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	r := got[0]
	if !r.Time.Equal(began.Add(time.Second/2)) || r.Level != "warn" || r.Message != "careful" || r.Server != server || r.PID != 7 ||
		fmt.Sprint(r.Attributes) != "map[n:9007199254740993 server:x]" {
		t.Errorf("%+v", r)
	}
	if names, err := Servers(d); err != nil || !reflect.DeepEqual(names, []string{server}) {
		t.Errorf("%q, %v", names, err)
	}
	paths := files(t, d)
	if len(paths) != 1 {
		t.Fatalf("the log is not in its folder: %q", paths)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, want := range map[string]os.FileMode{d.Path("logs"): 0o700, paths[0]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestRotation(t *testing.T) {
	d := state.At(t.TempDir())
	w := process(t, d, "linear", 1)
	w.limit = int64(3 * len(line(0, "00")))
	early, late := NewReader(d, "linear"), NewReader(d, "linear")
	var all []string
	for i := range 40 {
		word := fmt.Sprintf("%02d", i)
		all = append(all, word)
		write(t, w, line(i, word))
		if i%2 == 1 { // now before a rotation, now after one, now in the middle of a file
			if got, want := next(t, early), strings.Join(all[i-1:], " "); got != want {
				t.Errorf("followed %q, want %q", got, want)
			}
		}
	}
	for _, path := range files(t, d) {
		if info, err := os.Stat(path); err != nil || info.Size() > w.limit {
			t.Errorf("%s has %d bytes, %v", path, info.Size(), err)
		}
	}
	if got, want := next(t, late), strings.Join(all[36:], " "); got != want || len(files(t, d)) != 2 {
		t.Errorf("%q, want %q; %q", got, want, files(t, d))
	}
}

func TestFullSizeIsBounded(t *testing.T) {
	d := state.At(t.TempDir())
	w := process(t, d, "linear", 1)
	for range 3 * maxSize / (64 << 10) {
		write(t, w, line(0, strings.Repeat("x", 64<<10)))
	}
	total := int64(0)
	for _, path := range files(t, d) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total < 1<<20 || total > 2<<20 {
		t.Errorf("%d bytes", total)
	}
}

func TestMergeByTime(t *testing.T) {
	d := state.At(t.TempDir())
	a, b, other := process(t, d, "linear", 1), process(t, d, "linear", 2), process(t, d, "notes", 3)
	write(t, a, line(1, "a1"), line(4, "a4"))
	write(t, b, line(2, "b2"), line(5, "b5"))
	write(t, other, line(3, "n3"))
	all, linear := NewReader(d, ""), NewReader(d, "linear")
	if got := next(t, all); got != "a1 b2 n3 a4 b5" {
		t.Error(got)
	}
	if got := next(t, linear); got != "a1 b2 a4 b5" {
		t.Error(got)
	}
	write(t, process(t, d, "linear", 4), line(6, "new6"))
	write(t, a, line(7, "a7"))
	if got := next(t, linear); got != "new6 a7" {
		t.Error(got)
	}
}

func TestTornLines(t *testing.T) {
	d := state.At(t.TempDir())
	w := process(t, d, "linear", 1)
	whole := line(2, "two")
	write(t, w, line(1, "one"), "no record\n", `{"level":"INFO","msg":"no time"}`+"\n", whole[:20])
	r := NewReader(d, "linear")
	if got := next(t, r); got != "one" {
		t.Error(got)
	}
	write(t, w, whole[20:]) // it wasn't torn: it was being written
	if got := next(t, r); got != "two" {
		t.Error(got)
	}
	write(t, w, whole[:20])
	w.torn = true // as after a disk that was full in the middle of a record
	write(t, w, line(3, "three"))
	if got := next(t, r); got != "three" {
		t.Error(got)
	}
}

func TestOldLogsAreRemoved(t *testing.T) {
	d := state.At(t.TempDir())
	for pid := 1; pid <= maxFiles+5; pid++ {
		w := process(t, d, "linear", pid)
		w.limit = 1 // so that each has a predecessor
		write(t, w, line(pid, fmt.Sprint("a", pid)), line(pid, fmt.Sprint("b", pid)))
		if pid > 2 { // the first two live on
			w.Close()
		}
	}
	write(t, process(t, d, "notes", 1), line(0, "another server"))
	found, err := sources(d, "linear")
	if err != nil || len(found) != maxFiles {
		t.Fatalf("%d, %v", len(found), err)
	}
	var pids []int
	for _, s := range found {
		pids = append(pids, s.pid)
	}
	if pids[0] != 1 || pids[1] != 2 || pids[2] != 8 || pids[maxFiles-1] != maxFiles+5 {
		t.Errorf("left are %v", pids)
	}
	if n := len(files(t, d)); n != 2*maxFiles+1 {
		t.Errorf("%d files", n)
	}
}

// TestLogOfTheDead: a process that is killed no longer keeps its log from being removed.
func TestLogOfTheDead(t *testing.T) {
	if dir := os.Getenv("LOG_IN"); dir != "" {
		write(t, NewWriter(state.At(dir), "linear"), line(1, "one"))
		os.Stdout.WriteString("ready\n")
		select {}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=TestLogOfTheDead")
	cmd.Env = append(os.Environ(), "LOG_IN="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make([]byte, 6)
	if _, err := out.Read(ready); err != nil || string(ready) != "ready\n" {
		t.Errorf("%q, %v", ready, err)
	}
	for _, want := range []int{2, 1} {
		w := NewWriter(state.At(dir), "linear")
		w.keep, w.own.pid = 1, 1
		write(t, w, line(2, "two"))
		if n := len(files(t, state.At(dir))); n != want {
			t.Errorf("%d files, want %d", n, want)
		}
		w.Close()
		if want == 2 {
			os.Remove(w.path(currentExt))
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
}

func TestNoPlaceToWrite(t *testing.T) {
	dir := t.TempDir()
	d := state.At(filepath.Join(dir, "state"))
	if err := os.WriteFile(filepath.Join(dir, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := process(t, d, "linear", 1)
	if _, err := w.Write([]byte(line(1, "lost"))); err == nil {
		t.Fatal("written to nowhere")
	}
	if err := os.Remove(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	write(t, w, line(2, "kept"))
	if got := next(t, NewReader(d, "")); got != "kept" {
		t.Error(got)
	}
}
