//go:build !linux

package atomicfile

func create(path string) (*temporary, error) { return named(path) }

// finish closes the file, which Windows wants before a rename.
func (t *temporary) finish() error { return t.Close() }
