package credential

import (
	"io/fs"
	"os"
)

// open opens the file at path for reading, unless it is a symbolic link. To make one between the two calls takes a user who
// may write in the folder, and who could write a file there as well.
func open(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	return os.Open(path)
}

// exposure finds nothing: Windows has no mode bits, and the profile folder's access list keeps other users out.
func exposure(fs.FileInfo, fs.FileMode) string { return "" }
