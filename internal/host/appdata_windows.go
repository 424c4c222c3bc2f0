package host

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

func appData(home string) (roaming, local string) {
	return folder("APPDATA", windows.FOLDERID_RoamingAppData, home+`\AppData\Roaming`),
		folder("LOCALAPPDATA", windows.FOLDERID_LocalAppData, home+`\AppData\Local`)
}

// folder asks the environment first, as every program does, and then Windows itself: AI clients may start their servers
// without these variables.
func folder(variable string, id *windows.KNOWNFOLDERID, fallback string) string {
	if p := os.Getenv(variable); filepath.IsAbs(p) {
		return p
	}
	if p, err := windows.KnownFolderPath(id, 0); err == nil {
		return p
	}
	return fallback
}
