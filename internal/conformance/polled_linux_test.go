package conformance_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPolled: the runtime waits for the client as it does for the network, whether the client has started the bridge with pipes or,
// like Node.js, with sockets; and to others who have the same pipes or sockets nothing changes.
func TestPolled(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	}))
	defer s.Close()
	for name, open := range map[string]func(fds *[2]int) error{
		"pipe": func(fds *[2]int) error { return unix.Pipe2(fds[:], unix.O_CLOEXEC) },
		"socket": func(fds *[2]int) (err error) {
			*fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ends := func() (r, w *os.File) {
				var fds [2]int
				if err := open(&fds); err != nil {
					t.Fatal(err)
				}
				r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
				t.Cleanup(func() { r.Close(); w.Close() })
				return r, w
			}
			stdin, in := ends()
			out, stdout := ends()
			cmd := exec.Command(built.Path(t), "bridge", s.URL)
			cmd.Env = []string{"HOME=" + t.TempDir()}
			cmd.Stdin, cmd.Stdout = stdin, stdout
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			fmt.Fprintln(in, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, `"id":1`) {
				t.Fatalf("%q, %v", line, err)
			}
			isPolled(t, cmd.Process.Pid, stdin)
			isPolled(t, cmd.Process.Pid, stdout)
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// isPolled checks that a poller of the process knows the file, and that the file is a blocking one.
func isPolled(t *testing.T, pid int, file *os.File) {
	t.Helper()
	fd := int(file.Fd())
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		t.Fatal(err)
	}
	watched := fmt.Sprintf("ino:%x ", info.Ino)
	found := false
	list, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	for _, file := range list {
		data, _ := os.ReadFile(file)
		found = found || strings.Contains(string(data), "tfd:") && strings.Contains(string(data), watched)
	}
	if !found {
		t.Errorf("no poller of the bridge knows %s", watched)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("it has the flags %#x, %v", flags, err)
	}
}
