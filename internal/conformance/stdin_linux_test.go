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

// TestStdinIsPolled: the runtime waits for what the client sends as it does for the network, whether the client has started the
// bridge with a pipe or, like Node.js, with a socket; and to others who have the same pipe or socket nothing changes.
func TestStdinIsPolled(t *testing.T) {
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
			var fds [2]int
			if err := open(&fds); err != nil {
				t.Fatal(err)
			}
			stdin, client := os.NewFile(uintptr(fds[0]), "stdin"), os.NewFile(uintptr(fds[1]), "client")
			defer stdin.Close()
			defer client.Close()
			cmd := exec.Command(built.Path(t), "bridge", s.URL)
			cmd.Env = []string{"HOME=" + t.TempDir()}
			cmd.Stdin = stdin
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(client, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, `"id":1`) {
				t.Fatalf("%q, %v", line, err)
			}
			var info unix.Stat_t
			if err := unix.Fstat(fds[0], &info); err != nil {
				t.Fatal(err)
			}
			watched := fmt.Sprintf("ino:%x ", info.Ino)
			found := false
			list, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", cmd.Process.Pid))
			for _, file := range list {
				data, _ := os.ReadFile(file)
				found = found || strings.Contains(string(data), "tfd:") && strings.Contains(string(data), watched)
			}
			if !found {
				t.Errorf("no poller of the bridge knows its stdin (%s)", watched)
			}
			if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
				t.Errorf("stdin has the flags %#x, %v", flags, err)
			}
			client.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
