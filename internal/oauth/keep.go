package oauth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mcpctl/mcpctl/internal/credential"
	"github.com/mcpctl/mcpctl/internal/problem"
	"github.com/mcpctl/mcpctl/internal/secret"
	"github.com/mcpctl/mcpctl/internal/web"
)

// Record is what the state folder remembers about tokens. There is nothing secret in it.
type Record struct {
	Server   string `json:"server"`
	Resource string `json:"resource"` // the server's URL
	Gateway  string `json:"gateway,omitempty"`
	Profile  string `json:"profile"`
	Issuer   string `json:"issuer"`
	Scope    string `json:"scope,omitempty"`
	Store    string `json:"store"` // the kind of store that holds them
	// ClientID is the id of a client that the user registered by hand; "" if mcpctl registers itself.
	ClientID string `json:"client_id,omitempty"`
	// ExpiresAt is when the access token expires; zero if nobody said. Renewable says that there is a refresh token.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Renewable bool      `json:"renewable"`
	ChangedAt time.Time `json:"changed_at"`
	// EndedAt is when the authorization server refused to renew them; they are gone since.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Ended reports whether a new sign-in is needed.
func (r Record) Ended() bool { return !r.EndedAt.IsZero() }

// Record returns what is known of the tokens, without opening the store, and whether there are any.
func (s *Resource) Record() (Record, bool) {
	var r Record
	found, err := s.o.State.Read(s.recordName(), &r)
	return r, found && err == nil
}

func (s *Resource) recordName() string { return "oauth/" + s.name + ".json" }
func (s *Resource) sealedName(id string) string {
	return "oauth/" + s.name + "-" + id + ".sealed"
}

// item is what a store holds, as JSON, in place of a key.
type item struct {
	Version  int       `json:"v"`
	Resource string    `json:"resource"`
	Issuer   string    `json:"issuer"`
	Token    string    `json:"token_endpoint"`
	Revoke   string    `json:"revocation_endpoint,omitempty"`
	ClientID string    `json:"client_id"`
	Secret   string    `json:"client_secret,omitempty"`
	Method   string    `json:"client_method"`
	Access   string    `json:"access_token"`
	Refresh  string    `json:"refresh_token,omitempty"`
	Scope    string    `json:"scope,omitempty"`
	Obtained time.Time `json:"obtained_at"`
	Expires  time.Time `json:"expires_at,omitzero"`
}

// sealedItem is what a store holds that can't take a whole item: the key of a file in the state folder.
type sealedItem struct {
	Version int    `json:"v"`
	Sealed  string `json:"sealed"` // the file's id
	Key     []byte `json:"key"`
}

const itemVersion = 1

func (t *tokens) item() item {
	return item{itemVersion, t.resource, t.issuer, t.token, t.revoke, t.client.id, t.client.secret.Reveal(), t.client.method,
		t.access.Reveal(), t.refresh.Reveal(), t.scope, t.obtained.UTC(), t.expires.UTC()}
}

func (i item) tokens() *tokens {
	return &tokens{i.Resource, i.Issuer, i.Token, i.Revoke, client{i.ClientID, secret.New(i.Secret), i.Method},
		secret.New(i.Access), secret.New(i.Refresh), i.Scope, i.Obtained, i.Expires}
}

// maxReads is how often tokens are read that another process replaces at that moment.
const maxReads = 3

// errNoFile says that the file which the store names is missing.
var errNoFile = errors.New("the file of the tokens is missing")

// read returns the tokens that the store has now. The error wraps ErrNone or ErrEnded if there are none.
//
// It takes no lock, as most calls read: whoever replaces the tokens removes the file of the old ones, which a store that was read
// before still names.
func (s *Resource) read(ctx context.Context) (t *tokens, err error) {
	for range maxReads {
		if t, err = s.readOnce(ctx); !errors.Is(err, errNoFile) {
			return t, err
		}
	}
	return nil, s.damaged()
}

func (s *Resource) readOnce(ctx context.Context) (*tokens, error) {
	r, found := s.Record()
	switch {
	case !found:
		return nil, ErrNone
	case r.Ended():
		return nil, s.ended(nil)
	}
	kept, err := s.o.Store(r.Store).Get(ctx, s.name)
	if kind, ok := credential.KindOf(err); ok && kind == credential.NotFound {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	text, err := s.unseal([]byte(kept.Key.Reveal()))
	if err != nil {
		return nil, err
	}
	var i item
	if json.Unmarshal(text, &i) != nil || i.Version != itemVersion || i.Access == "" {
		return nil, s.damaged()
	}
	t := i.tokens()
	for _, value := range []secret.Secret{t.access, t.refresh, t.client.secret} {
		s.o.Hide(value)
	}
	return t, nil
}

func (s *Resource) damaged() error {
	return problem.With(damagedError{s.o.Server}, "run: "+s.LoginCommand())
}

// damagedError is what a store holds in place of tokens.
type damagedError struct{ server string }

func (e damagedError) Error() string {
	return fmt.Sprintf("the tokens for %s aren't as mcpctl wrote them", e.server)
}

// LoginCommand is what the user can type to sign in.
func (s *Resource) LoginCommand() string { return "mcpctl login --oauth " + s.o.Server }

// Usable reports whether there are tokens now.
func (s *Resource) Usable(ctx context.Context) bool {
	_, err := s.fresh(ctx)
	return err == nil
}

// write keeps t. The lock must be held.
func (s *Resource) write(ctx context.Context, t *tokens) error {
	kind := s.o.Kind
	old, found := s.Record()
	if found && !old.Ended() {
		kind = old.Store
	}
	return s.writeTo(ctx, kind, t)
}

// writeTo keeps t in a store of a kind.
func (s *Resource) writeTo(ctx context.Context, kind string, t *tokens) error {
	text, err := json.Marshal(t.item())
	if err != nil {
		return err
	}
	store := s.o.Store(kind)
	origins := []string{web.Origin(s.o.URL)}
	err = store.Set(ctx, s.name, credential.Item{Key: secret.New(string(text)), Origins: origins})
	sealed := ""
	if k, ok := credential.KindOf(err); ok && k == credential.TooBig {
		sealed, err = s.seal(ctx, store, text)
	}
	if err != nil {
		return err
	}
	s.removeSealed(sealed)
	r := Record{Server: s.o.Server, Resource: s.o.URL.String(), Profile: s.o.Profile, Issuer: t.issuer, Scope: t.scope, Store: kind,
		ClientID: s.o.ClientID, ExpiresAt: t.expires.UTC(), Renewable: !t.refresh.IsZero(), ChangedAt: time.Now().UTC()}
	if s.o.Gateway != nil {
		r.Gateway = s.o.Gateway.String()
	}
	return s.o.State.Write(s.recordName(), r)
}

// sealedFile is AES-256-GCM of an item's JSON. The nonce may be all zeros, for no key is used twice.
type sealedFile struct {
	Version int    `json:"v"`
	Data    []byte `json:"data"`
}

// seal keeps text in a file of the state folder, and the file's key in the store.
func (s *Resource) seal(ctx context.Context, store credential.Store, text []byte) (id string, err error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	box, err := newBox(key)
	if err != nil {
		return "", err
	}
	id = randomText(9)
	data := box.Seal(nil, make([]byte, box.NonceSize()), text, []byte(s.name))
	if err := s.o.State.Write(s.sealedName(id), sealedFile{itemVersion, data}); err != nil {
		return "", err
	}
	short, err := json.Marshal(sealedItem{itemVersion, id, key})
	if err != nil {
		return "", err
	}
	err = store.Set(ctx, s.name, credential.Item{Key: secret.New(string(short)), Origins: []string{web.Origin(s.o.URL)}})
	if err != nil {
		os.Remove(s.o.State.Path(s.sealedName(id)))
	}
	return id, err
}

// unseal returns an item's JSON, out of the file if it is in one. The error is errNoFile if that isn't there.
func (s *Resource) unseal(text []byte) ([]byte, error) {
	var i sealedItem
	if json.Unmarshal(text, &i) != nil || i.Sealed == "" {
		return text, nil
	}
	var f sealedFile
	found, err := s.o.State.Read(s.sealedName(i.Sealed), &f)
	switch {
	case err == nil && !found:
		return nil, errNoFile
	case err != nil, i.Version != itemVersion:
		return nil, s.damaged()
	}
	box, err := newBox(i.Key)
	if err != nil {
		return nil, s.damaged()
	}
	plain, err := box.Open(nil, make([]byte, box.NonceSize()), f.Data, []byte(s.name))
	if err != nil {
		return nil, s.damaged()
	}
	return plain, nil
}

func newBox(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// removeSealed removes the files of earlier tokens; keep is the id of the one in use, "" for none.
func (s *Resource) removeSealed(keep string) {
	for _, name := range s.o.State.List("oauth", s.name+"-*.sealed") {
		if name != s.sealedName(keep) {
			os.Remove(s.o.State.Path(name))
		}
	}
}

// remove forgets the tokens. The lock must be held.
func (s *Resource) remove(ctx context.Context, kind string) error {
	err := s.o.Store(kind).Delete(ctx, s.name)
	if k, ok := credential.KindOf(err); ok && k == credential.NotFound {
		err = nil
	}
	if err == nil {
		s.removeSealed("")
	}
	return err
}

// ended is the error of tokens that can't be renewed. cause may be nil.
func (s *Resource) ended(cause error) error {
	err := fmt.Errorf("%w for %s", ErrEnded, s.o.Server)
	if cause != nil {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	return problem.With(err, "log in again: "+s.LoginCommand())
}

// Missing reports whether err says that there are no tokens: nobody has signed in, or the sign-in has ended.
func Missing(err error) bool { return errors.Is(err, ErrNone) || errors.Is(err, ErrEnded) }
