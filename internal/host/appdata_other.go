//go:build !windows

package host

func appData(string) (roaming, local string) { return "", "" }
