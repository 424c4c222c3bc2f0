//go:build unix

package bridge

import "golang.org/x/sys/unix"

// newSlab returns memory of a size outside the heap, nil if there is none to be had. No page of it is there before it is used.
func newSlab(size int) []byte {
	slab, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return slab
}

// freeSlab gives it all back. Whoever uses the slab after that is killed.
func freeSlab(slab []byte) { _ = unix.Munmap(slab) }

// emptySlab gives the pages back; the slab can still be used.
func emptySlab(slab []byte) { _ = unix.Madvise(slab, unix.MADV_DONTNEED) }
