package host

import "golang.org/x/sys/windows"

// appData asks Windows itself: AI clients start their servers with an environment that may lack APPDATA and
// LOCALAPPDATA.
func appData(home string) (roaming, local string) {
	return known(windows.FOLDERID_RoamingAppData, home+`\AppData\Roaming`),
		known(windows.FOLDERID_LocalAppData, home+`\AppData\Local`)
}

func known(id *windows.KNOWNFOLDERID, fallback string) string {
	if p, err := windows.KnownFolderPath(id, 0); err == nil {
		return p
	}
	return fallback
}
