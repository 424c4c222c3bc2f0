package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// tourProcess is a server that the tour started, with the tour as its client.
type tourProcess struct {
	t     *tour
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte // of stdout
	pages chan string // addresses that it asked the user to open
	id    int
}

func startTourProcess(ctx context.Context, t *tour, command string, args []string) (*tourProcess, error) {
	p := &tourProcess{t: t, cmd: exec.CommandContext(ctx, command, args...), lines: make(chan []byte, 16), pages: make(chan string, 16)}
	p.cmd.Env = t.env
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			p.lines <- line
		}
	}()
	go func() {
		defer close(p.pages)
		for s := bufio.NewScanner(errs); s.Scan(); {
			t.show(s.Text())
			if line := strings.TrimSpace(s.Text()); strings.HasPrefix(line, "http") {
				p.pages <- line
			}
		}
	}()
	return p, nil
}

// page waits for the address that the user is asked to open.
func (p *tourProcess) page(ctx context.Context) (string, error) {
	select {
	case page, ok := <-p.pages:
		if !ok {
			return "", errors.New("it ended without asking for consent")
		}
		return page, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *tourProcess) send(message map[string]any) error {
	message["jsonrpc"] = "2.0"
	return json.NewEncoder(p.in).Encode(message)
}

// request sends a request and returns the result of its answer.
func (p *tourProcess) request(ctx context.Context, method string, params any) (json.RawMessage, error) {
	p.id++
	if err := p.send(map[string]any{"id": p.id, "method": method, "params": params}); err != nil {
		return nil, err
	}
	for {
		select {
		case line, ok := <-p.lines:
			var m struct {
				ID     int             `json:"id"`
				Result json.RawMessage `json:"result"`
				Error  *struct {
					Message string `json:"message"`
				} `json:"error"`
			}
			switch {
			case !ok:
				return nil, fmt.Errorf("it ended before it answered %s", method)
			case json.Unmarshal(line, &m) != nil:
				return nil, fmt.Errorf("not a message on stdout: %.100s", line)
			case m.ID != p.id: // a notification
			case m.Error != nil:
				return nil, errors.New(m.Error.Message)
			default:
				return m.Result, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *tourProcess) initialize(ctx context.Context) error {
	result, err := p.request(ctx, "initialize", map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "mcpctl-demo", "version": buildInfo().Version},
	})
	if err != nil {
		return err
	}
	if err := p.send(map[string]any{"method": "notifications/initialized"}); err != nil {
		return err
	}
	var server struct {
		ServerInfo struct{ Name, Version string } `json:"serverInfo"`
	}
	if err := json.Unmarshal(result, &server); err != nil {
		return err
	}
	listed, err := p.request(ctx, "tools/list", map[string]any{})
	if err != nil {
		return err
	}
	var list struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(listed, &list); err != nil {
		return err
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	p.t.say("   initialize answers %s %s\n   tools/list answers %s\n", server.ServerInfo.Name, server.ServerInfo.Version, strings.Join(names, ", "))
	return nil
}

// call calls a tool and returns the text of its result.
func (p *tourProcess) call(ctx context.Context, tool string, arguments map[string]any) (string, error) {
	shown, err := json.Marshal(arguments)
	if err != nil {
		return "", err
	}
	p.t.say("   tools/call %s %s\n", tool, shown)
	began := time.Now()
	result, err := p.request(ctx, "tools/call", map[string]any{"name": tool, "arguments": arguments})
	if err != nil {
		return "", err
	}
	var r struct {
		IsError bool
		Content []struct{ Text string }
	}
	if err := json.Unmarshal(result, &r); err != nil || len(r.Content) == 0 {
		return "", errors.New("the result has no text")
	}
	took := ""
	if d := time.Since(began); d > 100*time.Millisecond {
		took = fmt.Sprintf("   (after %s)", d.Round(100*time.Millisecond))
	}
	p.t.say("   answers %s%s\n", strings.ReplaceAll(r.Content[0].Text, "\n", "\n     "), took)
	if r.IsError {
		return "", errors.New(r.Content[0].Text)
	}
	return r.Content[0].Text, nil
}

// end closes stdin, as clients do, and wants the process to end in peace.
func (p *tourProcess) end() error {
	p.in.Close()
	for range p.lines {
		// What is still to be read has to be, before Wait.
	}
	for range p.pages {
	}
	return p.cmd.Wait()
}

func (p *tourProcess) kill() { _ = p.cmd.Process.Kill() }
