// Package harden keeps what the process knows from core files, and on Linux from other processes of the same user.
package harden
