//go:build torture

package disk

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// room is how large the disk says it is.
const room = 1 << 30

// Disk is a mounted disk. It is also its one folder.
type Disk struct {
	fs.Inode
	server *fuse.Server
	gone   sync.Once

	mu    sync.Mutex
	names map[string]*file // as they are now
	kept  map[string]*file // as of the last sync of the folder
	fault Fault
	count int
	times int // how often it failed
}

// file is what a name stands for.
type file struct {
	fs.Inode
	disk  *Disk
	mode  uint32
	plain bool // holds what programs keep: not a lock, a socket, or shared memory
	now   []byte
	kept  []byte   // as of the last sync
	loose []change // since then, in order
}

// change is one write, or a new length where there are no bytes.
type change struct {
	at    int64
	bytes []byte
}

func (c change) apply(to []byte) []byte {
	if c.bytes == nil {
		return resized(to, c.at)
	}
	if end := c.at + int64(len(c.bytes)); end > int64(len(to)) {
		to = resized(to, end)
	}
	copy(to[c.at:], c.bytes)
	return to
}

func resized(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		return b[:n:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// Mount puts a disk with these files, all synced, on a folder. It needs root and /dev/fuse.
func Mount(at string, files map[string][]byte) (*Disk, error) {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return nil, fmt.Errorf("power cuts need /dev/fuse and root, as in: docker run --device /dev/fuse --cap-add SYS_ADMIN: %w", err)
	}
	d := &Disk{names: map[string]*file{}}
	for name, bytes := range files {
		f := d.newFile(name, syscall.S_IFREG|0o600)
		f.now, f.kept = append([]byte{}, bytes...), append([]byte{}, bytes...)
		d.names[name] = f
	}
	d.kept = maps.Clone(d.names)
	long := time.Hour // nobody but the kernel changes anything
	var err error
	d.server, err = fs.Mount(at, d, &fs.Options{
		EntryTimeout: &long, AttrTimeout: &long,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "torture", Name: "torture", MaxWrite: 1 << 20},
	})
	if err != nil {
		return nil, fmt.Errorf("mount a FUSE file system, which needs root (or CAP_SYS_ADMIN): %w", err)
	}
	return d, nil
}

// Unmount takes the disk away. Nobody may be using it. A second time does nothing.
func (d *Disk) Unmount() (err error) {
	d.gone.Do(func() { err = d.server.Unmount() })
	return err
}

func (d *Disk) newFile(name string, mode uint32) *file {
	plain := mode&syscall.S_IFMT == syscall.S_IFREG && !strings.HasSuffix(name, "-shm") && !strings.HasSuffix(name, ".lock")
	return &file{disk: d, mode: mode, plain: plain}
}

// Loss is what a power cut does to that which was not synced.
type Loss struct {
	Name string
	// Piece is how much the disk writes at once: what was not synced arrives in pieces of
	// this many bytes.
	Piece int
	// Ordered lets the first pieces arrive and no others. Else any may, or none, in any
	// mixture.
	Ordered bool
	// All loses everything that was not synced.
	All bool
	// Names lets names survive that were not synced either.
	Names bool
}

// Losses are the kinds of power cut.
var Losses = []Loss{
	{Name: "all that was not synced is lost", All: true},
	{Name: "torn after some sector", Piece: 512, Ordered: true},
	{Name: "torn after some page", Piece: 4096, Ordered: true, Names: true},
	{Name: "some sectors were written", Piece: 512},
	{Name: "some pages were written", Piece: 4096, Names: true},
}

// Cut returns what is on the disk if the power goes at this instant.
func (d *Disk) Cut(l Loss, rng *rand.Rand) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := d.kept
	if l.Names {
		names = d.names
	}
	out := map[string][]byte{}
	for name, f := range names {
		if f.plain {
			out[name] = f.after(l, rng)
		}
	}
	return out
}

// Files returns what is on the disk now: what a program finds that is started again
// without a power cut.
func (d *Disk) Files() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string][]byte{}
	for name, f := range d.names {
		if f.plain {
			out[name] = append([]byte{}, f.now...)
		}
	}
	return out
}

// Loose returns how many bytes would be lost if the power went now.
func (d *Disk) Loose() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.names {
		for _, c := range f.loose {
			if f.plain {
				n += len(c.bytes)
			}
		}
	}
	return n
}

func (f *file) after(l Loss, rng *rand.Rand) []byte {
	out := append([]byte{}, f.kept...)
	if l.All {
		return out
	}
	var pieces []change
	for _, c := range f.loose {
		pieces = append(pieces, c.pieces(int64(l.Piece))...)
	}
	if l.Ordered && len(pieces) > 0 {
		pieces = pieces[:rng.IntN(len(pieces)+1)]
	}
	for _, c := range pieces {
		if l.Ordered || rng.IntN(2) == 0 {
			out = c.apply(out)
		}
	}
	return out
}

// pieces cuts a write at the borders of what the disk writes at once.
func (c change) pieces(size int64) (out []change) {
	if c.bytes == nil {
		return []change{c}
	}
	for at, rest := c.at, c.bytes; len(rest) > 0; {
		n := min(size-at%size, int64(len(rest)))
		out = append(out, change{at, rest[:n]})
		at, rest = at+n, rest[n:]
	}
	return out
}

