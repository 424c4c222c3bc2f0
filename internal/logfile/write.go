package logfile

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

const (
	maxSize  = 1 << 20 // bytes of a file; a process has two at most
	maxFiles = 20      // processes of a server that are remembered
)

// Writer writes the log of this process. No file is made before the first record, and logs of ended processes are removed
// then, the oldest first, if their server has too many. It is for one goroutine at a time.
type Writer struct {
	dir   state.Dir
	own   source
	limit int64 // bytes
	keep  int   // processes

	file *os.File
	size int64
	torn bool // the last record was written in part
}

// NewWriter returns the Writer of this process, which is a bridge to server.
func NewWriter(d state.Dir, server string) *Writer {
	return &Writer{dir: d, own: source{server, time.Now(), os.Getpid()}, limit: maxSize, keep: maxFiles}
}

// Write appends one record, a line. An error loses this record alone: the next one tries again.
func (w *Writer) Write(line []byte) (int, error) {
	if w.file != nil && w.size+int64(len(line)) > w.limit {
		_ = w.Close()
		if err := os.Rename(w.path(currentExt), w.path(previousExt)); err != nil {
			return 0, err
		}
	}
	if w.file == nil {
		if err := w.open(); err != nil {
			return 0, err
		}
	}
	if w.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := w.file.Write(line)
	w.size += int64(n)
	w.torn = err != nil && (w.torn || n > 0)
	return n, err
}

func (w *Writer) path(ext string) string { return w.dir.Path(folder + "/" + w.own.name() + ext) }

func (w *Writer) open() error {
	if _, err := w.dir.Make(folder); err != nil {
		return err
	}
	f, err := os.OpenFile(w.path(currentExt), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	markAlive(f)
	w.file, w.size, w.torn = f, info.Size(), false
	w.prune()
	return nil
}

// prune removes the oldest logs of the server's ended processes, as many as there are too many.
func (w *Writer) prune() {
	all, err := sources(w.dir, w.own.server)
	if err != nil {
		return
	}
	tooMany := len(all) - w.keep
	for _, s := range all {
		if tooMany <= 0 {
			return
		}
		old := Writer{dir: w.dir, own: s}
		if s == w.own || isAlive(old.path(currentExt)) {
			continue
		}
		if err := os.Remove(old.path(currentExt)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		_ = os.Remove(old.path(previousExt)) // most have none
		tooMany--
	}
}

// Close closes the file, if there is one.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}
