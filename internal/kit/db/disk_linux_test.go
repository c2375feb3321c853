package db

import (
	"errors"
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGuardDisk(t *testing.T) {
	t.Parallel()
	for kind, want := range map[int64]error{
		unix.EXT4_SUPER_MAGIC: nil,
		unix.FUSE_SUPER_MAGIC: nil, // a warning
		unix.NFS_SUPER_MAGIC:  ErrWeak,
		unix.CIFS_SUPER_MAGIC: ErrWeak,
	} {
		if got := judgeDisk(kind, "/x", slog.New(slog.DiscardHandler)); !errors.Is(got, want) {
			t.Errorf("file system %x: %v, want %v", kind, got, want)
		}
	}
}
