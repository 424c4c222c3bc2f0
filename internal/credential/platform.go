package credential

import (
	"encoding/base64"
	"errors"
	"strings"
	"syscall"

	"github.com/zalando/go-keyring"
)

// platform is what differs between the keyrings of operating systems.
type platform struct {
	keyring string
	// kindOf tells the kind of an error that is peculiar to this keyring.
	kindOf func(error) (Kind, bool)
	// what says what is missing or wrong, and help what helps, by kind.
	what, help map[Kind]string
}

// elsewhere is what helps when a keyring doesn't.
const elsewhere = "; without a keyring: set MCPCTL_API_KEY, or run mcpctl login --insecure-storage (a plain-text file)"

func platformOf(os string) platform {
	switch os {
	case "darwin":
		return platform{
			keyring: "the macOS keychain",
			kindOf:  keychainKind,
			what: map[Kind]string{
				Locked: "is locked, or can't ask for your password here (as over SSH)",
				TooBig: "takes keys up to about 2,900 bytes",
				Denied: "denied access",
			},
			help: map[Kind]string{
				Locked:  "run: security unlock-keychain" + elsewhere,
				Timeout: "answer its question, or run: security unlock-keychain" + elsewhere,
				Denied:  "try again and allow it" + elsewhere,
			},
		}
	case "windows":
		return platform{
			keyring: "the Windows Credential Manager",
			kindOf:  wincredKind,
			what: map[Kind]string{
				Absent: "doesn't exist in this kind of session (as over SSH)",
				TooBig: "takes keys up to about 2,300 bytes",
				Denied: "denied access",
			},
			help: map[Kind]string{
				Absent: "run mcpctl login in a desktop session" + elsewhere,
			},
		}
	}
	return platform{
		keyring: "the Secret Service keyring",
		kindOf:  secretServiceKind,
		what: map[Kind]string{
			Absent: "isn't there",
			Locked: "is locked, or was never set up",
			Denied: "denied access: its prompt was dismissed",
		},
		help: map[Kind]string{
			Absent:  "install gnome-keyring, or another Secret Service, and log in to a desktop session" + elsewhere,
			Locked:  "unlock it (log in to the desktop, or open its settings: Seahorse, KWalletManager)" + elsewhere,
			Timeout: "look for its prompt and answer that; if there is none, its daemon hangs: log out and in again" + elsewhere,
			Denied:  "try again and allow it" + elsewhere,
		},
	}
}

// explain makes the error that people read. detail is the technical reason.
func (p platform) explain(kind Kind, detail string) error {
	what, help := p.what[kind], p.help[kind]
	if what == "" {
		what = map[Kind]string{
			NotFound: "holds no such key",
			Timeout:  "doesn't answer",
			TooBig:   "doesn't take a key of this length",
		}[kind]
	}
	if what == "" {
		what = "failed"
	}
	if help == "" {
		help = map[Kind]string{NotFound: "run: mcpctl login"}[kind]
	}
	if help == "" {
		help = strings.TrimPrefix(elsewhere, "; ")
	}
	return NewError(kind, help, "%s %s (%s)", p.keyring, what, detail)
}

func (p platform) kind(err error) Kind {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return NotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return TooBig
	}
	if kind, ok := p.kindOf(err); ok {
		return kind
	}
	return Failed
}

// keychainKind reads the exit status of /usr/bin/security, which is the last byte of an OSStatus (SecBase.h).
func keychainKind(err error) (Kind, bool) {
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) {
		return Corrupt, true
	}
	var exit interface{ ExitCode() int } // *exec.ExitError
	if !errors.As(err, &exit) {
		return Failed, false
	}
	kind, ok := map[int]Kind{
		36:  Locked,   // errSecInteractionNotAllowed, -25308
		44:  NotFound, // errSecItemNotFound, -25300
		51:  Denied,   // errSecAuthFailed, -25293
		128: Denied,   // errSecUserCanceled, -128
	}[exit.ExitCode()]
	return kind, ok
}

// wincredKind reads the error codes of CredWriteW and CredReadW.
func wincredKind(err error) (Kind, bool) {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return Failed, false
	}
	kind, ok := map[syscall.Errno]Kind{
		5:    Denied, // ERROR_ACCESS_DENIED
		1312: Absent, // ERROR_NO_SUCH_LOGON_SESSION
	}[code]
	return kind, ok
}
