//go:build unix

package promises

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
	"github.com/mcpctl/mcpctl/internal/testbin"
)

// built is the program.
var built testbin.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	built.Remove()
	os.Exit(code)
}

// user is somebody with an empty home, no keyring, and a browser that only notes what it was given.
type user struct {
	t    *testing.T
	home string
	env  map[string]string
	said bytes.Buffer // all that mcpctl printed, but for what a server's answer brought
}

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{t: t, home: t.TempDir()}
	u.env = map[string]string{
		"HOME": u.home, "PATH": filepath.Join(u.home, "bin") + ":" + os.Getenv("PATH"), "DISPLAY": ":99",
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(u.home, "no-bus"),
	}
	opened := filepath.Join(u.home, "opened")
	u.write("bin/xdg-open", "#!/bin/sh\n{ echo \"$1\"; env; } >'"+opened+".new'\nmv '"+opened+".new' '"+opened+"'\n", 0o755)
	return u
}

// at points the user to a gateway.
func (u *user) at(gatewayURL, controlPlaneURL string) *user {
	u.env["MCPCTL_GATEWAY_URL"], u.env["MCPCTL_CONTROL_PLANE_URL"] = gatewayURL, controlPlaneURL
	return u
}

func (u *user) write(name, text string, mode fs.FileMode) string {
	u.t.Helper()
	path := filepath.Join(u.home, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
		u.t.Fatal(err)
	}
	return path
}

// command is mcpctl with arguments.
func (u *user) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, built.Path(u.t), args...)
	cmd.Dir = u.home
	for name, value := range u.env {
		if value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

func (u *user) run(stdin string, args ...string) (code int, stdout, stderr string) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), 30*time.Second)
	defer cancel()
	cmd := u.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.t.Fatal(err)
	}
	if ctx.Err() != nil {
		u.t.Errorf("mcpctl %q doesn't end\n%s", args, &errs)
	}
	u.said.Write(out.Bytes())
	u.said.Write(errs.Bytes())
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// must is run that has to succeed.
func (u *user) must(stdin string, args ...string) (stdout string) {
	u.t.Helper()
	code, stdout, stderr := u.run(stdin, args...)
	if code != 0 {
		u.t.Fatalf("mcpctl %q: exit %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

func startDemo(t *testing.T, o demo.Options) *demo.Gateway {
	t.Helper()
	g, err := demo.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// forms are the spellings in which a key could leak.
func forms(keys ...string) [][]byte {
	var list [][]byte
	for _, k := range keys {
		for _, f := range []string{k, url.QueryEscape(k), hex.EncodeToString([]byte(k)), strings.ToUpper(hex.EncodeToString([]byte(k)))} {
			list = append(list, []byte(f))
		}
		for shift := range 3 { // the part of the encoded text that depends on the key alone
			for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				text := e.EncodeToString(append(make([]byte, shift), k...))
				list = append(list, []byte(text[(shift*8+5)/6:(shift+len(k))*8/6]))
			}
		}
	}
	return list
}

// leak returns the spelling of a key that data holds, with what is around it, or "".
func leak(data []byte, needles [][]byte) string {
	for _, n := range needles {
		if at := bytes.Index(data, n); at >= 0 {
			return fmt.Sprintf("%q", data[max(0, at-80):min(len(data), at+len(n)+20)])
		}
	}
	return ""
}

// search looks for keys in every file below a folder, but for those whose names are allowed.
func search(t *testing.T, folder string, needles [][]byte, allowed ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, name := range allowed {
			if d.Name() == name {
				return nil
			}
		}
		files++
		data, err := os.ReadFile(path)
		if found := leak(data, needles); found != "" {
			t.Errorf("the key stands in %s: %s", path, found)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files searched, %v", files, err)
	}
}
