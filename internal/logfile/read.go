package logfile

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcpctl/mcpctl/internal/state"
)

// Record is one record of a log. The names of its fields are part of the command line's promise.
type Record struct {
	Time       time.Time      `json:"time"`
	Level      string         `json:"level"` // debug, info, warn, error
	Message    string         `json:"message"`
	Server     string         `json:"server"`
	PID        int            `json:"pid"` // of the bridge that wrote it
	Attributes map[string]any `json:"attributes"`
}

// Reader reads the logs of all processes as one.
type Reader struct {
	dir    state.Dir
	server string
	seen   map[source]place
}

// place is how far a process's log has been read: offset bytes of the file info.
type place struct {
	info   os.FileInfo
	offset int64
}

// NewReader returns a Reader of the logs of server, or of all servers if that is "".
func NewReader(d state.Dir, server string) *Reader {
	return &Reader{dir: d, server: server, seen: map[source]place{}}
}

// Next returns the records that have been written since the last call, all at the first one, in the order of time. Lines
// that are no records, such as the last one of a process that was killed while it wrote, are left out.
func (r *Reader) Next() ([]Record, error) {
	all, err := sources(r.dir, r.server)
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, s := range all {
		for line := range bytes.Lines(r.fresh(s)) {
			if record, ok := parseRecord(line); ok {
				record.Server, record.PID = s.server, s.pid
				records = append(records, record)
			}
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return records, nil
}

// fresh returns the complete lines of s that were not there at the last look. Files are open for a moment only, since
// Windows doesn't rename open ones. The current file is opened first: if it becomes the previous one meanwhile, it is seen
// twice, and not missed.
func (r *Reader) fresh(s source) []byte {
	path := r.dir.Path(folder + "/" + s.name())
	current := openFile(path + currentExt)
	previous := openFile(path + previousExt)
	defer current.close()
	defer previous.close()
	p := r.seen[s]
	files := []openedFile{previous, current}
	if current.is(p.info) {
		files = files[1:]
	}
	var lines []byte
	for _, f := range files {
		if f.file == nil {
			continue
		}
		if !f.is(p.info) || f.info.Size() < p.offset {
			p.offset = 0
		}
		more := f.lines(p.offset)
		lines = append(lines, more...)
		p = place{f.info, p.offset + int64(len(more))}
	}
	r.seen[s] = p
	return lines
}

// openedFile is a file, or nothing.
type openedFile struct {
	file *os.File
	info os.FileInfo
}

func openFile(path string) openedFile {
	f, err := os.Open(path)
	if err != nil {
		return openedFile{}
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return openedFile{}
	}
	return openedFile{f, info}
}

func (f openedFile) close() {
	if f.file != nil {
		f.file.Close()
	}
}

// is reports whether f is the file that info is of.
func (f openedFile) is(info os.FileInfo) bool {
	return f.file != nil && info != nil && os.SameFile(f.info, info)
}

// lines returns what there is from offset on, up to the last end of a line.
func (f openedFile) lines(offset int64) []byte {
	data, _ := io.ReadAll(io.NewSectionReader(f.file, offset, 1<<62-offset))
	return data[:bytes.LastIndexByte(data, '\n')+1]
}

func parseRecord(line []byte) (Record, bool) {
	var head struct {
		Time    time.Time
		Level   string
		Message string `json:"msg"`
	}
	if json.Unmarshal(line, &head) != nil || head.Time.IsZero() {
		return Record{}, false
	}
	record := Record{Time: head.Time, Level: strings.ToLower(head.Level), Message: head.Message, Attributes: map[string]any{}}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if d.Decode(&record.Attributes) != nil {
		return Record{}, false
	}
	for _, name := range []string{"time", "level", "msg"} {
		delete(record.Attributes, name)
	}
	return record, true
}
