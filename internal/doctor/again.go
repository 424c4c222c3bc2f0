package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"time"
)

// again runs this program's own check of the credential with the environment that clients give to their servers.
func (c *chain) again(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, keyTime)
	defer cancel()
	cmd := exec.Command(c.Again[0], c.Again[1:]...)
	cmd.Env = environmentOf(c.Host.OS, "").list(c.Host, c.Environ, nil)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	kill, err := startGroup(cmd)
	if err != nil {
		return failure(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // its results tell
	}()
	select {
	case <-done:
	case <-ctx.Done():
		kill()
		<-done
		return finding(Failed, "see: mcpctl status", "in the environment that clients give to their servers, the key didn't come within %s", keyTime)
	}
	var results []Result
	if json.Unmarshal(out.Bytes(), &results) != nil || len(results) != 1 {
		return finding(Failed, "see: mcpctl status", "the key could not be looked for in the environment that clients give to their servers")
	}
	if r := results[0]; r.Status == Failed {
		return finding(Failed, r.NextStep, "with the environment that clients give to their servers: %s", r.Detail)
	}
	return finding(OK, "", "within reach, with the environment that clients give to their servers")
}
