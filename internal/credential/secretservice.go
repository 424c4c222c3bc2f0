//go:build !darwin && !windows

package credential

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/mcpctl/mcpctl/internal/host"
)

// busVariable is the variable that names the session bus, to godbus as to every other program.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// connect prepares the way to the keyring, and says why there is none.
//
// godbus, left alone, never looks into XDG_RUNTIME_DIR, and where it finds no bus it starts dbus-launch, which leaves a
// bus and a keyring daemon behind at every call. So the bus is looked for here, and without one godbus isn't asked.
func connect(h host.Host) (why string) {
	return findBus(h, "/run/user/"+strconv.Itoa(os.Getuid()))
}

func findBus(h host.Host, userDir string) (why string) {
	address := h.Getenv(busVariable)
	if address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return "" // if it leads nowhere, that is an answer too
	}
	sockets := []string{userDir + "/bus"}
	if dir := h.Getenv("XDG_RUNTIME_DIR"); strings.HasPrefix(dir, "/") {
		sockets = append([]string{dir + "/bus"}, sockets...)
	}
	for _, path := range sockets {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			if err := os.Setenv(busVariable, "unix:path="+dbus.EscapeBusAddressValue(path)); err != nil {
				return err.Error()
			}
			return ""
		}
	}
	return "no D-Bus session bus: " + busVariable + " isn't set, and there is no " + strings.Join(sockets, " or ")
}

// secretServiceKind reads the errors of godbus and of go-keyring's Secret Service client.
func secretServiceKind(err error) (Kind, bool) {
	var network *net.OpError
	if errors.As(err, &network) {
		return Absent, true // the bus can't be reached
	}
	// go-keyring has no type for this: https://github.com/zalando/go-keyring, secret_service/secret_service.go
	if strings.HasPrefix(err.Error(), "failed to unlock correct collection") {
		return Locked, true
	}
	var remote dbus.Error
	if !errors.As(err, &remote) {
		return Failed, false
	}
	if strings.HasPrefix(remote.Name, "org.freedesktop.DBus.Error.Spawn.") {
		return Absent, true
	}
	kind, ok := map[string]Kind{
		"org.freedesktop.DBus.Error.ServiceUnknown": Absent,
		"org.freedesktop.DBus.Error.NameHasNoOwner": Absent,
		"org.freedesktop.DBus.Error.NoReply":        Timeout,
		"org.freedesktop.DBus.Error.Timeout":        Timeout,
		"org.freedesktop.DBus.Error.TimedOut":       Timeout,
		"org.freedesktop.DBus.Error.AccessDenied":   Denied,
		"org.freedesktop.Secret.Error.IsLocked":     Locked,
		"org.freedesktop.Secret.Error.NoSuchObject": Locked, // no collection yet
		"org.freedesktop.DBus.Error.UnknownObject":  Locked, // the same, from KWallet
		"org.freedesktop.DBus.Error.Disconnected":   Absent,
		"org.freedesktop.DBus.Error.NoServer":       Absent,
	}[remote.Name]
	return kind, ok
}
