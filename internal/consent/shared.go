package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

// shared is what the bridges of a user have in common about one consent: a lock, whose holder opens the tab and tries the
// calls, and a record of what it did. Clients start several copies of a bridge and kill them as they like, so the lock is one
// that the operating system frees.
type shared struct {
	dir  state.Dir
	name string
}

// record is what one process leaves for the others. Of the page only the host is in it: a file outlives the consent.
type record struct {
	Host      string    `json:"host"`
	OpenedAt  time.Time `json:"opened_at"`
	ExpiresAt time.Time `json:"expires_at"`          // until then the tab is usable, and no other is opened
	GrantedAt time.Time `json:"granted_at,omitzero"` // the consent was there
	// Login says that the tab is one of a sign-in, and NowhereAt when a page that was none was found to lead nowhere.
	Login     bool      `json:"login,omitempty"`
	NowhereAt time.Time `json:"nowhere_at,omitzero"`
}

// newShared returns what is shared by all who name the same identity. It touches no file.
func newShared(dir state.Dir, identity string) *shared {
	sum := sha256.Sum256([]byte(identity))
	return &shared{dir, hex.EncodeToString(sum[:12])}
}

func (s *shared) tryLock() (unlock func(), ok bool, err error) {
	return s.dir.TryLock("consent-" + s.name)
}

func (s *shared) path() string { return "consent/" + s.name + ".json" }

// read returns the record. One that is missing or damaged is as good as none.
func (s *shared) read() record {
	var r record
	if found, err := s.dir.Read(s.path(), &r); !found || err != nil {
		return record{}
	}
	return r
}

// usable reports whether a tab that was opened is still good at now.
func (r record) usable(now time.Time) bool {
	return !r.OpenedAt.After(now) && now.Before(r.ExpiresAt) && r.ExpiresAt.Sub(r.OpenedAt) <= stateLife
}

// knownNowhere reports whether pages for consent are known at now to lead nowhere.
func (r record) knownNowhere(now time.Time) bool {
	since := now.Sub(r.NowhereAt)
	return 0 <= since && since < nowhereLife
}

// ledNowhere reports the same of a page that was opened, when nobody was there any more to see that nothing came of it.
func (r record) ledNowhere(now time.Time) bool {
	return !r.usable(now) && now.Sub(r.OpenedAt) >= stateLife && r.inVain(now)
}

// inVain reports whether a page that isn't a sign-in's was opened lately, and has brought nothing so far.
func (r record) inVain(now time.Time) bool {
	since := now.Sub(r.OpenedAt)
	return !r.Login && 0 <= since && since < maxUnseen && !r.GrantedAt.After(r.OpenedAt)
}

// maxUnseen is how long nobody may have looked at what came of a page.
const maxUnseen = 24 * time.Hour

// noteOpened must be called with the lock held, as noteGranted. login says that the tab is one of a sign-in.
func (s *shared) noteOpened(host string, login bool, now time.Time) error {
	now = now.UTC()
	return s.dir.Write(s.path(), record{Host: host, OpenedAt: now, ExpiresAt: now.Add(stateLife), Login: login, NowhereAt: s.read().NowhereAt})
}

// noteNowhere may be called by any process. If another writes at the same time, and the note is lost, it will be made again.
func (s *shared) noteNowhere(now time.Time) error {
	r := s.read()
	r.NowhereAt, r.ExpiresAt = now.UTC(), now.UTC()
	return s.dir.Write(s.path(), r)
}

func (s *shared) noteGranted(host string, now time.Time) error {
	r := s.read()
	r.Host, r.GrantedAt = host, now.UTC()
	return s.dir.Write(s.path(), r)
}

// noteClosed says that the tab is of no use any more. It must be called with the lock held.
func (s *shared) noteClosed(now time.Time) error {
	r := s.read()
	r.ExpiresAt = now.UTC()
	return s.dir.Write(s.path(), r)
}
