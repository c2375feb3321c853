package app

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// So many are let in, and the next when one has left.
func TestDoor(t *testing.T) {
	t.Parallel()
	l := listen(t)
	var open atomic.Int64
	d := newDoor(l, 2, &open)
	in := make(chan net.Conn)
	go func() {
		for {
			c, err := d.Accept()
			if err != nil {
				close(in)
				return
			}
			in <- c
		}
	}()
	for range 3 {
		dial(t, l)
	}
	first, second := <-in, <-in
	select {
	case <-in:
		t.Error("a third one was let in")
	case <-time.After(50 * time.Millisecond):
	}
	if open.Load() != 2 {
		t.Errorf("%d are in", open.Load())
	}
	for range 2 { // leaving twice frees one place
		_ = first.Close()
	}
	third := <-in
	if open.Load() != 2 {
		t.Errorf("%d are in", open.Load())
	}
	if err := d.Close(); err != nil { // while it is full
		t.Error(err)
	}
	if _, more := <-in; more {
		t.Error("somebody was let in after the end")
	}
	for _, c := range []net.Conn{second, third} {
		_ = c.Close()
	}
	if open.Load() != 0 {
		t.Errorf("%d are left", open.Load())
	}
}

// Those who stand in line when the door is shut are let in, and nobody after them.
func TestDoorShut(t *testing.T) {
	t.Parallel()
	l := listen(t)
	var open atomic.Int64
	d := newDoor(l, 8, &open)
	var line []net.Conn
	for range 5 {
		line = append(line, dial(t, l))
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * lastCalls) // accepting comes late, as on a busy machine
	for i := range line {
		c, err := d.Accept()
		if err != nil {
			t.Fatalf("number %d in line: %v", i, err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	if _, err := d.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v", err)
	}
	for i, c := range line {
		if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("number %d was cut: %v", i, err)
		}
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("somebody still listens")
	}
}
