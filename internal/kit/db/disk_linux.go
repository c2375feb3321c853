package db

import (
	"io/fs"
	"log/slog"

	"golang.org/x/sys/unix"
)

// guardDisk refuses a data directory on a network file system, whose locks and whose sync
// cannot be relied on, and warns of one that another program serves.
func guardDisk(dir string, log *slog.Logger) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return err
	}
	return judgeDisk(int64(s.Type), dir, log)
}

func judgeDisk(kind int64, dir string, log *slog.Logger) error {
	switch uint32(kind) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return ErrWeak.With("name", "file system", "found", "network", "want", "local disk")
	case unix.FUSE_SUPER_MAGIC:
		log.Warn("the data directory is on a FUSE file system; make sure that its sync is true", "dir", dir)
	}
	return nil
}

// Free returns how many bytes of a folder's disk are free for this user.
func Free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Bavail) * s.Bsize, nil
}
