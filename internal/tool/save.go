package tool

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcpctl/mcpctl/internal/problem"
)

// extensions of files by their MIME type, of those that tools return.
var extensions = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/svg+xml": ".svg", "image/avif": ".avif",
	"audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/ogg": ".ogg", "audio/flac": ".flac", "audio/mp4": ".m4a",
	"video/mp4": ".mp4", "application/pdf": ".pdf", "application/zip": ".zip", "application/json": ".json", "text/plain": ".txt",
	"text/html": ".html", "text/csv": ".csv", "text/markdown": ".md",
}

// Save writes data to a new file in dir, "" for the current folder, and returns its path. The file is called as the last
// part of uri, or else as fallback; never is a file replaced, nor one written outside of dir, whatever a server calls it.
func Save(dir, fallback, uri, mimeType string, data []byte) (string, error) {
	mimeType, _, _ = strings.Cut(mimeType, ";")
	name := fileName(uri)
	if name == "" {
		name = safeName(fallback)
	}
	if name == "" {
		name = "result"
	}
	extension := path.Ext(name)
	if len(extension) < 2 || len(extension) > 6 {
		extension = ""
	}
	stem := strings.TrimSuffix(name, extension)
	if extension == "" {
		extension = extensions[strings.ToLower(strings.TrimSpace(mimeType))]
	}
	if extension == "" {
		extension = ".bin"
	}
	for n := 1; n < 10000; n++ {
		file := filepath.Join(dir, stem+extension)
		if n > 1 {
			file = filepath.Join(dir, fmt.Sprintf("%s-%d%s", stem, n, extension))
		}
		err := create(file, data)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return file, problem.With(err, "name a folder that you can write to with --output, or look at the result with --json")
	}
	return "", problem.New("name another folder with --output", "%s is full of files called %s", filepath.Join(dir, "."), stem)
}

// create writes a file that doesn't exist yet, whole or not at all.
func create(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(file)
	}
	return err
}

// fileName is the last part of a URI's path, made safe; "" if there is none.
func fileName(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || uri == "" {
		return ""
	}
	p := u.Path
	if p == "" {
		p = u.Opaque
	}
	return safeName(path.Base(strings.ReplaceAll(p, `\`, "/")))
}

// safeName makes a name of it that is good on every system: no folders, nothing hidden, no option, no device of Windows.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("._-", r):
			return r
		case r == utf8.RuneError, unicode.IsControl(r):
			return -1
		}
		return '_'
	}, name)
	name = strings.Trim(strings.TrimLeft(name, ".-_"), ".")
	if len(name) > 80 {
		extension := path.Ext(name)
		if len(extension) > 10 {
			extension = ""
		}
		name = strings.ToValidUTF8(name[:80-len(extension)], "") + extension
	}
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	switch {
	case stem == "con", stem == "prn", stem == "aux", stem == "nul",
		len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && unicode.IsDigit(rune(stem[3])):
		return "_" + name
	}
	return name
}
