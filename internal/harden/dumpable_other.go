//go:build unix && !linux

package harden

func undumpable() {}
