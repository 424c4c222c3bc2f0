package credential

import (
	"context"
	"errors"

	"github.com/zalando/go-keyring"

	"github.com/mcpctl/mcpctl/internal/fault"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/secret"
)

// service is the name under which a keyring groups mcpctl's items.
const service = "mcpctl"

// Keyring is the operating system's keyring: the macOS keychain, the Windows Credential Manager, or the Secret Service of
// a desktop session (gnome-keyring, KWallet, KeePassXC).
//
// It protects a key from other users and from whoever steals the disk, not from other programs of the same user.
type Keyring struct {
	host host.Host
	os   platform
	ring ring
}

// ring is what is used of go-keyring.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, text string) error
	Delete(service, user string) error
}

type goKeyring struct{}

func (goKeyring) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (goKeyring) Set(service, user, text string) error     { return keyring.Set(service, user, text) }
func (goKeyring) Delete(service, user string) error        { return keyring.Delete(service, user) }

// NewKeyring returns the keyring of h.
func NewKeyring(h host.Host) *Keyring { return &Keyring{h, platformOf(h.OS), goKeyring{}} }

// Place implements Store.
func (k *Keyring) Place(name string) string { return k.os.keyring + " (" + service + "/" + name + ")" }

// Get implements Store.
func (k *Keyring) Get(ctx context.Context, name string) (Item, error) {
	text, err := k.call(ctx, func() (string, error) { return k.ring.Get(service, name) })
	if err != nil {
		return Item{}, err
	}
	item, ok := decode(text)
	if !ok {
		return Item{}, k.corrupt(name)
	}
	return item, nil
}

// Set implements Store.
func (k *Keyring) Set(ctx context.Context, name string, item Item) error {
	text, err := encode(item)
	if err != nil {
		return err
	}
	kept, err := k.call(ctx, func() (string, error) {
		if err := k.ring.Set(service, name, text); err != nil {
			return "", err
		}
		// When a person dismisses the Secret Service's prompt, Set reports success.
		kept, err := k.ring.Get(service, name)
		if errors.Is(err, keyring.ErrNotFound) {
			return "", nil
		}
		return kept, err
	})
	if err == nil && kept != text {
		err = k.os.explain(Denied, "it took the key, and doesn't have it")
	}
	return err
}

// Delete implements Store.
func (k *Keyring) Delete(ctx context.Context, name string) error {
	left, err := k.call(ctx, func() (string, error) {
		if err := k.ring.Delete(service, name); err != nil {
			return "", err
		}
		left, err := k.ring.Get(service, name) // as in Set
		if errors.Is(err, keyring.ErrNotFound) {
			return "", nil
		}
		return left, err
	})
	if err == nil && left != "" {
		err = k.os.explain(Denied, "the key is still there")
	}
	return err
}

// Value returns the value of an item that the user made under mcpctl's name, such as a header's secret.
func (k *Keyring) Value(ctx context.Context, name string) (secret.Secret, error) {
	text, err := k.call(ctx, func() (string, error) { return k.ring.Get(service, name) })
	return secret.New(text), err
}

func (k *Keyring) corrupt(name string) error {
	return NewError(Corrupt, "run mcpctl login, which replaces it",
		"%s: the item %s/%s isn't what mcpctl wrote", k.os.keyring, service, name)
}

// call runs f until ctx ends. go-keyring has no limit of its own, and waits for ever for a prompt that nobody sees or a
// daemon that was stopped; f is then left behind, and ends with the process.
func (k *Keyring) call(ctx context.Context, f func() (string, error)) (string, error) {
	if why := connect(k.host); why != "" {
		return "", k.os.explain(Absent, why)
	}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Limit)
		defer cancel()
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	fault.Go(func() {
		text, err := f()
		done <- result{text, err}
	}, func(error) {
		// go-keyring reads a closed channel when the bus goes away under a prompt.
		done <- result{err: errors.New("the connection broke")}
	})
	select {
	case r := <-done:
		if r.err != nil {
			return "", k.os.explain(k.os.kind(r.err), reason(r.err))
		}
		return r.text, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", k.os.explain(Timeout, "no answer in time")
		}
		return "", ctx.Err()
	}
}

// reason is what an error of go-keyring says in one line. It never holds a secret: the library puts names, paths and exit
// codes into its errors.
func reason(err error) string {
	if errors.Is(err, keyring.ErrNotFound) {
		return "no such item"
	}
	return err.Error()
}
