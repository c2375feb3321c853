package file

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrSpill refuses to go on where the temporary file cannot be written: mostly a full disk.
var ErrSpill = errs.New(errs.Unavailable, "file.spill", "The temporary file cannot be written or read back. Is the disk full?", "无法读写临时文件，磁盘是否已满？")

const (
	sortBytes  = 16 << 20  // of pairs that are kept in memory before they go to the disk
	mergeBytes = 16 << 20  // of buffers while runs are merged, shared by all runs
	maxMerge   = 256 << 10 // and the most that one run gets of it
	minMerge   = 4 << 10
)

// sorter sorts pairs of bytes by key, more of them than fit in memory.
//
// What is added collects in memory. Each time that a fixed amount is there it is sorted
// and written to a temporary file as one run; at the end the runs are merged. Little
// input never touches the disk. The file is nameless from the moment that it is made
// (where the system allows it), so that a crash leaves nothing of members behind.
//
// It is a merge sort on a file rather than a table in a temporary database because it
// writes each byte once, in order, and needs no index: a million rows take a second.
type sorter struct {
	dir   string
	limit int

	arena []byte
	pairs []pair
	file  *os.File
	out   *bufio.Writer
	size  int64
	runs  []run
}

// run is a sorted stretch of the file. It counts its pairs, so that a file that came back
// shorter than it was written is noticed.
type run struct {
	src   *io.SectionReader
	pairs int
}

// pair is a key and a value behind it in the arena. The first bytes of the key stand in
// the pair itself: most comparisons end there.
type pair struct {
	head       uint64
	at         int
	key, value int
}

// newSorter makes a sorter with a temporary file in dir and so many bytes of memory, 0 for
// the usual.
func newSorter(dir string, memory int) *sorter {
	if memory == 0 {
		memory = sortBytes
	}
	return &sorter{dir: dir, limit: memory}
}

// add copies a pair. Of pairs with equal keys the order is not kept.
func (s *sorter) add(key, value []byte) error {
	if len(s.pairs) > 0 && len(s.arena)+len(key)+len(value) > s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if s.arena == nil {
		s.arena = make([]byte, 0, min(s.limit, 1<<20))
	}
	var head [8]byte
	copy(head[:], key)
	s.pairs = append(s.pairs, pair{binary.BigEndian.Uint64(head[:]), len(s.arena), len(key), len(value)})
	s.arena = append(append(s.arena, key...), value...)
	return nil
}

func (s *sorter) pair(p pair) (key, value []byte) {
	return s.arena[p.at : p.at+p.key], s.arena[p.at+p.key : p.at+p.key+p.value]
}

func (s *sorter) sortPairs() {
	slices.SortFunc(s.pairs, func(a, b pair) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return bytes.Compare(s.arena[a.at:a.at+a.key], s.arena[b.at:b.at+b.key])
	})
}

// spill writes what is in memory as one sorted run.
func (s *sorter) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "patron-import-*")
		if err != nil {
			return ErrSpill.Because(err)
		}
		s.file, s.out = f, bufio.NewWriterSize(f, maxMerge)
		_ = os.Remove(f.Name()) // not everywhere possible for an open file; close tries again
	}
	s.sortPairs()
	start := s.size
	var lens []byte
	for _, p := range s.pairs {
		key, value := s.pair(p)
		lens = binary.AppendUvarint(binary.AppendUvarint(lens[:0], uint64(len(key))), uint64(len(value)))
		for _, b := range [][]byte{lens, key, value} {
			n, err := s.out.Write(b)
			if s.size += int64(n); err != nil {
				return ErrSpill.Because(err)
			}
		}
	}
	if err := s.out.Flush(); err != nil {
		return ErrSpill.Because(err)
	}
	s.runs = append(s.runs, run{io.NewSectionReader(s.file, start, s.size-start), len(s.pairs)})
	s.arena, s.pairs = s.arena[:0], s.pairs[:0]
	return nil
}

// sorted ends the adding and returns the pairs in the order of their keys.
func (s *sorter) sorted() (*merger, error) {
	if len(s.runs) == 0 {
		s.sortPairs()
		return &merger{from: s}, nil
	}
	if err := s.spill(); err != nil {
		return nil, err
	}
	s.arena, s.pairs = nil, nil
	m := &merger{from: s}
	each := max(minMerge, min(maxMerge, mergeBytes/len(s.runs)))
	for _, r := range s.runs {
		c := &cursor{src: bufio.NewReaderSize(r.src, each), left: r.pairs}
		if err := c.next(); err == io.EOF {
			continue
		} else if err != nil {
			return nil, err
		}
		m.cursors = append(m.cursors, c)
	}
	heap.Init(&m.cursors)
	return m, nil
}

// close lets go of the memory and of the temporary file.
func (s *sorter) close() error {
	s.arena, s.pairs = nil, nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	s.file = nil
	return err
}

// merger hands out sorted pairs: from memory where all of them fit, else from the runs.
type merger struct {
	from    *sorter
	done    int
	cursors cursors
	last    *cursor // whose pair was handed out last, and must move on
}

// next returns the next pair, or io.EOF. Both slices are valid until the next call.
func (m *merger) next() (key, value []byte, err error) {
	if len(m.from.runs) == 0 {
		if m.done == len(m.from.pairs) {
			return nil, nil, io.EOF
		}
		key, value = m.from.pair(m.from.pairs[m.done])
		m.done++
		return key, value, nil
	}
	if m.last != nil {
		switch err := m.last.next(); err {
		case nil:
			heap.Fix(&m.cursors, 0)
		case io.EOF:
			heap.Pop(&m.cursors)
		default:
			return nil, nil, err
		}
		m.last = nil
	}
	if len(m.cursors) == 0 {
		return nil, nil, io.EOF
	}
	m.last = m.cursors[0]
	return m.last.key, m.last.value, nil
}

// cursor stands at one pair of one run.
type cursor struct {
	src        *bufio.Reader
	left       int // pairs behind this one
	key, value []byte
}

func (c *cursor) next() error {
	if c.left == 0 {
		return io.EOF
	}
	c.left--
	nk, err := binary.ReadUvarint(c.src)
	nv, err2 := binary.ReadUvarint(c.src)
	if err := errors.Join(err, err2); err != nil {
		return ErrSpill.Because(err)
	}
	c.key = slices.Grow(c.key[:0], int(nk))[:nk]
	c.value = slices.Grow(c.value[:0], int(nv))[:nv]
	_, err = io.ReadFull(c.src, c.key)
	if err == nil {
		_, err = io.ReadFull(c.src, c.value)
	}
	if err != nil {
		return ErrSpill.Because(err)
	}
	return nil
}

// cursors is a heap of runs by the key at which each stands.
type cursors []*cursor

func (h cursors) Len() int           { return len(h) }
func (h cursors) Less(i, j int) bool { return bytes.Compare(h[i].key, h[j].key) < 0 }
func (h cursors) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
