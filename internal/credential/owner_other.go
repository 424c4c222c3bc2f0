//go:build !windows

package credential

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// exposure says why another user may have had a hand in a file or folder: a foreign owner, or a permission of forbidden.
func exposure(info fs.FileInfo, forbidden fs.FileMode) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("it belongs to another user (uid %d)", stat.Uid)
	}
	if info.Mode().Perm()&forbidden != 0 {
		return fmt.Sprintf("its mode is %#o, which lets other users in", info.Mode().Perm())
	}
	return ""
}
