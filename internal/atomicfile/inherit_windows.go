package atomicfile

import (
	"io/fs"
	"os"
)

// inherit gives file its mode. What else the folder says of its files holds for the new one as well.
func inherit(file, _ *os.File, mode fs.FileMode) error { return file.Chmod(mode) }
