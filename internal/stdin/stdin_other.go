//go:build !linux

package stdin

import (
	"io"
	"os"
)

func polled(*os.File) io.ReadCloser { return nil }