// Op is something that a disk can fail at.
type Op int

// What can fail.
const (
	Write Op = iota
	Sync
)

// Fault makes the disk fail at the Nth operation of a kind, counted from now, with an
// error; once, or from then on. The zero Fault is none.
type Fault struct {
	Op      Op
	N       int
	Err     syscall.Errno
	Lasting bool
}

// String is for the messages of tests.
func (f Fault) String() string {
	what, how := []string{"write", "sync"}[f.Op], "once"
	if f.Lasting {
		how = "from then on"
	}
	return fmt.Sprintf("%s %d fails %s: %v", what, f.N, how, f.Err)
}

// Fail arms a fault.
func (d *Disk) Fail(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.count, d.times = f, 0, 0
}

// Struck returns how often the disk has failed since Fail.
func (d *Disk) Struck() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times
}

// fails counts an operation and says how it goes. The lock is held.
func (d *Disk) fails(op Op, f *file) syscall.Errno {
	if !f.plain || d.fault.N == 0 || d.fault.Op != op {
		return fs.OK
	}
	d.count++
	if d.count == d.fault.N || d.count > d.fault.N && d.fault.Lasting {
		d.times++
		return d.fault.Err
	}
	return fs.OK
}

// OnAdd puts the first files into the folder.
func (d *Disk) OnAdd(ctx context.Context) {
	for name, f := range d.names {
		d.AddChild(name, d.NewPersistentInode(ctx, f, fs.StableAttr{Mode: f.mode & syscall.S_IFMT}), true)
	}
}

// Getattr describes the folder.
func (d *Disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = syscall.S_IFDIR | 0o700
	return fs.OK
}

// Statfs says that there is room.
func (d *Disk) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail = room/4096, room/4096, room/4096
	return fs.OK
}

// Fsync makes the names of the folder lasting.
func (d *Disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = maps.Clone(d.names)
	return fs.OK
}

func (d *Disk) add(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) *fs.Inode {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.newFile(name, mode)
	d.names[name] = f
	out.Mode, out.Nlink = mode, 1
	return d.NewPersistentInode(ctx, f, fs.StableAttr{Mode: mode & syscall.S_IFMT})
}

// Create makes a file and opens it.
func (d *Disk) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	return d.add(ctx, name, syscall.S_IFREG|mode&0o777, out), nil, fuse.FOPEN_KEEP_CACHE, fs.OK
}

// Mknod makes what is no file: the socket of the tools.
func (d *Disk) Mknod(ctx context.Context, name string, mode, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return d.add(ctx, name, mode, out), fs.OK
}

// Link gives a file a second name.
func (d *Disk) Link(_ context.Context, of fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := of.(*file)
	if !ok {
		return nil, syscall.EPERM
	}
	d.names[name] = f
	out.Mode, out.Nlink, out.Size = f.mode, 1, uint64(len(f.now))
	return f.EmbeddedInode(), fs.OK
}

// Unlink takes a name away.
func (d *Disk) Unlink(_ context.Context, name string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.names, name)
	return fs.OK
}

// Rename gives a file another name.
func (d *Disk) Rename(_ context.Context, name string, _ fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[to] = d.names[name]
	delete(d.names, name)
	return fs.OK
}

// Getattr describes a file.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	out.Mode, out.Nlink, out.Size = f.mode, 1, uint64(len(f.now))
	return fs.OK
}

// Setattr changes the length or the mode.
func (f *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if n, ok := in.GetSize(); ok {
		f.change(change{at: int64(n)})
	}
	if mode, ok := in.GetMode(); ok {
		f.mode = f.mode&syscall.S_IFMT | mode&0o777
	}
	out.Mode, out.Nlink, out.Size = f.mode, 1, uint64(len(f.now))
	return fs.OK
}

// change does a change and remembers it until the next sync. The lock is held.
func (f *file) change(c change) {
	f.now = c.apply(f.now)
	if f.plain {
		f.loose = append(f.loose, c)
	}
}

// Open opens a file. What the kernel has of it stays good.
func (f *file) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		f.disk.mu.Lock()
		defer f.disk.mu.Unlock()
		f.change(change{})
	}
	return nil, fuse.FOPEN_KEEP_CACHE, fs.OK
}

// Read reads.
func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if at >= int64(len(f.now)) {
		return fuse.ReadResultData(nil), fs.OK
	}
	return fuse.ReadResultData(dest[:copy(dest, f.now[at:])]), fs.OK
}

// Write writes.
func (f *file) Write(_ context.Context, _ fs.FileHandle, bytes []byte, at int64) (uint32, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fails(Write, f); err != fs.OK {
		return 0, err
	}
	f.change(change{at, append(make([]byte, 0, len(bytes)), bytes...)})
	return uint32(len(bytes)), fs.OK
}

// Fsync makes what was written lasting.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fails(Sync, f); err != fs.OK {
		return err
	}
	for _, c := range f.loose {
		f.kept = c.apply(f.kept)
	}
	f.loose = nil
	return fs.OK
}
