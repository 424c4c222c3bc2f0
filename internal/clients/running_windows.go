package clients

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// executables asks Windows for every process and then for its file; those of other users can't be asked, which is fine.
func executables() []string {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(snapshot)
	var paths []string
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if path, ok := executable(entry.ProcessID); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// executable returns the path of a process's file.
func executable(id uint32) (string, bool) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, id)
	if err != nil {
		return "", false
	}
	defer windows.CloseHandle(process)
	path := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(path))
	if err := windows.QueryFullProcessImageName(process, 0, &path[0], &size); err != nil {
		return "", false
	}
	return windows.UTF16ToString(path[:size]), true
}
