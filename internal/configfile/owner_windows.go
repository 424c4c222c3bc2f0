package configfile

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// whyNot says what keeps a file from being replaced, "" if err doesn't tell.
func whyNot(err error) string {
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return "close the program that has the file open, then try again"
	}
	return ""
}

// mayWrite leaves it to the system, which asks the file itself when it is replaced.
func mayWrite(string) bool { return true }

// folderReadOnly has nothing to recognise: on a folder, Windows takes the read-only attribute to mean that it has an
// icon of its own.
func folderReadOnly(fs.FileInfo) bool { return false }

// underSudo has nothing to recognise: an elevated process is still the same user.
func underSudo(fs.FileInfo) bool { return false }
